"""The discrete Fourier transforms of torch.fft.

Source: Oppenheim & Schafer, "Discrete-time signal processing", chapter 8.
"""

import operator

import rushlight
from rushlight import _core
from rushlight.fft.primitives import OPPOSITE, Complex, HalfToReal, RealToHalf
from rushlight.ops.composition import write_out
from rushlight.ops.dimension import wrap_dims

_DTYPES = (rushlight.float32, rushlight.float64, rushlight.complex64, rushlight.complex128)


# --- arguments


def _checked(name, input, norm, real=False):
    """input in a dtype that is transformed, and the name of norm."""
    if not isinstance(input, rushlight.Tensor):
        raise TypeError(f"[{name}] input must be a Tensor. Received {type(input).__name__}. Use torch.tensor(...).")
    if not (norm is None or isinstance(norm, str)):
        raise TypeError(f"[{name}] norm must be a str. Received {type(norm).__name__}.")
    norm = "backward" if norm is None else norm
    if norm not in OPPOSITE:
        raise RuntimeError(f"[{name}] Invalid normalization mode. Received {norm!r}. Use one of {tuple(OPPOSITE)}.")
    if real and input.is_complex():
        raise RuntimeError(f"[{name}] {name} expects a real input tensor. Received {input.dtype}. Use .real.")
    if not (input.is_floating_point() or input.is_complex()):
        input = input.to(rushlight.get_default_dtype())
    if input.dtype not in _DTYPES:
        raise RuntimeError(f"[{name}] Unsupported dtype. Received {input.dtype}. Use .float().")
    return input, norm


def _single(name, n, dim):
    """n and dim of a transform along one dimension as s and dim of one along several."""
    return None if n is None else (_positive(name, n),), (dim,)


def _positive(name, n):
    if operator.index(n) < 1:
        raise RuntimeError(f"[{name}] Invalid number of data points. Received {n}. It must be at least 1.")
    return n


def _arranged(name, input, s, dim, some=False):
    """dim as a list of numbers, and a length for each, -1 for input's own; some: none at all is refused."""
    ndim = input.ndim
    s = (s,) if isinstance(s, int) else s
    if dim is None:
        if s is not None and len(s) > ndim:
            raise RuntimeError(
                f"[{name}] Got shape with {len(s)} values but input tensor only has {ndim} dimensions. Received s {s}."
            )
        dim = range(ndim) if s is None else range(ndim - len(s), ndim)
    dims = wrap_dims(name, dim, ndim)
    if dims and not ndim:
        raise IndexError(f"[{name}] Dimension specified as {dim} but tensor has no dimensions. Received a 0-d tensor.")
    if some and not dims:
        raise RuntimeError(f"[{name}] {name} must transform at least one axis. Received none. Give dim.")
    if s is not None and len(s) != len(dims):
        raise RuntimeError(
            f"[{name}] When given, dim and shape arguments must have the same length. Received s {s} and dim {dim}."
        )
    return dims, [-1] * len(dims) if s is None else list(s)


def _resized(name, x, dims, sizes):
    """x cut, or padded with zeros, at the end of dims; -1 leaves a length."""
    for d, size in zip(dims, sizes, strict=True):
        missing = _positive(name, x.shape[d] if size == -1 else size) - x.shape[d]
        if missing < 0:
            x = x.narrow(d, 0, size)
        elif missing > 0:
            x = _core.constant_pad_nd(x, [0, 0] * (x.ndim - 1 - d) + [0, missing])
    return x


def _given(name, result, out):
    """`result`, or out holding it."""
    if out is None:
        return result
    if out.is_complex() != result.is_complex():
        kind = "complex" if result.is_complex() else "floating point"
        raise RuntimeError(f"[{name}] {name} expects a {kind} output tensor. Received {out.dtype}.")
    return write_out(name, result, out)


# --- the families


def _complex(name, input, s, dim, norm, out, inverse=False):
    x, norm = _checked(name, input, norm)
    dims, sizes = _arranged(name, x, s, dim)
    return _given(name, Complex.apply(_resized(name, x, dims, sizes), dims, inverse, norm), out)


def _real_to_half(name, input, s, dim, norm, out, inverse=False):
    """The inverse transform of a real input is the conjugate of the forward one, scaled the other way."""
    x, norm = _checked(name, input, norm, real=True)
    dims, sizes = _arranged(name, x, s, dim, some=True)
    x = _resized(name, x, dims, sizes)
    half = RealToHalf.apply(x, dims, OPPOSITE[norm]).conj() if inverse else RealToHalf.apply(x, dims, norm)
    return _given(name, half, out)


