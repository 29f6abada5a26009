"""__torch_function__ from Python: which objects override operators, and how a function lets them.

>>> class Scaled:
...     @classmethod
...     def __torch_function__(cls, func, types, args=(), kwargs=None):
...         return "scaled " + func.__name__
>>> torch.add(Scaled(), 1)
'scaled add'
>>> torch.overrides.has_torch_function((Scaled(),))
True
"""

import contextlib
import functools
import importlib
import inspect
import threading

import rushlight
from rushlight import _core
from rushlight._core import handle_torch_function, has_torch_function

__all__ = [
    "BaseTorchFunctionMode", "TorchFunctionMode", "enable_reentrant_dispatch", "get_default_nowrap_functions",
    "get_ignored_functions", "get_overridable_functions", "get_testing_overrides", "handle_torch_function",
    "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic", "is_tensor_like",
    "is_tensor_method_or_property", "redispatch_function", "resolve_name", "wrap_torch_function",
]  # fmt: skip

_SPACES = ("torch", "torch.functional", "torch.nn.functional", "torch.linalg", "torch.fft", "torch.special")
# Functions whose arguments hold no tensor, or that only ask about one.
_IGNORED = (
    *rushlight.ops.OF_DATA, "broadcast_shapes", "can_cast", "empty", "eye", "get_default_dtype", "is_tensor",
    "is_storage", "linspace", "manual_seed", "normal", "ones", "promote_types", "rand", "randint", "randn", "randperm",
    "set_default_dtype", "zeros",
)  # fmt: skip


def has_torch_function_unary(tensor):
    """`has_torch_function` of one argument."""
    return has_torch_function((tensor,))


def has_torch_function_variadic(*args):
    """`has_torch_function` of the arguments.

    >>> torch.overrides.has_torch_function_variadic(torch.ones(1), 2)
    False
    """
    return has_torch_function(args)


def is_tensor_like(inp):
    """Whether an object is a Tensor or may stand for one, by having __torch_function__."""
    return type(inp) is rushlight.Tensor or hasattr(inp, "__torch_function__")


