"""What a file names but nobody runs: classes, functions and objects of them, as inert data."""

from __future__ import annotations

import reprlib
from typing import Any

import rushlight


class _Short(reprlib.Repr):
    """Text of a line at most for any value of a file; what contains itself, or doubles at every level, stays short."""

    _SHOWN_WHOLE = (bool, float, complex, type(None), range, slice, rushlight.Size, rushlight.dtype, rushlight.device)

    def repr_instance(self, x: Any, level: int) -> str:
        """All that reprlib has no method for."""
        if isinstance(x, dict):
            return f"{type(x).__name__}({self.repr_dict(x, level)})"
        if isinstance(x, (bytes, bytearray)):
            return repr(x[:40]) + ("..." if len(x) > 40 else "")
        if isinstance(x, rushlight.Tensor):
            return f"<tensor of {x.dtype} {list(x.shape)}>"
        if isinstance(x, Record):
            return f"<inert {x}>"
        if isinstance(x, Reference) or type(x) in self._SHOWN_WHOLE:
            return repr(x)
        return f"<{getattr(x, '__name__', type(x).__name__)}>"

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to print numbers of more than 4,300 digits."""
        return super().repr_int(x, level) if x.bit_length() < 10_000 else f"<int of {x.bit_length()} bits>"


_short = _Short()
_short.maxlevel, _short.maxdict, _short.maxlist, _short.maxtuple, _short.maxset, _short.maxstring = 2, 4, 6, 6, 6, 60


def shortened(value: Any) -> str:
    """A value as text of a line at most."""
    return visible(_short.repr(value))


def visible(text: str) -> str:
    """A text of a file as it may be shown: on one line, without control codes, and not long."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:300])
    return shown if len(text) <= 300 else f"{shown}..."


_STATE_DICT_LIMIT = 1_000_000  # entries; a damaged module may contain itself


class Reference:
    """A class or function that a file names and that was not looked up: `module` and `qualname`, both texts."""

    __slots__ = ("module", "qualname")

    def __init__(self, module: str, qualname: str) -> None:
        self.module, self.qualname = module, qualname

    def __str__(self) -> str:
        return f"{self.module}.{self.qualname}"

    def __repr__(self) -> str:
        return f"<reference to {visible(str(self))}>"


class Record:
    """What a call in a file would have made, as inert data: nothing was imported, nothing was called.

    Attributes that are not listed here are looked up in `state`, so a checkpoint's `args.learning_rate` reads as it
    did when it was written.

    Attributes:
        module, qualname: the class or function that the file names.
        arguments: the positional arguments of the call, a tuple; `keywords` the others, a dict.
        state: what the object's attributes would have been set from, most often a dict; None if there was nothing.
        elements: what would have been appended, a list.
        items: what would have been set by key, a list of pairs.

    >>> record = torch.serialization.Record("argparse", "Namespace")
    >>> record.state = {"lr": 0.1}
    >>> record.lr, record
    (0.1, <inert argparse.Namespace: lr=0.1>)
    """

    __slots__ = ("arguments", "elements", "items", "keywords", "module", "qualname", "state")

    def __init__(
        self, module: str, qualname: str, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None
    ) -> None:
        self.module, self.qualname, self.arguments = module, qualname, arguments
        self.keywords: dict[str, Any] = keywords or {}
        self.state: Any = None
        self.elements: list[Any] = []
        self.items: list[tuple[Any, Any]] = []

    def _attributes(self) -> dict[Any, Any]:
        """The attributes by name. A state of two parts is that of a class with slots."""
        state = self.state
        if type(state) is tuple and len(state) == 2 and all(type(part) in (dict, type(None)) for part in state):
            return {**(state[0] or {}), **(state[1] or {})}
        return state if isinstance(state, dict) else {}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):  # copy and pickle ask for such, of objects that are not filled yet
            attributes = self._attributes()
            if name in attributes:
                return attributes[name]
        raise AttributeError(f"the inert {self} has no attribute {name!r}: its data were loaded, not its class")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._attributes() if isinstance(name, str))]

    def __str__(self) -> str:
        return visible(f"{self.module}.{self.qualname}")

    def __repr__(self) -> str:
        parts = [shortened(value) for value in self.arguments]
        pairs = {**self.keywords, **self._attributes()}
        parts += [f"{visible(str(name))}={shortened(value)}" for name, value in pairs.items()]
        if len(parts) > 8:
            parts[8:] = [f"... ({len(parts) - 8} more)"]
        return f"<inert {self}{': ' if parts else ''}{', '.join(parts)}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            f"[save] an inert record is what is left of a {self} and cannot be saved as one. "
            "Save the data in it: its state, or the state_dict() of a module."
        )

    def state_dict(
        self, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Of a module: its parameters and buffers by name, ready for `load_state_dict` of one that you made.

        The arguments are those of `Module.state_dict`, which calls this for a record among its children.

        Raises TypeError for what is no module, RuntimeError for one without end.
        """
        found: dict[str, Any] = {} if destination is None else destination
        waiting: list[tuple[str, Any]] = [(prefix, self)]
        steps = 0
        while waiting:
            prefix, module = waiting.pop()
            members = module._attributes() if isinstance(module, Record) else getattr(module, "__dict__", {})
            if "_parameters" not in members:
                raise TypeError(f"[state_dict] a record of a module is wanted. Received {module!r} as {prefix!r}.")
            skipped = members.get("_non_persistent_buffers_set", ())
            for kind in ("_parameters", "_buffers"):
                for name, value in members.get(kind, {}).items():
                    if isinstance(value, rushlight.Tensor) and not (kind == "_buffers" and name in skipped):
                        found[f"{prefix}{name}"] = value if keep_vars else value.detach()
            children = members.get("_modules", {}).items()
            waiting += [(f"{prefix}{name}.", child) for name, child in reversed(children) if child is not None]
            steps += 1
            if steps > _STATE_DICT_LIMIT or len(prefix) > 10_000:
                raise RuntimeError("[state_dict] the modules of the file contain one another without end.")
        return found
