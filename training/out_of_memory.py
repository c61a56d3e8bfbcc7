"""A GPU or machine whose memory is full: one sentence with the ways out, instead of torch's traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from common.errors import RunStopped


@contextmanager
def out_of_memory_reported(accumulate: int) -> Iterator[None]:
    """Raise `RunStopped` where torch finds no memory; the batch was computed in `accumulate` parts."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        on_gpu = isinstance(error, torch.OutOfMemoryError)
        # On a CPU torch has no type of its own for it.
        if not (on_gpu or isinstance(error, MemoryError) or "can't allocate memory" in str(error)):
            raise
        raise RunStopped(
            f"the memory of the {'GPU' if on_gpu else 'machine'} is full: the same command with --resume_iters latest "
            f"and --accumulate {2 * accumulate} (more parts, less memory), --gradient_checkpointing, or a smaller "
            "--batch_size"
        ) from error
