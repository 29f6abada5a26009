"""Elementwise functions with several forms, and distances."""

import math

from rushlight import _core
from rushlight.ops.composition import FUNCTIONS, asks_overrides, composition

Tensor = _core.Tensor

_DIVISIONS = {None: _core.div, "floor": _core.floor_divide, "trunc": _core.trunc_divide}


@composition(out=True, inplace=True, aliases=("divide",))
def div(input, other, *, rounding_mode=None, out=None):
    """input / other, elementwise; rounding_mode "trunc" rounds towards zero, "floor" down. Integers without it give
    floats.

    Raises RuntimeError for another rounding_mode, and when integers are divided by zero with one.

    >>> torch.div(torch.tensor([-7, 7]), 2, rounding_mode="floor")
    tensor([-4,  3])
    """
    if rounding_mode not in _DIVISIONS:
        raise RuntimeError(
            f"[div] expected rounding_mode to be one of None, 'trunc', or 'floor'. Received {rounding_mode!r}."
        )
    return _DIVISIONS[rounding_mode](input, other)


def true_divide(input, other, *, out=None):
    """input / other; integers give floating point numbers.

    >>> torch.true_divide(torch.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    return div(input, other, out=out)


def _div_(input, other, *, rounding_mode=None):
    """The in-place form of div()."""
    if rounding_mode is None:
        return _core.div_(input, other)
    return input.copy_(div(input, other, rounding_mode=rounding_mode))


Tensor.__rdiv__, Tensor.__idiv__ = Tensor.__rtruediv__, Tensor.__itruediv__
FUNCTIONS["zero_"] = Tensor.zero_
FUNCTIONS["true_divide"] = Tensor.true_divide = true_divide
for _name in ("div_", "divide_", "true_divide_"):
    FUNCTIONS.pop(_name, None)
    setattr(Tensor, _name, _div_)


@composition(inplace=True, out=True, aliases=("clip",))
def clamp(input, min=None, max=None, *, out=None):
    """input, but at least min and at most max: numbers, tensors that broadcast, or None. max wins where min > max.

    Raises RuntimeError when both are None.

    >>> torch.clamp(torch.tensor([-1.5, 0.3, 2.0]), 0.0, 1.0)
    tensor([0.0000, 0.3000, 1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("[clamp] at least one of 'min' or 'max' must not be None. Received neither.")
    if max is None:
        return _core.clamp_min(input, min)
    return _core.clamp_max(input, max) if min is None else _core.clamp_between(input, min, max)


@composition(method=False, out=True)
def where(condition, input=None, other=None, *, out=None):
    """input where condition holds, other elsewhere (tensors or numbers, all broadcast); condition alone: its nonzero
    places.

    >>> torch.where(torch.tensor([True, False]), torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    >>> torch.where(torch.tensor([0, 3, 4]))
    (tensor([1, 2]),)
    """
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    return _core.where(condition, input, other)


@composition(public=False)
def _where_method(self, condition, other):
    """self where condition holds, other elsewhere."""
    return _core.where(condition, self, other)


Tensor.where = _where_method
del Tensor._where_method


@composition(method=False, out=True)
def rsub(input, other, *, alpha=1, out=None):
    """other - alpha * input.

    >>> torch.rsub(torch.tensor([1, 2]), 5)
    tensor([4, 3])
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"[rsub] input must be a Tensor. Received {type(input).__name__}. Use torch.sub(other, input).")
    return _core.sub(other, input, alpha=alpha)


@composition
def positive(input):
    """input itself. Raises RuntimeError for bool.

    >>> torch.positive(torch.tensor([-1, 2]))
    tensor([-1,  2])
    """
    if input.dtype == _core.bool:
        raise RuntimeError("[positive] the + operator, on a bool tensor is not supported. Received bool. Use .int().")
    return input


def _double(x):
    """The dtype that float_power computes in."""
    complex_ = x.dtype.is_complex if isinstance(x, Tensor) else isinstance(x, complex)
    return _core.complex128 if complex_ else _core.float64


@composition(out=True)
def float_power(input, exponent, *, out=None):
    """input ** exponent in double precision: float64, complex128 if either is complex. Either may be a number.

    >>> torch.float_power(torch.tensor([1, 2, 3]), 2)
    tensor([1., 4., 9.], dtype=torch.float64)
    """
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError(
            "[float_power] input or exponent must be a Tensor. Received two numbers. Use torch.tensor(...)."
        )
    dtype = _core.promote_types(_double(input), _double(exponent))
    input, exponent = (x.to(dtype) if isinstance(x, Tensor) else x for x in (input, exponent))
    if not isinstance(input, Tensor):
        input = _core.full((), input, dtype=dtype)
    elif isinstance(exponent, (int, float)):
        exponent = float(exponent)
    return _core.pow(input, exponent)


@composition(public=False)
def float_power_(input, exponent):
    """The in-place form of float_power(). Raises RuntimeError unless input is float64 or complex128 as the result
    is.
    """
    dtype = _core.promote_types(_double(input), _double(exponent))
    if input.dtype != dtype:
        raise RuntimeError(
            f"[float_power_] the base given to float_power_ must have the result's dtype {dtype}. Received "
            f"{input.dtype}."
        )
    return input.copy_(float_power(input, exponent))


@composition(inplace=True, out=True)
def ldexp(input, other, *, out=None):
    """input * 2 ** other.

    >>> torch.ldexp(torch.tensor([1.0]), torch.tensor([1, 2, 3]))
    tensor([2., 4., 8.])
    """
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        raise TypeError(
            "[ldexp] input and other must be Tensors. "
            f"Received {type(input).__name__} and {type(other).__name__}. Use torch.tensor(...)."
        )
    return input * _core.pow(2.0, other)


@composition(out=True)
@asks_overrides
def frexp(input, *, out=None):
    """(mantissa, exponent) with input = mantissa * 2 ** exponent and 0.5 <= |mantissa| < 1; the exponent is int32.

    Raises RuntimeError unless input is floating point.

    >>> torch.frexp(torch.tensor([1.0, 6.0]))
    torch.return_types.frexp(
    mantissa=tensor([0.5000, 0.7500]),
    exponent=tensor([1, 3], dtype=torch.int32))
    """
    if not input.is_floating_point():
        raise RuntimeError(f"[frexp] input must be floating point. Received {input.dtype}. Use .float().")
    import numpy

    from rushlight import return_types

    wide = input.detach().float() if input.dtype == _core.bfloat16 else input.detach()
    exponent = _core.tensor_from(numpy.frexp(wide.numpy())[1], _core.int32, True)
    half = exponent.div(2, rounding_mode="floor")  # in two steps: 2 ** exponent alone may overflow
    mantissa = input * _core.exp2(-half.to(input.dtype)) * _core.exp2((half - exponent).to(input.dtype))
    return return_types.frexp((_core.where(_core.isfinite(input), mantissa, input), exponent))


@composition(out=True)
def mvlgamma(input, p, *, out=None):
    """The logarithm of the p-variate gamma function: p * (p - 1) / 4 * log(pi) + sum of lgamma(input - k / 2), k < p.

    Raises RuntimeError for p < 1. Source: https://dlmf.nist.gov/35.3

    >>> torch.mvlgamma(torch.tensor([1.5, 2.0]), 2)
    tensor([0.4516, 0.4516])
    """
    if p < 1:
        raise RuntimeError(f"[mvlgamma] p has to be greater than or equal to 1. Received {p}.")
    if not input.is_floating_point():
        input = input.to(_core.get_default_dtype())
    shifts = _core.arange(0, p, 1, input.dtype) * -0.5
    return (input.unsqueeze(-1) + shifts).lgamma().sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


Tensor.mvlgamma_ = lambda input, p: input.copy_(mvlgamma(input, p))


@composition(public=False)
def polygamma(input, n):
    """The n-th derivative of digamma."""
    return _core.polygamma(n, input)


Tensor.polygamma_ = lambda input, n: input.copy_(_core.polygamma(n, input))


@composition(out=True)
def dist(input, other, p=2):
    """The p-norm of input - other, both broadcast.

    >>> torch.dist(torch.tensor([0.0, 0.0]), torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return _core.vector_norm(input - other, p)


@composition(method=False)
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distances between the rows of x1 [*, M, D] and those of x2 [*, N, D]: [*, M, N].

    compute_mode "use_mm_for_euclid_dist" computes them from inner products; "..._if_necessary" (the default) does so
    above
    25 rows, "donot_use_mm_for_euclid_dist" never. Raises RuntimeError for p < 0 or unequal D.

    >>> torch.cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            "[cdist] x1 and x2 must be at least 2-d with the same number of columns. "
            f"Received {tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    if not (x1.is_floating_point() and x2.is_floating_point()):
        raise RuntimeError(f"[cdist] cdist only supports floating-point dtypes. Received {x1.dtype} and {x2.dtype}.")
    if p < 0:
        raise RuntimeError(f"[cdist] cdist only supports non-negative p values. Received {p}.")
    modes = (
        "use_mm_for_euclid_dist_if_necessary",
        "use_mm_for_euclid_dist",
        "donot_use_mm_for_euclid_dist",
    )
    if compute_mode not in modes:
        raise ValueError(f"[cdist] compute_mode must be one of {modes}. Received {compute_mode!r}.")
    many = x1.shape[-2] > 25 or x2.shape[-2] > 25
    if p == 2 and (compute_mode == modes[1] or (compute_mode == modes[0] and many)):
        squares = (x1 * x1).sum(-1, keepdim=True) + (x2 * x2).sum(-1).unsqueeze(-2)
        squared = squares - 2 * _core.matmul(x1, x2.mT)
        apart = squared > 0  # rounding may leave a little below zero; the root has no derivative at it
        return _core.where(apart, _core.where(apart, squared, 1.0).sqrt(), 0.0)
    return _core.vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), float(p), -1)


@composition(out=True)
def cross(input, other, dim=None, *, out=None):
    """The cross product of vectors of 3 along dim (by default the first dimension of size 3); the rest broadcasts.

    Raises RuntimeError when no dimension has size 3.

    >>> torch.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]), dim=0)
    tensor([0, 0, 1])
    """
    if input.ndim != other.ndim:
        raise RuntimeError(
            "[cross] inputs must have the same number of dimensions. "
            f"Received {tuple(input.shape)} and {tuple(other.shape)}."
        )
    if dim is None:
        dim = next((d for d, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError(f"[cross] no dimension of size 3 in input. Received {tuple(input.shape)}.")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"[cross] inputs dimension {dim} must have length 3. "
            f"Received {tuple(input.shape)} and {tuple(other.shape)}."
        )
    a1, a2, a3 = input.unbind(dim)
    b1, b2, b3 = other.unbind(dim)
    parts = (a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1)
    return _core.stack(parts, dim if dim >= 0 else input.ndim + dim)
