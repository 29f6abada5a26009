"""Reductions over the elements that a mask holds. Their rules are those of torch's own functions of these names.

All take dim, an int or several (None: all dimensions), and unless said otherwise keepdim, the result's dtype (None:
input's), and mask, bool of a shape that broadcasts to input's (None: every element counts).
"""

import rushlight
from rushlight import _core
from rushlight.masked.masked_tensor import takes_masked_tensors
from rushlight.masked.masking import filled, full_mask, highest, lowest, reduced_dims
from rushlight.ops.dimension import wrap_dim


def _summing_dtype(input, dtype):
    """Integers are summed and multiplied as int64."""
    if dtype is not None:
        return dtype
    return input.dtype if input.is_floating_point() or input.is_complex() else rushlight.int64


@takes_masked_tensors
def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum; 0 where the mask leaves nothing. Integers give int64.

    >>> torch.masked.sum(torch.tensor([1, 2, 4]), mask=torch.tensor([True, False, True]))
    tensor(5)
    """
    x = filled("masked.sum", input, mask, 0)
    dims = reduced_dims("masked.sum", x, dim)
    return _core.sum(x, dims, keepdim, dtype=_summing_dtype(input, dtype))


@takes_masked_tensors
def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product; 1 where the mask leaves nothing. Integers give int64.

    >>> torch.masked.prod(torch.tensor([2, 3, 4]), mask=torch.tensor([True, False, True]))
    tensor(8)
    """
    x = filled("masked.prod", input, mask, 1).to(_summing_dtype(input, dtype))
    for d in sorted(reduced_dims("masked.prod", x, dim), reverse=True):
        x = _core.prod(x, d, keepdim, dtype=x.dtype)
    return x


@takes_masked_tensors
def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The maximum; -inf, or the least integer, where the mask leaves nothing.

    Raises IndexError when a dimension without elements is reduced.

    >>> torch.masked.amax(torch.tensor([1, 2, 4]), mask=torch.tensor([True, True, False]))
    tensor(2)
    """
    x = filled("masked.amax", input, mask, lowest)
    return _core.amax(x, reduced_dims("masked.amax", x, dim), keepdim).to(dtype or input.dtype)


@takes_masked_tensors
def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The minimum; inf, or the greatest integer, where the mask leaves nothing. See `amax`.

    >>> torch.masked.amin(torch.tensor([1, 2, 4]), mask=torch.tensor([False, True, True]))
    tensor(2)
    """
    x = filled("masked.amin", input, mask, highest)
    return _core.amin(x, reduced_dims("masked.amin", x, dim), keepdim).to(dtype or input.dtype)


@takes_masked_tensors
def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The place of the maximum along the int dim, or in the flattened input; in input's dtype unless told otherwise.

    >>> torch.masked.argmax(torch.tensor([1, 2, 4]), mask=torch.tensor([True, True, False]))
    tensor(1)
    """
    x = filled("masked.argmax", input, mask, lowest)
    return _core.argmax(x, dim, keepdim).to(dtype or input.dtype)


@takes_masked_tensors
def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The place of the minimum, see `argmax`.

    >>> torch.masked.argmin(torch.tensor([1, 2, 4]), mask=torch.tensor([False, True, True]))
    tensor(1)
    """
    x = filled("masked.argmin", input, mask, highest)
    return _core.argmin(x, dim, keepdim).to(dtype or input.dtype)


def _count(name, input, dims, keepdim, mask):
    """How many elements the mask holds."""
    counted = _core.ones(input.shape, dtype=rushlight.int64) if mask is None else full_mask(name, input, mask)
    return _core.sum(counted, dims, keepdim)


@takes_masked_tensors
def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean; NaN where the mask leaves nothing.

    Raises ValueError when dtype, or input's without it, is neither floating point nor complex.

    >>> torch.masked.mean(torch.tensor([1.0, 2.0, 4.0]), mask=torch.tensor([True, False, True]))
    tensor(2.5000)
    """
    made = dtype or input.dtype
    if not (made.is_floating_point or made.is_complex):
        raise ValueError(
            f"[masked.mean] the dtype must be either a floating point or complex dtype. Received {made}. Give dtype."
        )
    dims = reduced_dims("masked.mean", input, dim)
    return sum(input, dims, keepdim=keepdim, dtype=made, mask=mask) / _count("masked.mean", input, dims, keepdim, mask)


@takes_masked_tensors
def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The median along the int dim, the lower one of two, without NaN; NaN where the mask leaves nothing.

    Raises ValueError when input is not floating point and the mask leaves nothing somewhere.

    >>> torch.masked.median(torch.tensor([1.0, 2.0, 4.0]), mask=torch.tensor([False, True, True]))
    tensor(2.)
    """
    dim = wrap_dim("masked.median", dim, input.ndim)
    x = input if input.is_floating_point() else input.to(rushlight.float32)
    if x is not input and mask is not None and not bool(full_mask("masked.median", input, mask).any(dim).all()):
        raise ValueError(
            "[masked.median] masked median expects no fully masked out rows if dtype is not floating point. "
            f"Received {input.dtype}. Use .float()."
        )
    x = filled("masked.median", x, mask, rushlight.nan)
    return rushlight.nanmedian(x, dim, keepdim).values.to(dtype or input.dtype)


@takes_masked_tensors
def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of order ord, see torch.linalg.vector_norm; 0, or for a negative order inf, where the mask
    leaves nothing.

    >>> torch.masked.norm(torch.tensor([3.0, 4.0, 5.0]), mask=torch.tensor([True, True, False]))
    tensor(5.)
    """
    x = filled("masked.norm", input, mask, rushlight.inf if ord < 0 else 0)
    return _core.vector_norm(x, ord, reduced_dims("masked.norm", x, dim), keepdim, dtype=dtype)


@takes_masked_tensors
def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance: the squared distances from the mean over the count less correction (1, or 0 for unbiased=False).

    Raises AssertionError when both unbiased and correction are given.

    >>> torch.masked.var(torch.tensor([1.0, 9.0, 3.0]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    if unbiased is not None and correction is not None:
        raise AssertionError(
            "[masked.var] Only one of unbiased and correction may be given. "
            f"Received {unbiased} and {correction}. Leave one out."
        )
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    made = dtype or input.dtype
    if not (made.is_floating_point or made.is_complex):
        made = rushlight.float32
    dims = reduced_dims("masked.var", input, dim)
    middle = sum(input, dims, keepdim=True, dtype=made, mask=mask) / _count("masked.var", input, dims, True, mask)
    distance = input - middle
    total = sum(distance * distance.conj(), dims, keepdim=keepdim, dtype=made, mask=mask)
    return total / (_count("masked.var", input, dims, keepdim, mask) - correction).clamp(min=0)


@takes_masked_tensors
def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation, the root of `var`.

    >>> torch.masked.std(torch.tensor([1.0, 9.0, 3.0]), mask=torch.tensor([True, False, True]), unbiased=False)
    tensor(1.)
    """
    return var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask).sqrt()


@takes_masked_tensors
def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log(sum(exp(input))); -inf where the mask leaves nothing.

    >>> torch.masked.logsumexp(torch.tensor([1.0, 9.0]), mask=torch.tensor([True, False]))
    tensor(1.)
    """
    x = filled("masked.logsumexp", input, mask, -rushlight.inf if input.is_complex() else lowest)
    return _core.logsumexp(x, reduced_dims("masked.logsumexp", x, dim), keepdim).to(dtype or input.dtype)
