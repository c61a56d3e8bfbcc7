"""One step of the discriminator and one of the generator: what every iteration does on the device."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from common.device import autocast
from data_loader import TrainingBatch
from losses import Parts, discriminator_loss, generator_loss, one_hot, pair_loss
from training.distributed import Ranks
from training.sample_stream import stream_seed
from training.state import TrainingState


class TrainingStep:
    """The two steps on a batch, in `--accumulate` parts, averaged over all processes, in `--amp`'s precision."""

    def __init__(self, config: argparse.Namespace, state: TrainingState, ranks: Ranks, device: torch.device) -> None:
        self.config = config
        self.state = state
        self.ranks = ranks
        self.device = device
        self.G: nn.Module = state.G
        self.D: nn.Module = state.D
        self.discriminator_loss = discriminator_loss
        if config.compile == "True" or (config.compile == "auto" and device.type == "cuda"):
            self.G, self.D = cast(nn.Module, torch.compile(state.G)), cast(nn.Module, torch.compile(state.D))
            self.discriminator_loss = torch.compile(discriminator_loss)

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

    def iteration(self, i: int, batch: TrainingBatch) -> Parts:
        """Both networks' share of iteration `i`: the losses, on the device."""
        config, x_real, c_org = self.config, batch.x_real, batch.c_org
        c_trg, alpha = self.draw(i, c_org)
        if batch.c_trg is not None:
            c_trg = batch.c_trg
        generator_learns = i % config.n_critic == 0
        x_fake = None
        if generator_learns and config.accumulate == 1:  # both steps need it: G has not changed in between
            with autocast(self.device, config.amp):
                x_fake = self.translate(x_real, c_trg)
        parts = self.discriminator(x_real, c_org, c_trg, alpha, x_fake)
        if generator_learns:
            parts |= self.generator(x_real, c_org, c_trg, x_fake, batch.x_trg)
        return parts

    def translate(self, x_real: Tensor, c_trg: Tensor) -> Tensor:
        """G(x, c')."""
        return self.G(x_real, one_hot(c_trg, self.config.c_dim))

    def discriminator(
        self, x_real: Tensor, c_org: Tensor, c_trg: Tensor, alpha: Tensor, x_fake: Tensor | None = None
    ) -> Parts:
        """Learn to tell real from translated, and emotions from one another."""
        config = self.config

        def loss_of(
            x_real: Tensor, c_org: Tensor, c_trg: Tensor, alpha: Tensor, x_fake: Tensor | None
        ) -> tuple[Tensor, Parts]:
            with torch.no_grad():
                x_fake = self.translate(x_real, c_trg) if x_fake is None else x_fake.detach()
            return self.discriminator_loss(
                self.state.D, x_real, c_org, x_fake, alpha, config.lambda_cls, config.lambda_gp
            )

        return self._learn(self.state.D, self.state.d_optimizer, loss_of, x_real, c_org, c_trg, alpha, x_fake)

    def generator(
        self,
        x_real: Tensor,
        c_org: Tensor,
        c_trg: Tensor,
        x_fake: Tensor | None = None,
        x_trg: Tensor | None = None,
    ) -> Parts:
        """Learn to deceive the discriminator, to lead back to the original, and what the known answers show."""
        config = self.config

        def loss_of(
            x_real: Tensor, c_org: Tensor, c_trg: Tensor, x_fake: Tensor | None, x_trg: Tensor | None
        ) -> tuple[Tensor, Parts]:
            if x_fake is None:
                x_fake = self.translate(x_real, c_trg)
            lambdas = config.lambda_cls, config.lambda_rec
            loss, parts = generator_loss(self.G, self.D, x_real, c_org, x_fake, c_trg, config.c_dim, *lambdas)
            if x_trg is not None:
                parts["G/loss_pair"] = pair_loss(x_fake, x_real, x_trg)
                loss = loss + config.lambda_pair * parts["G/loss_pair"]
            return loss, parts

        self.state.D.requires_grad_(False)  # only the generator learns here: D's own gradients need not be computed
        parts = self._learn(self.state.G, self.state.g_optimizer, loss_of, x_real, c_org, c_trg, x_fake, x_trg)
        self.state.D.requires_grad_(True)
        if self.state.ema:
            self.state.ema.update_parameters(self.state.G)
        return parts

    def _learn(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss_of: Callable[..., tuple[Tensor, Parts]],
        *batch: Tensor | None,
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


def _parts(batch: tuple[Tensor | None, ...], number: int) -> Iterator[tuple[Any, ...]]:
    """The batch in `number` equal parts."""
    return zip(*((None,) * number if tensor is None else tensor.chunk(number) for tensor in batch), strict=True)
