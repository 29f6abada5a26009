"""The classes and functions that the user vouches for: `torch.load` may use them where a file names them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_Global = Callable[..., Any] | tuple[Callable[..., Any], str]

_lock = threading.Lock()
_registered: list[_Global] = []


def public_module(module: str) -> str:
    """A module as PyTorch calls it: `rushlight.nn.modules.linear` and its twin are the same to a file."""
    if module == "rushlight" or module.startswith("rushlight."):
        return "torch" + module.removeprefix("rushlight")
    return module


def add_safe_globals(safe_globals: list[_Global]) -> None:
    """Lets `torch.load` use these classes and functions where a file names them.

    They are your code: their `__new__`, `__setstate__` or they themselves are called with what the file holds.

    Args:
        safe_globals: classes or functions; or pairs of one and the full name under which files know it.

    Raises:
        TypeError, ValueError: for what is neither.

    >>> class Settings:
    ...     pass
    >>> torch.serialization.add_safe_globals([Settings])
    >>> torch.serialization.get_safe_globals() == [Settings]
    True
    >>> torch.serialization.clear_safe_globals()
    """
    for entry in safe_globals:
        _named(entry)
    with _lock:
        _registered.extend(entry for entry in safe_globals if entry not in _registered)


def _named(entry: _Global) -> tuple[str, Any]:
    if isinstance(entry, tuple):
        if len(entry) != 2:
            raise ValueError(
                f"[add_safe_globals] a pair must be (class or function, its full name). Received {len(entry)} values."
            )
        if type(entry[1]) is not str:
            raise TypeError(f"[add_safe_globals] the full name must be a str. Received {type(entry[1]).__name__}.")
        value, path = entry
        module, _, name = path.rpartition(".")
        return f"{public_module(module)}.{name}", value
    try:
        return f"{public_module(entry.__module__)}.{entry.__qualname__}", entry
    except AttributeError:
        raise TypeError(
            f"[add_safe_globals] classes and functions are wanted. Received {entry!r}. Give it with its full name, as "
            "a pair."
        ) from None


def registered() -> dict[str, Any]:
    """What is registered, by full name."""
    return dict(_named(entry) for entry in _registered)


def get_safe_globals() -> list[_Global]:
    """What `add_safe_globals` was given."""
    return list(_registered)


def clear_safe_globals() -> None:
    """Forgets what `add_safe_globals` was given."""
    with _lock:
        _registered.clear()


class safe_globals:
    """`add_safe_globals` for the time of a `with` block.

    >>> with torch.serialization.safe_globals([range]):
    ...     torch.serialization.get_safe_globals()
    [<class 'range'>]
    """

    def __init__(self, safe_globals: list[_Global]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self._added = [entry for entry in self.safe_globals if entry not in _registered]
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exception: Any) -> None:
        with _lock:
            _registered[:] = [entry for entry in _registered if entry not in self._added]
