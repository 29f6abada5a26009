"""Orders, medians and distinct elements."""

from rushlight import _core, return_types
from rushlight.ops.composition import composition, write_out

Tensor = _core.Tensor


@composition
def argsort(input, dim=-1, descending=False, stable=False):
    """The places of the elements in order along dim, int64.

    >>> torch.argsort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    return _core.sort(input, dim, descending, stable)[1]


@composition(out=True)
def msort(input, *, out=None):
    """The elements in order along the first dimension.

    >>> torch.msort(torch.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """
    return _core.sort(input, 0)[0]


def _median(name, whole, along, named):
    def median(input, dim=None, keepdim=False, *, out=None):
        result = whole(input) if dim is None else named(along(input, dim, keepdim))
        return result if out is None else write_out(name, result, out)

    median.__name__ = median.__qualname__ = name
    return median


median = _median("median", _core.median_all, _core.median_dim, return_types.median)
median.__doc__ = """The median of all elements, or (values, indices) along dim.

It is the lower of two in the middle, and NaN where there is one.

>>> torch.median(torch.tensor([4, 1, 3, 2]))
tensor(2)
"""
nanmedian = _median("nanmedian", _core.nanmedian_all, _core.nanmedian_dim, return_types.nanmedian)
nanmedian.__doc__ = """median() of the elements that are not NaN.

>>> torch.nanmedian(torch.tensor([1.0, float("nan"), 3.0]))
tensor(1.)
"""
composition(median)
composition(nanmedian)


def _distinct(found, return_inverse, return_counts):
    """The results of a row that were asked for."""
    values, inverse, counts = found
    if return_inverse:
        return (values, inverse, counts) if return_counts else (values, inverse)
    return (values, counts) if return_counts else values


@composition
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements (slices along dim) in order; where each went and how often each occurs, when asked for.

    >>> torch.unique(torch.tensor([1, 3, 2, 3]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """
    if dim is None:
        found = _core.unique_sorted(input, return_inverse, return_counts)
        return _distinct(found, return_inverse, return_counts)
    values, *rest = _core.unique_dim(input.movedim(dim, 0), 0, return_inverse, return_counts)
    return _distinct((values.movedim(0, dim), *rest), return_inverse, return_counts)


@composition
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """input (flattened; with dim its slices) with runs of equal elements as one; where each went and the runs' lengths.

    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    if dim is None:
        found = _core.unique_consecutive_flat(input, return_inverse, return_counts)
    else:
        found = _core.unique_consecutive_dim(input, dim, return_inverse, return_counts)
    return _distinct(found, return_inverse, return_counts)
