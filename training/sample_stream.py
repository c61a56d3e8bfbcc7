"""The endless stream of training samples, and who gets which.

Randomness has no state: sample number k is the same picture with the same augmentation whatever came before it,
however many workers and processes share the stream, and however often the run was stopped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

Place = tuple[int, int]  # index in the data set, number in the stream


def stream_seed(*numbers: int) -> int:
    """One well-mixed 64-bit seed for a place in a random stream, such as (seed, sample number)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


class EndlessShuffle(Sampler[list[Place]]):
    """Batches of the stream, in which each epoch is shuffled by (seed, epoch).

    Every step takes `world_size * batch_size` samples from number `start` on, and deals them to the ranks in order: two
    processes with batches of 4 see what one sees in batches of 8.
    """

    def __init__(
        self, length: int, seed: int, *, batch_size: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self.length = length
        self.seed = seed
        self.batch_size = batch_size
        self.first = start + rank * batch_size
        self.stride = world_size * batch_size

    def __iter__(self) -> Iterator[list[Place]]:
        shuffled, order = -1, np.empty(0, np.int64)
        for first in itertools.count(self.first, self.stride):
            batch = []
            for number in range(first, first + self.batch_size):
                epoch, position = divmod(number, self.length)
                if epoch != shuffled:
                    order = np.random.default_rng(stream_seed(self.seed, epoch)).permutation(self.length)
                    shuffled = epoch
                batch.append((int(order[position]), number))
            yield batch
