"""What is said of a pipe's class above it: the method that makes it, and checks."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

from rushlight.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe


class functional_datapipe:
    """Makes the class that it decorates a method, called `name`, of all pipes of its kind.

    Example::

      >>> @torch.utils.data.functional_datapipe("doubled")
      ... class Doubler(torch.utils.data.IterDataPipe):
      ...   def __init__(self, source):
      ...     self.source = source
      ...   def __iter__(self):
      ...     return (2 * x for x in self.source)
      >>> from rushlight.utils.data.datapipes.iter import IterableWrapper
      >>> list(IterableWrapper([1, 2]).doubled())
      [2, 4]
    """

    def __init__(self, name: str, enable_df_api_tracing: bool = False):
        self.name = name
        self.enable_df_api_tracing = enable_df_api_tracing

    def __call__(self, cls: Any) -> Any:
        kind = cls.cls if isinstance(cls, non_deterministic) else getattr(cls, "__self__", cls)
        kind = kind.cls if isinstance(kind, non_deterministic) else kind
        for base in (IterDataPipe, MapDataPipe):
            if isinstance(kind, type) and issubclass(kind, base):
                base.register_datapipe_as_function(self.name, cls, self.enable_df_api_tracing)
                return cls
        raise TypeError("[functional_datapipe] an IterDataPipe or a MapDataPipe must be decorated.")


class _Switch:
    """A setting for the length of a with block, or from a call on."""

    on = False
    value = True

    def __init__(self) -> None:
        self.prev = type(self).on
        type(self).on = self.value

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        type(self).on = self.prev


class guaranteed_datapipes_determinism(_Switch):
    """Inside, pipes that are not deterministic are refused: see :class:`non_deterministic`."""


class runtime_validation_disabled(_Switch):
    """Inside, :func:`runtime_validation` does not look at items."""


class non_deterministic:
    """Says of a pipe's class that its order is not certain: always, or where a function of its arguments says so.

    Raises TypeError where such a pipe is made inside :class:`guaranteed_datapipes_determinism`.
    """

    cls: Any = None

    def __init__(self, arg: Any):
        if isinstance(arg, type):
            if not issubclass(arg, IterDataPipe):
                raise TypeError(f"[non_deterministic] an IterDataPipe must be decorated. Received {arg.__name__}.")
            self.cls = arg
            self.deterministic_fn: Callable[..., bool] = lambda *args, **kwargs: True
        elif callable(arg):
            self.deterministic_fn = arg
        else:
            raise TypeError(f"[non_deterministic] {arg!r} cannot be decorated: a class or a function is wanted.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls is not None:
            return self.deterministic_wrapper_fn(*args, **kwargs)
        if not (isinstance(args[0], type) and issubclass(args[0], IterDataPipe)):
            raise TypeError(f"[non_deterministic] an IterDataPipe must be decorated. Received {args[0]!r}.")
        self.cls = args[0]
        return self.deterministic_wrapper_fn

    def deterministic_wrapper_fn(self, *args: Any, **kwargs: Any) -> Any:
        """Makes the pipe."""
        uncertain = self.deterministic_fn(*args, **kwargs)
        if not isinstance(uncertain, bool):
            raise TypeError(
                f"[non_deterministic] the function must return a bool. Received {type(uncertain).__name__}."
            )
        if uncertain and guaranteed_datapipes_determinism.on:
            raise TypeError(
                f"[{self.cls.__name__}] is non-deterministic, and guaranteed_datapipes_determinism is set. "
                "Make it outside, or use another pipe."
            )
        return self.cls(*args, **kwargs)


def argument_validation(f: Callable) -> Callable:
    """Checks that arguments that are annotated as pipes are pipes. The function raises TypeError otherwise."""
    signature, hints = inspect.signature(f), typing.get_type_hints(f)

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            kind = typing.get_origin(hints.get(name)) or hints.get(name)
            if isinstance(kind, type) and issubclass(kind, IterDataPipe) and not isinstance(value, IterDataPipe):
                raise TypeError(
                    f"[{f.__qualname__}] Expected argument '{name}' as a IterDataPipe, but found {type(value)}. "
                    "Wrap it in IterableWrapper."
                )
        return f(*args, **kwargs)

    return wrapper


def runtime_validation(f: Callable) -> Callable:
    """Checks that the items that ``__iter__`` yields are of the class in the pipe's annotation, ``IterDataPipe[int]``.

    The iterator raises RuntimeError otherwise; annotations that are no plain class are not looked at.
    """
    if f.__name__ != "__iter__":
        raise TypeError(f"[runtime_validation] __iter__ must be decorated. Received {f.__name__}.")

    @functools.wraps(f)
    def wrapper(self: Any) -> Iterator:
        bases = getattr(type(self), "__orig_bases__", ())
        wanted = next((a for base in bases for a in typing.get_args(base) if isinstance(a, type)), object)
        for item in f(self):
            if not runtime_validation_disabled.on and not isinstance(item, wanted):
                raise RuntimeError(
                    f"[{type(self).__name__}] Expected an instance as subtype of {wanted}, "
                    f"but found {item}({type(item)}). Correct the annotation, or what is yielded."
                )
            yield item

    return wrapper
