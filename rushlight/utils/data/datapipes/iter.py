"""Pipes that are read one item after the other."""

from __future__ import annotations

import collections
import copy as copying
import enum
import fnmatch
import functools
import itertools
import os
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rushlight.utils.data.collate import default_collate
from rushlight.utils.data.datapipes.datapipe import DataChunk, IterDataPipe, length_of
from rushlight.utils.data.datapipes.decorators import functional_datapipe
from rushlight.utils.data.sampler import SequentialSampler, _draw_seed

__all__ = [
    "Batcher", "Collator", "Concater", "Demultiplexer", "FileLister", "FileOpener", "Filter", "Forker", "Grouper",
    "IterableWrapper", "Mapper", "Multiplexer", "Sampler", "ShardingFilter", "Shuffler", "StreamReader", "UnBatcher",
    "Zipper",
]  # fmt: skip


class IterableWrapper(IterDataPipe):
    """The items of an iterable, of which every pass reads a deep copy, so that they may be changed."""

    def __init__(self, iterable: Iterable, deepcopy: bool = True):
        self.iterable = iterable
        self.deepcopy = deepcopy

    def __iter__(self) -> Iterator:
        source = self.iterable
        if self.deepcopy:
            try:
                source = copying.deepcopy(source)
            except TypeError:
                warnings.warn(
                    "[IterableWrapper] the iterable cannot be copied: changes to its items stay.", stacklevel=2
                )
        yield from source

    def __len__(self) -> int:
        return length_of(self, self.iterable)


class _OneToOne(IterDataPipe):
    """Base of pipes that have as many items as their source, ``datapipe``."""

    datapipe: Any

    def __len__(self) -> int:
        return length_of(self, self.datapipe)


@functional_datapipe("map")
class Mapper(_OneToOne):
    """A function of every item; or of the columns `input_col`, its result put at `output_col` or in their place."""

    def __init__(self, datapipe: IterDataPipe, fn: Callable, input_col: Any = None, output_col: Any = None):
        if input_col is None and output_col is not None:
            raise ValueError("[Mapper] `output_col` must be None when `input_col` is None.")
        if isinstance(output_col, (list, tuple)):
            if len(output_col) > 1:
                raise ValueError("[Mapper] `output_col` must be a single-element list or tuple.")
            (output_col,) = output_col
        self.datapipe, self.fn, self.input_col, self.output_col = datapipe, fn, input_col, output_col

    def __iter__(self) -> Iterator:
        return map(self._apply, self.datapipe)

    def _apply(self, item: Any) -> Any:
        columns = self.input_col
        if columns is None:
            return self.fn(item)
        several = isinstance(columns, (list, tuple))
        result = self.fn(*(item[c] for c in columns)) if several else self.fn(item[columns])
        changed = list(item) if isinstance(item, tuple) else copying.copy(item)
        if self.output_col == -1:
            changed.append(result)
        elif self.output_col is not None:
            changed[self.output_col] = result
        else:
            changed[columns[0] if several else columns] = result
            for column in sorted(columns[1:], reverse=True) if several else ():
                del changed[column]
        return tuple(changed) if isinstance(item, tuple) else changed


@functional_datapipe("collate")
class Collator(Mapper):
    """Puts every batch together: :func:`default_collate`, or a function."""

    def __init__(
        self, datapipe: IterDataPipe, conversion: Callable = default_collate, collate_fn: Callable | None = None
    ):
        super().__init__(datapipe, collate_fn or conversion)


@functional_datapipe("filter")
class Filter(IterDataPipe):
    """The items for which a function is true, given the item or its columns `input_col`."""

    def __init__(self, datapipe: IterDataPipe, filter_fn: Callable, input_col: Any = None):
        self.datapipe, self.filter_fn, self.input_col = datapipe, filter_fn, input_col

    def _keeps(self, item: Any) -> bool:
        columns = self.input_col
        if columns is None:
            kept = self.filter_fn(item)
        elif isinstance(columns, (list, tuple)):
            kept = self.filter_fn(*(item[column] for column in columns))
        else:
            kept = self.filter_fn(item[columns])
        if not isinstance(kept, bool) and "bool" not in type(kept).__name__:
            raise ValueError(f"[Filter] filter_fn must return a boolean. Received {type(kept)}.")
        return bool(kept)

    def __iter__(self) -> Iterator:
        return filter(self._keeps, self.datapipe)


