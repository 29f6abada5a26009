"""Products of matrices and vectors. Everything is matmul, which broadcasts over leading dimensions."""

from rushlight import _core
from rushlight.func.batched import front, inside, is_at
from rushlight.func.rules.registry import by_loop, rule

RANKS = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1), "dot": (1, 1), "vdot": (1, 1), "outer": (1, 1)}


@rule("matmul", "mm", "bmm", "mv", "dot")
def matmul(level, plan, a, b):
    ranks = a.ndim, b.ndim
    if 0 in ranks or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0] or RANKS.get(plan.name, ranks) != ranks:
        return by_loop(level, plan, a, b)
    if plan.name == "bmm" and a.shape[0] != b.shape[0]:  # matmul would broadcast
        return by_loop(level, plan, a, b)
    if not is_at(b, level) and b.ndim <= 2:
        return _core.matmul(a.value, b)
    if not is_at(a, level) and a.ndim <= 2:
        if b.ndim > 1:
            return _core.matmul(a, b.value)
        return _core.matmul(b.value, a.mT if a.ndim == 2 else a)
    left = inside(a, level) if a.ndim > 1 else inside(a, level).unsqueeze(-2)
    right = inside(b, level) if b.ndim > 1 else inside(b, level).unsqueeze(-1)
    rank = max(*ranks, 2)
    left = _lifted(left, rank) if is_at(a, level) else left
    right = _lifted(right, rank) if is_at(b, level) else right
    result = _core.matmul(left, right)
    if a.ndim == 1:
        result = result.squeeze(-2)
    return result.squeeze(-1) if b.ndim == 1 else result


def _lifted(value, rank):
    while value.ndim <= rank:
        value = value.unsqueeze(1)
    return value


@rule("vdot")
def vdot(level, plan, a, b):
    return _core.dot(a.conj(), b)


@rule("outer")
def outer(level, plan, a, b):
    return _times(a, b) if (a.ndim, b.ndim) == RANKS["outer"] else by_loop(level, plan, a, b)


def _times(column, row):
    return column.unsqueeze(1) * row.unsqueeze(0)


@rule("linear")
def linear(level, plan, input, weight, bias):
    if not is_at(weight, level) and not is_at(bias, level) and input.ndim:
        return _core.linear(input.value, weight, bias)
    if weight.ndim > 2 or input.ndim == 0:
        return by_loop(level, plan, input, weight, bias)
    product = _core.matmul(input, weight.mT if weight.ndim == 2 else weight)
    return product if bias is None else product + bias


@rule("addmm", "addmv", "addbmm", "baddbmm", "addr")
def add_product(level, plan, input, a, b, beta, alpha):
    ranks = {"addmm": (2, 2), "addmv": (2, 1), "addr": (1, 1)}.get(plan.name, (3, 3))
    if (a.ndim, b.ndim) != ranks:
        return by_loop(level, plan, input, a, b, beta, alpha)
    product = _times(a, b) if plan.name == "addr" else _core.bmm(a, b) if a.ndim == 3 else _core.matmul(a, b)
    if plan.name == "addbmm":
        product = product.sum(0)
    if _core.broadcast_shapes(product.shape, input.shape) != product.shape:
        return by_loop(level, plan, input, a, b, beta, alpha)
    if alpha != 1:
        product = product * alpha
    if isinstance(beta, (int, float)) and beta == 0:  # what input holds does not matter then, not even nan
        return front(product, level)
    return product + (input if beta == 1 else input * beta)
