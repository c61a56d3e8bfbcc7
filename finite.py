"""Losses that stopped being numbers: noticed within `log_step` iterations without waiting for the GPU at each."""

from __future__ import annotations

import torch
from torch import Tensor

from losses import Parts


class NotFinite(Exception):
    """A loss or weight became NaN or infinite."""

    def __init__(self, what: str, i: int, value: float = float("nan")) -> None:
        super().__init__(f"{what} became {value} at iteration {i}")


class LossWatch:
    """Remembers the losses since the last look, on their device, and looks at all of them together."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, str]] = []
        self._values: list[Tensor] = []

    def add(self, i: int, parts: Parts) -> None:
        """Remember iteration `i`'s losses; nothing is read yet."""
        self._seen += [(i, name) for name in parts]
        self._values += [value.detach().float() for value in parts.values()]

    def look(self) -> None:
        """Raise `NotFinite` for the first loss since the last look that is no number."""
        seen, values = self._seen, self._values
        self._seen, self._values = [], []
        if not values:
            return
        for (i, name), value in zip(seen, torch.stack(values).tolist(), strict=True):
            if value - value != 0:  # only of NaN and the infinities
                raise NotFinite(name, i, value)
