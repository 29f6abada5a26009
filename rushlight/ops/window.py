"""Window functions of signal processing: what torch.signal.windows is made of too.

A shape is a function of k, the places of the samples, and of `last`, the place of the right end; it stands once, here.

Sources: Oppenheim & Schafer, "Discrete-time signal processing", section 7.5; Harris, "On the use of windows for
harmonic analysis with the discrete Fourier transform", Proc. IEEE 66, 1978.
"""

import math

from rushlight import _core
from rushlight.ops.composition import composition

# --- shapes


def cosines(*weights):
    """The sum of weights[j] * (-1)^j * cos(2 pi j k / last)."""

    def shape(k, last):
        total = _core.full_like(k, weights[0])
        for j, weight in enumerate(weights[1:], 1):
            total = total + (-1) ** j * weight * _core.cos(k * (2 * math.pi * j / last))
        return total

    return shape


HANN, BLACKMAN = (0.5, 0.5), (0.42, 0.5, 0.08)


def triangle(k, last):
    """1 - |2 k / last - 1|."""
    return 1 - (k * (2.0 / last) - 1).abs()


def bessel(beta):
    """i0(beta * sqrt(1 - (2 k / last - 1)^2)) / i0(beta), i0 being a Bessel function."""

    def shape(k, last):
        across = (1 - (k * (2.0 / last) - 1) ** 2).clamp(min=0).sqrt()
        return _core.i0(across * beta) / _core.i0(_core.full_like(k[:1], beta))

    return shape


def sampled(shape, length, periodic, dtype, requires_grad=False):
    """The shape at k = 0 ... length - 1, in dtype; its right end is the last of them, or one further if periodic. A
    single sample is 1."""
    if length <= 1:
        made = _core.ones(length, dtype=dtype)
    else:
        k = _core.arange(0, length, 1, _core.float64)
        made = shape(k, length if periodic else length - 1).to(dtype)
    return made.requires_grad_() if requires_grad else made


# --- torch.*_window


def _window(name, shape, length, periodic, dtype, device, requires_grad):
    if length < 0:
        raise RuntimeError(f"[{name}] window_length must be non-negative. Received {length}.")
    dtype = _core.get_default_dtype() if dtype is None else dtype
    if not dtype.is_floating_point:
        raise RuntimeError(f"[{name}] {name} expects floating point dtypes, got: {dtype}. Use torch.float32.")
    if device is not None:
        _core.check_device(device)
    return sampled(shape, length, periodic, dtype, requires_grad)


@composition(method=False)
def hann_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False):
    """(1 - cos(2 pi k / N)) / 2, k = 0 ... window_length - 1; N is window_length, or one less when not periodic.

    >>> torch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", cosines(*HANN), window_length, periodic, dtype, device, requires_grad)


@composition(method=False)
def hamming_window(
    window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """alpha - beta * cos(2 pi k / N), see `hann_window`.

    >>> torch.hamming_window(3, periodic=False)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return _window("hamming_window", cosines(alpha, beta), window_length, periodic, dtype, device, requires_grad)


@composition(method=False)
def blackman_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False):
    """0.42 - 0.5 * cos(2 pi k / N) + 0.08 * cos(4 pi k / N), see `hann_window`.

    >>> torch.blackman_window(4)[2]
    tensor(1.)
    """
    return _window("blackman_window", cosines(*BLACKMAN), window_length, periodic, dtype, device, requires_grad)


@composition(method=False)
def bartlett_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False):
    """A triangle: 1 - |2 k / N - 1|, see `hann_window`.

    >>> torch.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("bartlett_window", triangle, window_length, periodic, dtype, device, requires_grad)


@composition(method=False)
def kaiser_window(
    window_length, periodic=True, beta=12.0, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """i0(beta * sqrt(1 - (2 k / N - 1)^2)) / i0(beta), see `hann_window`.

    >>> torch.kaiser_window(3, periodic=False, beta=0.0)
    tensor([1., 1., 1.])
    """
    return _window("kaiser_window", bessel(beta), window_length, periodic, dtype, device, requires_grad)
