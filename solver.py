"""The training loop of StarGAN (arXiv 1711.09020) and its samples."""

from __future__ import annotations

import argparse
import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from checkpointing import network_files, training_sets
from common import whole_files
from common.device import autocast, choose_device, peak_memory, tune
from common.errors import RunStopped, UserError
from data_loader import Faces, TrainingBatch, Unreadable, fixed_faces, told_worker_deaths, training_batches
from imaging import picture_grid
from imaging.image_folder import LabelledImages
from imaging.value_range import to_uint8
from scoring.best_checkpoint import Selection
from training.decoded_cache import prepare
from training.distributed import Ranks, require_agreement
from training.log import TrainingLog
from training.run_folder import check_resume
from training.safeguards import GracefulStop, LossWatch, NotFinite, RunLock, patiently
from training.state import TrainingState
from training_step import TrainingStep
from translation.translator import translate_to_all

SAMPLE_FACES = 2  # of each domain in the sample grid
LOWEST_FACTOR = 1 / 32  # of the learning rates, after losses that were not finite: then the data or flags are wrong


class Solver:
    """Trains a generator and a discriminator on labelled faces, as `config` (the arguments of `main.py`) says."""

    def __init__(self, config: argparse.Namespace, images: LabelledImages) -> None:
        self.config = config
        self.images = images
        tune(config.amp, config.deterministic)
        self.device = choose_device()
        self.ranks = Ranks(self.device)
        self.model_dir = Path(config.model_save_dir)
        self.lock = RunLock(self.model_dir)
        self.stop = GracefulStop(config.max_minutes)
        self.selection: Selection | None = None
        self.last_good: int | str | None = None  # the set that this run saved or started from
        self.save_seconds = 0.0
        self.best_score = math.inf
        self.lr_factor = 1.0  # lower after losses that were not finite
        self.state = TrainingState(config, self.device)
        self.faces = Faces(config.crop_size, config.image_size, config.seed, config.augment, config.lambda_pair > 0)

    def train(self) -> int:
        """Train to `num_iters`; returns the exit code: 0, or 128 + the signal that stopped the run."""
        which = (
            "latest" if self.ranks.restarts and training_sets.iterations(self.model_dir) else self.config.resume_iters
        )
        try:
            while True:
                try:
                    code = self._run(self._begin(which))
                    self.ranks.close()
                    return code
                except NotFinite as error:
                    which = self._go_back(error)
        finally:
            self.lock.release()

    def _run(self, batches: Iterator[TrainingBatch]) -> int:
        config, state, step = self.config, self.state, self.step
        with self.stop, contextlib.closing(self.log), told_worker_deaths(config.num_workers):
            for i in range(state.iteration + 1, config.num_iters + 1):
                batch = next(batches)
                self.watch.add(i, step.iteration(i, batch))
                state.advance(len(batch.x_real) * self.ranks.world_size)

                if i % config.log_step == 0:
                    self.losses |= self.watch.look()
                    self.log.scalars(i, {**self.losses, **state.learning_rates()})
                ending = self._must_end()
                if i % config.sample_step == 0 and not ending:
                    self._sample_and_score(i)
                    ending = self._must_end()
                if i % config.model_save_step == 0 or i == config.num_iters or ending:
                    self._save(i)
                if ending:
                    break
        print(f"peak memory: {peak_memory(self.device):.2f} GiB")
        if state.iteration == config.num_iters:
            return 0
        print(f"stopped at iteration {i}, saved; go on with the same command and --resume_iters latest")
        return 128 + self.stop.asked if self.stop.asked else 0

    def _must_end(self) -> bool:
        """Whether a process of the run was asked to stop, or its time is up: they end together."""
        ending = self.stop.asked is not None or self.stop.time_is_up(reserve=2 * self.save_seconds)
        return bool(self.ranks.highest([ending])[0])

    def _begin(self, which: str) -> Iterator[TrainingBatch]:
        """Resume if asked, make the folders, fix the sample faces, and open the stream of batches."""
        config, state, ranks = self.config, self.state, self.ranks
        if ranks.is_first and self.model_dir.is_dir():
            patiently(self.lock.acquire, str(self.lock.folder), print)
        if which != "0":
            self.last_good = training_sets.resolve(self.model_dir, which, training_sets.PARTS)
            check_resume(config, self.images.domains)
            state.load(self.model_dir, self.last_good)
        same_folder = "give all machines the same --model_save_dir, on a disk they share"
        require_agreement(ranks, "the iteration to go on from", state.iteration, same_folder)
        self.step = TrainingStep(config, state, ranks, self.device)
        state.lower_rates(self.lr_factor)
        state.best_score = min(state.best_score, self.best_score)
        start = state.iteration
        if start >= config.num_iters:
            raise UserError(f"iteration {start} is done already: give a --num_iters above it")
        crops = (config.crop_size, config.image_size)
        self.x_fixed, _ = fixed_faces(self.images, SAMPLE_FACES, *crops, config.seed)
        with ranks.first_before_the_others():  # what it fetches and computes, they find
            self._prepare(start)
        self.watch = LossWatch(ranks.mean)
        self.losses = dict(state.told)
        board = Path(config.log_dir) if config.use_tensorboard and ranks.is_first else None
        self.log = TrainingLog(start, config.num_iters, board, silent=not ranks.is_first)
        if start and start % config.sample_step == 0 and state.sampled < start:  # it was asked to stop just then
            self._sample_and_score(start)
        return training_batches(
            self.images,
            Unreadable(self.images, self.log.say),
            self.faces,
            batch_size=config.batch_size,
            num_workers=config.num_workers,
            start=state.samples_seen,
            device=self.device,
            cache=config.cache,
            rank=ranks.rank,
            world_size=ranks.world_size,
        )

    def _prepare(self, start: int) -> None:
        """Make the run's folders, the means to score with, and the cache of decoded faces."""
        config = self.config
        will_sample = config.num_iters // config.sample_step > start // config.sample_step
        if config.score != "none" and will_sample and not self.selection:
            self.selection = Selection(config, self.images, self.device, self.ranks)
        if self.ranks.is_first:
            patiently(self._own_folders, str(self.model_dir), print)
        if self.selection:
            self.selection.begin(start, self.state.best_score)
        if config.cache:
            prepare(config.cache, self.images, *self.faces.to_load, config.num_workers)

    def _own_folders(self) -> None:
        """Make the run's folders, lock them, clear what a killed run left half done, and write down what runs."""
        for folder in (self.model_dir, Path(self.config.sample_dir)):
            folder.mkdir(parents=True, exist_ok=True)
        self.lock.acquire()
        training_sets.clear_leftovers(self.model_dir)
        network_files.save_config(self.model_dir, {"arguments": _plain(self.config), "domains": self.images.domains})
        beyond = [i for i in training_sets.iterations(self.model_dir) if i > self.state.iteration]
        if beyond:
            what = f"{self.model_dir} holds sets of another run up to iteration {beyond[-1]}, which `latest` means"
            if self.ranks.may_restart:
                raise UserError(f"{what}, also where torchrun starts this run again: move them away")
            print(f"warning: {what} until this run has passed it: move them away")

    def _go_back(self, error: NotFinite) -> str:
        """After numbers that are none: stop, or return the set to go on from with half the learning rates."""
        good = f"set {self.last_good}" if self.last_good is not None else "the beginning"
        factor = self.state.lr_factor / 2
        if self.config.on_nan == "stop" or factor < LOWEST_FACTOR:
            rates = f"--g_lr {self.config.g_lr * factor:g} --d_lr {self.config.d_lr * factor:g}"
            raise RunStopped(
                f"{error}, which was not saved: go on from {good} with lower rates (such as {rates}), or let "
                "--on_nan lower_lr do it"
            ) from error
        self.log.say(f"{error}, which was not saved: back to {good} with {factor:g} times the learning rates")
        self.best_score, self.lr_factor = self.state.best_score, factor
        self.state = TrainingState(self.config, self.device)
        return "0" if self.last_good is None else str(self.last_good)

    def _sample_and_score(self, i: int) -> None:
        """Draw the sample grid; score the generator, and keep it as the set `best` if none was better."""
        self.state.sampled = i
        if self.ranks.is_first:
            sheet = self._sample(i)
        if not self.selection:
            return
        self.losses |= self.watch.look()
        score, improved = self.selection.score(self.state.generator, i)
        self.state.best_score = self.selection.best
        self.log.scores(i, score.scalars())
        if improved:
            self._save("best")
            if self.ranks.is_first:
                self._save_sheet(sheet, "best-images.jpg")

    def _sample(self, i: int) -> Image.Image:
        """Write `{i}-images.jpg`: each fixed face, original and translated to every domain."""
        with autocast(self.device, self.config.amp):
            x_fake = translate_to_all(self.state.generator, self.x_fixed.to(self.device), self.config.c_dim)
        rows = [[x, *fakes] for x, fakes in zip(to_uint8(self.x_fixed), to_uint8(x_fake), strict=True)]
        sheet = picture_grid.grid(rows, ["original", *self.images.domains])
        self._save_sheet(sheet, f"{i}-images.jpg")
        self.log.picture(i, "samples", np.asarray(sheet))
        return sheet

    def _save_sheet(self, sheet: Image.Image, name: str) -> None:
        path = Path(self.config.sample_dir) / name
        try:
            whole_files.write_atomically(path, lambda temporary: sheet.save(temporary, "JPEG", quality=95))
        except OSError as error:
            self.log.say(f"warning: {path} could not be written ({error}): going on without it")

    def _save(self, name: int | str) -> None:
        """Write the set `name`, if all in it is finite; where the disk is in trouble, wait, then give up."""
        state, config, began = self.state, self.config, time.monotonic()
        self.losses |= self.watch.look()
        if broken := state.not_finite():
            raise NotFinite(broken, state.iteration)
        state.told = dict(self.losses)
        self.log.flush()  # what the set stands for must be on disk before it

        def write() -> None:
            if not self.model_dir.is_dir():
                self.log.say(f"warning: {self.model_dir} is gone: made again")
                network_files.save_config(self.model_dir, {"arguments": _plain(config), "domains": self.images.domains})
            training_sets.save_set(self.model_dir, name, state.parts())

            if isinstance(name, int):
                training_sets.prune(self.model_dir, name, config.keep_last, config.keep_every)

        if self.ranks.is_first:
            patiently(write, f"checkpoint {name}", self.log.say, lambda: self.stop.asked is not None)
        self.last_good = name
        self.save_seconds = time.monotonic() - began


def _plain(config: argparse.Namespace) -> dict[str, Any]:
    """The arguments as JSON has them."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(config).items()}
