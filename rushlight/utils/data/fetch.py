"""Reads the samples of a batch and puts them together, in the program or in a worker."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import sys
from collections.abc import Callable
from typing import Any

import rushlight
from rushlight.utils.data import collate
from rushlight.utils.data.dataset import IterableDataset, TensorDataset
from rushlight.utils.data.seeding import Streams


@dataclasses.dataclass
class Recipe:
    """What every worker needs to make batches."""

    dataset: Any
    collate_fn: Callable
    batch_size: int | None  # of a stream
    batched: bool
    drop_last: bool
    skip_errors: bool
    keyed: bool


@dataclasses.dataclass
class Pass:
    """One reading of the data, as a worker is told of it."""

    base_seed: int
    epoch: int
    pipes_seed: int | None = None  # of the data pipes that draw random numbers
    stream: dict | None = None  # where a stream goes on that was interrupted: see Fetcher.stream_state


@dataclasses.dataclass
class Batch:
    """What a fetch made: `value`, unless `empty`; the samples it skipped; and where a stream stands after it."""

    value: Any
    empty: bool
    skipped: list
    stream: dict | None


class Fetcher:
    """Makes the batches of a pass.

    `current` is the sample under way, for messages; `note` is told its place in the batch. Random numbers are keyed
    (:mod:`~rushlight.utils.data.seeding`) if `streams` are given.
    """

    def __init__(
        self,
        recipe: Recipe,
        reading: Pass,
        worker: int = 0,
        streams: Streams | None = None,
        note: Callable[[int], None] | None = None,
    ):
        self._recipe, self._streams, self._note = recipe, streams, note
        self._dataset = recipe.dataset
        self._skipped: list = []
        self.current: Any = None
        self.is_stream = isinstance(self._dataset, IterableDataset)
        if streams:
            # The samples of a stream are counted in each worker: the worker belongs to their key.
            streams.begin_pass(reading.base_seed + (worker if self.is_stream else 0), reading.epoch)
            streams.seed_batch(-1)  # for what iter(dataset) draws
        if reading.pipes_seed is not None:
            from rushlight.utils.data.graph_settings import apply_random_seed

            apply_random_seed(self._dataset, rushlight.Generator().manual_seed(reading.pipes_seed))
        if self.is_stream:
            self._open_stream(reading.stream or {"read": 0, "state": None})

    def fetch(self, index: Any, position: int) -> Batch:
        """The batch of `index` (a list, or a single index), whose first sample is number `position` of the pass.

        Raises StopIteration at the end of a stream, and whatever the data set and `collate_fn` raise.
        """
        recipe, self._skipped = self._recipe, []
        if self._streams:
            self._streams.seed_batch(self._read if self.is_stream else position)
        if recipe.batched and type(self._dataset) is TensorDataset and recipe.collate_fn is collate.default_collate:
            return Batch(_gather(self._dataset.tensors, index), False, [], None)
        if self.is_stream:
            samples = self._read_stream()
        elif recipe.batched:
            samples = self._read_batch(index)
        else:
            samples = self._read_each([index])
        self.current = None
        empty = not samples and bool(self._skipped)
        value = None if empty else recipe.collate_fn(samples if recipe.batched else samples[0])
        return Batch(value, empty, self._skipped, self.stream_state())

    def _begin(self, sample: Any, place: int) -> None:
        self.current = sample
        if self._note:
            self._note(place)

    def _skip(self, sample: Any) -> None:
        """Within an except clause: reports what it caught, or raises it again."""
        if not self._recipe.skip_errors:
            raise
        error = sys.exc_info()[1]
        self._skipped.append((sample, f"{type(error).__name__}: {error}"))

    def _read_batch(self, indices: list) -> list:
        if not callable(getattr(self._dataset, "__getitems__", None)) or self._recipe.skip_errors:
            return self._read_each(indices)
        self._begin(indices[0] if indices else None, 0)
        return self._dataset.__getitems__(indices)

    def _read_each(self, indices: list) -> list:
        samples = []
        for place, index in enumerate(indices):
            self._begin(index, place)
            try:
                samples.append(self._dataset[index])
            except Exception:
                self._skip(index)
        return samples

    # --- streams

    def _open_stream(self, stream: dict) -> None:
        dataset, state = self._dataset, stream["state"]
        if state is not None and _is_stateful(dataset):
            dataset.load_state_dict(state)
        self._samples = iter(dataset)
        self._source = dataset if _is_stateful(dataset) else self._samples
        self._read = stream["read"]
        self._ended = False
        if state is None:
            for _ in itertools.islice(self._samples, self._read):  # read again, and dropped
                pass
        elif not _is_stateful(dataset):
            self._samples.load_state_dict(state)

    def stream_state(self) -> dict | None:
        """Where a stream stands: the samples read, and the state of a data set that has one."""
        if not self.is_stream:
            return None
        state = copy.deepcopy(self._source.state_dict()) if _is_stateful(self._source) else None
        return {"read": self._read, "state": state}

    def _read_stream(self) -> list:
        samples: list = []
        wanted = self._recipe.batch_size or 1
        while not self._ended and len(samples) + len(self._skipped) < wanted:
            self._begin(self._read, len(samples))
            try:
                samples.append(next(self._samples))
            except StopIteration:
                self._ended = True
            except Exception:
                self._skip(self._read)
                if len(self._skipped) == wanted:
                    raise  # a stream that yields nothing but errors might do so for ever
            self._read += not self._ended
        short = len(samples) + len(self._skipped) < wanted
        if (short and self._recipe.drop_last) or not (samples or self._skipped):
            raise StopIteration
        return samples


def _gather(tensors: tuple, index: list) -> list:
    """The same values as stacking the samples of a TensorDataset one by one, in one gather per tensor."""
    chosen = rushlight.tensor(index, dtype=rushlight.int64)
    return [rushlight.index_select(tensor, 0, chosen, out=collate.room(len(index), tensor)) for tensor in tensors]


def _is_stateful(source: Any) -> bool:
    return callable(getattr(source, "state_dict", None)) and callable(getattr(source, "load_state_dict", None))
