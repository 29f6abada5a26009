"""The window functions of torch.signal.windows; their shapes and sources stand in rushlight/ops/window.py.

Each gives M samples in dtype (float32 or float64; the default dtype if None), of a symmetric window, or with sym=False
of a periodic one: M + 1 samples without the last. A single sample is 1. All raise ValueError for a negative M, another
dtype and another layout than torch.strided.
"""

import math
import operator
from collections.abc import Iterable

import rushlight
from rushlight import strided
from rushlight.ops.window import BLACKMAN, HANN, bessel, cosines, sampled, triangle

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
    "kaiser", "nuttall",
]  # fmt: skip


def _window(name, shape, M, sym, dtype, layout, device, requires_grad):
    dtype = rushlight.get_default_dtype() if dtype is None else dtype
    if operator.index(M) < 0:
        raise ValueError(f"[{name}] {name} requires non-negative window length. Received M {M}.")
    if dtype not in (rushlight.float32, rushlight.float64):
        raise ValueError(f"[{name}] {name} expects float32 or float64 dtypes. Received {dtype}.")
    if layout is not strided:
        raise ValueError(f"[{name}] {name} is implemented for strided tensors only. Received {layout}.")
    if device is not None:
        rushlight._core.check_device(device)
    return sampled(shape, M, not sym, dtype, requires_grad)


def _check_positive(name, argument, value):
    if value <= 0:
        raise ValueError(f"[{name}] {argument} must be positive. Received {value}.")


def bartlett(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """A triangle from 0 to 1 to 0.

    >>> torch.signal.windows.bartlett(3)
    tensor([0., 1., 0.])
    """
    return _window("bartlett", triangle, M, sym, dtype, layout, device, requires_grad)


def blackman(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Three cosines with the weights 0.42, 0.5 and 0.08.

    >>> torch.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return _window("blackman", cosines(*BLACKMAN), M, sym, dtype, layout, device, requires_grad)


def cosine(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Half a period of the sine, met in the middle of each sample: sin(pi (k + 1/2) / M).

    >>> torch.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """

    def shape(k, last):
        return rushlight.sin((k + 0.5) * (math.pi / (last + 1)))

    return _window("cosine", shape, M, sym, dtype, layout, device, requires_grad)


def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """exp(-|k - center| / tau); center is the middle, and can be chosen with sym=False only.

    Raises ValueError when tau is not positive or a symmetric window is given a center.

    >>> torch.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if sym and center is not None:
        raise ValueError(f"[exponential] Center must be None for symmetric windows. Received {center}. Use sym=False.")
    _check_positive("exponential", "tau", tau)

    def shape(k, last):
        return rushlight.exp((k - (last / 2 if center is None else center)).abs() / -tau)

    return _window("exponential", shape, M, sym, dtype, layout, device, requires_grad)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """exp(-(k - middle)^2 / (2 std^2)). Raises ValueError when std is not positive.

    >>> torch.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    _check_positive("gaussian", "std", std)

    def shape(k, last):
        return rushlight.exp((k - last / 2).square() / (-2 * std**2))

    return _window("gaussian", shape, M, sym, dtype, layout, device, requires_grad)


def general_cosine(M, *, a, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """The sum of a[j] (-1)^j cos(2 pi j k / (M - 1)). Raises TypeError unless a is a list, ValueError when it is empty.

    >>> torch.signal.windows.general_cosine(3, a=[0.6, 0.4])
    tensor([0.2000, 1.0000, 0.2000])
    """
    if not isinstance(a, Iterable):
        raise TypeError(f"[general_cosine] Coefficients must be a list/tuple. Received {type(a).__name__}.")
    if not a:
        raise ValueError("[general_cosine] Coefficients cannot be empty. Received none.")
    return _window("general_cosine", cosines(*a), M, sym, dtype, layout, device, requires_grad)


def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """alpha - (1 - alpha) cos(2 pi k / (M - 1)).

    >>> torch.signal.windows.general_hamming(3, alpha=0.75)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return _window("general_hamming", cosines(alpha, 1.0 - alpha), M, sym, dtype, layout, device, requires_grad)


def hamming(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Two cosines with the weights 0.54 and 0.46.

    >>> torch.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return _window("hamming", cosines(0.54, 0.46), M, sym, dtype, layout, device, requires_grad)


def hann(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Two cosines with the weights 0.5 and 0.5: sin^2(pi k / (M - 1)).

    >>> torch.signal.windows.hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window("hann", cosines(*HANN), M, sym, dtype, layout, device, requires_grad)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """i0(beta sqrt(1 - (2 k / (M - 1) - 1)^2)) / i0(beta). Raises ValueError when beta is negative.

    >>> torch.signal.windows.kaiser(3, beta=0.0)
    tensor([1., 1., 1.])
    """
    if beta < 0:
        raise ValueError(f"[kaiser] beta must be non-negative. Received {beta}.")
    return _window("kaiser", bessel(beta), M, sym, dtype, layout, device, requires_grad)


def nuttall(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Four cosines. Source: Nuttall, "Some windows with very good sidelobe behavior", IEEE Trans. ASSP 29, 1981.

    >>> torch.signal.windows.nuttall(3)
    tensor([3.6280e-04, 1.0000e+00, 3.6280e-04])
    """
    return _window(
        "nuttall", cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411), M, sym, dtype, layout, device, requires_grad
    )
