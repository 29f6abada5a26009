"""Convolutional layers."""

import math

import rushlight
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


def _numbers(value, ndim):
    """`value` as `ndim` numbers."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * ndim


class _ConvNd(Module):
    _ndim = 0
    _transposed = False

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
        padding_mode, device, dtype,
    ):  # fmt: skip
        super().__init__()
        ndim = self._ndim
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self._check_groups()
        self.kernel_size = _numbers(kernel_size, ndim)
        self.stride = _numbers(stride, ndim)
        self.padding = padding if isinstance(padding, str) else _numbers(padding, ndim)
        self.dilation = _numbers(dilation, ndim)
        self.transposed = self._transposed
        self.output_padding = _numbers(output_padding, ndim)
        self.padding_mode = padding_mode
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                "padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, "
                f"but got padding_mode='{padding_mode}'"
            )
        # what `pad` takes for the modes that convolution does not know: the last dimension comes first
        self._reversed_padding_repeated_twice = []
        for dim in reversed(range(ndim)):
            if padding == "same":
                total = self.dilation[dim] * (self.kernel_size[dim] - 1)
                self._reversed_padding_repeated_twice += [total // 2, total - total // 2]
            else:
                self._reversed_padding_repeated_twice += [0 if padding == "valid" else self.padding[dim]] * 2

        self.weight = Parameter(rushlight.empty(self._weight_shape(), device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(rushlight.empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def _check_groups(self):
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        if self.out_channels % self.groups:
            raise ValueError("out_channels must be divisible by groups")

    def _weight_shape(self):
        inner, outer = self.in_channels, self.out_channels
        if self._transposed:
            inner, outer = outer, inner
        return (outer, inner // self.groups, *self.kernel_size)

    def reset_parameters(self):
        """Draw the parameters afresh."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _conv(self, function, input):
        if self.padding_mode == "zeros":
            padding = self.padding
        else:
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode), 0
        return function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        zeros, ones = (0,) * self._ndim, (1,) * self._ndim
        if self.padding != zeros:
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.output_padding != zeros:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
        padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode, device,
            dtype,
        )  # fmt: skip


class Conv1d(_Conv):
    """The cross-correlation of [N, C, L] (or [C, L]) with `out_channels` kernels, plus a bias.

    Shapes: weight [out_channels, in_channels / groups, K], bias [out_channels]. Both start uniform in (-k, k),
    k = 1 / sqrt(in_channels / groups * K). Output length: (L + 2 * padding - dilation * (K - 1) - 1) // stride + 1.

    Args:
        padding: a number, or "same" or "valid".
        padding_mode: what stands there: "zeros", "reflect", "replicate" or "circular".

    >>> torch.nn.Conv1d(2, 3, 3)(torch.randn(1, 2, 8)).shape
    torch.Size([1, 3, 6])
    """

    _ndim = 1

    def forward(self, input):
        return self._conv(F.conv1d, input)


class Conv2d(_Conv):
    """The cross-correlation of [N, C, H, W] (or [C, H, W]) with `out_channels` kernels, plus a bias.

    Shapes: weight [out_channels, in_channels / groups, KH, KW], bias [out_channels]; see `Conv1d`.

    >>> torch.nn.Conv2d(3, 8, kernel_size=3, padding=1)(torch.randn(1, 3, 8, 8)).shape
    torch.Size([1, 8, 8, 8])
    """

    _ndim = 2

    def forward(self, input):
        return self._conv(F.conv2d, input)


class Conv3d(_Conv):
    """The cross-correlation of [N, C, D, H, W] (or [C, D, H, W]) with `out_channels` kernels, plus a bias.

    Shapes: weight [out_channels, in_channels / groups, KD, KH, KW], bias [out_channels]; see `Conv1d`.

    >>> torch.nn.Conv3d(1, 2, 3)(torch.randn(1, 1, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """

    _ndim = 3

    def forward(self, input):
        return self._conv(F.conv3d, input)


class _ConvTranspose(_ConvNd):
    _transposed = True

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
        dilation=1, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def _conv_transpose(self, function, input, output_size):
        extra = self.output_padding if output_size is None else self._output_padding_for(input, output_size)
        return function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _output_padding_for(self, input, output_size):
        """What must be added at the end so that the output has the size asked for."""
        ndim = self._ndim
        output_size = list(output_size)
        if len(output_size) == ndim + (input.ndim - ndim):
            output_size = output_size[-ndim:]
        if len(output_size) != ndim:
            raise ValueError(
                f"{type(self).__name__}: for {input.ndim}D input, output_size must have {ndim} or {input.ndim} "
                f"elements (got {len(output_size)})"
            )
        smallest = [
            (size - 1) * s - 2 * p + d * (k - 1) + 1
            for size, s, p, d, k in zip(
                input.shape[-ndim:], self.stride, self.padding, self.dilation, self.kernel_size, strict=False
            )
        ]
        for want, low, s in zip(output_size, smallest, self.stride, strict=True):
            if not low <= want <= low + s - 1:
                raise ValueError(
                    f"requested an output size of {output_size}, but valid sizes range from {smallest} to "
                    f"{[low + s - 1 for low, s in zip(smallest, self.stride, strict=True)]} "
                    f"(for an input of {list(input.shape[-ndim:])})"
                )
        return tuple(want - low for want, low in zip(output_size, smallest, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d`, which makes the input longer by `stride`.

    Shapes: input [N, C, L] or [C, L], weight [in_channels, out_channels / groups, K]. Output length:
    (L - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1.

    >>> torch.nn.ConvTranspose1d(2, 3, 2, stride=2)(torch.randn(1, 2, 4)).shape
    torch.Size([1, 3, 8])
    """

    _ndim = 1

    def forward(self, input, output_size=None):
        return self._conv_transpose(F.conv_transpose1d, input, output_size)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`, which makes the image larger by `stride`; see `ConvTranspose1d`.

    Shapes: input [N, C, H, W] or [C, H, W], weight [in_channels, out_channels / groups, KH, KW].

    >>> torch.nn.ConvTranspose2d(2, 3, 2, stride=2)(torch.randn(1, 2, 4, 4)).shape
    torch.Size([1, 3, 8, 8])
    """

    _ndim = 2

    def forward(self, input, output_size=None):
        return self._conv_transpose(F.conv_transpose2d, input, output_size)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d`, which makes the volume larger by `stride`; see `ConvTranspose1d`.

    Shapes: input [N, C, D, H, W] or [C, D, H, W], weight [in_channels, out_channels / groups, KD, KH, KW].

    >>> torch.nn.ConvTranspose3d(1, 1, 2, stride=2)(torch.randn(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 4, 4, 4])
    """

    _ndim = 3

    def forward(self, input, output_size=None):
        return self._conv_transpose(F.conv_transpose3d, input, output_size)
