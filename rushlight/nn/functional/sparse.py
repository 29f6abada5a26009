"""Look-ups in tables."""

import rushlight
from rushlight import _core
from rushlight.ops.composition import everywhere

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of `weight` that `input` names.

    Args:
        input: row numbers, int64 or int32, any shape.
        weight: [V, D].
        padding_idx: a row that receives no gradient; negative numbers count from the end.
        max_norm: rows that are used and whose p-norm (p = `norm_type`) exceeds this are scaled down, in place.
        scale_grad_by_freq: divide each row's gradient by the number of times it was used.
        sparse: the gradient of `weight` is a sparse tensor, which holds the rows that were used.

    Returns:
        [*input.shape, D].

    >>> torch.nn.functional.embedding(torch.tensor([1, 1]), torch.tensor([[0.0], [5.0]]))
    tensor([[5.],
            [5.]])
    """
    if weight.ndim != 2:
        raise RuntimeError(f"[embedding] 'weight' must be 2-D, [V, D]. Received {list(weight.shape)}.")
    rows = weight.shape[0]
    if padding_idx is None:
        padding_idx = -1
    else:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if max_norm is not None:
        _renorm_rows(weight, input, max_norm, norm_type)
    if sparse:
        result = _SparseRows.apply(weight, input, padding_idx)
    else:
        result = _core.embedding(weight, input, padding_idx)
    if scale_grad_by_freq:
        counts = rushlight.bincount(input.reshape(-1), minlength=rows)[input].unsqueeze(-1)
        result = result.detach() + (result - result.detach()) / counts
    return result


class _SparseRows(rushlight.autograd.Function):
    """The look-up whose gradient for the table is sparse: one row of values for every row that was read."""

    @staticmethod
    def forward(ctx, weight, input, padding_idx):
        ctx.save_for_backward(input)
        ctx.size, ctx.padding_idx = weight.shape, padding_idx
        return _core.embedding(weight, input, padding_idx)

    @staticmethod
    def backward(ctx, grad):
        rows = ctx.saved_tensors[0].reshape(-1)
        values = grad.reshape(len(rows), ctx.size[1])
        if ctx.padding_idx != -1:
            counted = rows != ctx.padding_idx
            rows, values = rows[counted], values[counted]
        return rushlight.sparse_coo_tensor(rows.unsqueeze(0), values, ctx.size), None, None


def _renorm_rows(weight, input, max_norm, norm_type):
    """Scale the rows that `input` names down to `max_norm`."""
    with rushlight.no_grad():
        used = input.reshape(-1).unique()
        rows = weight[used]
        norms = rushlight.norm(rows, norm_type, 1, True)
        weight[used] = rushlight.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)


def embedding_bag(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """The sum, mean or maximum of bags of rows of `weight`; of an empty bag, zeros.

    Args:
        input: row numbers; [B, N] for bags of equal size, or [M] with `offsets`, where bags begin, [B].
        weight: [V, D].
        mode: "sum", "mean" or "max".
        per_sample_weights: the shape of `input`; factors of the rows, for "sum".
        sparse: as for `embedding`; not with mode "max".
        include_last_offset: the last of `offsets` is the end of the last bag.
        padding_idx: a row that counts for nothing.

    Returns:
        [B, D].

    >>> table = torch.tensor([[1.0], [2.0], [4.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([0, 1, 2]), table, torch.tensor([0, 2]), mode="sum")
    tensor([[3.],
            [4.]])
    """
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            "[embedding_bag] per_sample_weights must have the shape of input. "
            f"Received {list(per_sample_weights.shape)} for {list(input.shape)}."
        )
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max. Received {mode!r}.")
    if mode == "max" and (sparse or scale_grad_by_freq):
        what = "sparse weights" if sparse else "scaling the gradient by the frequency"
        raise ValueError(f"max mode does not support {what}. Use sum or mean.")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )
    if padding_idx is not None and not -weight.shape[0] <= padding_idx < weight.shape[0]:
        raise RuntimeError(
            f"[embedding_bag] padding_idx must be within the {weight.shape[0]} rows of weight. Received {padding_idx}."
        )
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(f"if input is 2D, then offsets has to be None. Received offsets {list(offsets.shape)}.")
        bags, size = input.shape
        bag = rushlight.arange(bags).repeat_interleave(size)
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    elif input.ndim == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.ndim != 1:
            raise ValueError("offsets has to be a 1D Tensor")
        ends = offsets[1:] if include_last_offset else rushlight.cat([offsets[1:], offsets.new_tensor([len(input)])])
        starts = offsets[:-1] if include_last_offset else offsets
        bags = len(starts)
        bag = rushlight.arange(bags).repeat_interleave(ends - starts)
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")

    rows = embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if padding_idx is not None:
        counted = input != padding_idx % weight.shape[0]
        rows, bag = rows[counted], bag[counted]
        per_sample_weights = None if per_sample_weights is None else per_sample_weights[counted]
    if weight.dtype in (rushlight.float16, rushlight.bfloat16):
        rows = rows.float()  # long sums keep their digits
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    zeros = rushlight.zeros((bags, weight.shape[1]), dtype=rows.dtype, device=rows.device)
    if mode == "max":
        result = zeros.scatter_reduce(0, bag.unsqueeze(1).expand_as(rows), rows, "amax", include_self=False)
    else:
        result = zeros.index_add(0, bag, rows)
        if mode == "mean":
            result = result / rushlight.bincount(bag, minlength=bags).clamp(min=1).unsqueeze(1)
    return result.to(weight.dtype)


def one_hot(tensor, num_classes=-1):
    """A new last dimension with 1 at the number that `tensor` holds, 0 elsewhere.

    Args:
        tensor: class numbers, int64, any shape.
        num_classes: by default one more than the largest number.

    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype != rushlight.int64:
        raise RuntimeError(
            "[one_hot] is only applicable to index tensor of type LongTensor. "
            f"Received {tensor.dtype}. Use tensor.long()."
        )
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("[one_hot] Can not infer total number of classes from empty tensor. Give num_classes.")
        return rushlight.zeros((*tensor.shape, num_classes), dtype=rushlight.int64)
    if not everywhere(tensor >= 0):
        raise RuntimeError(f"[one_hot] Class values must be non-negative. Received {tensor.min().item()}.")
    if num_classes == -1:
        num_classes = tensor.max().item() + 1
    elif num_classes < 1:
        raise RuntimeError(f"[one_hot] num_classes should be positive. Received {num_classes}.")
    elif not everywhere(tensor < num_classes):
        raise RuntimeError(
            "[one_hot] Class values must be smaller than num_classes. "
            f"Received {tensor.max().item()} with num_classes={num_classes}."
        )
    zeros = tensor.new_zeros((*tensor.shape, num_classes))
    return zeros.scatter(-1, tensor.unsqueeze(-1), 1)
