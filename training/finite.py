"""The losses, read every `log_step` iterations, so that no other waits for the GPU; those that are no numbers tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from losses import Parts


class NotFinite(Exception):
    """A loss or weight became NaN or infinite."""

    def __init__(self, what: str, i: int, value: float = float("nan")) -> None:
        super().__init__(f"{what} became {value} at iteration {i}")


class LossWatch:
    """Remembers the losses since the last look, on their device, and looks at all of them together.

    `mean` takes the mean over the processes of a run: a number that is none in one of them is none in all.
    """

    def __init__(self, mean: Callable[[Sequence[float]], Sequence[float]] = list) -> None:
        self._mean = mean
        self._seen: list[tuple[int, str]] = []
        self._values: list[Tensor] = []

    def add(self, i: int, parts: Parts) -> None:
        """Remember iteration `i`'s losses; nothing is read yet."""
        self._seen += [(i, name) for name in parts]
        self._values += [value.detach().float() for value in parts.values()]

    def look(self) -> dict[str, float]:
        """The last value of each loss since the last look; raises `NotFinite` for the first that is no number."""
        seen, values = self._seen, self._values
        self._seen, self._values = [], []
        if not values:
            return {}
        told = {}
        for (i, name), value in zip(seen, self._mean(torch.stack(values).tolist()), strict=True):
            if value - value != 0:  # only of NaN and the infinities
                raise NotFinite(name, i, value)
            told[name] = value
        return told
