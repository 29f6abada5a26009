"""Searching, sorting, sets and indexing."""

import collections

import rushlight
from rushlight.array_api.dtypes import promoted

__all__ = [
    "argmax", "argmin", "argsort", "nonzero", "searchsorted", "sort", "take", "take_along_axis", "unique_all",
    "unique_counts", "unique_inverse", "unique_values", "where",
]  # fmt: skip

UniqueAll = collections.namedtuple("UniqueAll", "values indices inverse_indices counts")
UniqueCounts = collections.namedtuple("UniqueCounts", "values counts")
UniqueInverse = collections.namedtuple("UniqueInverse", "values inverse_indices")


def argmax(x, /, *, axis=None, keepdims=False):
    """Where the largest element is: its first place, in the flattened array where axis is None."""
    return _place(rushlight.argmax, x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    """Where the smallest element is: its first place, in the flattened array where axis is None."""
    return _place(rushlight.argmin, x, axis, keepdims)


def _place(function, x, axis, keepdims):
    if axis is None and keepdims:
        return function(x.reshape(-1), 0).reshape((1,) * x.ndim)
    return function(x, axis, keepdims)


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    """The places of the elements in their order along an axis."""
    return rushlight.sort(x, dim=axis, descending=descending, stable=stable).indices


def sort(x, /, *, axis=-1, descending=False, stable=True):
    """The elements in their order along an axis."""
    return rushlight.sort(x, dim=axis, descending=descending, stable=stable).values


def nonzero(x, /):
    """The places of the nonzero elements: one array for every axis. Raises ValueError for a 0-d array."""
    if x.ndim == 0:
        raise ValueError("[nonzero] the array must have dimensions. Received a 0-d array. Use reshape().")
    return tuple(rushlight.nonzero(x, as_tuple=True))


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where the elements of x2 would enter the ascending x1 [N]."""
    x1, x2 = promoted(x1, x2)
    return rushlight.searchsorted(x1, x2, side=side, sorter=sorter)


def take(x, indices, /, *, axis=None):
    """The slices of x at the indices [N] along an axis, which a 1-d array need not name."""
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"[take] axis must be given unless the array has one dimension. Received {x.ndim}.")
        axis = 0
    return rushlight.index_select(x, axis, rushlight.where(indices < 0, indices + x.shape[axis], indices))


def take_along_axis(x, indices, /, *, axis=-1):
    """The elements of x at the indices along an axis, the other axes broadcast."""
    axis %= x.ndim
    shape = list(rushlight.broadcast_shapes(*(t.shape[:axis] + (1,) + t.shape[axis + 1 :] for t in (x, indices))))
    x = x.expand(*shape[:axis], x.shape[axis], *shape[axis + 1 :])
    indices = indices.expand(*shape[:axis], indices.shape[axis], *shape[axis + 1 :])
    return rushlight.gather(x, axis, rushlight.where(indices < 0, indices + x.shape[axis], indices).long())


def where(condition, x1, x2, /):
    """x1 where the condition holds, x2 elsewhere."""
    return rushlight.where(condition, *promoted(x1, x2))


def _ascending(x):
    """The places of the elements of x [N] in ascending order; complex ones by their real part, then the imaginary."""
    if not x.is_complex():
        return rushlight.argsort(x, stable=True)
    order = rushlight.argsort(x.imag, stable=True)
    return order[rushlight.argsort(x.real[order], stable=True)]


def _unique(x):
    """The distinct elements in ascending order, every element's place among them, and counts. No NaN equals another."""
    flat = x.reshape(-1)
    order = _ascending(flat)
    ordered = flat[order]
    first = rushlight.ones(flat.shape, dtype=rushlight.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = rushlight.nonzero(first).reshape(-1)
    inverse = rushlight.empty(flat.shape, dtype=rushlight.int64)
    inverse[order] = rushlight.cumsum(first, 0) - 1
    counts = rushlight.diff(starts, append=rushlight.tensor([flat.numel()]))
    return ordered[starts], order[starts], inverse.reshape(x.shape), counts


def unique_all(x, /):
    """The distinct elements, their first places in the flattened x, every element's place among them, and counts."""
    return UniqueAll(*_unique(x))


def unique_counts(x, /):
    """The distinct elements and how often each occurs."""
    values, _, _, counts = _unique(x)
    return UniqueCounts(values, counts)


def unique_inverse(x, /):
    """The distinct elements and every element's place among them."""
    values, _, inverse, _ = _unique(x)
    return UniqueInverse(values, inverse)


def unique_values(x, /):
    """The distinct elements in ascending order."""
    return _unique(x)[0]