def _half_to_real(name, input, s, dim, norm, out, inverse=True):
    x, norm = _checked(name, input, norm)
    x = x if x.is_complex() else x.to(rushlight.promote_types(x.dtype, rushlight.complex64))
    dims, sizes = _arranged(name, x, s, dim, some=True)
    size = _positive(name, 2 * (x.shape[dims[-1]] - 1) if sizes[-1] == -1 else sizes[-1])
    x = _resized(name, x, dims, [*sizes[:-1], size // 2 + 1])
    real = HalfToReal.apply(x, dims, size, norm) if inverse else HalfToReal.apply(x.conj(), dims, size, OPPOSITE[norm])
    return _given(name, real, out)


# --- along one dimension


def fft(input, n=None, dim=-1, norm=None, *, out=None):
    """The Fourier transform along dim, complex: y[k] = sum over j of input[j] exp(-2 pi i j k / n).

    input, real or complex, is cut or padded with zeros to n elements first. norm "backward" scales the inverse
    transform by 1 / n, "forward" this one, "ortho" both by 1 / sqrt(n). Integers count as the default dtype.

    Raises RuntimeError for float16 and bfloat16, n below 1 and an unknown norm.

    >>> y = torch.fft.fft(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    >>> y.real, y.imag.abs()
    (tensor([10., -2., -2., -2.]), tensor([0., 2., 0., 2.]))
    """
    return _complex("fft", input, *_single("fft", n, dim), norm, out)


def ifft(input, n=None, dim=-1, norm=None, *, out=None):
    """The inverse of `fft`.

    >>> torch.fft.ifft(torch.fft.fft(torch.tensor([1.0, 2.0]))).real
    tensor([1., 2.])
    """
    return _complex("ifft", input, *_single("ifft", n, dim), norm, out, inverse=True)


def rfft(input, n=None, dim=-1, norm=None, *, out=None):
    """The first n // 2 + 1 elements of the `fft` of a real input; the others mirror them, conjugated.

    Raises RuntimeError for complex input as well.

    >>> torch.fft.rfft(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return _real_to_half("rfft", input, *_single("rfft", n, dim), norm, out)


def irfft(input, n=None, dim=-1, norm=None, *, out=None):
    """The inverse of `rfft`, real: n elements, by default 2 * (input's length - 1).

    >>> torch.fft.irfft(torch.fft.rfft(torch.tensor([1.0, 2.0, 3.0])), n=3)
    tensor([1., 2., 3.])
    """
    return _half_to_real("irfft", input, *_single("irfft", n, dim), norm, out)


def hfft(input, n=None, dim=-1, norm=None, *, out=None):
    """The `fft`, real, of a signal that mirrors itself, conjugated; input holds its first half. n: see `irfft`.

    >>> torch.fft.hfft(torch.tensor([1.0, 2.0, 3.0]))
    tensor([ 8., -2.,  0., -2.])
    """
    return _half_to_real("hfft", input, *_single("hfft", n, dim), norm, out, inverse=False)


def ihfft(input, n=None, dim=-1, norm=None, *, out=None):
    """The inverse of `hfft`: the first n // 2 + 1 elements of the `ifft` of a real input.

    >>> torch.fft.ihfft(torch.tensor([8.0, -2.0, 0.0, -2.0])).real
    tensor([1., 2., 3.])
    """
    return _real_to_half("ihfft", input, *_single("ihfft", n, dim), norm, out, inverse=True)


# --- along several


def fftn(input, s=None, dim=None, norm=None, *, out=None):
    """`fft` along each of dim, one after the other, to the lengths s (-1 leaves one).

    Without dim: along the last dimensions, as many as s has; without both: along all.

    Raises RuntimeError when s and dim differ in length or a dimension is named twice.

    >>> torch.fft.fftn(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _complex("fftn", input, s, dim, norm, out)


def ifftn(input, s=None, dim=None, norm=None, *, out=None):
    """The inverse of `fftn`.

    >>> torch.fft.ifftn(torch.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return _complex("ifftn", input, s, dim, norm, out, inverse=True)


def rfftn(input, s=None, dim=None, norm=None, *, out=None):
    """`rfft` along the last of dim, then `fft` along the others; s and dim as in `fftn`.

    >>> torch.fft.rfftn(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _real_to_half("rfftn", input, s, dim, norm, out)


def irfftn(input, s=None, dim=None, norm=None, *, out=None):
    """The inverse of `rfftn`, s being the lengths of the result.

    >>> torch.fft.irfftn(torch.ones(2, 2))
    tensor([[1., 0.],
            [0., 0.]])
    """
    return _half_to_real("irfftn", input, s, dim, norm, out)


def hfftn(input, s=None, dim=None, norm=None, *, out=None):
    """`fft` along all of dim but the last, then `hfft` along that; s and dim as in `irfftn`.

    >>> torch.fft.hfftn(torch.ones(2, 2))
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _half_to_real("hfftn", input, s, dim, norm, out, inverse=False)


def ihfftn(input, s=None, dim=None, norm=None, *, out=None):
    """The inverse of `hfftn`.

    >>> torch.fft.ihfftn(torch.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return _real_to_half("ihfftn", input, s, dim, norm, out, inverse=True)


# --- along two


def fft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """`fftn` along two dimensions.

    >>> torch.fft.fft2(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return fftn(input, s, dim, norm, out=out)


def ifft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """`ifftn` along two dimensions.

    >>> torch.fft.ifft2(torch.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return ifftn(input, s, dim, norm, out=out)


def rfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """`rfftn` along two dimensions.

    >>> torch.fft.rfft2(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return rfftn(input, s, dim, norm, out=out)


def irfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """`irfftn` along two dimensions.

    >>> torch.fft.irfft2(torch.ones(2, 2))
    tensor([[1., 0.],
            [0., 0.]])
    """
    return irfftn(input, s, dim, norm, out=out)


def hfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """`hfftn` along two dimensions.

    >>> torch.fft.hfft2(torch.ones(2, 2))
    tensor([[4., 0.],
            [0., 0.]])
    """
    return hfftn(input, s, dim, norm, out=out)


def ihfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """`ihfftn` along two dimensions.

    >>> torch.fft.ihfft2(torch.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return ihfftn(input, s, dim, norm, out=out)
