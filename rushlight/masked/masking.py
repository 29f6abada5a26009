"""What a mask means: an element where it is False is as if it were not there.

An operation fills it with the value that changes nothing: 0 for a sum, 1 for a product, -inf for a maximum.
"""

import rushlight
from rushlight import _core
from rushlight.ops.dimension import wrap_dims


def full_mask(name, input, mask):
    """The mask as bool, of input's shape.

    Raises IndexError when it has more dimensions than input, RuntimeError when it cannot be expanded to input.
    """
    if not isinstance(mask, rushlight.Tensor):
        raise TypeError(f"[{name}] mask must be a Tensor. Received {type(mask).__name__}. Use torch.tensor(...).")
    if mask.ndim > input.ndim:
        raise IndexError(
            f"[{name}] expected a mask that broadcasts to input. "
            f"Received mask {tuple(mask.shape)} and input {tuple(input.shape)}."
        )
    return mask.to(rushlight.bool).expand(input.shape)


def filled(name, input, mask, value):
    """input with `value`, a number or a function of (name, dtype), where the mask is False; itself without a mask."""
    if not isinstance(input, rushlight.Tensor):
        raise TypeError(f"[{name}] input must be a Tensor. Received {type(input).__name__}. Use torch.tensor(...).")
    if mask is None:
        return input
    return _core.where(full_mask(name, input, mask), input, value(name, input.dtype) if callable(value) else value)


def lowest(name, dtype):
    """What a maximum ignores: -inf, or the least integer."""
    return -rushlight.inf if _ordered(name, dtype).is_floating_point else rushlight.iinfo(dtype).min


def highest(name, dtype):
    """What a minimum ignores: inf, or the greatest integer."""
    return rushlight.inf if _ordered(name, dtype).is_floating_point else rushlight.iinfo(dtype).max


def _ordered(name, dtype):
    if dtype == rushlight.bool:
        raise NotImplementedError(f"[{name}] there is no identity of {name} on bool input. Received {dtype}.")
    if dtype.is_complex:
        raise TypeError(f"[{name}] complex numbers have no order. Received {dtype}.")
    return dtype


def reduced_dims(name, input, dim):
    """The dimensions that dim (an int, several, or None for all) names."""
    return wrap_dims(name, range(input.ndim) if dim is None or dim == () else dim, input.ndim)
