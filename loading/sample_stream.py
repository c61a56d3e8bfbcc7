"""The endless stream of training samples, and which process gets which.

Randomness has no state: sample number k is the same picture with the same augmentation whatever came before it,
however many workers and processes share the stream, and however often the run was stopped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

Place = tuple[int, int]  # index in the data set, number in the stream


def stream_seed(*numbers: int) -> int:
    """One well-mixed 64-bit seed for a place in a random stream, such as (seed, sample number)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


class Shuffle:
    """Which image a place in the stream shows: each epoch is all of them, shuffled by (seed, epoch)."""

    def __init__(self, length: int, *seed: int) -> None:
        self.length = length
        self.seed = seed
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def __call__(self, number: int) -> int:
        """The index of the image at place `number`."""
        epoch, position = divmod(number, self.length)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng(stream_seed(*self.seed, epoch)).permutation(self.length)
        return int(self._order[position])


class BalancedShuffle:
    """The same with every emotion equally often: each round shows one image of each, in an order of its own."""

    def __init__(self, labels: Sequence[int], seed: int) -> None:
        self._members = [np.flatnonzero(np.asarray(labels) == label) for label in sorted(set(labels))]
        self._emotions = Shuffle(len(self._members), seed)
        self._images = [Shuffle(len(members), seed, label) for label, members in enumerate(self._members)]

    def __call__(self, number: int) -> int:
        """The index of the image at place `number`."""
        emotion = self._emotions(number)
        return int(self._members[emotion][self._images[emotion](number // len(self._members))])


class EndlessShuffle(Sampler[list[Place]]):
    """Batches of the stream; `index_of` gives the image at a place.

    Every step takes `world_size * batch_size` samples from number `start` on, and deals them to the ranks in order: two
    processes with batches of 4 see what one sees in batches of 8.
    """

    def __init__(
        self, index_of: Callable[[int], int], *, batch_size: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        self.index_of = index_of
        self.batch_size = batch_size
        self.first = start + rank * batch_size
        self.stride = world_size * batch_size

    def __iter__(self) -> Iterator[list[Place]]:
        for first in itertools.count(self.first, self.stride):
            yield [(self.index_of(number), number) for number in range(first, first + self.batch_size)]
