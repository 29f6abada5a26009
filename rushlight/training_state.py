"""All that a training run is made of, as one thing to save and to restore."""

from __future__ import annotations

import copy
import os
import random
import sys
from collections.abc import Callable
from typing import Any

import rushlight

__all__ = ["TrainingState"]

# How objects hand out their state and take it back: modules, optimizers, schedulers, loaders and scalers; generators
# of this package; generators of Python.
_PROTOCOLS = (("state_dict", "load_state_dict"), ("get_state", "set_state"), ("getstate", "setstate"))
_PLAIN = {bool, int, float, complex, str, type(None), rushlight.dtype}
_RESERVED = {"classes", "random"}  # what the state holds beside parts and counters


class TrainingState:
    """A training run in one file: saved at any step, continued with the bits of a run that was never interrupted.

    Whatever has a state goes in, under names of one's own: modules, optimizers, schedulers, data loaders, scalers,
    generators. Plain values are counters, which are attributes to read and to set. The default generators of
    rushlight, of Python's ``random`` and, where it is in use, of NumPy go along unnamed. The file holds tensors and
    plain data only, so reading it runs no code; ``torch.load(path)["model"]`` is the state dict of the part called
    ``model``.

    Args:
        parts: objects with ``state_dict()`` and ``load_state_dict()``, generators, and counters: numbers, strings,
            None, tensors, and lists, tuples and dicts of these.

    Raises:
        TypeError: if a value neither has a state nor is plain.
        ValueError: if a name is taken by the class itself.

    A program that can be stopped at any moment and started again::

        run = torch.TrainingState(model=net, optimizer=optimizer, loader=loader, step=0)
        run.restore("run.pt")
        while run.step < 1000:
            for images, labels in loader:
                ...
                run.step += 1
                run.save("run.pt")

    >>> net = torch.nn.Linear(2, 1)
    >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    >>> run = torch.TrainingState(model=net, optimizer=optimizer, step=0)
    >>> run.step += 1
    >>> run
    TrainingState(model=Linear, optimizer=SGD, step=1)
    """

    def __init__(self, **parts: Any):
        for name, value in parts.items():
            if hasattr(type(self), name) or name in _RESERVED:
                raise ValueError(f"[TrainingState] {name!r} is taken by the class itself. Choose another name.")
            if not _is_part(value):
                _check(value, name)
        self.__dict__.update(parts)

    def __setattr__(self, name: str, value: Any) -> None:
        counters = [name for name, value in self.__dict__.items() if not _is_part(value)]
        if name not in counters:
            raise AttributeError(
                f"[TrainingState] counters can be set: {', '.join(counters) or 'there is none'}. Received {name!r}. "
                "Name parts and counters when the state is made."
            )
        _check(value, name)
        self.__dict__[name] = value

    def __repr__(self) -> str:
        shown = (
            f"{name}={type(value).__name__ if _is_part(value) else repr(value)}"
            for name, value in self.__dict__.items()
        )
        return f"TrainingState({', '.join(shown)})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the run to a file, whole or not at all: if the process ends meanwhile, the file is what it was.

        Raises:
            TypeError: as :meth:`state_dict`.
            OSError: if the file cannot be written.
        """
        rushlight.save(self.state_dict(), path)

    def restore(self, path: str | os.PathLike[str]) -> bool:
        """Continues from a file and returns True; returns False, and changes nothing, where there is none.

        Raises:
            RuntimeError: if the file holds another run; it names all that differs. Nothing is changed. A file that is
                damaged raises what :func:`torch.load` raises.

        >>> torch.TrainingState(step=0).restore("no such file")
        False
        """
        if not os.path.exists(path):
            return False
        self.load_state_dict(rushlight.load(path))
        return True

    def state_dict(self) -> dict[str, Any]:
        """The run as tensors and plain data: parts and counters by name, the classes of parts, and the generators.

        Raises:
            TypeError: if anything else is found, such as an object in a list or in the state of a part.

        >>> generator = torch.Generator()
        >>> list(torch.TrainingState(noise=generator, epoch=0).state_dict())
        ['noise', 'epoch', 'classes', 'random']
        """
        state = {name: _methods(value)[0]() if _is_part(value) else value for name, value in self.__dict__.items()}
        state |= {"classes": self._classes(), "random": _random_state()}
        for name, value in state.items():
            _check(value, name)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` gave: all of it or nothing.

        Raises:
            RuntimeError: if it is the state of another run; it names all that differs.

        >>> other = torch.TrainingState(epoch=3, loss=0.5).state_dict()
        >>> torch.TrainingState(epoch=0, best=None).load_state_dict(other)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        RuntimeError: [TrainingState] the state must be of a run ... Missing: 'best'. Unexpected: 'loss'. ...
        """
        if not isinstance(state_dict, dict) or not all(isinstance(state_dict.get(name), dict) for name in _RESERVED):
            raise RuntimeError("[TrainingState] the state must be what save() or state_dict() gave. It is not.")
        before = copy.deepcopy(self.state_dict())
        try:
            if problems := self._take(state_dict):
                raise RuntimeError(
                    f"[TrainingState] the state must be of a run with the same parts. {' '.join(problems)} "
                    "Nothing was changed. Make this run as the saved one was made."
                )
        except BaseException:
            self._take(before)
            raise

    def _classes(self) -> dict[str, str]:
        """The classes of the parts. Modules may be renamed: their own states tell them apart."""
        module = rushlight.nn.Module
        return {
            name: "Module" if isinstance(value, module) else type(value).__name__
            for name, value in self.__dict__.items()
            if _is_part(value)
        }

    def _take(self, state: dict[str, Any]) -> list[str]:
        """Sets what fits; returns what does not, in words."""
        missing = [name for name in self.__dict__ if name not in state]
        unexpected = [name for name in state if name not in self.__dict__ and name not in _RESERVED]
        problems = [
            f"{what}: {', '.join(map(repr, names))}."
            for what, names in (("Missing", missing), ("Unexpected", unexpected))
            if names
        ]
        here, saved = self._classes(), state["classes"]
        for name, value in self.__dict__.items():
            if name in missing:
                continue
            if here.get(name) != saved.get(name):
                problems.append(
                    f"{name!r}: {saved.get(name, 'a counter')} was saved, {here.get(name, 'a counter')} is here."
                )
            elif name not in here:
                self.__dict__[name] = state[name]
            else:
                problems += _attempt(name, _methods(value)[1], state[name])
        return problems + _attempt("random", _set_random_state, state["random"])


