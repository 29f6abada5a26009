"""Branches and loops as functions: data decide, and what runs is recorded like any other call."""

from rushlight import _core
from rushlight.ops.composition import composition

Tensor = _core.Tensor


@composition(method=False)
def cond(pred, true_fn, false_fn, operands=()):
    """true_fn(*operands) where pred, a bool or a tensor of one element, holds; false_fn(*operands) otherwise.

    >>> torch.cond(torch.tensor(True), lambda x: x + 1, lambda x: x - 1, (torch.tensor(2),))
    tensor(3)
    """
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"[cond] pred must have one element. Received {tuple(pred.shape)}.")
    if not callable(true_fn) or not callable(false_fn):
        raise RuntimeError(f"[cond] true_fn and false_fn must be callable. Received {true_fn!r} and {false_fn!r}.")
    return (true_fn if bool(pred) else false_fn)(*operands)


@composition(method=False)
def while_loop(cond_fn, body_fn, carried_inputs):
    """carried = body_fn(*carried) for as long as cond_fn(*carried) holds; returns the last, a tuple.

    >>> torch.while_loop(lambda x: x < 10, lambda x: (x * 2,), (torch.tensor(3),))
    (tensor(12),)
    """
    carried = tuple(carried_inputs)
    while bool(cond_fn(*carried)):
        made = body_fn(*carried)
        carried = tuple(made) if isinstance(made, (tuple, list)) else (made,)
    return carried
