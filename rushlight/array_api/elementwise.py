"""Elementwise functions: PyTorch's, with operands that promote as the standard says."""

import rushlight
from rushlight import Tensor
from rushlight.array_api.dtypes import promoted

# The standard's name -> PyTorch's, where the two differ.
UNARY = {
    name: name
    for name in (
        "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "conj", "cos", "cosh", "exp", "expm1", "isfinite",
        "isinf", "isnan", "log", "log1p", "log2", "log10", "logical_not", "negative", "positive", "real", "reciprocal",
        "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh",
    )
}  # fmt: skip
UNARY |= {"bitwise_invert": "bitwise_not"}
ROUNDING = ("ceil", "floor", "trunc")  # integers stay as they are
BINARY = {
    name: name
    for name in (
        "add", "atan2", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
        "copysign", "greater", "greater_equal", "hypot", "less", "less_equal", "logaddexp", "logical_and",
        "logical_or", "logical_xor", "maximum", "minimum", "multiply", "nextafter", "not_equal", "pow", "subtract",
    )
}  # fmt: skip
BINARY |= {"divide": "div", "equal": "eq"}

__all__ = [*UNARY, *ROUNDING, *BINARY, "clip", "floor_divide", "imag", "remainder", "round", "sign"]


def _unary(name, function):
    def call(x, /):
        return function(x)

    return _described(call, name)


def _rounding(name, function):
    def call(x, /):
        return function(x) if x.is_floating_point() else x.clone()

    return _described(call, name)


def _binary(name, function):
    def call(x1, x2, /):
        if not (isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.dtype == x2.dtype):
            x1, x2 = promoted(x1, x2)
        return function(x1, x2)

    return _described(call, name)


def _described(function, name):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}, elementwise, as the array API standard defines it."
    return function


globals().update((name, _unary(name, getattr(rushlight, other))) for name, other in UNARY.items())
globals().update((name, _rounding(name, getattr(rushlight, name))) for name in ROUNDING)
globals().update((name, _binary(name, getattr(rushlight, other))) for name, other in BINARY.items())


def floor_divide(x1, x2, /):
    """The largest whole numbers not above x1 / x2; of infinities, what the quotient tends to."""
    x1, x2 = promoted(x1, x2)
    made = rushlight.floor_divide(x1, x2)
    if not made.is_floating_point():
        return made
    return rushlight.where(rushlight.isinf(x1) | rushlight.isinf(x2), rushlight.floor(x1 / x2), made)


def remainder(x1, x2, /):
    """What whole division leaves, with the sign of x2, also of a zero."""
    x1, x2 = promoted(x1, x2)
    made = rushlight.remainder(x1, x2)
    return rushlight.where(made == 0, rushlight.copysign(made, x2), made) if made.is_floating_point() else made


def round(x, /):
    """The nearest whole numbers, the even one of two; of complex numbers, for each part."""
    if x.is_complex():
        return rushlight.complex(rushlight.round(x.real), rushlight.round(x.imag))
    return rushlight.round(x) if x.is_floating_point() else x.clone()


def sign(x, /):
    """-1, 0 or 1; x / abs(x) of complex numbers; NaN of NaN."""
    return rushlight.where(rushlight.isnan(x), x, rushlight.sgn(x))


def imag(x, /):
    """The imaginary part; zeros of a real array."""
    return rushlight.imag(x) if x.is_complex() else rushlight.zeros_like(x)


def clip(x, /, min=None, max=None):
    """x, but at least min and at most max; the dtype stays x's."""
    low, high = (
        bound.to(x.dtype) if isinstance(bound, Tensor) else None if bound is None else _bound(x, bound)
        for bound in (min, max)
    )
    return x.clone() if low is None and high is None else rushlight.clamp(x, low, high)


def _bound(x, number):
    """A number as an array of x's dtype; past the ends of an integer dtype it bounds nothing more than they do."""
    if not (x.is_floating_point() or x.is_complex()):
        limits = rushlight.iinfo(x.dtype)
        number = sorted((limits.min, number, limits.max))[1]
    return rushlight.scalar_tensor(number, dtype=x.dtype)
