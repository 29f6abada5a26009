"""Questions about tensors: closeness, equality, membership, properties."""

from rushlight import _core
from rushlight.ops.composition import FUNCTIONS, by_method, composition

Tensor = _core.Tensor


@composition
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, elementwise; infinities are close to themselves, NaN with equal_nan.

    Raises RuntimeError for unequal dtypes or negative tolerances.

    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    if input.dtype != other.dtype:
        raise RuntimeError(
            f"[isclose] both tensors must have one dtype. Received {input.dtype} and {other.dtype}. Convert one with "
            ".to()."
        )
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"[isclose] tolerances must not be negative. Received rtol {rtol}, atol {atol}.")
    close = input == other
    inexact = input.is_floating_point() or input.is_complex()
    if equal_nan and inexact:
        close = close | ((input != input) & (other != other))
    if rtol == 0 and atol == 0:
        return close
    if not inexact:
        other = other.to(_core.get_default_dtype())
    error = _core.abs(input - other)
    return close | (_core.isfinite(error) & (error <= _core.abs(rtol * other) + atol))


@composition
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close to each other, see `isclose`.

    >>> torch.allclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0 + 1e-9]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@composition
def equal(input, other):
    """Whether both tensors have the same size and elements.

    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    if not isinstance(other, Tensor):
        raise TypeError(f"[equal] other must be a Tensor. Received {type(other).__name__}. Use torch.tensor(...).")
    return input.shape == other.shape and bool((input == other).all())


@composition(method=False, out=True)
def isin(elements, test_elements, *, assume_unique=False, invert=False, out=None):
    """Whether each of `elements` is one of `test_elements`, as bool of elements' shape; invert negates.

    >>> torch.isin(torch.tensor([[1, 2], [3, 4]]), torch.tensor([2, 3]))
    tensor([[False,  True],
            [ True, False]])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("[isin] elements or test_elements must be a Tensor. Received two numbers.")
    elements, test_elements = (
        x if isinstance(x, Tensor) else _core.tensor_from(x, None, True) for x in (elements, test_elements)
    )
    tests = test_elements.reshape(-1)
    if tests.numel() * elements.numel() <= 4096 or tests.numel() <= 8 or tests.dtype.is_complex:
        found = (elements.unsqueeze(-1) == tests).any(-1)
    else:  # the smallest test element that is not below
        common = _core.promote_types(elements.dtype, tests.dtype)
        elements, ordered = elements.to(common), _core.sort(tests.to(common))[0]
        place = _core.searchsorted(ordered, elements.contiguous())
        found = ordered[place.clamp(max=ordered.numel() - 1)] == elements
    return ~found if invert else found


@composition
def is_nonzero(input):
    """Whether the one element of input is not zero. Raises RuntimeError for another number of elements.

    >>> torch.is_nonzero(torch.tensor([2.0]))
    True
    """
    return bool(input)


@composition(method=False)  # the method is the core's
def is_signed(input):
    """Whether the dtype holds negative numbers.

    >>> torch.is_signed(torch.tensor([1], dtype=torch.uint8))
    False
    """
    return input.dtype.is_signed


@composition(public=False)
def is_set_to(input, tensor):
    """Whether both tensors are the same view of the same memory.

    >>> x = torch.ones(2)
    >>> x.is_set_to(x.view(2))
    True
    """
    return (
        input.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr()
        and input.storage_offset() == tensor.storage_offset()
        and input.shape == tensor.shape
        and input.stride() == tensor.stride()
    )


# Questions that the core answers as methods.
for _name in ("is_conj", "is_neg", "is_inference", "is_same_size"):
    FUNCTIONS[_name] = by_method(_name)


@composition
def is_distributed(input):
    """False: a tensor lives in one process.

    >>> torch.is_distributed(torch.ones(1))
    False
    """
    return False
