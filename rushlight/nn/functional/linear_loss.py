"""The cross entropy of a linear map's output, without all of the output at once."""

import warnings

import rushlight
from rushlight.autograd.function import Function
from rushlight.nn.functional.linear import linear
from rushlight.nn.functional.loss import choose_reduction, cross_entropy

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """`cross_entropy(linear(input, linear_weight, linear_bias), target)`.

    Args:
        input: [N, D] or [D].
        linear_weight: [C, D]; or [C, d1, ..., D] with input [N, D], for logits [N, C, d1, ...].
        target: class numbers, or probabilities with the shape of the logits, as for `cross_entropy`.
        linear_bias: [C] or [C, d1, ...].
        weight: one factor per class, [C].
        ignore_index: class numbers that count for nothing, -100 by default; only for class numbers.
        options: `torch.nn.LinearCrossEntropyOptions`. Then the logits are computed some rows at a time, and once more
            in backward, so that [N, C] is never in memory. For class numbers, without label smoothing and d1, ...

    Raises:
        RuntimeError: for shapes that do not fit.

    >>> x, w = torch.ones(2, 3), torch.zeros(4, 3)
    >>> torch.nn.functional.linear_cross_entropy(x, w, torch.tensor([0, 3]))
    tensor(1.3863)
    """
    logits_shape = _logits_shape(input, linear_weight, linear_bias)
    if ignore_index is not None and tuple(target.shape) == logits_shape:
        raise RuntimeError(
            "[linear_cross_entropy] ignore_index cannot be specified when target contains probabilities. "
            f"Received ignore_index={ignore_index} with target {list(target.shape)}."
        )
    ignore_index = -100 if ignore_index is None else ignore_index
    if options is not None:
        if linear_weight.ndim == 2 and label_smoothing == 0.0 and target.dtype == rushlight.int64:
            rows = _rows_at_once(options, input, linear_weight)
            arguments = (input, linear_weight, target, linear_bias, weight, reduction, ignore_index, rows)
            return _cross_entropy_by_rows(*arguments)
        warnings.warn(
            "linear_cross_entropy: options ignored; they need class numbers (int64), linear_weight [C, D] and no label "
            "smoothing.",
            stacklevel=2,
        )
    features = input.shape[-1]
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, features), bias).reshape(logits_shape)
    return cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


def _logits_shape(input, linear_weight, linear_bias):
    name = "[linear_cross_entropy]"
    if input.ndim not in (1, 2) or linear_weight.ndim < 2:
        raise RuntimeError(
            f"{name} input must be [N, D] or [D], and linear_weight [C, ..., D]. "
            f"Received {list(input.shape)} and {list(linear_weight.shape)}."
        )
    if input.shape[-1] != linear_weight.shape[-1]:
        raise RuntimeError(
            f"{name} the last dimensions of input and linear_weight must agree. "
            f"Received {list(input.shape)} and {list(linear_weight.shape)}."
        )
    if linear_weight.ndim > 2 and input.ndim == 1:
        raise RuntimeError(f"{name} a linear_weight {list(linear_weight.shape)} needs a batched input, [N, D].")
    if linear_bias is not None and linear_bias.shape != linear_weight.shape[:-1]:
        raise RuntimeError(
            f"{name} linear_bias must be {list(linear_weight.shape[:-1])}. Received {list(linear_bias.shape)}."
        )
    return (*input.shape[:-1], *linear_weight.shape[:-1])


