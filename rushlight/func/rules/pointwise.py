"""Elementwise operators: the batch dimensions are aligned, broadcasting does the rest."""

import functools

from rushlight import _core
from rushlight.func.batched import Batched, front, is_at, lifted
from rushlight.func.rules.registry import by_loop, require_batch, rule

Tensor = _core.Tensor

# Rows that are elementwise without being one formula.
COMPOSED = (
    "angle", "bitwise_not", "complex", "floor_divide", "fmod", "gelu", "isreal", "logaddexp", "nan_to_num", "polar",
    "pow", "remainder", "round", "square", "trunc_divide",
)  # fmt: skip


def pointwise(level, plan, args, kwargs):
    """The rule of every elementwise operator, in place or not, on its arguments as they were given."""
    named = [*zip(plan.names, args, strict=False), *kwargs.items()]
    for name, x in named:
        if type(x) is Batched and name in plan.numbers:
            x.item()  # raises: a number is wanted
    operands = [x for name, x in named if isinstance(x, Tensor) and name not in plan.masks]
    rank = max(x.ndim for _, x in named if isinstance(x, Tensor))
    dtype = promoted(operands)
    if plan.in_place:
        require_batch(level, f"{plan.name}_", args[0])

    def prepared(name, x, written=False):
        if not isinstance(x, Tensor):
            return x
        if dtype is not None and name not in plan.masks and not written and x.dtype != dtype:
            x = x.to(dtype)
        return lifted(x, level, rank)

    args = [prepared(name, x, k == 0 and plan.in_place) for k, (name, x) in enumerate(named[: len(args)])]
    kwargs = {name: prepared(name, x) for name, x in named[len(args) :]}
    return plan.function(*args, **kwargs)


def promoted(operands):
    """The dtype that the examples have in common, where the tensors with their batch would promote otherwise.

    A 0-d tensor counts less in promotion than one with dimensions, and the batch gives it one. None: no difference.
    """
    if len({x.dtype for x in operands}) < 2 or all(x.ndim for x in operands):
        return None
    found = {}
    for x in operands:
        found[x.ndim > 0] = _core.promote_types(found.get(x.ndim > 0, x.dtype), x.dtype)
    low = _stand_in(found[False], False)
    return _core.result_type(_stand_in(found[True], True) if True in found else low, low)


@functools.cache
def _stand_in(dtype, has_dims):
    return _core.empty((1,) if has_dims else (), dtype=dtype)


@rule("masked_fill")
def masked_fill(level, plan, input, mask, value):
    if isinstance(value, Tensor) and value.ndim:
        return by_loop(level, plan, input, mask, value)
    rank = max(input.ndim, mask.ndim)
    if is_at(value, level):
        value = value.to(input.dtype)
        return _core.where(mask, value, input)
    return _core.masked_fill(lifted(input, level, rank), lifted(mask, level, rank), value)


@rule(
    "to_dtype", "clone", "contiguous", "contiguous_copy", "alias", "zeros_like", "ones_like", "empty_like", "full_like"
)
def as_it_is(level, plan, input, *rest):
    return plan.call([input.value, *rest])


@rule("fill")
def fill(level, plan, input, value):
    if isinstance(value, Tensor):
        return front(value.to(input.dtype).expand(input.shape), level)
    return plan.call([input.value, value])


@rule("zero")
def zero(level, plan, input):
    return _core.zeros_like(input.value)


@rule("copy")
def copy(level, plan, input, src, non_blocking):
    return front(src.to(input.dtype).expand(input.shape), level)
