"""Pooling. Shapes: input [N, C, L...] or [C, L...], with one to three spatial dimensions L."""

import math

import rushlight
from rushlight import _core
from rushlight.ops.composition import everywhere

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d",
    "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
    "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

avg_pool1d = _core.avg_pool1d
avg_pool2d = _core.avg_pool2d
avg_pool3d = _core.avg_pool3d


def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima under a sliding window, and their positions along L."""
    return _core.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima under a sliding window, and their positions in the flattened image."""
    return _core.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima under a sliding window, and their positions in the flattened volume."""
    return _core.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The maxima under a window that slides along L.

    Args:
        stride: by default `kernel_size`.
        padding: elements of minus infinity on both sides, at most half of `kernel_size`.
        ceil_mode: let the window leave the input at the end.
        return_indices: return the positions, too.

    >>> torch.nn.functional.max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    result = max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return result if return_indices else result[0]


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The maxima under a window that slides over the image; arguments as for `max_pool1d`.

    >>> torch.nn.functional.max_pool2d(torch.arange(4.0).reshape(1, 2, 2), 2)
    tensor([[[3.]]])
    """
    result = max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return result if return_indices else result[0]


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The maxima under a window that slides through the volume; arguments as for `max_pool1d`.

    >>> torch.nn.functional.max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    result = max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return result if return_indices else result[0]


def _sizes(output_size, input, ndim):
    """`output_size` as `ndim` numbers; None stands for the size of the input."""
    if not isinstance(output_size, (tuple, list)):
        output_size = (output_size,) * ndim
    elif ndim > 1 and input.ndim <= ndim:
        raise ValueError(
            f"[adaptive pooling] input must have at least {ndim + 1} dimensions. Received {list(input.shape)}."
        )
    if None not in output_size:
        return tuple(output_size)
    return tuple(have if want is None else want for want, have in zip(output_size, input.shape[-ndim:], strict=True))