class Sampler(_OneToOne):
    """The items in the order of a sampler's indices: ``sampler(data_source=datapipe, ...)``."""

    def __init__(
        self,
        datapipe: IterDataPipe,
        sampler: type = SequentialSampler,
        sampler_args: tuple | None = None,
        sampler_kwargs: dict | None = None,
    ):
        length_of(self, datapipe)
        self.datapipe = datapipe
        self.sampler_args = sampler_args or ()
        self.sampler_kwargs = {**(sampler_kwargs or {}), "data_source": datapipe}
        self.sampler = sampler(*self.sampler_args, **self.sampler_kwargs)

    def __iter__(self) -> Iterator:
        return iter(self.sampler)

    def __len__(self) -> int:
        return len(self.sampler)


@functional_datapipe("shuffle")
class Shuffler(_OneToOne):
    """The items in random order: each is drawn from a buffer of `buffer_size`. In PyTorch's order for the same seed."""

    def __init__(self, datapipe: IterDataPipe, *, buffer_size: int = 10000, unbatch_level: int = 0):
        if buffer_size <= 0:
            raise AssertionError(f"[Shuffler] buffer_size must be positive. Received {buffer_size}.")
        self.datapipe = datapipe.unbatch(unbatch_level=unbatch_level) if unbatch_level else datapipe
        self.buffer_size = buffer_size
        self._enabled, self._seed, self._rng = True, None, random.Random()

    def set_shuffle(self, shuffle: bool = True) -> Shuffler:
        """False hands the items on in their order."""
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
        if not self._enabled:
            yield from self.datapipe
            return
        buffer: list = []
        for item in self.datapipe:
            if len(buffer) < self.buffer_size:
                buffer.append(item)
                continue
            k = self._rng.randint(0, len(buffer) - 1)
            drawn, buffer[k] = buffer[k], item
            yield drawn
        while buffer:
            yield buffer.pop(self._rng.randint(0, len(buffer) - 1))


