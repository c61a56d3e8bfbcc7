"""A run's folders on disk: who may write there, what a resumed run may not change, and saving beside the training."""

from __future__ import annotations

import copy
import functools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import Image

from checkpointing import run_config, training_sets
from common.errors import UserError
from common.flags import as_json
from common.settings import SavingSettings, Settings
from common.whole_files import retry_writing, write_atomically
from training.safeguards import RunLock

ARCHITECTURE = ("image_size", "c_dim", "g_conv_dim", "d_conv_dim", "g_repeat_num", "d_repeat_num")

# These differ between two starts of one run, or say nothing about what it learns.
_OF_ONE_START = {
    *("resume_iters", "max_minutes", "num_workers", "keep_last", "keep_every"),
    *("cache", "compile", "accumulate", "gradient_checkpointing"),
}


def check_resume(settings: Settings, domains: Sequence[str]) -> list[str]:
    """Compare `config.json` of the run with this command line.

    Raises `UserError` where going on would be meaningless; returns a line for everything that is merely different.
    """
    folder = settings.saving.model_save_dir
    saved = run_config.load_config(folder)
    if not saved:
        return []
    if saved["domains"] != list(domains):
        raise UserError(
            f"the run in {folder} was trained on {', '.join(saved['domains'])}, but {settings.data.image_dir} "
            f"holds {', '.join(domains)}: use the same folders, or a new --model_save_dir"
        )
    then = saved["arguments"]
    now = settings.as_json()
    for flag in ARCHITECTURE:
        if then.get(flag, now[flag]) != now[flag]:
            raise UserError(
                f"the run in {folder} was trained with --{flag} {then[flag]}, and --{flag} says {now[flag]}: "
                f"pass --{flag} {then[flag]}, or a new --model_save_dir"
            )
    ignored = _OF_ONE_START | as_json(settings.start).keys() | as_json(settings.use).keys()
    return [
        f"changed: --{flag} {value} (the run so far: {then[flag]})"
        for flag, value in now.items()
        if flag in then and then[flag] != value and flag not in ignored
    ]


class RunFolder:
    """The model and sample folders of one run. Sets are written by a thread while the training goes on."""

    def __init__(self, saving: SavingSettings, config: dict[str, Any], hurried: Callable[[], bool]) -> None:
        """`config` is what `config.json` is to hold; `hurried` tells whether the run was asked to stop."""
        self.saving = saving
        self.config = config
        self.models = saving.model_save_dir
        self.samples = saving.sample_dir
        self.say: Callable[[str], None] = print
        self.last_good: int | str | None = None  # the newest set that this run saved or started from
        self.save_seconds = 0.0  # seconds that the last save took
        self._hurried = hurried
        self._lock = RunLock(self.models)
        self._writer: threading.Thread | None = None
        self._failure: BaseException | None = None

    def lock(self) -> None:
        """Keep other runs out of the model folder, where there is one yet."""
        if self.models.is_dir():
            retry_writing(self._lock.acquire, str(self._lock.folder), print)

    def release(self) -> None:
        """Wait for a save that is under way, then let others in."""
        if self._writer:
            self._writer.join()
        self._lock.release()

    def claim(self, iteration: int, may_restart: bool) -> None:
        """Make the folders, lock them, clear what a killed run left half done, and write down what runs."""
        for folder in (self.samples, self.saving.log_dir):
            retry_writing(functools.partial(folder.mkdir, parents=True, exist_ok=True), str(folder), print)
        retry_writing(lambda: self._make(iteration, may_restart), str(self.models), print)

    def _make(self, iteration: int, may_restart: bool) -> None:
        self.models.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        training_sets.clear_leftovers(self.models)
        run_config.save_config(self.models, self.config)
        beyond = [i for i in training_sets.iterations(self.models) if i > iteration]
        if beyond:
            what = f"{self.models} holds sets of another run up to iteration {beyond[-1]}, which `latest` means"
            if may_restart:
                raise UserError(f"{what}, also where torchrun starts this run again: move them away")
            print(f"warning: {what} until this run has passed it: move them away")

    def save(self, name: int | str, parts: dict[str, dict[str, Any]]) -> None:
        """Write the set `name` as it is now, in the background. Raises what went wrong with the save before.

        Where the disk is in trouble the thread waits, then gives up; a kill leaves the set before whole.
        """
        self.finish()
        snapshot = _copied(parts)
        self._writer = threading.Thread(target=self._write, args=(name, snapshot), name=f"save {name}")
        self._writer.start()

    def finish(self) -> None:
        """Wait until the last save is on disk. Raises `RunStopped` where it could not be written."""
        if self._writer:
            self._writer.join()
            self._writer = None
        if self._failure:
            failure, self._failure = self._failure, None
            raise failure

    def _write(self, name: int | str, parts: dict[str, dict[str, Any]]) -> None:
        def once() -> None:
            if not self.models.is_dir():
                self.say(f"warning: {self.models} is gone: made again")
                run_config.save_config(self.models, self.config)
            training_sets.save_set(self.models, name, parts)
            if isinstance(name, int):
                training_sets.prune(self.models, name, self.saving.keep_last, self.saving.keep_every)

        began = time.monotonic()
        try:
            retry_writing(once, f"checkpoint {name}", self.say, self._hurried)
            self.last_good = name
            self.say(f"saved {training_sets.path_of(self.models, name, '*')} in {time.monotonic() - began:.1f} s")
        except BaseException as error:  # raised again by `finish`, in the thread that trains
            self._failure = error
        self.save_seconds = time.monotonic() - began

    def save_sheet(self, sheet: Image.Image, name: str) -> None:
        """Write a picture to the sample folder; the run goes on without it where that fails."""
        path = self.samples / name
        try:
            write_atomically(path, lambda temporary: sheet.save(temporary, "JPEG", quality=95))
        except OSError as error:
            self.say(f"warning: {path} could not be written ({error.strerror or error}): going on without it")


def _copied(content: Any) -> Any:
    """Nested dicts and lists with every tensor copied to the CPU: training changes its own in place."""
    if isinstance(content, torch.Tensor):
        return content.detach().to("cpu", copy=True)
    if isinstance(content, dict):
        return {key: _copied(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return type(content)(_copied(value) for value in content)
    return copy.copy(content)