def _is_part(value: Any) -> bool:
    return any(hasattr(value, get) and hasattr(value, set_) for get, set_ in _PROTOCOLS)


def _methods(part: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Reads and sets the state of a part."""
    get, set_ = next(names for names in _PROTOCOLS if all(hasattr(part, name) for name in names))
    return getattr(part, get), getattr(part, set_)


def _check(value: Any, place: str) -> None:
    """Refuses what could not be read again without running code."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, place)
            _check(item, f"{place}.{key}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _check(item, f"{place}.{i}")
    elif type(value) not in _PLAIN and not isinstance(value, rushlight.Tensor):
        raise TypeError(
            "[TrainingState] a run is made of parts, which have state_dict() and load_state_dict(), and of tensors and "
            f"plain data. Received {type(value).__name__} at {place!r}. Convert it, or leave it out."
        )


def _attempt(name: str, set_state: Callable[[Any], Any], state: Any) -> list[str]:
    try:
        set_state(state)
    except Exception as error:  # of whatever kind the part raises
        return [f"{name!r}: {type(error).__name__}: {str(error).rstrip('.')}."]
    return []


def _random_state() -> dict[str, Any]:
    """The states of the default generators."""
    states = {"rushlight": rushlight.get_rng_state(), "python": random.getstate()}
    if "numpy.random" in sys.modules:
        state = sys.modules["numpy.random"].get_state(legacy=False)
        inner = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in state["state"].items()}
        states["numpy"] = {**state, "state": inner}
    return states


def _set_random_state(states: dict[str, Any]) -> None:
    rushlight.set_rng_state(states["rushlight"])
    random.setstate(states["python"])
    if "numpy" in states:
        import numpy

        numpy.random.set_state(states["numpy"])
