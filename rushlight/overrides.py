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

import functools
import inspect

import rushlight
from rushlight import _core

__all__ = [
    "get_ignored_functions", "get_overridable_functions", "get_testing_overrides", "handle_torch_function",
    "has_torch_function", "is_tensor_like", "is_tensor_method_or_property", "resolve_name", "wrap_torch_function",
]  # fmt: skip

_NO_OVERRIDES = (_core.Tensor.__dict__["__torch_function__"], _core._disabled_torch_function_impl)
# Functions whose arguments hold no tensor, or that only ask about one.
_IGNORED = (
    "arange", "as_tensor", "asarray", "broadcast_shapes", "can_cast", "empty", "empty_permuted", "empty_strided", "eye",
    "from_dlpack", "from_file", "from_numpy", "frombuffer", "full", "get_default_dtype", "is_tensor", "is_storage",
    "linspace", "logspace", "manual_seed", "normal", "ones", "promote_types", "rand", "randint", "randn", "randperm",
    "range", "scalar_tensor", "set_default_dtype", "tensor", "tril_indices", "triu_indices", "zeros",
)  # fmt: skip


def _override(value):
    """What an object's class has as __torch_function__, when that overrides anything."""
    found = inspect.getattr_static(type(value), "__torch_function__", None)
    return None if found is None or any(found is none for none in _NO_OVERRIDES) else value.__torch_function__


def is_tensor_like(inp):
    """Whether an object is a Tensor or may stand for one, by having __torch_function__."""
    return type(inp) is rushlight.Tensor or hasattr(inp, "__torch_function__")


def has_torch_function(relevant_args):
    """Whether an argument overrides operators."""
    return any(_override(value) is not None for value in relevant_args)


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What the overriding arguments make of public_api(*args, **kwargs): subclasses are asked before their bases.

    Raises TypeError when all of them return NotImplemented.
    """
    overriding = []
    for value in relevant_args:
        if _override(value) is None or any(type(value) is type(other) for other in overriding):
            continue
        place = next((k for k, other in enumerate(overriding) if isinstance(value, type(other))), len(overriding))
        overriding.insert(place, value)
    types = tuple(type(value) for value in overriding)
    for value in overriding:
        result = _override(value)(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(f"[__torch_function__] no class among {types} implements {public_api!r}.")


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


@functools.cache
def get_overridable_functions():
    """The rows of the core that __torch_function__ is told of: {namespace: [functions]}, the root and Tensor."""
    found = {}
    for space in (rushlight, rushlight.Tensor):
        found[space] = [o for name, o in vars(space).items() if isinstance(o, _core.Op) and name not in _IGNORED]
    return found


def get_ignored_functions():
    """Functions that are never offered to __torch_function__."""
    return {getattr(rushlight, name) for name in _IGNORED}


def get_testing_overrides():
    """For every overridable function one with its parameters that does nothing: {function: stand-in}."""

    def stand_in(function):
        def call(*args, **kwargs):
            return -1

        call.__signature__ = inspect.signature(function)
        return call

    return {o: stand_in(o) for functions in get_overridable_functions().values() for o in functions}


def is_tensor_method_or_property(func):
    """Whether a function belongs to Tensor."""
    return func in vars(rushlight.Tensor).values() or getattr(func, "__name__", "") == "__get__"


def resolve_name(f):
    """The public path of an overridable function, such as "torch.add"; None for others."""
    for space, prefix in ((rushlight.Tensor, "torch.Tensor"), (rushlight, "torch")):
        for name, value in vars(space).items():
            if value is f:
                return f"{prefix}.{name}"
    return None
