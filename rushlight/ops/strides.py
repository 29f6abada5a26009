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


@composition
def resize_as_(input, the_template, *, memory_format=None):
    """Changes the shape in place to that of the_template; new elements are uninitialised.

    >>> torch.resize_as_(torch.arange(4), torch.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return input.resize_(the_template.shape)


@composition
def as_strided_(input, size, stride, storage_offset=None):
    """Makes input itself the view as_strided(size, stride, storage_offset) of its memory.

    Raises RuntimeError when input requires a gradient.

    >>> torch.as_strided_(torch.arange(6), (2, 2), (3, 1), 1)
    tensor([[1, 2],
            [4, 5]])
    """
    if input.requires_grad:
        raise RuntimeError("[as_strided_] input must not require a gradient. Use as_strided.")
    input.data = input.as_strided(size, stride, storage_offset)
    return input
