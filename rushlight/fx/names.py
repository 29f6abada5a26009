"""Where a function is found, as text, and names that are unique."""

import builtins
import inspect
import keyword
import re
import sys
import types

import rushlight
from rushlight import _core
from rushlight.fx import _pytree as fx_pytree
from rushlight.type_info import defining_module
from rushlight.utils import _pytree

_SPACES = ("", "nn.functional", "special", "linalg", "fft")


def qualified_name(function):
    """The path of a function or class in a program that writes `import torch`: "torch.nn.functional.relu".

    Raises:
        RuntimeError: if it has none: it is nobody's attribute.
    """
    name = getattr(function, "__name__", None)
    if name is not None and getattr(builtins, name, None) is function:
        return name
    if isinstance(function, _core.Offered):
        return _as_torch(function.path.replace(":", "."))
    if isinstance(function, _core.Op):
        return _path_of_row(function, name)
    if isinstance(function, (types.MethodDescriptorType, types.WrapperDescriptorType)):
        return f"torch.Tensor.{name}"
    if name is None:
        return _as_torch(f"{type(function).__module__}.{type(function).__qualname__}")
    if name == "<lambda>":
        name = inspect.getsource(function).partition("=")[0].strip() or name
    module = getattr(function, "__module__", None)
    if module is not None and is_ours(function) and getattr(rushlight, name, None) is function:
        return f"torch.{name}"
    if module is None:
        raise RuntimeError(f"[fx] a function must belong to a module. Received {function!r}. Define it in one.")
    return f"{_as_torch(module)}.{name}"


def _as_torch(path):
    return "torch" + path[len("rushlight") :] if path == "rushlight" or path.startswith("rushlight.") else path


def _path_of_row(op, name):
    if str(op).startswith("<method"):
        return f"torch.Tensor.{name}"
    for space in _SPACES:
        place = rushlight
        for part in space.split(".") if space else ():
            place = getattr(place, part)
        for public in (name, name.split("_", 1)[-1]):
            if getattr(place, public, None) is op:
                return ".".join(filter(None, ("torch", space, public)))
    return f"torch._core.{name}"


def is_ours(thing):
    """Whether generated code finds it below `torch`."""
    if isinstance(thing, (_core.Offered, _core.Op, types.MethodDescriptorType)):
        return True
    return defining_module(thing).partition(".")[0] == "rushlight"


def type_text(kind):
    """A type as an annotation shows it."""
    if kind is ...:
        return "..."
    if isinstance(kind, types.FunctionType):
        return kind.__name__
    if isinstance(kind, type) and not isinstance(kind, types.GenericAlias):
        return (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{_as_torch(kind.__module__)}.{kind.__qualname__}"
        )
    return re.sub(r"\brushlight\.", "torch.", repr(kind))


def node_name(function):
    """What nodes that call a function are called: by its name; those of these spaces, as in PyTorch, with the space."""
    if isinstance(function, (_core.Offered, _core.Op)):
        _, space, *name = qualified_name(function).split(".")
        if space in ("fft", "linalg", "special"):
            return f"{space}_{name[0].removeprefix(space + '_')}"
    return function.__name__


def snake_case(text):
    """maxPool as max_pool: targets become names of nodes."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", text).lower()


# What generated code finds without importing it: {name: the line that would import it}.
CUSTOM_BUILTINS = {
    "inf": ("from math import inf", float("inf")),
    "nan": ("from math import nan", float("nan")),
    "NoneType": ("NoneType = type(None)", type(None)),
    "torch": ("import torch", rushlight),
    "device": ("from torch import device", rushlight.device),
    "fx_pytree": ("import torch.fx._pytree as fx_pytree", fx_pytree),
    "pytree": ("import torch.utils._pytree as pytree", _pytree),
}
_NOT_FOR_NODES = {
    **dict.fromkeys(keyword.kwlist, object()),
    **vars(builtins),
    **{name: thing for name, (_, thing) in CUSTOM_BUILTINS.items()},
}


class Namespace:
    """Gives each object a name of its own, and each name once; none hides what generated code needs."""

    def __init__(self):
        self._name_of = {}
        self._used = set()
        self._count = {}

    def create_name(self, candidate, obj=None):
        """A name like `candidate`, with a number where it is taken; that of `obj`, if it has one already."""
        if obj is not None and obj in self._name_of:
            return self._name_of[obj]
        candidate = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        if candidate[0].isdigit():
            candidate = "_" + candidate
        base, number = re.fullmatch(r"(.*?)(?:_([1-9]\d*|0))?", candidate).groups()
        if number is None or candidate in self._used:
            number = self._count.get(base, 0)
            if candidate in _NOT_FOR_NODES and _NOT_FOR_NODES[candidate] is not obj:
                number += 1
                candidate = f"{base}_{number}"
        number = int(number)
        while candidate in self._used:
            number += 1
            candidate = f"{base}_{number}"
        self._used.add(candidate)
        self._count[base] = number
        if obj is not None:
            self._name_of[obj] = candidate
        return candidate

    def rename(self, obj, name):
        """Gives `obj` the name `name`, which create_name made."""
        self._name_of[obj] = name
        self._used.add(name)


def user_frame(frame=None):
    """The innermost frame outside of the library and of generated code; None where there is none."""
    frame = frame or sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] != "rushlight" and not frame.f_code.co_filename.startswith("<eval_with_key"):
            return frame
        frame = frame.f_back
    return None
