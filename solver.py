"""StarGAN's training (arXiv 1711.09020): the loop, the two steps of an iteration, and the samples it shows."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Iterator
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from checkpointing import run_config, training_sets
from checkpointing.trained_generator import faces_that_fit, translate_to_all
from common.device import autocast, choose_device, peak_memory, tune
from common.errors import RunStopped, UserError
from common.settings import Settings
from data_loader import FaceLoading, TrainingBatch, fixed_faces, training_batches, worker_deaths_reported
from imaging import picture_grid
from imaging.image_folder import LabelledImages
from imaging.value_range import to_uint8
from loading.decoded_cache import prepare
from loading.sample_stream import stream_seed
from loading.unreadable import Unreadable
from losses import Parts, classification_loss, discriminator_loss, feature_loss, generator_loss, one_hot, pair_loss
from scoring.best_checkpoint import Selection
from training import first_batch
from training.distributed import Ranks, require_agreement
from training.log import TrainingLog
from training.run_folder import RunFolder, check_resume
from training.safeguards import GracefulStop, LossWatch, NotFinite
from training.start_up import start_up_block
from training.state import TrainingState

SAMPLE_FACES = 2  # faces of each domain in the sample grid
LOWEST_FACTOR = 1 / 32  # lowest factor of the learning rates after NaN or infinity; below it data or flags are wrong


class Solver:
    """Trains a generator and a discriminator on labelled faces."""

    def __init__(self, settings: Settings, images: LabelledImages) -> None:
        self.settings = settings
        self.networks, self.schedule, self.speed = settings.networks, settings.schedule, settings.speed
        self.images = images
        tune(self.speed.amp, self.speed.deterministic)
        self.device = choose_device()
        self.ranks = Ranks(self.device)
        self.stop = GracefulStop(self.schedule.max_minutes)
        resumed = self.schedule.resume_iters != "0"
        reach = run_config.reach_of(
            settings.saving.model_save_dir / run_config.CONFIG if resumed else self.schedule.init
        )
        config = {"arguments": settings.as_json(), "domains": list(images.domains)} | reach
        self.folder = RunFolder(settings.saving, config, hurried=lambda: self.stop.asked is not None)
        data, sizes = settings.data, (self.networks.crop_size, self.networks.image_size)
        self.faces = FaceLoading(
            *sizes, self.schedule.seed, data.augment, settings.losses.lambda_pair > 0, data.pair_from
        )
        self.selection: Selection | None = None
        self.best_score = math.inf
        self.lr_factor = 1.0  # lower after losses that were not finite
        self._start_anew()
        if self.state.d_warmup >= self.schedule.num_iters:
            raise UserError(
                f"--num_iters {self.schedule.num_iters} ends within --d_warmup {self.state.d_warmup}, before the "
                "generator learns: give more iterations, or a shorter warm-up"
            )

    def train(self) -> int:
        """Train to `num_iters`; returns the exit code: 0, or 128 + the signal that stopped the run."""
        networks = self.state.G, self.state.D
        begins_with, processes = self.state.begins_with, self.ranks.world_size
        self.ranks.say(start_up_block(self.settings, self.images, self.device, networks, begins_with, processes))
        which = self.schedule.resume_iters
        if self.ranks.restarts and training_sets.iterations(self.folder.models):
            which = "latest"
        try:
            while True:
                try:
                    return self._run(self._begin(which))
                except NotFinite as error:
                    which = self._go_back(error)
        finally:
            self.folder.release()

    def _run(self, batches: Generator[TrainingBatch, None, None]) -> int:
        saving, state, num_iters = self.settings.saving, self.state, self.schedule.num_iters
        closing = contextlib.closing
        with self.stop, closing(self.log), closing(batches), worker_deaths_reported(self.settings.data.num_workers):
            for i in range(state.iteration + 1, num_iters + 1):
                batch = next(batches)
                if i == 1 and self.ranks.is_first:
                    self._show(batch)
                self.watch.add(i, self.iteration(i, batch))
                state.advance(len(batch.x_real) * self.ranks.world_size)

                if i % saving.log_step == 0:
                    self.losses |= self.watch.read()
                    self.log.scalars(i, {**self.losses, **state.learning_rates()})
                ending = self._must_end()
                # A stopped run scores when it goes on; after the last iteration it never will.
                last_of_a_short_run = i == num_iters < saving.sample_step
                if last_of_a_short_run or (i % saving.sample_step == 0 and (not ending or i == num_iters)):
                    self._sample_and_score(i)
                    ending = self._must_end()
                if i % saving.model_save_step == 0 or i == num_iters or ending:
                    self._save(i)
                if ending:
                    break
            self.folder.finish()
        self.ranks.say(f"peak memory: {peak_memory(self.device):.2f} GiB")
        if state.iteration == num_iters:
            return 0
        self.ranks.say(f"stopped at iteration {i}, saved; go on with the same command and --resume_iters latest")
        return 128 + self.stop.asked if self.stop.asked else 0

    def _must_end(self) -> bool:
        """Whether a process of the run was asked to stop, or its time is up: they end together."""
        ending = self.stop.asked is not None or self.stop.time_is_up(reserve=2 * self.folder.save_seconds)
        return bool(self.ranks.highest([ending])[0])

    # --- One iteration ----------------------------------------------------------------------------------------

    def iteration(self, i: int, batch: TrainingBatch) -> Parts:
        """A step of D, and of G at every `n_critic`-th iteration; returns the losses, still on the device."""
        x_real, c_org = batch.x_real, batch.c_org
        c_trg, alpha = self.draw(i, c_org)
        if batch.c_trg is not None:
            c_trg = batch.c_trg
        # With pairs D's real image is the known answer, so only the expression can differ.
        real = (x_real, c_org) if batch.x_trg is None else (batch.x_trg, c_trg)
        if i <= self.state.d_warmup:
            return self.warmup_step(*real)
        generator_learns = i % self.schedule.n_critic == 0
        x_fake = None
        if generator_learns and self.speed.accumulate == 1:  # one pass for both steps: G does not change in between
            with autocast(self.device, self.speed.amp):
                x_fake = self.translate(x_real, c_trg)
        parts = self.discriminator_step(real, x_real, c_trg, alpha, x_fake)
        if generator_learns:
            parts |= self.generator_step(x_real, c_org, c_trg, x_fake, batch.x_trg)
        return parts

    def draw(self, i: int, c_org: Tensor) -> tuple[Tensor, Tensor]:
        """Iteration `i`'s random numbers: target labels (all the processes' own, permuted) and the penalty's alpha.

        They depend on the seed and `i` alone, so a resumed run draws what an unbroken one would have, and two
        processes what one of twice their batch would.
        """
        everyones = self.ranks.labels_of_all(c_org)
        rng = torch.Generator().manual_seed(stream_seed(self.schedule.seed, i))
        order = torch.randperm(len(everyones), generator=rng)
        alpha = torch.rand(len(everyones), 1, 1, 1, generator=rng)
        c_trg = everyones[order.to(self.device, non_blocking=True)]
        return self.ranks.own_part(c_trg), self.ranks.own_part(alpha).to(self.device, non_blocking=True)

    def translate(self, x_real: Tensor, c_trg: Tensor) -> Tensor:
        """G(x, c')."""
        return self.G(x_real, one_hot(c_trg, self.networks.c_dim))

    def warmup_step(self, x: Tensor, c: Tensor) -> Parts:
        """D learns to name the emotions and nothing else; the generator waits."""

        def loss_of(x: Tensor, c: Tensor) -> tuple[Tensor, Parts]:
            loss = classification_loss(self.D, x, c)
            return loss, {"D/loss_cls": loss}

        return self._learn(self.state.D, self.state.d_optimizer, loss_of, x, c)

    def discriminator_step(
        self, real: tuple[Tensor, Tensor], x_real: Tensor, c_trg: Tensor, alpha: Tensor, x_fake: Tensor | None
    ) -> Parts:
        """D learns to tell the `real` faces, whose labels it learns too, from those translated from `x_real`."""
        weights = self.settings.losses

        def loss_of(
            x: Tensor, c: Tensor, x_real: Tensor, c_trg: Tensor, alpha: Tensor, x_fake: Tensor | None
        ) -> tuple[Tensor, Parts]:
            with torch.no_grad():
                x_fake = self.translate(x_real, c_trg) if x_fake is None else x_fake.detach()
            return self.discriminator_loss(self.state.D, x, c, x_fake, alpha, weights.lambda_cls, weights.lambda_gp)

        return self._learn(self.state.D, self.state.d_optimizer, loss_of, *real, x_real, c_trg, alpha, x_fake)

    def generator_step(
        self, x_real: Tensor, c_org: Tensor, c_trg: Tensor, x_fake: Tensor | None, x_trg: Tensor | None
    ) -> Parts:
        """G learns to deceive D, to lead back to the original, and what the known answers show."""
        weights, state = self.settings.losses, self.state

        def loss_of(
            x_real: Tensor, c_org: Tensor, c_trg: Tensor, x_fake: Tensor | None, x_trg: Tensor | None
        ) -> tuple[Tensor, Parts]:
            if x_fake is None:
                x_fake = self.translate(x_real, c_trg)
            lambdas = weights.lambda_cls, weights.lambda_rec
            loss, parts = generator_loss(self.G, self.D, x_real, c_org, x_fake, c_trg, self.networks.c_dim, *lambdas)
            if x_trg is not None:
                parts["G/loss_pair"] = pair_loss(x_fake, x_real, x_trg)
                loss = loss + weights.lambda_pair * parts["G/loss_pair"]
                if weights.lambda_feature:
                    parts["G/loss_feature"] = feature_loss(state.D, x_fake, x_trg)
                    loss = loss + weights.lambda_feature * parts["G/loss_feature"]
            return loss, parts

        state.D.requires_grad_(False)  # only the generator learns here: D's own gradients need not be computed
        parts = self._learn(state.G, state.g_optimizer, loss_of, x_real, c_org, c_trg, x_fake, x_trg)
        state.D.requires_grad_(True)
        state.average()
        return parts

    def _learn(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss_of: Callable[..., tuple[Tensor, Parts]],
        *batch: Tensor | None,
    ) -> Parts:
        """One step of `optimizer` down the mean loss over `--accumulate` parts of the batch; the mean of the losses."""
        optimizer.zero_grad()
        parts_of_batch: list[Parts] = []
        for part in _parts(batch, self.speed.accumulate):
            with autocast(self.device, self.speed.amp):
                loss, parts = loss_of(*part)
            (loss / self.speed.accumulate).backward()
            parts_of_batch.append({name: value.detach() for name, value in parts.items()})
        self.ranks.average_gradients(network)
        optimizer.step()
        if len(parts_of_batch) == 1:
            return parts_of_batch[0]
        return {name: torch.stack([parts[name] for parts in parts_of_batch]).mean() for name in parts_of_batch[0]}

    # --- Beginning, and going back ----------------------------------------------------------------------------

    def _start_anew(self) -> None:
        """Fresh networks and optimisers, compiled where asked."""
        self.state = TrainingState(self.networks, self.schedule, self.device, self.speed.gradient_checkpointing)
        self.G: nn.Module = self.state.G
        self.D: nn.Module = self.state.D
        self.discriminator_loss = discriminator_loss
        if self.speed.compile == "True" or (self.speed.compile == "auto" and self.device.type == "cuda"):
            self.G = cast(nn.Module, torch.compile(self.G))
            if self.device.type == "cuda":  # without norms to fuse, D is no faster on a CPU
                self.D = cast(nn.Module, torch.compile(self.D))
                self.discriminator_loss = torch.compile(discriminator_loss)

    def _begin(self, which: str) -> Generator[TrainingBatch, None, None]:
        """Resume if asked, make the folders, fix the sample faces, and open the stream of batches."""
        settings, state, ranks = self.settings, self.state, self.ranks
        saving, data, num_iters = settings.saving, settings.data, self.schedule.num_iters
        with ranks.first_before_the_others():
            if ranks.is_first:
                self.folder.lock()
        if which == "latest" and not any(self.folder.models.glob("*.ckpt")):
            ranks.say(f"{self.folder.models} holds no checkpoint yet: beginning at iteration 0")
            which = "0"
        if which != "0":
            self.folder.last_good = training_sets.resolve(self.folder.models, which, training_sets.PARTS)
            for difference in check_resume(settings, self.images.domains):
                ranks.say(difference)
            ranks.say(state.load(self.folder.models, self.folder.last_good))
        same_folder = "give all machines the same --model_save_dir, on a disk they share"
        require_agreement(ranks, "the iteration to go on from", state.iteration, same_folder)
        state.lower_rates(self.lr_factor)
        state.best_score = min(state.best_score, self.best_score)
        start = state.iteration
        if start >= num_iters:
            raise UserError(f"iteration {start} is done already: give a --num_iters above it")
        sizes = self.networks.crop_size, self.networks.image_size
        self.x_fixed, _ = fixed_faces(self.images, SAMPLE_FACES, *sizes, self.schedule.seed)
        with ranks.first_before_the_others():  # the others find what the first one fetched and computed
            self._prepare(start)
        self.watch = LossWatch(ranks.mean)
        self.losses = dict(state.last_losses)
        board = saving.log_dir if saving.use_tensorboard and ranks.is_first else None
        table = self.folder.models / "losses.csv" if ranks.is_first else None
        self.log = TrainingLog(start, num_iters, board, table, silent=not ranks.is_first)
        self.folder.say = self.log.say
        if start and start % saving.sample_step == 0 and state.sampled < start:  # it was asked to stop just then
            self._sample_and_score(start)
        return training_batches(
            self.images,
            Unreadable(self.images, self.log.say),
            self.faces,
            batch_size=self.schedule.batch_size,
            num_workers=data.num_workers,
            start=state.samples_seen,
            balance=data.balance,
            device=self.device,
            cache=data.cache,
            rank=ranks.rank,
            world_size=ranks.world_size,
        )

    def _prepare(self, start: int) -> None:
        """Make the run's folders, what scores the samples, and the cache of decoded faces."""
        data, sample_step = self.settings.data, self.settings.saving.sample_step
        will_sample = max(1, self.schedule.num_iters // sample_step) > start // sample_step
        if self.settings.score.score != "none" and will_sample and not self.selection:
            self.selection = self._new_selection()
        if self.ranks.is_first:
            self.folder.claim(start, self.ranks.may_restart)
        if self.selection:
            self.selection.begin(start, self.state.best_score)
        if data.cache:
            prepare(data.cache, self.images, *self.faces.to_load, data.num_workers)

    def _new_selection(self) -> Selection:
        return Selection(
            self.settings.score,
            self.networks,
            self.folder.models,
            self.images,
            self.device,
            self.ranks,
            amp=self.speed.amp,
            faces_at_once=faces_that_fit(self.schedule.batch_size, self.speed.accumulate, self.networks.c_dim),
            resumes=self.schedule.resume_iters != "0",
        )

    def _go_back(self, error: NotFinite) -> str:
        """After NaN or infinity: stop, or return the set to go on from with half the learning rates."""
        self.folder.finish()
        last_good = self.folder.last_good
        good = f"set {last_good}" if last_good is not None else "the beginning"
        factor = self.state.lr_factor / 2
        if self.schedule.on_nan == "stop" or factor < LOWEST_FACTOR:
            rates = f"--g_lr {self.schedule.g_lr * factor:g} --d_lr {self.schedule.d_lr * factor:g}"
            tried = ""
            if self.schedule.on_nan == "stop":
                tried = ", or let --on_nan lower_lr do it"
            raise RunStopped(
                f"{error}, which was not saved: go on from {good} with lower rates (such as {rates}){tried}"
            ) from error
        self.log.say(f"{error}, which was not saved: back to {good} with {factor:g} times the learning rates")
        self.best_score, self.lr_factor = self.state.best_score, factor
        self._start_anew()
        return "0" if last_good is None else str(last_good)

    # --- Samples, scores, sets --------------------------------------------------------------------------------

    def _sample_and_score(self, i: int) -> None:
        """Draw the sample grid; score the generator, and keep it as the set `best` if none was better."""
        self._require_finite()
        self.state.sampled = i
        if self.ranks.is_first:
            sheet = self._sample(i)
        improved = self._score(i) if self.selection else False
        self.log.curves(self.selection.curve() if self.selection else (), self.settings.saving.log_dir / "curves.png")
        if improved:
            self._save("best")
            if self.ranks.is_first:
                self.folder.save_sheet(sheet, "best-images.jpg")

    def _score(self, i: int) -> bool:
        """Score the generator; whether none was better."""
        assert self.selection
        before = self.selection.best
        score, improved = self.selection.score(self.state.generator, i)
        self.state.best_score = self.selection.best
        self.log.scores(i, score.scalars())
        if improved:
            so_far = f"before: {before:.4g}" if before < math.inf else "the first"
            self.log.say(f"new best: score {score.value:.4g} at iteration {i} ({so_far})")
        return improved

    def _show(self, batch: TrainingBatch) -> None:
        """Write `first-batch.jpg`: the first batch as the networks see it."""
        labels = batch.c_org if batch.c_trg is None else batch.c_trg
        sheet = first_batch.sheet(batch.x_real, labels, self.images.domains, batch.x_trg)
        self.folder.save_sheet(sheet, "first-batch.jpg")

    def _sample(self, i: int) -> Image.Image:
        """Write `{i}-images.jpg`: each fixed face, original and translated to every domain."""
        with autocast(self.device, self.speed.amp):
            x_fake = translate_to_all(self.state.generator, self.x_fixed.to(self.device), self.networks.c_dim)
        rows = [[x, *fakes] for x, fakes in zip(to_uint8(self.x_fixed), to_uint8(x_fake), strict=True)]
        sheet = picture_grid.grid(rows, ["original", *self.images.domains])
        self.folder.save_sheet(sheet, f"{i}-images.jpg")
        self.log.picture(i, "samples", np.asarray(sheet))
        return sheet

    def _save(self, name: int | str) -> None:
        """Save the set `name` in the background, if everything in it is finite."""
        self._require_finite()
        self.state.last_losses = dict(self.losses)
        self.log.flush()  # scores and logs up to this set must be on disk before the set is
        if self.ranks.is_first:
            self.folder.save(name, self.state.parts())
        else:
            self.folder.last_good = name

    def _require_finite(self) -> None:
        """Raise `NotFinite` if a loss, or a weight after the last step, is NaN or infinite."""
        self.losses |= self.watch.read()
        if broken := self.state.not_finite():
            raise NotFinite(broken, self.state.iteration)


def _parts(batch: tuple[Tensor | None, ...], number: int) -> Iterator[tuple[Any, ...]]:
    """The batch in `number` equal parts."""
    return zip(*((None,) * number if tensor is None else tensor.chunk(number) for tensor in batch), strict=True)
