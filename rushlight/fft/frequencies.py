"""Which frequency stands where in a transform, and the order with 0 in the middle."""

import operator

import rushlight
from rushlight.ops.composition import write_out
from rushlight.ops.dimension import wrap_dims


def _over_length(name, whole, n, d, out, dtype, device, requires_grad):
    """whole(dtype), the frequencies in whole turns, over the length n d."""
    if operator.index(n) < 0:
        raise RuntimeError(f"[{name}] n must be non-negative. Received {n}.")
    if dtype is None:
        dtype = rushlight.get_default_dtype() if out is None else out.dtype
    elif out is not None and dtype != out.dtype:
        raise RuntimeError(f"[{name}] dtype must be that of out. Received {dtype} and {out.dtype}.")
    if not dtype.is_floating_point:
        raise RuntimeError(f"[{name}] {name} requires a floating point dtype. Received {dtype}. Use torch.float32.")
    if device is not None:
        rushlight._core.check_device(device)
    made = whole(dtype) * (1.0 / (n * d) if n * d else rushlight.inf)
    return made.requires_grad_(requires_grad) if out is None else write_out(name, made, out)


def fftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of fft() of n samples at the distance d: 0, 1, ..., then the negative ones up to -1, over n d.

    Raises RuntimeError when dtype is not floating point.

    >>> torch.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """

    def whole(dtype):
        return ifftshift(rushlight.arange(-(n // 2), n - n // 2, dtype=dtype))

    return _over_length("fftfreq", whole, n, d, out, dtype, device, requires_grad)


def rfftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of rfft() of n samples at the distance d: 0, 1, ..., n // 2 over n d. See `fftfreq`.

    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """

    def whole(dtype):
        return rushlight.arange(n // 2 + 1, dtype=dtype)

    return _over_length("rfftfreq", whole, n, d, out, dtype, device, requires_grad)


def fftshift(input, dim=None):
    """input with the frequency 0 in the middle along dim (an int, several, or all).

    >>> torch.fft.fftshift(torch.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _rolled("fftshift", input, dim, lambda n: n // 2)


def ifftshift(input, dim=None):
    """The inverse of `fftshift`.

    >>> torch.fft.ifftshift(torch.tensor([-2, -1, 0, 1, 2]))
    tensor([ 0,  1,  2, -2, -1])
    """
    return _rolled("ifftshift", input, dim, lambda n: (n + 1) // 2)


def _rolled(name, input, dim, shift):
    dims = wrap_dims(name, range(input.ndim) if dim is None else dim, input.ndim)
    return rushlight.roll(input, [shift(input.shape[d]) for d in dims], dims)
