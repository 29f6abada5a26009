"""The decorator that makes a Python function an operator."""

import functools
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType

from rushlight import _core

Tensor = _core.Tensor
FUNCTIONS = {}  # name -> function: what the root shows as torch.<name>


def offer(names, space, **how):
    """The functions in Python among {name: value}, such that __torch_function__ is asked before they run.

    space: where they are found, such as "rushlight.linalg:". The others stay as they are.
    """
    kinds = (FunctionType, BuiltinFunctionType, MethodDescriptorType, type(_core.result_type))
    return {k: _core.offered(f, space + k, **how) if isinstance(f, kinds) else f for k, f in names.items()}


def composition(function=None, *, public=True, method=True, inplace=False, out=False, aliases=()):
    """Makes `function` an operator.

    public: torch.<name> exists. method: Tensor.<name> exists, its first argument being the tensor. inplace: so do
    <name>_ and the method <name>_, which write the result into the first argument. out: a keyword out= receives the
    result. aliases: further names.
    """
    if function is None:
        return functools.partial(
            composition,
            public=public,
            method=method,
            inplace=inplace,
            out=out,
            aliases=aliases,
        )
    given = with_out(function) if out else function
    names = (function.__name__.rstrip("_") if inplace else function.__name__, *aliases)
    for name in names:
        if public:
            FUNCTIONS[name] = given
        if method:
            setattr(Tensor, name, given)
    if inplace:
        writing = into_first(function)
        for name in names:
            FUNCTIONS[name + "_"] = writing
            setattr(Tensor, name + "_", writing)
    return given


def into_first(function):
    """The in-place form: the result is written into the first argument."""

    @functools.wraps(function)
    def write(input, *args, **kwargs):
        return input.copy_(function(input, *args, **kwargs))

    write.__name__ = write.__qualname__ = function.__name__ + "_"
    return write


def with_out(function):
    """The function with a keyword out=, a tensor or a tuple of them."""

    @functools.wraps(function)
    def call(*args, out=None, **kwargs):
        result = function(*args, **kwargs)
        return result if out is None else write_out(function.__name__, result, out)

    return call


def write_out(name, result, out):
    """Writes `result` into `out`, resized when its shape differs; returns out."""
    if isinstance(result, tuple):
        written = tuple(write_out(name, r, o) for r, o in zip(result, out, strict=True))
        return type(result)(written) if hasattr(result, "_fields") else written
    if not _core.can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"[{name}] result type {result.dtype} can't be cast to the desired output type {out.dtype}. "
            f"Give an out= tensor of another dtype."
        )
    if out.shape != result.shape:
        out.resize_(result.shape)
    return out.copy_(result.detach())


def by_method(name):
    """The function that calls this method of its first argument: what poses as a tensor has a method of its own."""

    def call(input, *args):
        return getattr(input, name)(*args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = getattr(Tensor, name).__doc__
    return call


def asks_overrides(function):
    """Makes a function in Python ask __torch_function__ as the rows do: for what reads the elements of its arguments.

    Of tensors alone, and of those alone that pose as a Tensor: a subclass is read like any other.
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        for x in (*args, *kwargs.values()):
            if isinstance(x, Tensor) and not issubclass(type(x), Tensor):
                return x.__torch_function__(call, (type(x),), args, kwargs)
        return function(*args, **kwargs)

    return call


@asks_overrides
def everywhere(condition):
    """Whether a condition holds for all elements, as a bool: for checks of arguments."""
    return bool(condition.all())


@asks_overrides
def clone_for(input, *values):
    """A clone of `input` into which `values` can be written."""
    return input.clone()
