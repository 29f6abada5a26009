"""The order in which a data set is read. For one seed, every order is PyTorch's.

A sampler whose pass was interrupted goes on from its ``state_dict()``: plain numbers, lists and tensors. The state is
how the generators stood when the pass began, and how many items were handed out since; the pass is drawn again up to
there.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import rushlight
from rushlight.utils.data.seeding import Streams

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base of samplers: a subclass gives ``__iter__`` over indices (or lists of them) and, if known, ``__len__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"[{type(self).__name__}] a Sampler must define __iter__(self).")


class ResumableSampler(Sampler[T_co]):
    """Base of samplers that can be resumed: a subclass gives ``_draw``, and what else decides the order.

    Example::

      >>> sampler = torch.utils.data.RandomSampler(range(6), generator=torch.Generator().manual_seed(0))
      >>> order = iter(sampler)
      >>> next(order), next(order)
      (2, 5)
      >>> resumed = torch.utils.data.RandomSampler(range(6), generator=torch.Generator())
      >>> resumed.load_state_dict(sampler.state_dict())
      >>> list(resumed)
      [3, 0, 1, 4]
    """

    _start: Any = None  # how the generators stood when the pass under way began
    _count = 0  # items handed out in it
    _loaded: dict | None = None
    generator: Any = None

    def _draw(self) -> Iterator[T_co]:
        """The items of a whole pass."""
        raise NotImplementedError

    def _save(self) -> Any:
        """What decides the order, as plain data."""
        return None

    @contextlib.contextmanager
    def _as_saved(self, start: Any) -> Iterator[None]:
        """Inside, what decides the order is as it was."""
        yield

    def __iter__(self) -> Iterator[T_co]:
        loaded, self._loaded = self._loaded, None
        if loaded is None or not loaded["count"]:
            self._start, self._count, order = self._save(), 0, self._draw()
        else:
            self._start, self._count = loaded["start"], loaded["count"]
            with self._as_saved(self._start):
                rest = self._draw()
                # One more than was handed out: random numbers are drawn with the first item.
                head = list(itertools.islice(rest, self._count - 1, self._count + 1))[1:]
            order = itertools.chain(head, rest)
        for item in order:
            self._count += 1
            yield item
        self._start, self._count = None, 0

    def state_dict(self) -> dict:
        """Where the latest pass stands: plain numbers, lists and tensors."""
        if self._loaded is not None:
            return self._loaded
        state = {"start": self._start if self._count else None, "count": self._count}
        if self.generator is not None:
            state["generator"] = self.generator.get_state()
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Lets the next pass go on where the state was taken.

        Raises:
          ValueError: if the state is no sampler's.
        """
        if not isinstance(state_dict, dict) or not {"start", "count"} <= state_dict.keys():
            raise ValueError(
                f"[{type(self).__name__}] a state must hold start and count. Received {_named(state_dict)}. "
                "Give what state_dict() of the same kind of sampler returned."
            )
        if self.generator is not None and "generator" in state_dict:
            self.generator.set_state(state_dict["generator"])
        self._loaded = dict(state_dict)


class _DrawingSampler(ResumableSampler[int]):
    """Base of samplers whose order comes from one generator, their own or the default one."""

    def _save(self) -> Any:
        return (self.generator or rushlight.default_generator).get_state()

    @contextlib.contextmanager
    def _as_saved(self, start: Any) -> Iterator[None]:
        if self.generator is not None:
            # Drawing the pass again brings the generator to where it stood.
            self.generator.set_state(start)
            yield
            return
        now = rushlight.default_generator.get_state()
        rushlight.default_generator.set_state(start)
        try:
            yield
        finally:
            rushlight.default_generator.set_state(now)


class Replayed(ResumableSampler):
    """Makes any iterable resumable: it is read again, under the generators as they stood, and skipped."""

    def __init__(self, source: Iterable):
        self._source = source

    def _draw(self) -> Iterator:
        return iter(self._source)

    def _save(self) -> Any:
        return None if isinstance(self._source, Sequence) else Streams().get_state()

    @contextlib.contextmanager
    def _as_saved(self, start: Any) -> Iterator[None]:
        streams = Streams()
        with streams.kept() if start else contextlib.nullcontext():
            if start:
                streams.set_state(start)
            yield


def resumable(order: Iterable) -> Any:
    """The sampler itself if it can be resumed (``state_dict`` and ``load_state_dict``), else its replay.

    A ``state_dict`` that a class inherits does not count for an ``__iter__`` that it defines.
    """
    cls = type(order)
    if all(hasattr(cls, name) for name in ("__iter__", "state_dict", "load_state_dict")):
        owner = {name: next(c for c in cls.__mro__ if name in vars(c)) for name in ("__iter__", "state_dict")}
        if issubclass(owner["state_dict"], owner["__iter__"]):
            return order
    return Replayed(order)


def _named(state: Any) -> str:
    return f"a dict of {sorted(map(str, state))}" if isinstance(state, dict) else type(state).__name__


class SequentialSampler(ResumableSampler[int]):
    """Indices 0, 1, 2, ... in order."""

    def __init__(self, data_source: Sized):
        self.data_source = data_source

    def _draw(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(_DrawingSampler):
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

    def _draw(self) -> Iterator[int]:
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


class SubsetRandomSampler(_DrawingSampler):
    """The given indices in random order, without replacement."""

    def __init__(self, indices: Sequence[int], generator: Any = None):
        self.indices = indices
        self.generator = generator

    def _draw(self) -> Iterator[int]:
        for i in rushlight.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(_DrawingSampler):
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

    def _draw(self) -> Iterator[int]:
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
        resumed_at_end, self._resumed_at_end, self._at_end = self._resumed_at_end, False, False
        if resumed_at_end:
            return
        indices = iter(self._order())
        while batch := list(itertools.islice(indices, self.batch_size)):
            # A short batch has met the end of the sampler inside, whose state is then that of a new pass.
            self._at_end = len(batch) < self.batch_size
            if self._at_end and self.drop_last:
                break
            yield batch
        self._at_end = False

    def _order(self) -> Any:
        # Found anew where it was replaced: programs exchange `sampler` for a distributed one.
        if self._resumable is None or self._resumable[0] is not self.sampler:
            self._resumable = (self.sampler, resumable(self.sampler))
        return self._resumable[1]

    _resumable: tuple | None = None  # the sampler inside, and what resumes it
    _at_end = _resumed_at_end = False

    def state_dict(self) -> dict:
        """Where the latest pass of the sampler inside stands."""
        return {"sampler": self._order().state_dict(), "at_end": self._at_end or self._resumed_at_end}

    def load_state_dict(self, state_dict: dict) -> None:
        """Lets the next pass go on where the state was taken. Raises ValueError if the state is none."""
        if not isinstance(state_dict, dict) or not {"sampler", "at_end"} <= state_dict.keys():
            raise ValueError(
                f"[BatchSampler] a state must hold sampler and at_end. Received {_named(state_dict)}. "
                "Give what state_dict() of a BatchSampler returned."
            )
        self._order().load_state_dict(state_dict["sampler"])
        self._resumed_at_end = state_dict["at_end"]

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
