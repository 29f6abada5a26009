"""What operators do with a hidden batch: a rule by family, read from the row, else example by example."""

import functools

from rushlight import _core
from rushlight.func.batched import Batched, front, inside, is_at
from rushlight.func.rules import indexing, matrix, neural  # noqa: F401 (they register their rules)
from rushlight.func.rules.pointwise import COMPOSED, pointwise
from rushlight.func.rules.random import draw
from rushlight.func.rules.registry import RULES, by_loop, finished, level_of, plan_of, write
from rushlight.func.rules.shape import DIMENSIONS, along_dimensions
from rushlight.ops.composition import clone_for, everywhere

__all__ = ["dispatch", "draw"]


def dispatch(function, args, kwargs):
    """The answer to __torch_function__: the operator at the innermost level among its arguments."""
    level = level_of(args, kwargs)
    if not isinstance(function, _core.Op):
        return _not_a_row(level, function, args, kwargs)
    plan = plan_of(function)
    rule = _rule_of(plan)
    if kwargs.get("out") is not None:
        raise RuntimeError(
            f"[vmap] {plan.name} must be called without out= under vmap: the tensor has no room for a batch. Use the "
            "result."
        )
    if rule is pointwise:
        result = finished(pointwise(level, plan, args, kwargs), level)
        return args[0] if plan.in_place else result
    values, extras = plan.bind(args, kwargs)
    for name, x in zip(plan.names, values, strict=True):
        if type(x) is Batched and name in plan.numbers:
            x.item()  # raises: a number is wanted
    if extras:
        _check_extras(level, plan, values, extras)
    result = rule(level, plan, *values)
    return write(level, plan, values[0], result) if plan.in_place else finished(result, level)


def _check_extras(level, plan, values, extras):
    """What the row does not name has no effect here, or is refused: device, layout, memory_format, requires_grad."""
    if extras.get("requires_grad"):
        values[0].requires_grad_()  # raises
    if level.size:
        plan.call([x.value[0] if is_at(x, level) else x for x in values], extras)


@functools.cache
def _rule_of(plan):
    if plan.name in RULES:
        return RULES[plan.name]
    if plan.is_formula or plan.name in COMPOSED:
        return pointwise
    if plan.tensors == [0] and any(name in DIMENSIONS for name in plan.names):
        return along_dimensions
    return by_loop


def _not_a_row(level, function, args, kwargs):
    name = getattr(function, "__name__", "")
    if name == "__getitem__":
        return indexing.getitem(level, *args)
    if name == "__setitem__":
        return indexing.setitem(level, *args)
    if name == "result_type":
        return _core.result_type(*(_stand_in(x) if isinstance(x, _core.Tensor) else x for x in args))
    if function is everywhere:
        return everywhere(args[0].value)
    if function is clone_for:
        input, *values = args
        return Batched(clone_for(front(input, level), *(inside(x, level) for x in values)), level)
    # In Python, and it reads the elements.
    return finished(by_loop(level, None, args, kwargs, call=lambda one: function(*one[0], **one[1])), level)


def _stand_in(x):
    return _core.empty([0] * x.ndim, dtype=x.dtype)
