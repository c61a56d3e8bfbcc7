"""What a training run shows: a progress bar or plain lines, TensorBoard, losses.csv, curves.png."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from training.curves import draw_curves
from training.loss_table import LossTable

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


FILES = {"board": "TensorBoard's files", "table": "losses.csv"}


class TrainingLog:
    """Scalars and pictures of one run, to TensorBoard when `log_dir` is given, to `table`, and to the terminal."""

    def __init__(
        self, start: int, num_iters: int, log_dir: Path | None, table: Path | None = None, silent: bool = False
    ) -> None:
        self.num_iters = num_iters
        self.table: LossTable | None = None
        if table is not None:
            with self._or_without("table"):
                self.table = LossTable(table, start)
        self.silent = silent
        hidden = silent or not sys.stderr.isatty()
        self.bar = tqdm(total=num_iters, initial=start, unit="it", dynamic_ncols=True, disable=hidden)
        self.board: SummaryWriter | None = None
        if log_dir is not None:
            from torch.utils.tensorboard import (
                SummaryWriter,  # half a second to import: only where it is used
            )

            # The resumed run logs again what an interrupted one wrote after its last checkpoint.
            with self._or_without("board"):
                self.board = SummaryWriter(str(log_dir), purge_step=start + 1)
        self._last = (start, time.perf_counter())

    def scalars(self, i: int, values: Mapping[str, float]) -> None:
        """Log iteration `i`'s values and the speed since the last call."""
        last, then = self._last
        self._last = (i, time.perf_counter())
        speed = (i - last) / max(1e-9, self._last[1] - then)
        self._to_board(i, {**values, "iterations_per_second": speed})
        with self._or_without("table"):
            if self.table:
                self.table.add(i, values)
        self._print(i, values, speed)

    def scores(self, i: int, values: Mapping[str, float]) -> None:
        """Log the score of iteration `i` and its parts."""
        self._to_board(i, values)
        self.say(f"[{i}/{self.num_iters}] " + "  ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def _print(self, i: int, values: Mapping[str, float], speed: float) -> None:
        words = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        self.bar.update(i - self.bar.n)
        if not self.bar.disable:
            self.bar.write(f"[{i}] {words}")
            return
        left = tqdm.format_interval((self.num_iters - i) / speed)
        self.say(f"[{i}/{self.num_iters}] {words}  {speed:.2f} it/s  {left} left")

    def picture(self, i: int, name: str, image: np.ndarray) -> None:
        """Show a uint8 RGB picture in TensorBoard."""
        with self._or_without("board"):
            if self.board:
                self.board.add_image(name, image, i, dataformats="HWC")

    def curves(self, scores: Sequence[tuple[int, float]], target: Path) -> None:
        """Draw the losses so far, and `scores` (iteration, value), into the picture `target`."""
        if not self.table:
            return
        try:
            draw_curves(self.table.path, scores, target)
        except OSError as error:  # the next sample step tries again
            self.say(f"warning: {target} could not be written ({error.strerror or error}): going on without it")

    def flush(self) -> None:
        """Flush everything logged so far to the disk."""
        with self._or_without("table"):
            if self.table:
                self.table.settle()
        with self._or_without("board"):
            if self.board:
                self.board.flush()

    def say(self, sentence: str) -> None:
        """Print a sentence without breaking the progress bar, or another thread's: checkpoints are saved by one."""
        if self.silent:
            return
        tqdm.write(sentence)  # under tqdm's lock, where print() writes the line and its end apart
        sys.stdout.flush()

    def close(self) -> None:
        """Flush and close everything."""
        self.bar.close()
        with self._or_without("board"):
            if self.board:
                self.board.close()

    def _to_board(self, i: int, values: Mapping[str, float]) -> None:
        with self._or_without("board"):
            if self.board:
                for name, value in values.items():
                    self.board.add_scalar(name, value, i)

    @contextmanager
    def _or_without(self, what: str) -> Iterator[None]:
        """When the disk takes no more of `what`: warn and stop writing it; the training goes on."""
        try:
            yield
        except OSError as error:
            setattr(self, what, None)
            reason = error.strerror or error
            self.say(f"warning: {FILES[what]} could not be written ({reason}): going on without")
