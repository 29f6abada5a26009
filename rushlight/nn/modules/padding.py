"""Padding layers. `padding` is one number for all sides, or (left, right, top, bottom, front, back) as needed."""

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    _ndim = 0
    _mode = "constant"

    def __init__(self, padding):
        super().__init__()
        self.padding = (padding,) * (2 * self._ndim) if isinstance(padding, int) else tuple(padding)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self):
        return str(self.padding)


class _ConstantPadNd(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Put `value` at both ends of the last dimension.

    >>> torch.nn.ConstantPad1d(1, 3.5)(torch.ones(1, 4)).shape
    torch.Size([1, 6])
    """

    _ndim = 1


class ConstantPad2d(_ConstantPadNd):
    """Put `value` at both ends of the last two dimensions.

    >>> torch.nn.ConstantPad2d(1, 3.5)(torch.ones(1, 4, 4)).shape
    torch.Size([1, 6, 6])
    """

    _ndim = 2


class ConstantPad3d(_ConstantPadNd):
    """Put `value` at both ends of the last three dimensions.

    >>> torch.nn.ConstantPad3d(1, 3.5)(torch.ones(1, 4, 4, 4)).shape
    torch.Size([1, 6, 6, 6])
    """

    _ndim = 3


class ZeroPad1d(ConstantPad1d):
    """Put zeros at both ends of the last dimension.

    >>> torch.nn.ZeroPad1d(1)(torch.ones(1, 4)).shape
    torch.Size([1, 6])
    """

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return str(self.padding)


class ZeroPad2d(ConstantPad2d):
    """Put zeros at both ends of the last two dimensions.

    >>> torch.nn.ZeroPad2d(1)(torch.ones(1, 4, 4)).shape
    torch.Size([1, 6, 6])
    """

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return str(self.padding)


class ZeroPad3d(ConstantPad3d):
    """Put zeros at both ends of the last three dimensions.

    >>> torch.nn.ZeroPad3d(1)(torch.ones(1, 4, 4, 4)).shape
    torch.Size([1, 6, 6, 6])
    """

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return str(self.padding)


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Mirror the input at both ends of the last dimension.

    >>> torch.nn.ReflectionPad1d(1)(torch.ones(1, 4)).shape
    torch.Size([1, 6])
    """

    _ndim = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirror the input at both ends of the last two dimensions.

    >>> torch.nn.ReflectionPad2d(1)(torch.ones(1, 4, 4)).shape
    torch.Size([1, 6, 6])
    """

    _ndim = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirror the input at both ends of the last three dimensions.

    >>> torch.nn.ReflectionPad3d(1)(torch.ones(1, 4, 4, 4)).shape
    torch.Size([1, 6, 6, 6])
    """

    _ndim = 3


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Repeat the edge at both ends of the last dimension.

    >>> torch.nn.ReplicationPad1d(1)(torch.ones(1, 4)).shape
    torch.Size([1, 6])
    """

    _ndim = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeat the edge at both ends of the last two dimensions.

    >>> torch.nn.ReplicationPad2d(1)(torch.ones(1, 4, 4)).shape
    torch.Size([1, 6, 6])
    """

    _ndim = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeat the edge at both ends of the last three dimensions.

    >>> torch.nn.ReplicationPad3d(1)(torch.ones(1, 4, 4, 4)).shape
    torch.Size([1, 6, 6, 6])
    """

    _ndim = 3


class _CircularPadNd(_Pad):
    _mode = "circular"


class CircularPad1d(_CircularPadNd):
    """Wrap the input around at both ends of the last dimension.

    >>> torch.nn.CircularPad1d(1)(torch.ones(1, 4)).shape
    torch.Size([1, 6])
    """

    _ndim = 1


class CircularPad2d(_CircularPadNd):
    """Wrap the input around at both ends of the last two dimensions.

    >>> torch.nn.CircularPad2d(1)(torch.ones(1, 4, 4)).shape
    torch.Size([1, 6, 6])
    """

    _ndim = 2


class CircularPad3d(_CircularPadNd):
    """Wrap the input around at both ends of the last three dimensions.

    >>> torch.nn.CircularPad3d(1)(torch.ones(1, 4, 4, 4)).shape
    torch.Size([1, 6, 6, 6])
    """

    _ndim = 3