@functional_datapipe("batch")
class Batcher(IterDataPipe):
    """Batches of `batch_size` items, as `wrapper_class`."""

    def __init__(
        self, datapipe: IterDataPipe, batch_size: int, drop_last: bool = False, wrapper_class: type = DataChunk
    ):
        if batch_size <= 0:
            raise AssertionError(f"[Batcher] batch_size must be positive. Received {batch_size}.")
        self.datapipe, self.batch_size, self.drop_last = datapipe, batch_size, drop_last
        self.wrapper_class = wrapper_class

    def __iter__(self) -> Iterator:
        items = iter(self.datapipe)
        while batch := list(itertools.islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.wrapper_class(batch)

    def __len__(self) -> int:
        count = length_of(self, self.datapipe)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


@functional_datapipe("unbatch")
class UnBatcher(IterDataPipe):
    """Undoes `unbatch_level` levels of batches; -1 undoes all."""

    def __init__(self, datapipe: IterDataPipe, unbatch_level: int = 1):
        self.datapipe, self.unbatch_level = datapipe, unbatch_level

    def __iter__(self) -> Iterator:
        for item in self.datapipe:
            yield from self._items(item, self.unbatch_level)

    def _items(self, item: Any, level: int) -> Iterator:
        if level < -1:
            raise ValueError(f"[UnBatcher] unbatch_level must be -1 or >= 0. Received {self.unbatch_level}.")
        if level == 0 or (level == -1 and not isinstance(item, list)):
            yield item
        elif isinstance(item, list):
            for inner in item:
                yield from self._items(inner, max(level - 1, -1))
        else:
            raise IndexError(f"[UnBatcher] unbatch_level {self.unbatch_level} exceeds the depth of the batches.")


@functional_datapipe("groupby")
class Grouper(IterDataPipe):
    """Batches of items that have one key. A group is handed out when it has `group_size` items, or the source ends.

    When the buffer is full, the largest group of at least `guaranteed_group_size` is handed out, or, with
    `drop_remaining`, dropped; RuntimeError if there is none.
    """

    def __init__(
        self,
        datapipe: IterDataPipe,
        group_key_fn: Callable,
        *,
        keep_key: bool = False,
        buffer_size: int = 10000,
        group_size: int | None = None,
        guaranteed_group_size: int | None = None,
        drop_remaining: bool = False,
    ):
        if group_size is not None and not 0 < group_size <= buffer_size:
            raise AssertionError("[Grouper] group_size must be > 0 and <= buffer_size.")
        if guaranteed_group_size is not None and not (group_size and 0 < guaranteed_group_size <= group_size):
            raise AssertionError("[Grouper] guaranteed_group_size must be > 0 and <= group_size, which must be set.")
        self.datapipe, self.group_key_fn, self.keep_key = datapipe, group_key_fn, keep_key
        self.max_buffer_size, self.group_size = buffer_size, group_size
        self.guaranteed_group_size = guaranteed_group_size or group_size
        self.drop_remaining = drop_remaining

    def __iter__(self) -> Iterator:
        groups: dict = collections.defaultdict(list)
        size = 0
        for item in self.datapipe:
            key = self.group_key_fn(item)
            groups[key].append(item)
            size += 1
            if self.group_size == len(groups[key]):
                size -= self.group_size
                yield self._group(key, groups.pop(key))
            if size == self.max_buffer_size:
                largest = max(groups, key=lambda k: len(groups[k]))
                items = groups.pop(largest)
                size -= len(items)
                enough = self.guaranteed_group_size is None or len(items) >= self.guaranteed_group_size
                if not enough and not self.drop_remaining:
                    raise RuntimeError(f"[Grouper] the buffer is full, and no group is complete. Largest: {items}.")
                if enough:
                    yield self._group(largest, items)
        for key, items in groups.items():
            yield self._group(key, items)

    def _group(self, key: Any, items: list) -> Any:
        return (key, DataChunk(items)) if self.keep_key else DataChunk(items)


class _Several(IterDataPipe):
    """Base of pipes that read several."""

    def __init__(self, *datapipes: IterDataPipe):
        if not datapipes:
            raise ValueError(f"[{type(self).__name__}] Expected at least one DataPipe, but got nothing.")
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError(f"[{type(self).__name__}] Expected all inputs to be `IterDataPipe`.")
        self.datapipes = datapipes

    def _lengths(self) -> list:
        return [length_of(self, pipe) for pipe in self.datapipes]


@functional_datapipe("concat")
class Concater(_Several):
    """The items of several pipes, one pipe after the other."""

    def __iter__(self) -> Iterator:
        return itertools.chain(*self.datapipes)

    def __len__(self) -> int:
        return sum(self._lengths())


@functional_datapipe("zip")
class Zipper(_Several):
    """Tuples of the items of several pipes, until the shortest ends."""

    def __iter__(self) -> Iterator:
        return zip(*self.datapipes, strict=False)

    def __len__(self) -> int:
        return min(self._lengths())


@functional_datapipe("mux")
class Multiplexer(_Several):
    """The items of several pipes in turn, until the shortest ends."""

    def __iter__(self) -> Iterator:
        return itertools.chain.from_iterable(zip(*self.datapipes, strict=False))

    def __len__(self) -> int:
        return min(self._lengths()) * len(self.datapipes)


class _Shared:
    """A source that several pipes read: what one has not come to yet waits in its queue."""

    def __init__(self, source: IterDataPipe, count: int, buffer_size: int, targets: Callable[[Any], Iterable[int]]):
        self.source, self.buffer_size, self.targets = source, buffer_size, targets
        self.queues: list = [collections.deque() for _ in range(count)]
        self.items: Iterator | None = None
        self.begun = [0] * count  # passes of each child

    def begin(self, child: int) -> None:
        """A child starts a pass: the first to do so starts it for all."""
        self.begun[child] += 1
        if self.begun[child] > 1 or self.items is None:
            self.begun = [int(k == child) for k in range(len(self.queues))]
            self.items = iter(self.source)
            for queue in self.queues:
                queue.clear()

    def next(self, child: int) -> Any:
        """The next item of a child. Raises BufferError if another is too far behind."""
        while not self.queues[child]:
            assert self.items is not None
            item = next(self.items)
            for target in self.targets(item):
                self.queues[target].append(item)
            waiting = max(len(queue) for queue in self.queues)
            if 0 <= self.buffer_size < waiting:
                raise BufferError(f"[DataPipe] {waiting} items wait for a pipe that is not read: raise buffer_size.")
        return self.queues[child].popleft()


class _Child(IterDataPipe):
    def __init__(self, shared: _Shared, number: int, copy: Callable | None = None):
        self.main_datapipe, self.shared, self.number, self.copy = shared.source, shared, number, copy

    def reset(self) -> None:
        self.shared.begin(self.number)

    def __iter__(self) -> Iterator:
        while True:
            try:
                item = self.shared.next(self.number)
            except StopIteration:
                return
            yield self.copy(item) if self.copy else item


@functional_datapipe("fork")
class Forker(IterDataPipe):
    """Several pipes that each have all items: a tuple of them. `copy`: None, "shallow" or "deep"."""

    def __new__(
        cls, datapipe: IterDataPipe, num_instances: int, buffer_size: int = 1000, copy: str | None = None
    ) -> Any:
        if num_instances < 1:
            raise ValueError(f"[Forker] Expected `num_instances` larger than 0, but {num_instances} is found.")
        if copy not in (None, "shallow", "deep"):
            raise ValueError(f"[Forker] copy must be None, 'shallow' or 'deep'. Received {copy!r}.")
        how = {None: None, "shallow": copying.copy, "deep": copying.deepcopy}[copy]
        shared = _Shared(datapipe, num_instances, buffer_size, lambda item: range(num_instances))
        return tuple(_Sized(shared, k, how) for k in range(num_instances))


class _Sized(_Child):
    def __len__(self) -> int:
        return length_of(self, self.main_datapipe)


@functional_datapipe("demux")
class Demultiplexer(IterDataPipe):
    """Several pipes that share the items out: each goes to the one whose number a function gives; a tuple of them."""

    def __new__(
        cls,
        datapipe: IterDataPipe,
        num_instances: int,
        classifier_fn: Callable,
        drop_none: bool = False,
        buffer_size: int = 1000,
    ) -> Any:
        if num_instances < 1:
            raise ValueError(f"[Demultiplexer] Expected `num_instances` larger than 0, but {num_instances} is found.")
        targets = functools.partial(_classify, classifier_fn, num_instances, drop_none)
        shared = _Shared(datapipe, num_instances, buffer_size, targets)
        return tuple(_Child(shared, k) for k in range(num_instances))


def _classify(classifier_fn: Callable, count: int, drop_none: bool, item: Any) -> tuple:
    number = classifier_fn(item)
    if number is None and drop_none:
        return ()
    if number is None or not 0 <= number < count:
        raise ValueError(f"[Demultiplexer] the class of an item must be in 0..{count - 1}. Received {number}.")
    return (number,)


class SHARDING_PRIORITIES(enum.IntEnum):
    """Who shares a pipe out among whom; the larger first."""

    DEFAULT = 1
    DISTRIBUTED = 2
    MULTIPROCESSING = 3


@functional_datapipe("sharding_filter")
class ShardingFilter(IterDataPipe):
    """The share of one of several readers: every n-th item. A DataLoader tells each worker which is its own."""

    def __init__(self, source_datapipe: IterDataPipe, sharding_group_filter: Any = None):
        self.source_datapipe, self.sharding_group_filter = source_datapipe, sharding_group_filter
        self.groups: dict = {}
        self.num_of_instances, self.instance_id = 1, 0

    def apply_sharding(
        self, num_of_instances: int, instance_id: int, sharding_group: SHARDING_PRIORITIES = SHARDING_PRIORITIES.DEFAULT
    ) -> None:
        """Sets the share. Raises ValueError for one that is none, RuntimeError if DEFAULT meets another group."""
        if instance_id >= num_of_instances:
            raise ValueError(f"[ShardingFilter] instance {instance_id} must be below {num_of_instances}.")
        default = SHARDING_PRIORITIES.DEFAULT
        if any((group == default) != (sharding_group == default) for group in self.groups):
            raise RuntimeError("[ShardingFilter] cannot mix DEFAULT and non DEFAULT groups.")
        self.groups[sharding_group] = (num_of_instances, instance_id)
        self.num_of_instances, self.instance_id = 1, 0
        for group in sorted(self.groups, reverse=True):
            if self.sharding_group_filter in (None, group):
                count, number = self.groups[group]
                self.instance_id += self.num_of_instances * number
                self.num_of_instances *= count

    def __iter__(self) -> Iterator:
        return itertools.islice(iter(self.source_datapipe), self.instance_id, None, self.num_of_instances)

    def __len__(self) -> int:
        return len(range(self.instance_id, length_of(self, self.source_datapipe), self.num_of_instances))


class FileLister(IterDataPipe):
    """The paths of the files in folders `root` whose names match `masks`."""

    def __init__(
        self,
        root: str | Sequence[str] | IterDataPipe = ".",
        masks: str | list[str] = "",
        *,
        recursive: bool = False,
        abspath: bool = False,
        non_deterministic: bool = False,
        length: int = -1,
    ):
        self.datapipe = IterableWrapper([root] if isinstance(root, str) else root)
        self.masks, self.recursive, self.abspath = masks, recursive, abspath
        self.non_deterministic, self.length = non_deterministic, length

    def __iter__(self) -> Iterator[str]:
        masks = [self.masks] if isinstance(self.masks, str) else list(self.masks)
        for root in self.datapipe:
            for folder, folders, files in os.walk(os.path.abspath(root) if self.abspath else root):
                if not self.non_deterministic:
                    folders.sort()
                    files.sort()
                if not self.recursive:
                    folders.clear()
                for name in files:
                    if masks in ([""], []) or any(fnmatch.fnmatch(name, mask) for mask in masks):
                        yield os.path.join(folder, name)

    def __len__(self) -> int:
        if self.length == -1:
            raise TypeError("[FileLister] instance doesn't have valid length. Give length.")
        return self.length


class FileOpener(IterDataPipe):
    """Tuples of a path and the opened file."""

    def __init__(self, datapipe: Iterable[str], mode: str = "r", encoding: str | None = None, length: int = -1):
        if mode not in ("b", "t", "rb", "rt", "r"):
            raise ValueError(f"[FileOpener] Invalid mode {mode}. Use 'rb' or 'rt'.")
        if "b" in mode and encoding is not None:
            raise ValueError("[FileOpener] binary mode takes no encoding.")
        self.datapipe, self.mode, self.encoding, self.length = datapipe, mode, encoding, length

    def __iter__(self) -> Iterator[tuple]:
        mode = self.mode if self.mode.startswith("r") else "r" + self.mode
        for path in self.datapipe:
            yield path, open(path, mode, encoding=self.encoding)  # noqa: SIM115  whoever reads it closes it

    def __len__(self) -> int:
        if self.length == -1:
            raise TypeError("[FileOpener] instance doesn't have valid length. Give length.")
        return self.length


@functional_datapipe("read_from_stream")
class StreamReader(IterDataPipe):
    """Tuples of a path and what a file holds, in pieces of `chunk` bytes."""

    def __init__(self, datapipe: IterDataPipe, chunk: int | None = None):
        self.datapipe, self.chunk = datapipe, chunk

    def __iter__(self) -> Iterator[tuple]:
        for path, stream in self.datapipe:
            with stream:
                while piece := stream.read(self.chunk):
                    yield path, piece
