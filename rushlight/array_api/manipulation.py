"""Other shapes and orders of the same elements."""

import rushlight
from rushlight.array_api.dtypes import promoted

__all__ = [
    "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis", "permute_dims", "repeat",
    "reshape", "roll", "squeeze", "stack", "tile", "unstack",
]  # fmt: skip


def broadcast_arrays(*arrays):
    """The arrays expanded to their common shape: views."""
    return list(rushlight.broadcast_tensors(*arrays))


def broadcast_to(x, /, shape):
    """x expanded to shape: a view."""
    return rushlight.broadcast_to(x, shape)


def concat(arrays, /, *, axis=0):
    """The arrays joined along an existing axis; flattened first where axis is None."""
    arrays = promoted(*arrays)
    if axis is None:
        arrays, axis = [x.reshape(-1) for x in arrays], 0
    return rushlight.cat(list(arrays), axis)


def expand_dims(x, /, axis):
    """x with a new axis of size 1. Raises IndexError outside [-x.ndim - 1, x.ndim]."""
    return rushlight.unsqueeze(x, axis)


def flip(x, /, *, axis=None):
    """x with the elements along an axis, several, or all of them reversed."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    return rushlight.flip(x, (axes,) if isinstance(axes, int) else axes)


def moveaxis(x, source, destination, /):
    """x with axes moved to other places: a view."""
    return rushlight.moveaxis(x, source, destination)


def permute_dims(x, /, axes):
    """x with its axes in another order: a view."""
    return rushlight.permute(x, axes)


def repeat(x, repeats, /, *, axis=None):
    """Every element (of the flattened array), or every slice along axis, repeated."""
    if not isinstance(repeats, int):
        repeats = repeats.long().expand(x.numel() if axis is None else x.shape[axis])
    return rushlight.repeat_interleave(x, repeats, dim=axis)


def reshape(x, /, shape, *, copy=None):
    """x in another shape. copy: True always copies, False never does (ValueError where it must), None if need be."""
    if copy is False:
        try:
            return x.view(shape)
        except RuntimeError as error:
            raise ValueError(f"[reshape] {tuple(x.shape)} cannot become {shape} without a copy: {error}") from error
    return x.clone().reshape(shape) if copy else x.reshape(shape)


def roll(x, /, shift, *, axis=None):
    """x with elements moved along axes; what leaves at one end enters at the other."""
    return rushlight.roll(x, shift, () if axis is None else axis)


def squeeze(x, /, axis):
    """x without the given axes, whose size must be 1: a view. Raises ValueError otherwise."""
    axes = (axis,) if isinstance(axis, int) else axis
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"[squeeze] axes must have size 1. Received axes {axes} of shape {tuple(x.shape)}.")
    return rushlight.squeeze(x, axes)


def stack(arrays, /, *, axis=0):
    """The arrays joined along a new axis."""
    return rushlight.stack(list(promoted(*arrays)), axis)


def tile(x, repetitions, /):
    """x side by side as often as told for every axis."""
    return rushlight.tile(x, repetitions)


def unstack(x, /, *, axis=0):
    """The slices along an axis: views."""
    return rushlight.unbind(x, axis)
