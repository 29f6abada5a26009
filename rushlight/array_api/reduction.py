"""Reductions along one axis, several, or all: logical, statistical, cumulative."""

import rushlight

__all__ = [
    "all", "any", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "max", "mean", "min", "prod", "std",
    "sum", "var",
]  # fmt: skip


def _axes(x, axis):
    """axis as a tuple: None is every axis."""
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _copied(x, axes):
    """A reduction along no axis leaves every element as it is."""
    return not axes and x.ndim > 0


def _accumulated(x, dtype):
    """The dtype of sums and products: small integers become the default integer."""
    if dtype is not None:
        return dtype
    return rushlight.int64 if not (x.is_floating_point() or x.is_complex()) else x.dtype


def all(x, /, *, axis=None, keepdims=False):
    """Whether every element is nonzero."""
    axes = _axes(x, axis)
    return x.bool() if _copied(x, axes) else rushlight.all(x.bool(), axes, keepdims)


def any(x, /, *, axis=None, keepdims=False):
    """Whether any element is nonzero."""
    axes = _axes(x, axis)
    return x.bool() if _copied(x, axes) else rushlight.any(x.bool(), axes, keepdims)


def count_nonzero(x, /, *, axis=None, keepdims=False):
    """How many elements are nonzero."""
    return sum(x != 0, axis=axis, keepdims=keepdims)


def max(x, /, *, axis=None, keepdims=False):
    """The largest element. Raises IndexError where there is none."""
    axes = _axes(x, axis)
    return x.clone() if _copied(x, axes) else rushlight.amax(x, axes, keepdims)


def min(x, /, *, axis=None, keepdims=False):
    """The smallest element. Raises IndexError where there is none."""
    axes = _axes(x, axis)
    return x.clone() if _copied(x, axes) else rushlight.amin(x, axes, keepdims)


def mean(x, /, *, axis=None, keepdims=False):
    """The arithmetic mean."""
    axes = _axes(x, axis)
    return x.clone() if _copied(x, axes) else rushlight.mean(x, axes, keepdims)


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """The sum; of integers, an int64."""
    axes, dtype = _axes(x, axis), _accumulated(x, dtype)
    return x.to(dtype, copy=True) if _copied(x, axes) else rushlight.sum(x, axes, keepdims, dtype=dtype)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    """The product; of integers, an int64."""
    dtype = _accumulated(x, dtype)
    made = x.to(dtype, copy=True)
    for a in sorted((a % x.ndim for a in _axes(x, axis)), reverse=True):
        made = rushlight.prod(made, a, keepdims, dtype=dtype)
    return made


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The variance: squared distances from the mean, divided by their number less the correction."""
    axes = _axes(x, axis)
    if _copied(x, axes):
        return rushlight.zeros_like(x)
    return rushlight.var(x, axes, correction=correction, keepdim=keepdims)


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The square root of the variance."""
    return rushlight.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def _cumulative(function, start, x, axis, dtype, include_initial):
    if axis is None:
        if x.ndim > 1:
            raise ValueError(f"[cumulative] axis must be given for {x.ndim} dimensions. Received None.")
        axis = 0
    made = function(x.reshape(1) if x.ndim == 0 else x, axis, dtype=_accumulated(x, dtype))
    if not include_initial:
        return made
    shape = list(made.shape)
    shape[axis] = 1
    return rushlight.cat([rushlight.full(shape, start, dtype=made.dtype), made], axis)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """The sums of the elements so far along an axis; from 0 where include_initial is True."""
    return _cumulative(rushlight.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """The products of the elements so far along an axis; from 1 where include_initial is True."""
    return _cumulative(rushlight.cumprod, 1, x, axis, dtype, include_initial)


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """The n-th differences of neighbours along an axis."""
    return rushlight.diff(x, n, axis, prepend, append)
