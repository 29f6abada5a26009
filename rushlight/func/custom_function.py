"""autograd.Function under vmap: by its own rule, by a generated one, or, for those of the library, by the loop."""

import copy
from collections import namedtuple

from rushlight import _core
from rushlight.autograd.function import Function
from rushlight.func.batched import Batched, Level, front, inside, is_at
from rushlight.func.rules.registry import by_loop, finished, level_of
from rushlight.type_info import defining_module
from rushlight.utils import _pytree as pytree

VmapInfo = namedtuple("VmapInfo", "batch_size, randomness")


def apply_mapped(cls, args):
    """`cls.apply(*args)` where arguments have a hidden batch."""
    level = level_of(args, {})
    if cls.vmap is not Function.vmap:
        if cls.generate_vmap_rule:
            raise RuntimeError(
                f"[vmap] {cls.__name__} must have either generate_vmap_rule=True or a vmap staticmethod. It has both."
            )
        return _by_own_rule(cls, level, args)
    if cls.generate_vmap_rule:
        return finished(_Generated.apply(cls, level, _places(args, level), *(inside(x, level) for x in args)), level)
    if cls._takes_batches:
        return finished(cls.apply(*(inside(x, level) for x in args)), level)
    if defining_module(cls).startswith("rushlight."):
        return finished(by_loop(level, None, *args, call=lambda one: cls.apply(*one)), level)
    raise RuntimeError(
        f"[vmap] {cls.__name__} must say how it is mapped: in order to use an autograd.Function with vmap, set "
        "generate_vmap_rule=True, or define the vmap staticmethod."
    )


def _places(args, level):
    return tuple(is_at(x, level) for x in args)


def _by_own_rule(cls, level, args):
    in_dims = tuple(0 if batched else None for batched in _places(args, level))
    info = VmapInfo(level.size, level.randomness)
    result = cls.vmap(info, in_dims, *(inside(x, level) for x in args))
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"[vmap] {cls.__name__}.vmap must return (output, out_dims). Received {type(result).__name__}."
        )
    outputs, spec = pytree.tree_flatten(result[0])
    out_dims = pytree._broadcast_to_and_flatten(result[1], spec, lambda x: x is None)
    if out_dims is None:
        raise RuntimeError(
            f"[vmap] {cls.__name__}.vmap must return out_dims of the structure of its output. Received {result[1]!r}."
        )
    return pytree.tree_unflatten(
        [y if d is None else Batched(y.movedim(d, 0), level) for y, d in zip(outputs, out_dims, strict=True)], spec
    )


class _ExampleContext:
    """The ctx that a Function sees of one example: what it saves has a hidden batch, too."""

    def __init__(self, needs_input_grad):
        self.needs_input_grad = needs_input_grad
        self.saved_tensors = ()
        self.unsaved = ()
        self.materialize_grads = True

    def save_for_backward(self, *tensors):
        self.saved_tensors = tensors

    def save_for_forward(self, *tensors):
        self.saved_for_forward = tensors

    def mark_non_differentiable(self, *tensors):
        self.unsaved = tensors

    def set_materialize_grads(self, value):
        self.materialize_grads = value

    def mark_dirty(self, *tensors):
        raise RuntimeError(
            "[vmap] a Function with generate_vmap_rule=True must not change its inputs in place. Define its vmap "
            "staticmethod."
        )


class _Generated(Function):
    """A Function whose forward and backward run on hidden batches: apply(cls, level, places, *arguments inside)."""

    generate_vmap_rule = True  # a map around this one

    @staticmethod
    def forward(ctx, cls, level, places, *args):
        example = _ExampleContext(ctx.needs_input_grad[3:])
        args = _hidden(args, places, level)
        if cls.setup_context is Function.setup_context:
            result = cls.forward(example, *args)
        else:
            result = cls.forward(*args)
            cls.setup_context(example, args, result)
        outputs = result if isinstance(result, tuple) else (result,)
        physical = tuple(front(y, level) if isinstance(y, _core.Tensor) else y for y in outputs)
        ctx.mark_non_differentiable(
            *(p for p, y in zip(physical, outputs, strict=True) if any(y is other for other in example.unsaved))
        )
        ctx.saved_places = _places(example.saved_tensors, level)
        ctx.save_for_backward(*(inside(x, level) for x in example.saved_tensors))
        ctx.set_materialize_grads(example.materialize_grads)
        example.saved_tensors = example.unsaved = ()
        ctx.example, ctx.cls, ctx.places = example, cls, places
        ctx.level = Level(level.depth, level.size, level.randomness)  # of its own: it outlives the map
        return physical if isinstance(result, tuple) else physical[0]

    @staticmethod
    def backward(ctx, *grads):
        level = ctx.level
        example = copy.copy(ctx.example)
        example.saved_tensors = _hidden(ctx.saved_tensors, ctx.saved_places, level)
        grads = [g if g is None else Batched(g, level) for g in grads]
        result = ctx.cls.backward(example, *grads)
        result = result if isinstance(result, tuple) else (result,)
        found = [_for_input(g, batched, level) for g, batched in zip(result, ctx.places, strict=False)]
        return None, None, None, *found  # cls, level, places


def _hidden(tensors, places, level):
    return tuple(Batched(x, level) if batched else x for x, batched in zip(tensors, places, strict=True))


def _for_input(g, batched, level):
    """The gradient of an argument: for one that all examples share it is their sum."""
    if g is None:
        return None
    return front(g, level) if batched else front(g, level).sum(0)
