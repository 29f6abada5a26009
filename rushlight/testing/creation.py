"""`make_tensor`: random inputs for tests."""

import math
import warnings

import rushlight

__all__ = ["make_tensor"]


def make_tensor(
    *shape,
    dtype,
    device,
    low=None,
    high=None,
    requires_grad=False,
    noncontiguous=False,
    exclude_zero=False,
    memory_format=None,
):
    """Returns a tensor of values drawn uniformly from [low, high).

    Args:
        shape (ints or one sequence of ints): the shape.
        dtype (dtype): the dtype.
        device (device): the device.
        low, high (number): bounds, clamped to what the dtype can hold. Default: [0, 2) for bool, [0, 10) for uint8,
            [-9, 10) for signed integers, [-9, 9) for floating point and for both parts of complex numbers.
        requires_grad (bool): the result requires grad.
        noncontiguous (bool): the result is every second element of a larger tensor.
        exclude_zero (bool): zeros become the smallest positive normal number, or 1 for integers.
        memory_format (memory_format): of the result.

    Raises:
        ValueError: low is not below high, a bound is NaN or the interval misses the dtype's range;
            `requires_grad` with an integer dtype; `noncontiguous` with `memory_format`.

    >>> x = torch.testing.make_tensor((2, 3), dtype=torch.int64, device="cpu", low=4, high=5)
    >>> x
    tensor([[4, 4, 4],
            [4, 4, 4]])
    """
    if len(shape) == 1 and not isinstance(shape[0], int):
        shape = shape[0]
    shape = tuple(shape)
    if not isinstance(dtype, rushlight.dtype):
        raise TypeError(f"[make_tensor] dtype must be a torch.dtype. Received {dtype!r}.")
    inexact = dtype.is_floating_point or dtype.is_complex
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"[make_tensor] noncontiguous and memory_format exclude each other. Received {noncontiguous=} and "
            f"{memory_format=}."
        )
    if requires_grad and not inexact:
        raise ValueError(f"[make_tensor] requires_grad=True needs a floating point or complex dtype. Received {dtype}.")
    low, high = _bounds(low, high, dtype, inexact)

    noncontiguous = noncontiguous and math.prod(shape) > 1
    full = (*shape[:-1], 2 * shape[-1]) if noncontiguous else shape
    if inexact:
        result = rushlight.empty(full, dtype=dtype, device=device)
        parts = rushlight.view_as_real(result) if dtype.is_complex else result
        if high - low <= rushlight.finfo(dtype).max:
            parts.uniform_(low, high)
        else:  # the width itself would overflow
            parts.uniform_(low / 2, high / 2).mul_(2)
    else:
        result = rushlight.randint(low, high, full, dtype=dtype, device=device)
    if noncontiguous:
        result = result[..., 1::2]  # from the second element, so that offsets matter too
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        tiny = rushlight.finfo(dtype).tiny if inexact else 1
        result.masked_fill_(result == 0, complex(tiny, tiny) if dtype.is_complex else tiny)
    return result.requires_grad_(requires_grad)


def _bounds(low, high, dtype, inexact):
    if dtype == rushlight.bool:
        smallest, end, default = 0, 2, (0, 2)
    elif inexact:
        info = rushlight.finfo(dtype)
        smallest, end, default = info.min, info.max, (-9, 9)
    else:
        info = rushlight.iinfo(dtype)
        smallest, end, default = info.min, info.max, (max(-9, info.min), 10)
        if dtype != rushlight.int64:
            end += 1  # randint takes an int64 as its exclusive bound
    low = default[0] if low is None else low
    high = default[1] if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"[make_tensor] low and high must not be NaN. Received {low=} and {high=}.")
    if low == high and inexact:
        warnings.warn("[make_tensor] low == high is deprecated. Use full() instead.", FutureWarning, stacklevel=4)
    elif low >= high:
        raise ValueError(f"[make_tensor] low must be less than high. Received {low} >= {high}.")
    elif high < smallest or low >= end:
        raise ValueError(
            f"[make_tensor] the interval must overlap what {dtype} can hold, [{smallest}, {end}). Received "
            f"[{low}, {high})."
        )
    low, high = (min(max(bound, smallest), end) for bound in (low, high))
    return (low, high) if inexact else (math.ceil(low), math.ceil(high))
