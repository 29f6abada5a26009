"""What the names and calls of a file become: values from the table, the user's own classes, or inert records."""

from __future__ import annotations

import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import rushlight
from rushlight.serialization import constructions, own_modules, user_globals
from rushlight.serialization.interpreter import Interpreter
from rushlight.serialization.locations import Restore
from rushlight.serialization.record import Record, Reference, visible

# What a construction raises when the file's arguments do not suit it.
_REFUSALS = (
    AttributeError, IndexError, KeyError, LookupError, NotImplementedError, OverflowError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip
_REFERENCE_BYTES = 300


class Resolver:
    """Decides for the interpreter. Nothing that a file names is imported; the order is: the table, what the user has
    registered, Rushlight's own modules (unless weights_only), and inert records (or an error, if weights_only).

    Args:
        storage: gives the storage of a persistent id: (storage class, key, location, number of elements).
        restore: moves a storage to its location.
        weights_only: whether names out of the table are errors.
        registered: the user's classes and functions by full name.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        storage: Callable[[Any, Any, str, int], Any],
        restore: Restore,
        weights_only: bool,
        registered: dict[str, Any],
    ) -> None:
        self.budget, self.frozen = interpreter.budget, interpreter.frozen
        self.restore, self.weights_only = restore, weights_only
        self._storage = storage
        self._mine = registered
        self._my_ids = {id(value) for value in self._mine.values()}
        self._found: dict[str, Any] = {}
        self._makers: dict[int, Callable[..., Any]] = {}  # by the identity of the value, which _found keeps alive
        self.names: dict[str, str] = {}  # what the file named, and what that was: "data", "yours", "module" or "inert"
        self.calls: list[Record] = []  # what would have been called
        self.clean: set[int] = set()  # storages whose bool elements are 0 and 1

    # --- names

    def find(self, module: str, name: str) -> Any:
        """The value of a name. Raises UnpicklingError for one that weights_only forbids."""
        if (module, name) in NAME_MAPPING:  # Python 2's
            module, name = NAME_MAPPING[module, name]
        module = user_globals.public_module(IMPORT_MAPPING.get(module, module))
        path = f"{module}.{name}"
        if path not in self._found:
            self.budget.spend(_REFERENCE_BYTES + len(path))
            self._found[path] = self._look_up(path, module, name)
        return self._found[path]

    def _look_up(self, path: str, module: str, name: str) -> Any:
        if entry := constructions.find(path):
            self.names[path] = "data"
            if entry.make:
                self._makers[id(entry.value)] = entry.make
            return entry.value
        if path in self._mine:
            self.names[path] = "yours"
            return self._mine[path]
        if self.weights_only:
            raise _unsupported_global(path)
        if (own := own_modules.find(path)) is not None:
            self.names[path] = "module"
            return own
        self.names[path] = "inert"
        return Reference(module, name)

    # --- calls

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """The value of a call: made by the table, by the user's code, or an inert record."""
        make = self._makers.get(id(function))
        if make is not None:
            return self._made(make, function, arguments)
        if id(function) in self._my_ids:
            return _of_user(function, arguments)
        if own_modules.is_module_class(function):
            raise self._refusal(function, "modules are not made by a call, but from their state")
        return self.inert(function, arguments)

    def new(self, cls: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """An object of a class that was not initialised: of the table, the user's, one of our modules, or a record."""
        if id(cls) in self._my_ids and isinstance(cls, type):
            return _of_user(cls.__new__, (cls, *arguments), keywords)
        if own_modules.is_module_class(cls):
            if arguments or keywords:
                raise self._refusal(cls, "a module takes no arguments here")
            return cls.__new__(cls)
        if id(cls) in self._makers and not keywords:
            return self._made(self._makers[id(cls)], cls, arguments)
        return self.inert(cls, arguments, keywords)

    def _made(self, make: Callable[..., Any], function: Any, arguments: tuple[Any, ...]) -> Any:
        try:
            return make(self, *arguments)
        except _REFUSALS as wrong:
            raise self._refusal(function, str(wrong)) from wrong

    def _refusal(self, function: Any, text: str) -> pickle.UnpicklingError:
        name = str(function) if isinstance(function, Reference) else getattr(function, "__qualname__", str(function))
        return pickle.UnpicklingError(
            f"[load] {visible(name)} cannot be made of what the file gives: {visible(text)}. The file is damaged, or "
            "of a version that is not known."
        )

    def inert(self, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any] | None = None) -> Any:
        """A record of a call that was not made. Raises UnpicklingError if the value is nothing one could call."""
        if isinstance(function, Reference):
            record = Record(function.module, function.qualname, arguments, keywords)
        elif isinstance(function, Record):  # what a call gave is called again
            record = Record(function.module, f"{function.qualname}(...)", arguments, keywords)
        else:
            raise pickle.UnpicklingError(
                f"[load] what a file calls must be a class or function that it names. Received a "
                f"{type(function).__name__}. The file is damaged."
            )
        if self.weights_only:
            raise _unsupported_global(f"{record.module}.{record.qualname}")
        self.calls.append(record)
        return record

    # --- states

    def owns(self, value: Any) -> bool:
        """Whether the value's class is one that the user has registered."""
        return id(type(value)) in self._my_ids

    def build(self, value: Any, state: Any) -> None:
        """Sets the state of a value that was made before."""
        try:
            self._build(value, state)
        except _REFUSALS as wrong:
            raise self._refusal(type(value), str(wrong)) from wrong

    def _build(self, value: Any, state: Any) -> None:
        kind = type(value)
        if self.owns(value) or own_modules.is_module_class(kind):
            if own_modules.is_module_class(kind):
                state = own_modules.checked_state(state)
            if hasattr(value, "__setstate__"):
                value.__setstate__(state)
            else:
                _set_attributes(value, state)
        elif kind is OrderedDict and isinstance(state, dict):
            value.__dict__.update(state)  # a state_dict's _metadata
        elif isinstance(value, rushlight.Tensor) and isinstance(state, (dict, tuple)):
            constructions.with_state(value, state)
        elif kind.__module__.split(".")[0] == "numpy":
            constructions.set_numpy_state(self, value, state)
        else:
            raise TypeError(f"a {kind.__name__} has no state to set")

    # --- storages

    def persistent(self, identity: Any) -> Any:
        """The storage (or, in old files, the module's class) of a persistent id."""
        match identity:
            case ("storage" | b"storage", cls, key, str() | bytes() as location, int(count), *view) if len(view) < 2:
                if isinstance(location, bytes):
                    location = location.decode("latin1")
                if view and view[0] is not None:
                    raise _wrong_storage("views among storages (of PyTorch before 0.4) are not supported")
                if not (isinstance(cls, type) and issubclass(cls, (rushlight.TypedStorage, rushlight.UntypedStorage))):
                    raise _wrong_storage(f"the storage class {visible(str(cls))} is not supported")
                dtype = getattr(cls, "dtype", None) or rushlight.uint8
                if isinstance(dtype, rushlight.dtype) and type(count) is int and count >= 0 and _is_key(key):
                    return self._storage(dtype, key, location, count)
            case ("module" | b"module", cls, _, _):
                return cls
        raise _wrong_storage("a tuple ('storage', class, key, location, number of elements) is wanted")


def _is_key(key: Any) -> bool:
    return type(key) in (str, int, bytes)


def _wrong_storage(text: str) -> pickle.UnpicklingError:
    return pickle.UnpicklingError(f"[load] a storage of the file cannot be read: {text}. Write the file anew with it.")


def _unsupported_global(path: str) -> pickle.UnpicklingError:
    path = visible(path)
    return pickle.UnpicklingError(
        f"[load] Weights only load failed: a file must hold data alone. Unsupported global: GLOBAL {path}, a class or "
        "function that is not known to be plain data. Load with weights_only=False to get it as an inert record (no "
        "code of the file is run either way), or, if it is yours, register it: "
        f"torch.serialization.add_safe_globals([{path.rpartition('.')[2]}])."
    )


def _of_user(function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any] | None = None) -> Any:
    """Calls what the user has registered."""
    try:
        return function(*arguments, **(keywords or {}))
    except (IndexError, TypeError) as wrong:  # IndexError would be taken for an empty stack
        raise pickle.UnpicklingError(
            f"[load] the registered {getattr(function, '__qualname__', function)} refused what the file gives: {wrong}."
        ) from wrong


def _set_attributes(value: Any, state: Any) -> None:
    """As pickle does for a class without __setstate__: into __dict__, and into slots."""
    attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    if attributes:
        value.__dict__.update(attributes)
    for name, part in (slots or {}).items():
        setattr(value, name, part)