def _rows_at_once(options, input, linear_weight):
    """How many rows of logits are computed together."""
    rows = input.shape[0] if input.ndim == 2 else 1
    classes, features = linear_weight.shape
    method = options.chunking_method
    if method == "auto":
        half = input.dtype in (rushlight.float16, rushlight.bfloat16)
        method = None if options.batch_chunk_size is not None else "aspect_ratio" if half else "aspect_ratio:2"
    if method is None:
        return max(1, min(options.batch_chunk_size or rows, rows))
    # logits as large as the input, over N: a power of two that is at least N / (C / D)
    shorter = -(-rows // max(1, -(-classes // max(1, features))))
    found = (1 << (shorter - 1).bit_length()) // int(method.partition(":")[2] or 1) if shorter else 1
    found = max(1, min(found, rows))
    if options.batch_chunk_size not in (None, found):
        raise ValueError(
            f"[linear_cross_entropy] batch_chunk_size={options.batch_chunk_size} and chunking_method={method!r} give "
            f"different sizes of a chunk, {options.batch_chunk_size} and {found}. Pass only one."
        )
    return found


def _cross_entropy_by_rows(input, linear_weight, target, bias, class_weight, reduction, ignore_index, rows):
    reduction = choose_reduction(None, None, reduction)
    classes = linear_weight.shape[0]
    if target.shape != input.shape[:-1]:
        raise RuntimeError(
            f"[linear_cross_entropy] target must be {list(input.shape[:-1])}. Received {list(target.shape)}."
        )
    labels = target.reshape(-1)
    counted = labels != ignore_index
    labels = labels.masked_fill(counted.logical_not(), 0)
    if labels.numel() and not 0 <= labels.min().item() <= labels.max().item() < classes:
        raise IndexError(f"[linear_cross_entropy] target must be from 0 to {classes - 1}. Received one outside.")
    share = counted.to(input.dtype if class_weight is None else class_weight.dtype)
    if class_weight is not None:
        share = share * class_weight[labels]
    loss = _ByRows.apply(input.reshape(-1, input.shape[-1]), linear_weight, bias, labels, rows) * share
    if reduction == "none":
        return loss.reshape(target.shape).to(input.dtype)
    total = loss.sum()
    return (total if reduction == "sum" else total / share.sum()).to(input.dtype)


class _ByRows(Function):
    """-log softmax(input @ weight.T + bias)[label] of each row; backward computes the logits again."""

    @staticmethod
    def forward(ctx, input, weight, bias, labels, rows):
        ctx.save_for_backward(input, weight, bias, labels)
        ctx.rows = rows
        wide = _widen(input, weight, bias)
        losses = [cross_entropy(linear(x, *wide[1:]), y, reduction="none") for x, y in _chunks(wide[0], labels, rows)]
        return rushlight.cat(losses) if losses else wide[0].new_empty(0)

    @staticmethod
    def backward(ctx, grad):
        input, weight, bias, labels = ctx.saved_tensors
        if rushlight.is_grad_enabled():  # whoever differentiates twice pays with memory
            wanted = [t for t in (input, weight, bias) if t is not None and t.requires_grad]
            loss = cross_entropy(linear(*_widen(input, weight, bias)), labels, reduction="none")
            found = iter(rushlight.autograd.grad(loss, wanted, grad, create_graph=True))
            return (*(next(found) if need else None for need in ctx.needs_input_grad[:3]), None, None)
        x, w, b = _widen(input, weight, bias)
        gx, gw = rushlight.empty_like(x), rushlight.zeros_like(w)
        gb = None if b is None else rushlight.zeros_like(b)
        for rows, y, g, to in _chunks(x, labels, grad.unsqueeze(1), gx, ctx.rows):
            of_logits = linear(rows, w, b).softmax(1)
            of_logits.scatter_add_(1, y.unsqueeze(1), -rushlight.ones_like(g))
            of_logits.mul_(g)
            to.copy_(of_logits @ w)
            gw.add_(of_logits.t() @ rows)
            if gb is not None:
                gb.add_(of_logits.sum(0))
        gb = None if gb is None else gb.to(bias.dtype)
        return gx.to(input.dtype), gw.to(weight.dtype), gb, None, None


def _widen(*tensors):
    """Half precision as float32, in which sums over many rows keep their digits."""
    half = (rushlight.float16, rushlight.bfloat16)
    return [t if t is None or t.dtype not in half else t.float() for t in tensors]


def _chunks(*tensors_and_rows):
    *tensors, rows = tensors_and_rows
    for start in range(0, tensors[0].shape[0], rows):
        yield tuple(t[start : start + rows] for t in tensors)
