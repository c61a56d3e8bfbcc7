"""The next batch travels to the GPU while the present one trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch

Batch = TypeVar("Batch")
Ready = TypeVar("Ready", bound=tuple[Any, ...])  # tensors, and None where there is none


def one_ahead(batches: Iterable[Batch], put: Callable[[Batch], Ready], device: torch.device) -> Iterator[Ready]:
    """`put(batch)` of endless `batches`; on a GPU one batch early, on a stream of its own, and nothing waits for it.

    `put` copies pinned memory with `non_blocking=True`, and may compute.
    """
    if device.type != "cuda":
        yield from map(put, batches)
        return
    source = iter(batches)
    stream = torch.cuda.Stream(device)

    def queue_next() -> Ready:
        batch = next(source)
        with torch.cuda.stream(stream):
            return put(batch)

    upcoming = queue_next()
    while True:
        training = torch.cuda.current_stream(device)
        training.wait_stream(stream)  # for the batch that is handed out now, not for the one queued next
        ready, upcoming = upcoming, queue_next()
        for tensor in ready:
            if tensor is not None:
                tensor.record_stream(training)  # else its memory could be the next batch's while it is still read
        yield ready
