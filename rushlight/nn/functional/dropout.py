"""Dropout: random elements or channels are set to zero in training, the others scaled to keep the expectation."""

import math
import warnings

import rushlight
from rushlight import _core

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _check(p):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input, p=0.5, training=True, inplace=False):
    """Set each element to zero with probability `p`, divide the others by 1 - p (Hinton et al., 2012).

    Args:
        training: otherwise the input is returned as it is.

    >>> torch.nn.functional.dropout(torch.ones(2), p=1.0)
    tensor([0., 0.])
    """
    _check(p)
    if inplace and training:
        return input.mul_(_core.dropout(rushlight.ones_like(input), p, True))
    return _core.dropout(input, p, training)


def _drop_features(input, p, training, inplace, batched=True):
    """Dropout with one decision for each channel of each sample: [N, C, ...], or [C, ...] if not `batched`."""
    _check(p)
    if input.ndim < 2:
        raise RuntimeError(
            f"[dropout] input must have channels, [N, C, ...] or [C, ...]. Received {list(input.shape)}."
        )
    if not training or p == 0.0:
        return input
    kept_dims = 2 if batched else 1
    shape = list(input.shape[:kept_dims]) + [1] * (input.ndim - kept_dims)
    mask = _core.dropout(rushlight.ones(shape, dtype=input.dtype, device=input.device), p, True)
    return input.mul_(mask) if inplace else input * mask


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Set each channel to zero with probability `p`, divide the others by 1 - p (Tompson et al., 2015).

    Args:
        input: [N, C, L] or [C, L].

    >>> torch.nn.functional.dropout1d(torch.ones(1, 1, 2), p=1.0)
    tensor([[[0., 0.]]])
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"[dropout1d] input must be [N, C, L] or [C, L]. Received {list(input.shape)}. "
            "Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension."
        )
    return _drop_features(input, p, training, inplace, batched=input.ndim == 3)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Set each channel to zero with probability `p`, divide the others by 1 - p (Tompson et al., 2015).

    Args:
        input: [N, C, H, W]; three dimensions are taken as [N, C, L].

    >>> torch.nn.functional.dropout2d(torch.ones(1, 1, 1, 2), p=1.0)
    tensor([[[[0., 0.]]]])
    """
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and will result in an "
            "error in a future release. The input must be [N, C, H, W] or [C, H, W].",
            stacklevel=2,
        )
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3-D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L). Use dropout1d for that.",
            stacklevel=2,
        )
    return _drop_features(input, p, training, inplace)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Set each channel to zero with probability `p`, divide the others by 1 - p (Tompson et al., 2015).

    Args:
        input: [N, C, D, H, W] or [C, D, H, W].

    >>> torch.nn.functional.dropout3d(torch.ones(1, 1, 1, 1, 2), p=1.0)
    tensor([[[[[0., 0.]]]]])
    """
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and will result in an "
            "error in a future release. The input must be [N, C, D, H, W] or [C, D, H, W].",
            stacklevel=2,
        )
    return _drop_features(input, p, training, inplace, batched=input.ndim != 4)


_SATURATION = -1.7580993408473766  # what selu tends to on the left: -scale * alpha


def _alpha_drop(input, p, training, inplace, shape):
    _check(p)
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input.mul_(0) if inplace else input * 0
    kept = input.new_empty(shape).bernoulli_(1 - p)
    scale = 1 / math.sqrt((_SATURATION**2 * p + 1) * (1 - p))
    # dropped elements become _SATURATION; then mean and variance are made what they were
    shift = (1 - kept) * (_SATURATION * scale) - _SATURATION * scale * p
    return input.mul_(kept * scale).add_(shift) if inplace else input * (kept * scale) + shift


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean 0 and variance 1, for networks of `selu` (Klambauer et al., 2017).

    >>> torch.nn.functional.alpha_dropout(torch.ones(2), p=0.5)
    tensor([1., 1.])
    """
    return _alpha_drop(input, p, training, inplace, input.shape)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """`alpha_dropout` of whole channels.

    Args:
        input: [N, C, ...].

    >>> torch.nn.functional.feature_alpha_dropout(torch.ones(1, 2, 1), p=0.5)
    tensor([[[1.],
             [1.]]])
    """
    return _alpha_drop(input, p, training, inplace, list(input.shape[:2]) + [1] * (input.ndim - 2))
