"""Convolutions. Shapes: input [N, C, L...] or [C, L...], with one to three spatial dimensions L."""

from rushlight import _core

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]

conv_transpose1d = _core.conv_transpose1d
conv_transpose2d = _core.conv_transpose2d
conv_transpose3d = _core.conv_transpose3d


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The cross-correlation of `input` with `weight`.

    Args:
        input: [N, C, L] or [C, L].
        weight: [O, C / groups, K].
        bias: [O].
        padding: zeros on both sides; or "valid" for none, "same" for an output as long as the input.

    >>> torch.nn.functional.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3))
    tensor([[[3., 3.]]])
    """
    if isinstance(padding, str):
        input, padding = _padded(input, weight, stride, padding, dilation, 1)
    return _core.conv1d(input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The cross-correlation of `input` with `weight`.

    Args:
        input: [N, C, H, W] or [C, H, W].
        weight: [O, C / groups, KH, KW].
        bias: [O].
        padding: zeros on all sides; or "valid" for none, "same" for an output as large as the input.

    >>> torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2)).shape
    torch.Size([1, 1, 2, 2])
    """
    if isinstance(padding, str):
        input, padding = _padded(input, weight, stride, padding, dilation, 2)
    return _core.conv2d(input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The cross-correlation of `input` with `weight`.

    Args:
        input: [N, C, D, H, W] or [C, D, H, W].
        weight: [O, C / groups, KD, KH, KW].
        bias: [O].
        padding: zeros on all sides; or "valid" for none, "same" for an output as large as the input.

    >>> torch.nn.functional.conv3d(torch.ones(1, 1, 3, 3, 3), torch.ones(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    if isinstance(padding, str):
        input, padding = _padded(input, weight, stride, padding, dilation, 3)
    return _core.conv3d(input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input, weight, bias, pad=0):
    """`conv1d` of sequences whose dimensions are time, batch, channels.

    Args:
        input: [T, N, C].
        weight: [K, C, O].
        bias: [O].
        pad: steps of zeros at both ends.

    Returns:
        [T + 2 pad - K + 1, N, O].

    >>> torch.conv_tbc(torch.ones(3, 1, 1), torch.ones(2, 1, 1), torch.zeros(1)).flatten()
    tensor([2., 2.])
    """
    if input.ndim != 3 or weight.ndim != 3 or bias.ndim != 1:
        raise RuntimeError(
            "[conv_tbc] input must be [T, N, C], weight [K, C, O] and bias [O]. "
            f"Received {list(input.shape)}, {list(weight.shape)}, {list(bias.shape)}."
        )
    return _core.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad).permute(2, 0, 1)


def _padded(input, weight, stride, padding, dilation, ndim):
    """`input` and the numbers that stand for the name of a padding. An odd rest is padded at the end."""
    if padding == "valid":
        return input, 0
    if padding != "same":
        raise RuntimeError(f"[conv{ndim}d] padding must be numbers, 'valid' or 'same'. Received {padding!r}.")
    strides = stride if isinstance(stride, (tuple, list)) else (stride,)
    if any(s != 1 for s in strides):
        raise RuntimeError(
            f"[conv{ndim}d] padding='same' is not supported for strided convolutions. Received stride {stride}."
        )
    dilations = tuple(dilation) if isinstance(dilation, (tuple, list)) else (dilation,)
    if len(dilations) == 1:
        dilations *= ndim
    if weight.ndim != ndim + 2 or len(dilations) != ndim:
        raise RuntimeError(
            f"[conv{ndim}d] weight must have {ndim + 2} dimensions and dilation {ndim} numbers. "
            f"Received weight {list(weight.shape)}, dilation {dilation}."
        )
    totals = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
    if any(total % 2 for total in totals):
        rest = [n for total in reversed(totals) for n in (0, total % 2)]
        input = _core.constant_pad_nd(input, rest, 0)
    return input, tuple(total // 2 for total in totals)


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The blocks under a sliding window as columns.

    Args:
        input: [N, C, H, W] or [C, H, W].

    Returns:
        [N, C * KH * KW, number of blocks].

    >>> torch.nn.functional.unfold(torch.arange(9.0).reshape(1, 1, 3, 3), 2)[0, :, 0]
    tensor([0., 1., 3., 4.])
    """
    return _core.im2col(input, _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The image whose blocks are the columns of `input`; where blocks overlap, their sum.

    Args:
        input: [N, C * KH * KW, number of blocks], or without N.

    Returns:
        [N, C, *output_size].

    >>> torch.nn.functional.fold(torch.ones(1, 4, 4), (3, 3), 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return _core.col2im(input, _pair(output_size), _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))
