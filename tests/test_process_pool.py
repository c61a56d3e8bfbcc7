"""Worker processes: all work is done, memory stays bounded, death is noticed."""

from __future__ import annotations

import os
import signal

import pytest

from common.worker_processes import AHEAD, WorkerDied, map_in_processes


def double(batch: list[int]) -> list[int]:
    return [2 * number for number in batch]


def die(batch: list[int]) -> list[int]:
    if 50 in batch:
        os.kill(os.getpid(), signal.SIGKILL)
    return batch


def test_everything_is_done_once_and_read_no_faster_than_needed():
    read = 0

    def items():
        nonlocal read
        for number in range(1, 1001):
            read = number
            yield number

    done: list[int] = []
    for result in map_in_processes(double, items(), workers=2, batch_size=10):
        done += result
        assert read - len(done) <= 2 * AHEAD * 10
    assert sorted(done) == [2 * number for number in range(1, 1001)]


def test_a_killed_worker_ends_the_work():
    with pytest.raises(WorkerDied):
        list(map_in_processes(die, range(1000), workers=2, batch_size=10))


def test_without_processes():
    assert list(map_in_processes(double, range(5), workers=0, batch_size=2)) == [[0, 2], [4, 6], [8]]
