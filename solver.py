"""The training loop of StarGAN (arXiv 1711.09020), its samples, and test mode."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import checkpoint
import pictures
from data_loader import fixed_faces, stream_seed, training_batches
from device import autocast, choose_device
from errors import UserError
from graceful_stop import GracefulStop
from image_folder import LabelledImages
from losses import Parts, discriminator_loss, generator_loss, one_hot
from model import Discriminator, Generator
from selection import Selection
from training_log import TrainingLog
from translate import translate_to_all
from value_range import to_uint8

SAMPLE_FACES = 2  # of each domain in the sample grid


def learning_rate(lr: float, i: int, num_iters: int, num_iters_decay: int, lr_update_step: int) -> float:
    """The rate after iteration `i`: `lr`, falling linearly to 0 over the last `num_iters_decay` iterations.

    It changes at multiples of `lr_update_step` only, and depends on `i` alone, so a resumed run has the rate an
    unbroken run would have (design: the published code decays by 0.1 % instead of to zero).
    """
    updated = i - i % lr_update_step
    num_iters_decay = min(num_iters_decay, num_iters)
    if updated <= num_iters - num_iters_decay:
        return lr
    return lr * (num_iters - updated) / num_iters_decay


class Solver:
    """Trains a generator and a discriminator on labelled faces, as `config` (the arguments of `main.py`) says."""

    def __init__(self, config: argparse.Namespace, images: LabelledImages) -> None:
        self.config = config
        self.images = images
        self.device = choose_device()
        self.model_dir = Path(config.model_save_dir)
        torch.manual_seed(config.seed)
        self.G = Generator(config.g_conv_dim, config.c_dim, config.g_repeat_num)
        self.D = Discriminator(config.image_size, config.d_conv_dim, config.c_dim, config.d_repeat_num)
        for network in (self.G, self.D):
            network.to(self.device).to(memory_format=torch.channels_last)
        average = get_ema_multi_avg_fn(config.ema_decay)
        self.ema = AveragedModel(self.G, multi_avg_fn=average) if config.ema_decay else None
        betas = (config.beta1, config.beta2)
        self.g_optimizer = torch.optim.Adam(self.G.parameters(), config.g_lr, betas, fused=True)
        self.d_optimizer = torch.optim.Adam(self.D.parameters(), config.d_lr, betas, fused=True)
        self.start = 0  # iterations done
        self.samples_seen = 0  # place in the stream of training samples
        self.selection: Selection | None = None

    def train(self) -> int:
        """Train to `num_iters`; returns the exit code: 0, or 128 + the signal that stopped the run."""
        config = self.config
        batches = self._begin()
        values: Parts = {}
        with GracefulStop() as stop:
            for i in range(self.start + 1, config.num_iters + 1):
                x_real, c_org = (t.to(self.device, non_blocking=True) for t in next(batches))
                c_trg, alpha = self._draw(i, c_org)

                values |= self._train_discriminator(x_real, c_org, c_trg, alpha)
                if i % config.n_critic == 0:
                    values |= self._train_generator(x_real, c_org, c_trg)
                self.samples_seen += len(x_real)

                self._set_learning_rates(i)
                if i % config.log_step == 0:
                    self.log.scalars(i, {**values, **self._learning_rates()})
                if i % config.sample_step == 0:
                    self._keep_best(i, self._sample(i))
                if i % config.model_save_step == 0 or i == config.num_iters or stop.asked:
                    self._save(i, i)
                if stop.asked:
                    break
        self.log.close()
        if stop.asked:
            print(f"stopped at iteration {i}, saved; go on with the same command and --resume_iters latest")
            return 128 + stop.asked
        return 0

    def _begin(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Resume if asked, make the folders, fix the sample faces, and open the stream of batches."""
        config = self.config
        best = self._resume(config.resume_iters) if config.resume_iters != "0" else math.inf
        if self.start >= config.num_iters:
            raise UserError(f"iteration {self.start} is done already: give a --num_iters above it")
        if config.score != "none" and config.num_iters >= config.sample_step:
            self.selection = Selection(config, self.images, self.device)
        self._set_learning_rates(self.start)
        crops = (config.crop_size, config.image_size)
        self.x_fixed, _ = fixed_faces(self.images, SAMPLE_FACES, *crops, config.seed)
        for folder in (config.model_save_dir, config.sample_dir):
            Path(folder).mkdir(parents=True, exist_ok=True)
        if self.selection:
            self.selection.begin(self.start, best)
        checkpoint.save_config(self.model_dir, {"arguments": _plain(config), "domains": self.images.domains})
        self.log = TrainingLog(self.start, config.num_iters, Path(config.log_dir) if config.use_tensorboard else None)
        return training_batches(
            self.images,
            crop_size=config.crop_size,
            image_size=config.image_size,
            batch_size=config.batch_size,
            num_workers=config.num_workers,
            seed=config.seed,
            start=self.samples_seen,
        )

    def _draw(self, i: int, c_org: Tensor) -> tuple[Tensor, Tensor]:
        """Iteration `i`'s random numbers: target labels (the batch's own, permuted) and the penalty's alpha.

        They depend on the seed and `i` alone, so a resumed run draws what an unbroken one would have.
        """
        rng = torch.Generator().manual_seed(stream_seed(self.config.seed, i))
        order = torch.randperm(len(c_org), generator=rng)
        alpha = torch.rand(len(c_org), 1, 1, 1, generator=rng)
        return c_org[order.to(self.device, non_blocking=True)], alpha.to(self.device, non_blocking=True)

    def _train_discriminator(self, x_real: Tensor, c_org: Tensor, c_trg: Tensor, alpha: Tensor) -> Parts:
        config = self.config
        with autocast(self.device, config.amp):
            with torch.no_grad():
                x_fake = self.G(x_real, one_hot(c_trg, config.c_dim)).float()
            loss, parts = discriminator_loss(self.D, x_real, c_org, x_fake, alpha, config.lambda_cls, config.lambda_gp)
        _step(self.d_optimizer, loss)
        return parts

    def _train_generator(self, x_real: Tensor, c_org: Tensor, c_trg: Tensor) -> Parts:
        config = self.config
        self.D.requires_grad_(False)  # only the generator learns here: D's own gradients need not be computed
        with autocast(self.device, config.amp):
            loss, parts = generator_loss(
                self.G, self.D, x_real, c_org, c_trg, config.c_dim, config.lambda_cls, config.lambda_rec
            )
        _step(self.g_optimizer, loss)
        self.D.requires_grad_(True)
        if self.ema:
            self.ema.update_parameters(self.G)
        return parts

    def _set_learning_rates(self, i: int) -> None:
        config = self.config
        schedule = (i, config.num_iters, config.num_iters_decay, config.lr_update_step)
        for optimizer, lr in ((self.g_optimizer, config.g_lr), (self.d_optimizer, config.d_lr)):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(lr, *schedule)

    def _learning_rates(self) -> dict[str, float]:
        return {
            "G/lr": self.g_optimizer.param_groups[0]["lr"],
            "D/lr": self.d_optimizer.param_groups[0]["lr"],
        }

    @property
    def generator(self) -> nn.Module:
        """The generator one uses: the moving average when it is on."""
        return self.ema.module if self.ema else self.G

    def _keep_best(self, i: int, sheet: Image.Image) -> None:
        """Score the generator; keep it as the set `best` if none was better."""
        if not self.selection:
            return
        score, improved = self.selection.score(self.generator, i)
        self.log.scores(i, score.scalars())
        if improved:
            self._save(i, "best")
            self._save_sheet(sheet, "best-images.jpg")

    def _sample(self, i: int) -> Image.Image:
        """Write `{i}-images.jpg`: each fixed face, original and translated to every domain."""
        with autocast(self.device, self.config.amp):
            x_fake = translate_to_all(self.generator, self.x_fixed.to(self.device), self.config.c_dim)
        rows = [[x, *fakes] for x, fakes in zip(to_uint8(self.x_fixed), to_uint8(x_fake), strict=True)]
        sheet = pictures.grid(rows, ["original", *self.images.domains])
        self._save_sheet(sheet, f"{i}-images.jpg")
        self.log.picture(i, "samples", np.asarray(sheet))
        return sheet

    def _save_sheet(self, sheet: Image.Image, name: str) -> None:
        path = Path(self.config.sample_dir) / name
        checkpoint.write_atomically(path, lambda temporary: sheet.save(temporary, "JPEG", quality=95))

    def _save(self, i: int, name: int | str) -> None:
        """Write iteration `i` as the set `name`; the state last, since a set with it is complete."""
        state: dict[str, Any] = {
            "iteration": i,
            "samples_seen": self.samples_seen,
            "g_optimizer": self.g_optimizer.state_dict(),
            "d_optimizer": self.d_optimizer.state_dict(),
            "best_score": self.selection.best if self.selection else math.inf,
        }
        if self.ema:  # the G file holds the average; what the optimiser moves is kept here
            state |= {"G": self.G.state_dict(), "ema_updates": self.ema.n_averaged}
        parts = {"G": self.generator.state_dict(), "D": self.D.state_dict(), "state": state}
        for part, content in parts.items():
            checkpoint.save(checkpoint.path_of(self.model_dir, name, part), content)

    def _resume(self, which: str) -> float:
        """Go on from a full training state, or from bare G and D files of other repos with new optimisers.

        Returns the best score so far.
        """
        name = checkpoint.resolve(self.model_dir, which)
        self._load_networks(name)
        path = checkpoint.path_of(self.model_dir, name, "state")
        if not path.exists():
            self.start = name if isinstance(name, int) else 0
            self.samples_seen = self.start * self.config.batch_size
            print(f"resuming from bare networks of iteration {name}: the optimisers start anew")
            return math.inf
        state = checkpoint.load(path)
        self.start, self.samples_seen = state["iteration"], state["samples_seen"]
        self.g_optimizer.load_state_dict(state["g_optimizer"])
        self.d_optimizer.load_state_dict(state["d_optimizer"])
        if "G" in state:
            self.G.load_state_dict(state["G"])
            if self.ema:
                self.ema.n_averaged.copy_(state["ema_updates"])
        print(f"resuming from iteration {self.start}")
        return state["best_score"]

    def _load_networks(self, name: int | str) -> None:
        config, c_dim = self.config, self.config.c_dim
        trained_on = checkpoint.domains_of(self.model_dir)
        if trained_on and trained_on != self.images.domains:
            raise UserError(
                f"the run in {self.model_dir} was trained on {', '.join(trained_on)}, but {config.image_dir} "
                f"holds {', '.join(self.images.domains)}: use the same folders, or a new --model_save_dir"
            )
        path = checkpoint.path_of(self.model_dir, name, "G")
        state, found = checkpoint.load_generator(path, c_dim)
        wanted = {flag: getattr(config, flag) for flag in ("g_conv_dim", "g_repeat_num", "c_dim")}
        checkpoint.require(found, path, wanted)
        self.G.load_state_dict(state)
        if self.ema:
            self.ema.module.load_state_dict(state)
        path = checkpoint.path_of(self.model_dir, name, "D")
        state, found = checkpoint.load_discriminator(path, c_dim)
        wanted = {flag: getattr(config, flag) for flag in ("d_conv_dim", "d_repeat_num", "c_dim", "image_size")}
        checkpoint.require(found, path, wanted)
        self.D.load_state_dict(state)


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _plain(config: argparse.Namespace) -> dict[str, Any]:
    """The arguments as JSON has them."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(config).items()}
