"""Data sets: what can be read by index (:class:`Dataset`) or one after the other (:class:`IterableDataset`)."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import rushlight

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base of data sets read by index: a subclass gives ``__getitem__`` and, for most uses, ``__len__``.

    A data set may also give ``__getitems__(indices) -> list`` to read a whole batch at once.

    Example::

      >>> class Squares(torch.utils.data.Dataset):
      ...   def __len__(self):
      ...     return 4
      ...   def __getitem__(self, index):
      ...     return index**2
      >>> Squares()[3]
      9
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"[{type(self).__name__}] a Dataset must define __getitem__(self, index).")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base of data sets that are read one sample after the other: a subclass gives ``__iter__``.

    Example::

      >>> class Count(torch.utils.data.IterableDataset):
      ...   def __iter__(self):
      ...     return iter(range(3))
      >>> list(torch.utils.data.DataLoader(Count(), batch_size=2))
      [tensor([0, 1]), tensor([2])]
    """

    def __add__(self, other: Dataset[T_co]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple]):
    """Samples along the first dimension of tensors: item i is ``(tensors[0][i], tensors[1][i], ...)``.

    Args:
      tensors: tensors of any dtype, all of the same first size: ``[N, ...]``.

    Raises:
      AssertionError: if the first sizes differ.

    Example::

      >>> data = torch.utils.data.TensorDataset(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1]))
      >>> data[1]
      (tensor([3., 4.]), tensor(1))
    """

    tensors: tuple

    def __init__(self, *tensors: Any):
        if any(tensor.shape[0] != tensors[0].shape[0] for tensor in tensors):
            sizes = [tuple(tensor.shape) for tensor in tensors]
            raise AssertionError(f"[TensorDataset] tensors must agree in their first size. Received shapes {sizes}.")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class StackDataset(Dataset):
    """Several data sets side by side: a sample is a tuple (or, from keyword arguments, a dict) of their samples.

    Raises:
      ValueError: if the lengths differ, if both forms are mixed, or if none is given.

    Example::

      >>> torch.utils.data.StackDataset(image=["a", "b"], label=[0, 1])[1]
      {'image': 'b', 'label': 1}
    """

    datasets: tuple | dict

    def __init__(self, *args: Any, **kwargs: Any):
        if bool(args) == bool(kwargs):
            received = "both" if args else "nothing"
            raise ValueError(f"[StackDataset] give data sets either by position or by keyword. Received {received}.")
        members = args or tuple(kwargs.values())
        self._length = len(members[0])
        if any(len(dataset) != self._length for dataset in members):
            lengths = [len(dataset) for dataset in members]
            raise ValueError(f"[StackDataset] data sets must have one length. Received lengths {lengths}.")
        self.datasets = args or kwargs

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list) -> list:
        if isinstance(self.datasets, dict):
            columns = [_read(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*(_read(dataset, indices) for dataset in self.datasets), strict=True))

    def __len__(self) -> int:
        return self._length


def _read(dataset: Any, indices: list) -> list:
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items = dataset.__getitems__(indices)
    if len(items) != len(indices):
        raise ValueError(
            f"[{type(dataset).__name__}] __getitems__ must return one item per index. "
            f"Received {len(items)} items for {len(indices)} indices."
        )
    return items


class ConcatDataset(Dataset[T_co]):
    """Data sets one after the other, under one index.

    Raises:
      AssertionError: if no data set is given, or one is an :class:`IterableDataset`.

    Example::

      >>> both = torch.utils.data.ConcatDataset([["a", "b"], ["c"]])
      >>> len(both), both[2], both[-3]
      (3, 'c', 'a')
    """

    datasets: list
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable) -> list[int]:
        return list(itertools.accumulate(len(part) for part in sequence))

    def __init__(self, datasets: Iterable):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("[ConcatDataset] needs at least one data set. Received none.")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("[ConcatDataset] reads by index; an IterableDataset has none. Use ChainDataset.")
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        if index < 0:
            if -index > len(self):
                raise ValueError(f"[ConcatDataset] index must be at least -{len(self)}. Received {index}.")
            index += len(self)
        part = bisect.bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[part - 1] if part > 0 else 0
        return self.datasets[part][index - start]


class ChainDataset(IterableDataset):
    """:class:`IterableDataset` objects read one after the other.

    Raises:
      AssertionError: on use, if a member is no IterableDataset.
    """

    def __init__(self, datasets: Iterable[Dataset]):
        self.datasets = datasets

    def _members(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"[ChainDataset] takes IterableDataset only. Received {type(dataset).__name__}.")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self._members())

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._members())


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``.

    Example::

      >>> torch.utils.data.Subset(["a", "b", "c"], [2, 0])[0]
      'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list:
        chosen = [self.indices[i] for i in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.dataset.__getitems__(chosen)
        return [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Any = None) -> list[Subset]:
    """Splits a data set at random into parts without overlap; the draw is PyTorch's for the same generator state.

    Args:
      dataset: a data set with a length.
      lengths: the lengths of the parts, or fractions that add up to 1 (left-over samples go to the first parts).
      generator: source of random numbers; None is the default generator.

    Raises:
      ValueError: if a fraction is outside 0..1, or the lengths do not add up to ``len(dataset)``.

    Example::

      >>> generator = torch.Generator().manual_seed(42)
      >>> [len(part) for part in torch.utils.data.random_split(range(10), [0.7, 0.3], generator=generator)]
      [7, 3]
    """
    sizes = list(lengths)
    total = len(dataset)
    if math.isclose(sum(sizes), 1) and sum(sizes) <= 1:
        for i, fraction in enumerate(sizes):
            if not 0 <= fraction <= 1:
                raise ValueError(
                    f"[random_split] a fraction must be between 0 and 1. Received {fraction} at index {i}."
                )
        sizes = [math.floor(total * fraction) for fraction in sizes]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"[random_split] part {i} is empty: its fraction of {total} samples is below 1.", stacklevel=2
                )
    if sum(sizes) != total:
        raise ValueError(f"[random_split] lengths must add up to {total} samples. Received {sizes}, sum {sum(sizes)}.")
    order = rushlight.randperm(total, generator=generator).tolist()
    ends = list(itertools.accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
