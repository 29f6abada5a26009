"""Strides: dimensions exchanged by NumPy's name, the memory around a slice."""

from rushlight import _core
from rushlight.ops.composition import FUNCTIONS, composition

Tensor = _core.Tensor


@composition
def swapaxes(input, axis0, axis1):
    """The two dimensions exchanged: a view. NumPy's name of transpose().

    >>> torch.swapaxes(torch.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    return _core.transpose(input, axis0, axis1)


def swapaxes_(input, axis0, axis1):
    """The in-place form of swapaxes()."""
    return _core.transpose_(input, axis0, axis1)


FUNCTIONS["swapaxes_"] = Tensor.swapaxes_ = swapaxes_


@composition(method=False)
def slice_inverse(input, src, dim=0, start=None, end=None, step=1):
    """input as the slice [start:end:step] of the memory of a tensor shaped like src: a view.

    >>> whole = torch.arange(4)
    >>> torch.slice_inverse(whole[1:3], whole, 0, 1, 3)
    tensor([0, 1, 2, 3])
    """
    first = _core.slice(src, dim, start, end, step)
    if first.shape != input.shape:
        raise RuntimeError(
            f"[slice_inverse] input must have the shape of the slice, {tuple(first.shape)}. "
            f"Received {tuple(input.shape)}."
        )
    return input.as_strided(
        src.shape, src.stride(), input.storage_offset() - (first.storage_offset() - src.storage_offset())
    )
