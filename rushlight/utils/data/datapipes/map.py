"""Pipes that are read by key."""

from __future__ import annotations

import copy as copying
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from rushlight.utils.data.datapipes.datapipe import DataChunk, IterDataPipe, MapDataPipe, length_of
from rushlight.utils.data.datapipes.decorators import functional_datapipe
from rushlight.utils.data.sampler import _draw_seed

__all__ = ["Batcher", "Concater", "Mapper", "SequenceWrapper", "Shuffler", "Zipper"]


class SequenceWrapper(MapDataPipe):
    """The items of a deep copy of a sequence or mapping."""

    def __init__(self, sequence: Any, deepcopy: bool = True):
        self.sequence = sequence
        if deepcopy:
            try:
                self.sequence = copying.deepcopy(sequence)
            except TypeError:
                warnings.warn(
                    "[SequenceWrapper] the sequence cannot be copied: changes to its items stay.", stacklevel=2
                )

    def __getitem__(self, index: Any) -> Any:
        return self.sequence[index]

    def __len__(self) -> int:
        return length_of(self, self.sequence)


@functional_datapipe("map")
class Mapper(MapDataPipe):
    """A function of every item."""

    def __init__(self, datapipe: MapDataPipe, fn: Callable = lambda x: x):
        self.datapipe, self.fn = datapipe, fn

    def __getitem__(self, index: Any) -> Any:
        return self.fn(self.datapipe[index])

    def __len__(self) -> int:
        return length_of(self, self.datapipe)


class _Several(MapDataPipe):
    def __init__(self, *datapipes: MapDataPipe):
        if not datapipes:
            raise ValueError(f"[{type(self).__name__}] Expected at least one DataPipe, but got nothing.")
        if not all(isinstance(pipe, MapDataPipe) for pipe in datapipes):
            raise TypeError(f"[{type(self).__name__}] Expected all inputs to be `MapDataPipe`.")
        self.datapipes = datapipes

    def _lengths(self) -> list:
        return [length_of(self, pipe) for pipe in self.datapipes]


@functional_datapipe("concat")
class Concater(_Several):
    """Pipes one after the other, under one index from 0."""

    def __getitem__(self, index: int) -> Any:
        rest = index
        for pipe in self.datapipes:
            if rest < len(pipe):
                return pipe[rest]
            rest -= len(pipe)
        raise IndexError(f"[Concater] Index {index} is out of range.")

    def __len__(self) -> int:
        return sum(self._lengths())


@functional_datapipe("zip")
class Zipper(_Several):
    """Tuples of the items of several pipes."""

    def __getitem__(self, index: Any) -> tuple:
        return tuple(pipe[index] for pipe in self.datapipes)

    def __len__(self) -> int:
        return min(self._lengths())


@functional_datapipe("batch")
class Batcher(MapDataPipe):
    """Batches of `batch_size` neighbours, as `wrapper_class`."""

    def __init__(
        self, datapipe: MapDataPipe, batch_size: int, drop_last: bool = False, wrapper_class: type = DataChunk
    ):
        if batch_size <= 0:
            raise AssertionError(f"[Batcher] batch_size must be positive. Received {batch_size}.")
        self.datapipe, self.batch_size, self.drop_last = datapipe, batch_size, drop_last
        self.wrapper_class = wrapper_class

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"[Batcher] Index {index} is out of bound.")
        end = min(len(self.datapipe), (index + 1) * self.batch_size)
        return self.wrapper_class([self.datapipe[k] for k in range(index * self.batch_size, end)])

    def __len__(self) -> int:
        count = length_of(self, self.datapipe)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


class Shuffler(IterDataPipe):
    """The items of a map pipe in random order: PyTorch's for the same seed."""

    def __init__(self, datapipe: MapDataPipe, *, indices: list | None = None):
        self.datapipe = datapipe
        self.indices = list(range(len(datapipe))) if indices is None else indices
        self._enabled, self._seed, self._rng = True, None, random.Random()

    def set_shuffle(self, shuffle: bool = True) -> Shuffler:
        """False hands the items on in the order of `indices`."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int) -> Shuffler:
        """Sets the seed of the next pass."""
        self._seed = seed
        return self

    def reset(self) -> None:
        if self._enabled:
            self._rng.seed(_draw_seed(None) if self._seed is None else self._seed)
            self._seed = None

    def __iter__(self) -> Iterator:
        order = self.indices
        if self._enabled:
            order = self._rng.sample(self.indices, len(self.indices))[::-1]
        return (self.datapipe[index] for index in order)

    def __len__(self) -> int:
        return len(self.datapipe)


MapDataPipe.register_datapipe_as_function("shuffle", Shuffler)