def adaptive_avg_pool1d(input, output_size):
    """The means of `output_size` windows that cover L evenly.

    >>> torch.nn.functional.adaptive_avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _core.adaptive_avg_pool1d(input, _sizes(output_size, input, 1))


def adaptive_avg_pool2d(input, output_size):
    """The means of windows that cover the image evenly.

    Args:
        output_size: (H, W), or one number for both; None keeps the size of the input.

    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(4.0).reshape(1, 2, 2), 1)
    tensor([[[1.5000]]])
    """
    return _core.adaptive_avg_pool2d(input, _sizes(output_size, input, 2))


def adaptive_avg_pool3d(input, output_size):
    """The means of windows that cover the volume evenly.

    >>> torch.nn.functional.adaptive_avg_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[3.5000]]]])
    """
    return _core.adaptive_avg_pool3d(input, _sizes(output_size, input, 3))


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """The maxima of windows that cover L evenly, and their positions."""
    return _core.adaptive_max_pool1d(input, _sizes(output_size, input, 1))


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """The maxima of windows that cover the image evenly, and their positions in the flattened image."""
    return _core.adaptive_max_pool2d(input, _sizes(output_size, input, 2))


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """The maxima of windows that cover the volume evenly, and their positions in the flattened volume."""
    return _core.adaptive_max_pool3d(input, _sizes(output_size, input, 3))


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The maxima of `output_size` windows that cover L evenly.

    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    result = adaptive_max_pool1d_with_indices(input, output_size)
    return result if return_indices else result[0]


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The maxima of windows that cover the image evenly.

    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(4.0).reshape(1, 2, 2), 1)
    tensor([[[3.]]])
    """
    result = adaptive_max_pool2d_with_indices(input, output_size)
    return result if return_indices else result[0]


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The maxima of windows that cover the volume evenly.

    >>> torch.nn.functional.adaptive_max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[7.]]]])
    """
    result = adaptive_max_pool3d_with_indices(input, output_size)
    return result if return_indices else result[0]


def _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, ndim, mean):
    if math.isinf(norm_type):
        sign = math.copysign(1.0, norm_type)
        maximum = (max_pool1d, max_pool2d, max_pool3d)[ndim - 1]
        return sign * maximum(sign * input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    elements = kernel_size**ndim if isinstance(kernel_size, int) else math.prod(kernel_size)
    total = mean(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    # odd powers may be negative: the root is that of their positive part
    return (total.sign() * total.abs().relu() * elements).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm (p = `norm_type`) of each window along L.

    >>> torch.nn.functional.lp_pool1d(torch.tensor([[3.0, 4.0]]), 2.0, 2)
    tensor([[5.]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 1, avg_pool1d)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm (p = `norm_type`) of each window of the image.

    >>> torch.nn.functional.lp_pool2d(torch.ones(1, 2, 2), 2.0, 2)
    tensor([[[2.]]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 2, avg_pool2d)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm (p = `norm_type`) of each window of the volume.

    >>> torch.nn.functional.lp_pool3d(torch.ones(1, 1, 2, 2), 2.0, (1, 2, 2))
    tensor([[[[2.]]]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 3, avg_pool3d)


def _max_unpool(input, indices, kernel_size, stride, padding, output_size, ndim):
    def numbers(value):
        return (value,) * ndim if isinstance(value, int) else tuple(value)

    kernel, padding = numbers(kernel_size), numbers(padding)
    stride = kernel if stride is None else numbers(stride)
    default = [
        (size - 1) * s + k - 2 * p for size, s, k, p in zip(input.shape[-ndim:], stride, kernel, padding, strict=True)
    ]
    if output_size is None:
        size = default
    else:
        size = list(output_size)[-ndim:]
        for want, have, s in zip(size, default, stride, strict=True):
            if not have - s < want < have + s:
                raise ValueError(
                    f"invalid output_size {tuple(size)} (dimension {want} must be between {have - s} and {have + s})"
                )
    least = max(2, ndim + 1)
    if input.ndim not in (least, ndim + 2):
        raise RuntimeError(
            f"[max_unpool] input must have {least} or {ndim + 2} dimensions. Received {list(input.shape)}."
        )
    if indices.shape != input.shape:
        raise RuntimeError(
            "[max_unpool] indices must have the shape of input. "
            f"Received {list(indices.shape)} for {list(input.shape)}."
        )
    lead = list(input.shape[:-ndim])
    count = math.prod(size)
    if not everywhere((indices >= 0) & (indices < count)):
        raise RuntimeError(f"[max_unpool] indices must be from 0 to {count - 1}, the size of the output {size}.")
    flat = rushlight.zeros([*lead, count], dtype=input.dtype, device=input.device)
    return flat.scatter(-1, indices.flatten(-ndim), input.flatten(-ndim)).reshape([*lead, *size])


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The values of `max_pool1d` put back where they came from, among zeros.

    Args:
        indices: what `max_pool1d(..., return_indices=True)` returned.
        output_size: where several sizes could have given `input`.

    >>> torch.nn.functional.max_unpool1d(torch.tensor([[3.0]]), torch.tensor([[1]]), 2)
    tensor([[0., 3.]])
    """
    return _max_unpool(input, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The values of `max_pool2d` put back where they came from, among zeros.

    >>> torch.nn.functional.max_unpool2d(torch.tensor([[[3.0]]]), torch.tensor([[[1]]]), 2)
    tensor([[[0., 3.],
             [0., 0.]]])
    """
    return _max_unpool(input, indices, kernel_size, stride, padding, output_size, 2)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The values of `max_pool3d` put back where they came from, among zeros.

    >>> torch.nn.functional.max_unpool3d(torch.tensor([[[[3.0]]]]), torch.tensor([[[[0]]]]), (1, 1, 2))
    tensor([[[[3., 0.]]]])
    """
    return _max_unpool(input, indices, kernel_size, stride, padding, output_size, 3)
