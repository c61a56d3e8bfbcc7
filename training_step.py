"""One step of the discriminator and one of the generator: what every iteration does on the device."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor, nn

from device import autocast
from distributed import Ranks
from losses import Parts, discriminator_loss, generator_loss, one_hot
from sample_stream import stream_seed
from training_state import TrainingState


class TrainingStep:
    """The two steps on a batch, in `--accumulate` parts, averaged over all processes, in `--amp`'s precision."""

    def __init__(self, config: argparse.Namespace, state: TrainingState, ranks: Ranks, device: torch.device) -> None:
        self.config = config
        self.state = state
        self.ranks = ranks
        self.device = device
        # The discriminator's own step differentiates twice, which compiled code can't.
        self.G: nn.Module = cast(nn.Module, torch.compile(state.G)) if config.compile else state.G

    def draw(self, i: int, c_org: Tensor) -> tuple[Tensor, Tensor]:
        """Iteration `i`'s random numbers: target labels (all the processes' own, permuted) and the penalty's alpha.

        They depend on the seed and `i` alone, so a resumed run draws what an unbroken one would have, and two
        processes what one of twice their batch would.
        """
        everyones = self.ranks.labels_of_all(c_org)
        rng = torch.Generator().manual_seed(stream_seed(self.config.seed, i))
        order = torch.randperm(len(everyones), generator=rng)
        alpha = torch.rand(len(everyones), 1, 1, 1, generator=rng)
        c_trg = everyones[order.to(self.device, non_blocking=True)]
        return self.ranks.own_part(c_trg), self.ranks.own_part(alpha).to(self.device, non_blocking=True)

    def discriminator(self, x_real: Tensor, c_org: Tensor, c_trg: Tensor, alpha: Tensor) -> Parts:
        """Learn to tell real from translated, and emotions from one another."""
        config = self.config

        def loss_of(x_real: Tensor, c_org: Tensor, c_trg: Tensor, alpha: Tensor) -> tuple[Tensor, Parts]:
            with torch.no_grad():
                x_fake = self.G(x_real, one_hot(c_trg, config.c_dim)).float()
            return discriminator_loss(self.state.D, x_real, c_org, x_fake, alpha, config.lambda_cls, config.lambda_gp)

        return self._learn(self.state.D, self.state.d_optimizer, loss_of, x_real, c_org, c_trg, alpha)

    def generator(self, x_real: Tensor, c_org: Tensor, c_trg: Tensor) -> Parts:
        """Learn to deceive the discriminator, and to lead back to the original."""
        config = self.config

        def loss_of(x_real: Tensor, c_org: Tensor, c_trg: Tensor) -> tuple[Tensor, Parts]:
            return generator_loss(
                self.G, self.state.D, x_real, c_org, c_trg, config.c_dim, config.lambda_cls, config.lambda_rec
            )

        self.state.D.requires_grad_(False)  # only the generator learns here: D's own gradients need not be computed
        parts = self._learn(self.state.G, self.state.g_optimizer, loss_of, x_real, c_org, c_trg)
        self.state.D.requires_grad_(True)
        if self.state.ema:
            self.state.ema.update_parameters(self.state.G)
        return parts

    def _learn(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss_of: Callable[..., tuple[Tensor, Parts]],
        *batch: Tensor,
    ) -> Parts:
        """One step of `optimizer` down the mean loss; the mean of its parts."""
        optimizer.zero_grad()
        told: list[Parts] = []
        for part in _parts(batch, self.config.accumulate):
            with autocast(self.device, self.config.amp):
                loss, parts = loss_of(*part)
            (loss / self.config.accumulate).backward()
            told.append({name: value.detach() for name, value in parts.items()})
        self.ranks.average_gradients(network)
        optimizer.step()
        if len(told) == 1:
            return told[0]
        return {name: torch.stack([parts[name] for parts in told]).mean() for name in told[0]}


def _parts(batch: tuple[Tensor, ...], number: int) -> Iterator[tuple[Tensor, ...]]:
    """The batch in `number` equal parts."""
    return zip(*(tensor.chunk(number) for tensor in batch), strict=True)