def wrap_torch_function(dispatcher):
    """A decorator: the function is first offered to the overriding ones among dispatcher(*args, **kwargs)."""

    def decorate(function):
        @functools.wraps(function)
        def offered(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(offered, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return offered

    return decorate


# --- modes


class _Stack(threading.local):
    def __init__(self):
        self.modes = []


_stack = _Stack()


def _ask_innermost(func, types, args, kwargs):
    """Asks the mode that was entered last; while it answers, the one before stands in its place."""
    mode = _stack.modes.pop()
    _core._set_torch_function_mode(_ask_innermost if _stack.modes else None)
    try:
        return mode.__torch_function__(func, types, args, kwargs)
    finally:
        _stack.modes.append(mode)
        _core._set_torch_function_mode(_ask_innermost)


class TorchFunctionMode:
    """A context in which `__torch_function__` of this object is asked about every call, whatever the arguments are.

    Inside of it the mode is off, so it may call the function. Modes nest: the one entered last is asked first.

    >>> class Counting(torch.overrides.TorchFunctionMode):
    ...     calls = 0
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         self.calls += 1
    ...         return func(*args, **(kwargs or {}))
    >>> with Counting() as counting:
    ...     x = torch.ones(2) + 1
    >>> counting.calls
    2
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError(
            f"[{type(self).__name__}] a mode must define __torch_function__(self, func, types, args=(), kwargs=None)."
        )

    def __enter__(self):
        _stack.modes.append(self)
        _core._set_torch_function_mode(_ask_innermost)
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        _stack.modes.pop()
        _core._set_torch_function_mode(_ask_innermost if _stack.modes else None)

    @classmethod
    def push(cls, *args, **kwargs):
        """The mode, to be entered: an older way to write cls(...)."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class DisableTorchFunctionSubclass:
    """A context in which no class of an argument is asked; modes are. (`torch._C.DisableTorchFunctionSubclass`)"""

    def __enter__(self):
        self._before = _core._set_torch_function_enabled(False)

    def __exit__(self, *error):
        _core._set_torch_function_enabled(self._before)


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """A context in which neither classes nor modes are asked. (`torch._C.DisableTorchFunction`)"""

    def __enter__(self):
        super().__enter__()
        self._mode = _core._set_torch_function_mode(None)

    def __exit__(self, *error):
        _core._set_torch_function_mode(self._mode)
        super().__exit__()


def redispatch_function(func, types, args, kwargs):
    """func(*args, **kwargs) without asking about this call; those that func makes in turn are asked about.

    For a `__torch_function__` that wants to see what a function is composed of.
    """
    _core._skip_torch_function_once(True)
    try:
        return func(*args, **(kwargs or {}))
    finally:
        _core._skip_torch_function_once(False)


def enable_reentrant_dispatch():
    """A context without effect: there is no dispatcher below the operators to be entered again."""
    return contextlib.nullcontext()


def _get_current_function_mode():
    """The mode that is asked first, or None."""
    return _stack.modes[-1] if _stack.modes else None


def _get_current_function_mode_stack():
    """The modes of this thread, the one entered last at the end."""
    return list(_stack.modes)


# --- what can be overridden


def _properties():
    return [p for p in vars(rushlight.Tensor).values() if inspect.isgetsetdescriptor(p) and p.__name__ != "__dict__"]


@functools.cache
def get_overridable_functions():
    """What __torch_function__ is told of: {namespace: [functions]}, of Tensor with its properties' `__get__`."""
    found = {}
    for path in _SPACES:
        space = importlib.import_module(path.replace("torch", "rushlight", 1))
        found[space] = _callables({name: getattr(space, name, None) for name in dir(space)})
    own = [member for name, member in vars(rushlight.Tensor).items() if inspect.ismethoddescriptor(member)]
    found[rushlight.Tensor] = [*own, *(p.__get__ for p in _properties())]
    return found


def _callables(names):
    return [f for name, f in names.items() if isinstance(f, (_core.Op, _core.Offered)) and name not in _IGNORED]


def get_ignored_functions():
    """Functions that are never offered to __torch_function__ of a class."""
    return {getattr(rushlight, name) for name in _IGNORED}


def get_default_nowrap_functions():
    """Functions whose results Tensor.__torch_function__ leaves as they are: `_base` and `grad`."""
    return {rushlight.Tensor._base.__get__, rushlight.Tensor.grad.__get__}


@functools.cache
def get_testing_overrides():
    """For every overridable function one with its parameters that does nothing: {function: stand-in}."""

    def stand_in(function):
        def call(*args, **kwargs):
            return -1

        with contextlib.suppress(TypeError, ValueError):  # of a method in C that does not tell
            call.__signature__ = inspect.signature(function)
        return call

    return {o: stand_in(o) for functions in get_overridable_functions().values() for o in functions}


def is_tensor_method_or_property(func):
    """Whether a function belongs to Tensor.

    >>> torch.overrides.is_tensor_method_or_property(torch.Tensor.shape.__get__)
    True
    """
    return (resolve_name(func) or "").startswith("torch.Tensor.")


def resolve_name(f):
    """The public path of an overridable function, such as "torch.add"; None for others.

    >>> torch.overrides.resolve_name(torch.nn.functional.softsign)
    'torch.nn.functional.softsign'
    """
    if isinstance(f, _core.Offered):
        return f.path.replace("rushlight", "torch", 1).replace(":", ".")
    owner = getattr(f, "__self__", f) if getattr(f, "__name__", "") in ("__get__", "__set__") else f
    name = getattr(owner, "__name__", None)
    if vars(rushlight.Tensor).get(name) is owner:
        return f"torch.Tensor.{name}" + (f".{f.__name__}" if owner is not f else "")
    if not isinstance(f, _core.Op):
        return None
    return ".".join(filter(None, ("torch", f.row["home"], name)))
