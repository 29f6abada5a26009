"""The order in which a data set is read. For one seed, every order is PyTorch's."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import rushlight

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base of samplers: a subclass gives ``__iter__`` over indices (or lists of them) and, if known, ``__len__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"[{type(self).__name__}] a Sampler must define __iter__(self).")


class SequentialSampler(Sampler[int]):
    """Indices 0, 1, 2, ... in order."""

    def __init__(self, data_source: Sized):
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order, a new one in every pass.

    Args:
      data_source: anything with a length.
      replacement: True draws every index independently; False uses none twice before all were used.
      num_samples: indices per pass; ``len(data_source)`` if None.
      generator: source of random numbers; None seeds a new one from the default generator in every pass.

    Raises:
      TypeError: if ``replacement`` is no bool.
      ValueError: if ``num_samples`` is no positive integer.

    Example::

      >>> generator = torch.Generator().manual_seed(0)
      >>> list(torch.utils.data.RandomSampler(range(6), generator=generator))
      [2, 5, 3, 0, 1, 4]
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ):
        if not isinstance(replacement, bool):
            raise TypeError(f"[RandomSampler] replacement must be a bool. Received {replacement!r}.")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                f"[RandomSampler] num_samples must be a positive integer. Received {self.num_samples!r} "
                f"for a data set of length {len(data_source)}. Is the data set empty?"
            )

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, count = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = rushlight.Generator()
            generator.manual_seed(_draw_seed(None))
        if self.replacement:
            # Blocks of 32 are part of the contract: the stream of numbers is consumed as PyTorch consumes it.
            for start in range(0, count, 32):
                yield from rushlight.randint(0, n, (min(32, count - start),), generator=generator).tolist()
        else:
            # The last permutation is drawn even if none of it is needed, again as in PyTorch.
            for start in range(0, count - count % n + 1, n):
                yield from rushlight.randperm(n, generator=generator).tolist()[: count - start]

    def __len__(self) -> int:
        return self.num_samples


def _draw_seed(generator: Any) -> int:
    """One seed from 0 to 2**63 - 1, drawn as PyTorch draws it."""
    return int(rushlight.empty((), dtype=rushlight.int64).random_(generator=generator).item())


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order, without replacement."""

    def __init__(self, indices: Sequence[int], generator: Any = None):
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in rushlight.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities in proportion to ``weights``.

    Args:
      weights: one weight per index; need not add up to 1. Kept as float64.
      num_samples: indices per pass.
      replacement: True (the default) may draw an index more than once.
      generator: source of random numbers; None is the default generator.

    Raises:
      ValueError: if ``num_samples`` is no positive integer, ``replacement`` no bool, or ``weights`` not 1-D.
    """

    def __init__(self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None):
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"[WeightedRandomSampler] num_samples must be a positive integer. Received {num_samples!r}."
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"[WeightedRandomSampler] replacement must be a bool. Received {replacement!r}.")
        self.weights = rushlight.as_tensor(weights, dtype=rushlight.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"[WeightedRandomSampler] weights must be 1-D. Received shape {tuple(self.weights.shape)}."
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = rushlight.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list]):
    """Groups the indices of another sampler into lists of ``batch_size``.

    Args:
      sampler: a sampler, or any iterable.
      batch_size: positive integer.
      drop_last: True leaves out a last list that is shorter.

    Raises:
      ValueError: if ``batch_size`` is no positive integer or ``drop_last`` no bool.

    Example::

      >>> list(torch.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
      [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable, batch_size: int, drop_last: bool):
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"[BatchSampler] batch_size must be a positive integer. Received {batch_size!r}.")
        if not isinstance(drop_last, bool):
            raise ValueError(f"[BatchSampler] drop_last must be a bool. Received {drop_last!r}.")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
