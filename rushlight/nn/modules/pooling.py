"""Pooling layers. Arguments and shapes are those of the function of the same name."""

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


class _MaxPoolNd(Module):
    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _pool(self, function, input):
        return function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The maxima under a window that slides along L of [N, C, L] or [C, L].

    >>> torch.nn.MaxPool1d(2)(torch.randn(1, 2, 8)).shape
    torch.Size([1, 2, 4])
    """

    def forward(self, input):
        return self._pool(F.max_pool1d, input)


class MaxPool2d(_MaxPoolNd):
    """The maxima under a window that slides over the image [N, C, H, W] or [C, H, W].

    >>> torch.nn.MaxPool2d(2)(torch.randn(1, 2, 8, 8)).shape
    torch.Size([1, 2, 4, 4])
    """

    def forward(self, input):
        return self._pool(F.max_pool2d, input)


class MaxPool3d(_MaxPoolNd):
    """The maxima under a window that slides through the volume [N, C, D, H, W] or [C, D, H, W].

    >>> torch.nn.MaxPool3d(2)(torch.randn(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """

    def forward(self, input):
        return self._pool(F.max_pool3d, input)


class _MaxUnpoolNd(Module):
    _ndim = 0

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()

        def numbers(value):
            return (value,) * self._ndim if isinstance(value, int) else tuple(value)

        self.kernel_size = numbers(kernel_size)
        self.stride = self.kernel_size if stride is None else numbers(stride)
        self.padding = numbers(padding)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts the values of `MaxPool1d` back where they came from, among zeros.

    >>> values, positions = torch.nn.MaxPool1d(2, return_indices=True)(torch.randn(1, 2, 8))
    >>> torch.nn.MaxUnpool1d(2)(values, positions).shape
    torch.Size([1, 2, 8])
    """

    _ndim = 1

    def forward(self, input, indices, output_size=None):
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts the values of `MaxPool2d` back where they came from, among zeros.

    >>> values, positions = torch.nn.MaxPool2d(2, return_indices=True)(torch.randn(1, 2, 8, 8))
    >>> torch.nn.MaxUnpool2d(2)(values, positions).shape
    torch.Size([1, 2, 8, 8])
    """

    _ndim = 2

    def forward(self, input, indices, output_size=None):
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts the values of `MaxPool3d` back where they came from, among zeros.

    >>> values, positions = torch.nn.MaxPool3d(2, return_indices=True)(torch.randn(1, 2, 4, 4, 4))
    >>> torch.nn.MaxUnpool3d(2)(values, positions).shape
    torch.Size([1, 2, 4, 4, 4])
    """

    _ndim = 3

    def forward(self, input, indices, output_size=None):
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class AvgPool1d(Module):
    """The means under a window that slides along L of [N, C, L] or [C, L].

    Args:
        count_include_pad: count zeros of padding as elements.

    >>> torch.nn.AvgPool1d(2)(torch.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__()
        self.kernel_size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,)
        stride = self.kernel_size if stride is None else stride
        self.stride = stride if isinstance(stride, tuple) else (stride,)
        self.padding = padding if isinstance(padding, tuple) else (padding,)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPoolNd(Module):
    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _pool(self, function, input):
        return function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPoolNd):
    """The means under a window that slides over the image [N, C, H, W] or [C, H, W].

    Args:
        divisor_override: what the sums are divided by, instead of the number of elements.

    >>> torch.nn.AvgPool2d(2)(torch.randn(1, 2, 8, 8)).shape
    torch.Size([1, 2, 4, 4])
    """

    def forward(self, input):
        return self._pool(F.avg_pool2d, input)


class AvgPool3d(_AvgPoolNd):
    """The means under a window that slides through the volume [N, C, D, H, W] or [C, D, H, W].

    Args:
        divisor_override: what the sums are divided by, instead of the number of elements.

    >>> torch.nn.AvgPool3d(2)(torch.randn(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """

    def forward(self, input):
        return self._pool(F.avg_pool3d, input)


class _LPPoolNd(Module):
    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self):
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """The p-norm (p = `norm_type`) under a window that slides along L of [N, C, L] or [C, L].

    >>> torch.nn.LPPool1d(2, 2)(torch.randn(1, 2, 8)).shape
    torch.Size([1, 2, 4])
    """

    def forward(self, input):
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """The p-norm (p = `norm_type`) under a window that slides over the image [N, C, H, W] or [C, H, W].

    >>> torch.nn.LPPool2d(2, 2)(torch.randn(1, 2, 8, 8)).shape
    torch.Size([1, 2, 4, 4])
    """

    def forward(self, input):
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """The p-norm (p = `norm_type`) under a window that slides through the volume [N, C, D, H, W] or [C, D, H, W].

    >>> torch.nn.LPPool3d(2, 2)(torch.randn(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """

    def forward(self, input):
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _AdaptiveAvgPoolNd(Module):
    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self):
        return f"output_size={self.output_size}"


class _AdaptiveMaxPoolNd(Module):
    def __init__(self, output_size, return_indices=False):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The means of `output_size` windows that cover L of [N, C, L] or [C, L] evenly.

    >>> torch.nn.AdaptiveAvgPool1d(3)(torch.randn(1, 2, 8)).shape
    torch.Size([1, 2, 3])
    """

    def forward(self, input):
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The means of `output_size` windows that cover the image [N, C, H, W] or [C, H, W] evenly.

    >>> torch.nn.AdaptiveAvgPool2d(3)(torch.randn(1, 2, 8, 8)).shape
    torch.Size([1, 2, 3, 3])
    """

    def forward(self, input):
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The means of `output_size` windows that cover the volume [N, C, D, H, W] or [C, D, H, W] evenly.

    >>> torch.nn.AdaptiveAvgPool3d(3)(torch.randn(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 3, 3, 3])
    """

    def forward(self, input):
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The maxima of `output_size` windows that cover L of [N, C, L] or [C, L] evenly.

    >>> torch.nn.AdaptiveMaxPool1d(3)(torch.randn(1, 2, 8)).shape
    torch.Size([1, 2, 3])
    """

    def forward(self, input):
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The maxima of `output_size` windows that cover the image [N, C, H, W] or [C, H, W] evenly.

    >>> torch.nn.AdaptiveMaxPool2d(3)(torch.randn(1, 2, 8, 8)).shape
    torch.Size([1, 2, 3, 3])
    """

    def forward(self, input):
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The maxima of `output_size` windows that cover the volume [N, C, D, H, W] or [C, D, H, W] evenly.

    >>> torch.nn.AdaptiveMaxPool3d(3)(torch.randn(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 3, 3, 3])
    """

    def forward(self, input):
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPoolNd(Module):
    def __init__(self, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        super().__init__()
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        self.kernel_size = self._of_all(kernel_size)
        self.output_size = None if output_size is None else self._of_all(output_size)
        self.output_ratio = None if output_ratio is None else self._of_all(output_ratio)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        if output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def _of_all(self, value):
        return tuple(value) if isinstance(value, (tuple, list)) else (value,) * self._dims

    def forward(self, input):
        return self._function(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The maxima under windows whose steps are random (Graham, 2014).

    >>> torch.nn.FractionalMaxPool2d(2, output_ratio=0.7)(torch.randn(1, 2, 10, 10)).shape
    torch.Size([1, 2, 7, 7])
    """

    _dims = 2
    _function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """The maxima under windows whose steps are random (Graham, 2014).

    >>> torch.nn.FractionalMaxPool3d(2, output_size=3)(torch.randn(1, 2, 8, 8, 8)).shape
    torch.Size([1, 2, 3, 3, 3])
    """

    _dims = 3
    _function = staticmethod(F.fractional_max_pool3d)
