"""The three transforms that all others are made of, computed by SciPy where it is installed, else by NumPy.

SciPy transforms several rows at a time in vector registers, NumPy one after the other; what they are called with is
the same. Each transform is linear, so that its gradient is its adjoint, which is one of the three again: derivatives
of every order exist. The adjoint of a transform scaled by 1 is the opposite one scaled by 1, which is why "backward"
and "forward" change places.
"""

import functools

import rushlight
from rushlight.autograd import Function

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


@functools.cache
def library():
    try:
        import scipy.fft as library
    except ImportError:
        import numpy.fft as library
    return library


def _computed(name, x, size, axes, norm, dtype):
    """The library's function of that name, `size` being its result's length along the last axis. NumPy 1 knows double
    precision only, hence dtype."""
    array = x.detach().numpy()
    if len(axes) == 1:  # for a small input, the form for several axes takes twice as long
        result = getattr(library(), name)(array, size, axes[0], norm)
    else:
        sizes = None if size is None else [*(x.shape[axis] for axis in axes[:-1]), size]
        result = getattr(library(), name + "n")(array, sizes, axes, norm)
    return rushlight.from_numpy(result).to(dtype)


class Complex(Function):
    """The transform of x, real or complex, over axes."""

    @staticmethod
    def forward(ctx, x, axes, inverse, norm):
        ctx.made_by = axes, inverse, norm
        ctx.real = not x.is_complex()
        dtype = rushlight.promote_types(x.dtype, rushlight.complex64)
        return _computed("ifft" if inverse else "fft", x, None, axes, norm, dtype)

    @staticmethod
    def backward(ctx, grad):
        axes, inverse, norm = ctx.made_by
        grad = Complex.apply(grad, axes, not inverse, OPPOSITE[norm])
        return grad.real if ctx.real else grad, None, None, None


class RealToHalf(Function):
    """The transform of a real x over axes, of the last of which only the frequencies 0 ... n // 2 are kept: the others
    are their conjugate mirror images."""

    @staticmethod
    def forward(ctx, x, axes, norm):
        ctx.made_by = axes, norm
        ctx.size = x.shape[axes[-1]]
        return _computed("rfft", x, None, axes, norm, rushlight.promote_types(x.dtype, rushlight.complex64))

    @staticmethod
    def backward(ctx, grad):
        axes, norm = ctx.made_by
        grad = grad * _weights(grad, axes[-1], ctx.size, 0.5)
        return HalfToReal.apply(grad, axes, ctx.size, OPPOSITE[norm]), None, None


class HalfToReal(Function):
    """The inverse of RealToHalf, `size` being the length of the result along the last of axes."""

    @staticmethod
    def forward(ctx, x, axes, size, norm):
        ctx.made_by = axes, size, norm
        return _computed("irfft", x, size, axes, norm, x.real.dtype)

    @staticmethod
    def backward(ctx, grad):
        axes, size, norm = ctx.made_by
        grad = RealToHalf.apply(grad, axes, OPPOSITE[norm])
        return grad * _weights(grad, axes[-1], size, 2.0), None, None, None


def _weights(half, axis, size, factor):
    """`factor` for the frequencies that stand for their mirror image too; 1 for 0 and, of an even size, the middle."""
    weights = rushlight.full((half.shape[axis],), factor, dtype=half.real.dtype)
    weights[0] = 1
    if size % 2 == 0:
        weights[-1] = 1
    return weights.reshape([-1] + [1] * (half.ndim - 1 - axis))
