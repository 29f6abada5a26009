"""Functions that give every element a value of its own, computed from those that a mask holds.

dtype is the result's (None: input's), mask bool of a shape that broadcasts to input's (None: every element counts).
What a function gives where the mask is False is what it gives for the value that changes nothing.
"""

import rushlight
from rushlight import _core
from rushlight.masked.masked_tensor import takes_masked_tensors, unwrapped
from rushlight.masked.masking import filled, highest, lowest
from rushlight.masked.reductions import norm


@takes_masked_tensors
def cumsum(input, dim, *, dtype=None, mask=None):
    """The sum of the elements up to each one along dim.

    >>> torch.masked.cumsum(torch.tensor([1, 2, 4]), 0, mask=torch.tensor([True, False, True]))
    tensor([1, 1, 5])
    """
    return _core.cumsum(filled("masked.cumsum", input, mask, 0), dim, dtype=dtype or input.dtype)


@takes_masked_tensors
def cumprod(input, dim, *, dtype=None, mask=None):
    """The product of the elements up to each one along dim.

    >>> torch.masked.cumprod(torch.tensor([2, 3, 4]), 0, mask=torch.tensor([True, False, True]))
    tensor([2, 2, 8])
    """
    return _core.cumprod(filled("masked.cumprod", input, mask, 1), dim, dtype=dtype or input.dtype)


@takes_masked_tensors
def softmax(input, dim, *, dtype=None, mask=None):
    """exp(input) over its sum along dim; 0 where the mask is False, NaN where it leaves nothing.

    >>> torch.masked.softmax(torch.tensor([1.0, 9.0, 1.0]), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return rushlight.softmax(filled("masked.softmax", input, mask, lowest), dim, dtype=dtype)


@takes_masked_tensors
def log_softmax(input, dim, *, dtype=None, mask=None):
    """The logarithm of `softmax`.

    >>> torch.masked.log_softmax(torch.tensor([1.0, 9.0, 1.0]), 0, mask=torch.tensor([True, False, True]))
    tensor([-0.6931,    -inf, -0.6931])
    """
    return rushlight.log_softmax(filled("masked.log_softmax", input, mask, lowest), dim, dtype=dtype)


@takes_masked_tensors
def softmin(input, dim, *, dtype=None, mask=None):
    """The `softmax` of -input.

    >>> torch.masked.softmin(torch.tensor([1.0, 0.0, 1.0]), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return rushlight.softmax(-filled("masked.softmin", input, mask, highest), dim, dtype=dtype)


@takes_masked_tensors
def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """input over its norm of order ord along dim, or over eps where the norm is less; 0 where the mask is False.

    >>> torch.masked.normalize(torch.tensor([3.0, 9.0, 4.0]), 2.0, 0, mask=torch.tensor([True, False, True]))
    tensor([0.6000, 0.0000, 0.8000])
    """
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return filled("masked.normalize", input, mask, 0) / size.clamp(min=eps)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)); where a mask is False, the other argument alone.

    >>> torch.masked.logaddexp(torch.tensor([1.0]), torch.tensor([2.0]), other_mask=torch.tensor([False]))
    tensor([1.])
    """
    made = dtype or input.dtype
    x = filled("masked.logaddexp", *unwrapped("masked.logaddexp", input, input_mask), lowest)
    y = filled("masked.logaddexp", *unwrapped("masked.logaddexp", other, other_mask), lowest)
    return rushlight.logaddexp(x.to(made), y.to(made))
