"""What data pipes are: data sets on whose class methods are registered that make further pipes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, TypeVar

from rushlight.utils.data.dataset import Dataset, IterableDataset

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class DataChunk(list):
    """A batch: the list of its items, which ``items`` holds too.

    Example::

      >>> torch.utils.data.DataChunk(range(3)).as_str("  ")
      '  [0, 1, 2]'
    """

    def __init__(self, items: Iterable[T]):
        super().__init__(items)
        self.items = list(self)

    def as_str(self, indent: str = "") -> str:
        """The items in brackets, behind an indentation."""
        return f"{indent}[{', '.join(map(str, self))}]"

    def raw_iterator(self) -> Iterator[T]:
        """The items as they were given, whatever a subclass makes of them in ``__iter__``."""
        yield from self.items


class _Registry:
    """The part that both kinds of pipes share: functions that become methods of all pipes of the kind."""

    functions: ClassVar[dict[str, Callable]] = {}

    def __getattr__(self, name: str) -> Any:
        function = type(self).functions.get(name)
        if function is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return functools.partial(function, self)

    def __dir__(self) -> list:
        return [*super().__dir__(), *self.functions]

    def __repr__(self) -> str:
        return type(self).__qualname__

    @classmethod
    def register_function(cls, function_name: str, function: Callable) -> None:
        """Makes ``function(pipe, ...)`` a method of all pipes."""
        cls.functions[function_name] = function

    @classmethod
    def register_datapipe_as_function(
        cls, function_name: str, cls_to_register: Any, enable_df_api_tracing: bool = False
    ) -> None:
        """Makes ``cls_to_register(pipe, ...)`` a method of all pipes. Raises Exception if the name is taken."""
        if function_name in cls.functions:
            raise Exception(f"[register_datapipe_as_function] {function_name} is taken. Choose another name.")
        cls.functions[function_name] = cls_to_register


class IterDataPipe(_Registry, IterableDataset[T_co]):
    """A pipe that is read one item after the other: a subclass gives ``__iter__`` and, if it keeps anything, ``reset``.

    Only the latest iterator of a pipe is valid; one that was made before raises RuntimeError.

    Example::

      >>> class Count(torch.utils.data.IterDataPipe):
      ...   def __iter__(self):
      ...     return iter(range(4))
      >>> list(Count().map(lambda x: x + 1))
      [1, 2, 3, 4]
    """

    functions: ClassVar[dict[str, Callable]] = {}
    _readings = 0  # iterators made so far: the latest one's number

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if "__iter__" in vars(cls):
            cls.__iter__ = _single(cls.__iter__)  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[T_co]:
        return self  # type: ignore[return-value]

    def reset(self) -> None:
        """Called whenever an iterator is made: forgets what the last one left."""


def _single(make: Callable) -> Callable:
    """``__iter__`` that resets the pipe, and whose iterator ends where a newer one is made."""

    @functools.wraps(make)
    def __iter__(self: IterDataPipe) -> Iterator:
        self.reset()
        self._readings += 1
        return read(self, make(self), self._readings)

    def read(pipe: IterDataPipe, items: Iterator, number: int) -> Iterator:
        while True:
            if pipe._readings != number:
                raise RuntimeError(
                    f"[{type(pipe).__name__}] This iterator has been invalidated because another iterator has been "
                    "created from the same pipe. Use fork() to read it twice at a time."
                )
            try:
                item = next(items)
            except StopIteration:
                return
            yield item

    return __iter__


class DFIterDataPipe(IterDataPipe):
    """A pipe of data frames."""


class MapDataPipe(_Registry, Dataset[T_co]):
    """A pipe that is read by key: a subclass gives ``__getitem__`` and, for most uses, ``__len__``.

    Example::

      >>> from rushlight.utils.data.datapipes.map import SequenceWrapper
      >>> SequenceWrapper("abc").map(str.upper)[1]
      'B'
    """

    functions: ClassVar[dict[str, Callable]] = {}


def length_of(pipe: Any, source: Any) -> int:
    """The length of a source, on which a pipe's depends. Raises TypeError if it has none."""
    if not hasattr(type(source), "__len__"):
        raise TypeError(
            f"[{type(pipe).__name__}] instance doesn't have valid length: {type(source).__name__} has none."
        )
    return len(source)
