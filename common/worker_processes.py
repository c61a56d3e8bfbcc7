"""Worker processes fed from an endless stream: bounded memory, and no hang when one of them is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 3  # batches for each worker, in work or waiting


class WorkerDied(Exception):
    """A worker process ended in the middle of its work, as when the system runs out of memory."""


def map_in_processes(
    work: Callable[[list[Item]], Result], items: Iterable[Item], workers: int, batch_size: int
) -> Iterator[Result]:
    """`work(batch)` of successive batches of `items`, in the order in which they get done.

    `items` is read only as fast as results are taken. With 0 workers this very process does the work. Raises
    `WorkerDied`, and whatever `work` raises.
    """
    stream = iter(items)
    if workers == 0:
        yield from map(work, _batches(stream, batch_size))
        return
    context = multiprocessing.get_context("spawn")  # a forked copy of a threaded process may hang
    with ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker) as pool:
        pending: set[Future[Result]] = set()
        try:
            while True:
                for batch in islice(_batches(stream, batch_size), AHEAD * workers - len(pending)):
                    pending.add(pool.submit(work, batch))
                if not pending:
                    return
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except BrokenProcessPool as error:
            raise WorkerDied from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _batches(stream: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(stream, size)):
        yield batch


def start_worker() -> None:
    """One thread for OpenCV, since there is a process for each core; Ctrl-C is the parent's to handle."""
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent was killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
