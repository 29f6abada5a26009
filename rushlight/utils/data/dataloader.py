"""The loader that reads a data set in some order and makes batches of it."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import rushlight
from rushlight.utils.data.collate import default_collate, default_convert
from rushlight.utils.data.dataset import IterableDataset, TensorDataset
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, _draw_seed

T_co = TypeVar("T_co", covariant=True)


def get_worker_info() -> None:
    """Returns what is known of the worker process this runs in: None, for data is loaded in the main process.

    Example::

      >>> torch.utils.data.get_worker_info() is None
      True
    """
    return None


class _Endless:
    """Stands for the order of a data set that has none of its own."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Reads a data set in batches. For one seed, the order is PyTorch's.

    Args:
      dataset: a data set read by index (``__getitem__`` and ``__len__``), or an :class:`IterableDataset`.
      batch_size: samples per batch; None hands out single samples.
      shuffle: True draws a new order in every pass.
      sampler: the order, instead of ``shuffle``: an iterable of indices.
      batch_sampler: an iterable of lists of indices, instead of all four of the others.
      num_workers: 0: data is loaded in the main process.
      collate_fn: makes a batch of a list of samples; :func:`default_collate` if None.
      pin_memory: has no effect without an accelerator, and warns.
      drop_last: True leaves out a last batch that is smaller.
      timeout, worker_init_fn, multiprocessing_context, prefetch_factor, persistent_workers, in_order: of worker
        processes only.
      generator: source of random numbers; None is the default generator.

    Raises:
      ValueError: if arguments contradict one another.
      NotImplementedError: if ``num_workers`` is above 0.

    Example::

      >>> loader = torch.utils.data.DataLoader([1.0, 2.0, 3.0], batch_size=2)
      >>> len(loader), next(iter(loader))
      (2, tensor([1., 2.], dtype=torch.float64))
    """

    _FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable | None = None,
        batch_sampler: Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ):
        iterable = isinstance(dataset, IterableDataset)
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        _check_order(iterable, batch_size, shuffle, sampler, batch_sampler, drop_last)

        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            if iterable:
                sampler = _Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.persistent_workers = persistent_workers
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._built = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._FIXED and self.__dict__.get("_built"):
            raise ValueError(f"[DataLoader] {name} is fixed once the loader is made. Make a new DataLoader instead.")
        super().__setattr__(name, value)

    def __iter__(self) -> _LoaderIterator:
        return _LoaderIterator(self)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._order)  # type: ignore[arg-type]
        count = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else math.ceil(count / self.batch_size)

    @property
    def _order(self) -> Iterable:
        """What one step reads: lists of indices, or single indices where there is no batch."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool, context: Any
) -> None:
    if num_workers < 0:
        raise ValueError(f"[DataLoader] num_workers must not be negative. Received {num_workers}. Use 0.")
    if timeout < 0:
        raise ValueError(f"[DataLoader] timeout must not be negative. Received {timeout}. Use 0 to wait for ever.")
    if num_workers > 0:
        raise NotImplementedError(
            f"[DataLoader] worker processes are not available yet. Received num_workers={num_workers}. "
            "Use num_workers=0, which loads data in the main process."
        )
    for name, given in (
        ("prefetch_factor", prefetch_factor is not None),
        ("persistent_workers", persistent),
        ("multiprocessing_context", context is not None),
    ):
        if given:
            raise ValueError(f"[DataLoader] {name} needs worker processes. Received num_workers=0. Leave {name} out.")


def _check_order(
    iterable: bool, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if iterable:
        for name, given in (
            ("shuffle", bool(shuffle)),
            ("sampler", sampler is not None),
            ("batch_sampler", batch_sampler is not None),
        ):
            if given:
                raise ValueError(
                    f"[DataLoader] an IterableDataset decides its own order. Received {name}. "
                    f"Leave {name} out and shuffle inside the data set."
                )
    if sampler is not None and shuffle:
        raise ValueError("[DataLoader] sampler and shuffle exclude one another. Received both. Leave one out.")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError(
            "[DataLoader] batch_sampler decides batches and order alone. "
            "Leave out batch_size, shuffle, sampler and drop_last."
        )
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError("[DataLoader] batch_size=None makes no batches, so none can be dropped. Leave drop_last out.")


class _LoaderIterator(Iterator):
    """One pass over the data."""

    def __init__(self, loader: DataLoader):
        self._loader = loader
        self._length: int | None = None
        self._steps = 0
        if loader.pin_memory:
            warnings.warn("[DataLoader] pin_memory has no effect: no accelerator is in use.", stacklevel=3)
        # PyTorch draws a seed for its workers at the start of every pass, even without workers; so must we.
        self._base_seed = _draw_seed(loader.generator)
        self._indices = iter(loader._order)
        self._samples = iter(loader.dataset) if isinstance(loader.dataset, IterableDataset) else None

    def __iter__(self) -> _LoaderIterator:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        batch = self._read_next()
        self._steps += 1
        self._warn_if_too_long()
        return batch

    def _read_next(self) -> Any:
        loader = self._loader
        index = next(self._indices)
        if self._samples is not None:
            return self._read_stream()
        if loader.batch_sampler is None:
            return loader.collate_fn(loader.dataset[index])
        if type(loader.dataset) is TensorDataset and loader.collate_fn is default_collate:
            # The same values as stacking the samples one by one, in one gather per tensor.
            chosen = rushlight.tensor(index, dtype=rushlight.int64)
            return [tensor.index_select(0, chosen) for tensor in loader.dataset.tensors]
        if callable(getattr(loader.dataset, "__getitems__", None)):
            return loader.collate_fn(loader.dataset.__getitems__(index))
        return loader.collate_fn([loader.dataset[i] for i in index])

    def _read_stream(self) -> Any:
        loader, samples = self._loader, self._samples
        assert samples is not None
        if loader.batch_size is None:
            return loader.collate_fn(next(samples))
        batch = list(itertools.islice(samples, loader.batch_size))
        if not batch or (loader.drop_last and len(batch) < loader.batch_size):
            raise StopIteration
        return loader.collate_fn(batch)

    def _warn_if_too_long(self) -> None:
        """An IterableDataset whose __len__ is below what it yields would spoil epoch counts unnoticed."""
        if self._samples is None:
            return
        if self._length is None:
            try:
                self._length = len(self._loader)
            except (TypeError, NotImplementedError):
                self._length = -1
        if 0 <= self._length < self._steps:
            warnings.warn(
                f"[DataLoader] the data set said it has {self._length} batches, but batch {self._steps} was read. "
                "Correct its __len__.",
                stacklevel=3,
            )
