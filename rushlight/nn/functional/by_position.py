"""torch.batch_norm, torch.embedding, ...: functions of torch.nn.functional under the root's names, whose order of
arguments is another and whose choices are numbers.
"""

from rushlight.nn import functional as F
from rushlight.nn.functional.sparse import embedding_bag as _embedding_bag

REDUCTIONS = ("none", "mean", "sum")
BAG_MODES = ("sum", "mean", "max")


def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """torch.nn.functional.batch_norm."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled):
    """torch.nn.functional.instance_norm."""
    return F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True):
    """torch.nn.functional.layer_norm."""
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True):
    """torch.nn.functional.group_norm."""
    return F.group_norm(input, num_groups, weight, bias, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """torch.nn.functional.rms_norm."""
    return F.rms_norm(input, normalized_shape, weight, eps)


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """torch.nn.functional.embedding, the weight first; padding_idx -1 is none.

    >>> torch.embedding(torch.tensor([[1.0], [2.0]]), torch.tensor([1, 0]))
    tensor([[2.],
            [1.]])
    """
    padding = None if padding_idx == -1 else padding_idx
    return F.embedding(indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def embedding_renorm_(input, indices, max_norm, norm_type):
    """The rows of input [N, D] at the indices scaled in place to a norm of at most max_norm."""
    F.embedding(indices, input, max_norm=max_norm, norm_type=norm_type)
    return input


def embedding_bag(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """torch.nn.functional.embedding_bag, the weight first; mode is 0 (sum), 1 (mean) or 2 (max).

    Raises RuntimeError for another mode.
    """
    if mode not in (0, 1, 2):
        raise RuntimeError(f"[embedding_bag] mode must be 0 (sum), 1 (mean) or 2 (max). Received {mode!r}.")
    return _embedding_bag(
        indices,
        weight,
        offsets,
        scale_grad_by_freq=scale_grad_by_freq,
        mode=BAG_MODES[mode],
        sparse=sparse,
        per_sample_weights=per_sample_weights,
        include_last_offset=include_last_offset,
        padding_idx=padding_idx,
    )


def affine_grid_generator(theta, size, align_corners):
    """torch.nn.functional.affine_grid."""
    return F.affine_grid(theta, size, align_corners)


def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=1):
    """torch.nn.functional.binary_cross_entropy_with_logits; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return F.binary_cross_entropy_with_logits(
        input, target, weight, reduction=REDUCTIONS[reduction], pos_weight=pos_weight
    )


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=1, zero_infinity=False):
    """torch.nn.functional.ctc_loss; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return F.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, REDUCTIONS[reduction], zero_infinity=zero_infinity
    )
