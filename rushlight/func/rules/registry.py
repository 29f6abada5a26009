"""From an operator to its batching rule; the loop, which needs none; and the in-place form of all of them.

A rule is called as rule(level, plan, *arguments), the arguments being those of the row's signature in order, with
defaults filled in. It returns a tensor, or a tuple of them, that has the batch in front, or `Batched` results of
further operators.
"""

import functools

from rushlight import _core
from rushlight.func.batched import Batched, is_at
from rushlight.utils import _pytree as pytree

RULES = {}  # name of a row -> rule
TENSOR_TYPES = ("Tensor", "Tensor | Number", "Mask", "list[Tensor]")


def rule(*names):
    """Registers a rule for these rows."""

    def register(function):
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


class Plan:
    """What rules need to know about one operator, read from its row once."""

    def __init__(self, function):
        row = function.row
        self.name = row["name"]
        self.in_place = function.__name__.endswith("_") and "inplace" in row["forms"]
        self.is_view = row["kind"] == "view"
        self.is_formula = row["kind"] == "pointwise"
        self.parameters = row["parameters"]
        self.names = [p["name"] for p in self.parameters]
        self.masks = {p["name"] for p in self.parameters if p["type"] == "Mask"}
        self.numbers = {p["name"] for p in self.parameters if p["type"] not in TENSOR_TYPES}
        self.tensors = [k for k, p in enumerate(self.parameters) if p["type"] in TENSOR_TYPES]
        self.function = function
        self.plain = getattr(_core, self.name)  # out of place, where the row has that form

    def bind(self, args, kwargs):
        """The arguments in the order of the signature, and those that the row does not name (out, memory_format)."""
        values = [p["default"] for p in self.parameters]
        given = len(args)
        for k, p in enumerate(self.parameters):
            if k < given:
                variadic = p["variadic"] and not isinstance(args[k], (tuple, list))
                values[k] = args[k:] if variadic else args[k]
                if variadic:
                    break
        extras = {}
        for key, value in kwargs.items():
            key = _SYNONYMS.get(key, key) if key not in self.names else key
            if key in self.names:
                values[self.names.index(key)] = value
            else:
                extras[key] = value
        return values, extras

    def call(self, values, extras=None):
        """The plain operator on arguments in the order of the signature."""
        positional = [v for v, p in zip(values, self.parameters, strict=True) if not p["keyword_only"]]
        named = {p["name"]: v for v, p in zip(values, self.parameters, strict=True) if p["keyword_only"]}
        return self.plain(*positional, **named, **(extras or {}))


plan_of = functools.cache(Plan)  # a method and a function of one row are two operators
_SYNONYMS = {
    "axis": "dim", "keepdims": "keepdim", "self": "input", "x": "input", "a": "input", "x1": "input", "x2": "other",
}  # fmt: skip


def by_loop(level, plan, *values, call=None):
    """Any operator: example by example. The results are stacked; what is no tensor must be the same for all."""
    if level.size == 0:
        name = plan.name if plan else "a function in Python"
        raise RuntimeError(
            f"[vmap] {name} runs example by example, for want of a batching rule, and the batch must not be empty. "
            "Received size 0."
        )
    call = call or plan.call
    rows = [
        call(pytree.tree_map(lambda x, k=k: x.value[k] if is_at(x, level) else x, list(values)))
        for k in range(level.size)
    ]
    leaves, specs = zip(*(pytree.tree_flatten(row) for row in rows), strict=True)
    stacked = [
        _core.stack(column) if isinstance(column[0], _core.Tensor) else column[0]
        for column in zip(*leaves, strict=True)
    ]
    return pytree.tree_unflatten(stacked, specs[0])


def finished(result, level):
    """The result of a rule as the mapped function sees it."""
    if isinstance(result, tuple):
        parts = [finished(part, level) for part in result]
        return type(result)(parts) if type(result) is not tuple else tuple(parts)
    if not isinstance(result, _core.Tensor) or is_at(result, level):
        return result
    return Batched(result, level)


def write(level, plan, target, result):
    """The in-place form: the result goes where the first argument is."""
    require_batch(level, f"{plan.name}_", target)
    result = finished(result, level)
    if plan.is_view:
        target.value = result.value
        return target
    if result.shape != target.shape:
        raise RuntimeError(
            f"[{plan.name}_] output with shape {list(target.shape)} doesn't match the result's shape "
            f"{list(result.shape)}."
        )
    if not _core.can_cast(result.dtype, target.dtype):
        raise RuntimeError(
            f"[{plan.name}_] result type {result.dtype} can't be cast to the desired output type {target.dtype}. Use "
            "the out-of-place form, or convert first."
        )
    target.value.copy_(result.value)
    return target


def require_batch(level, name, target):
    """Raises unless `target`, which is to be written, has a batch at this level."""
    if not is_at(target, level):
        raise RuntimeError(
            f"[vmap] {name} must write into a tensor of the batch: inplace arithmetic is not possible, because "
            f"the tensor that is written ({list(target.shape)}) is one for all examples while an argument differs "
            "between them. Use the out-of-place form, or clone() an input of the mapped function."
        )


def level_of(args, kwargs):
    """The innermost level among the arguments."""
    found = None
    for x in (*args, *kwargs.values()) if kwargs else args:
        for part in x if type(x) is tuple or type(x) is list else (x,):
            if type(part) is Batched and (found is None or part.level.depth > found.depth):
                found = part.level
    if not found.running:
        raise RuntimeError(
            f"[vmap] a tensor must not be used after its vmap has returned: it has escaped from level {found.depth}. "
            "Return it from the mapped function instead."
        )
    return found
