"""Tensors joined along a dimension that numpy's names stand for. (cat and stack are rows of the core.)"""

from rushlight import _core
from rushlight.ops.composition import composition
from rushlight.ops.shaping import atleast_1d, atleast_2d, atleast_3d


def _given(name, tensors):
    if len(tensors) == 0:
        raise RuntimeError(f"[{name}] {name} expects a non-empty TensorList. Received none.")
    return tuple(tensors)


@composition(method=False, out=True)
def hstack(tensors, *, out=None):
    """The tensors side by side: along the second dimension, of 1-d tensors along the first.

    >>> torch.hstack((torch.tensor([1, 2]), torch.tensor([3])))
    tensor([1, 2, 3])
    """
    tensors = atleast_1d(_given("hstack", tensors))
    return _core.cat(tensors, 0 if tensors[0].ndim == 1 else 1)


@composition(method=False, out=True, aliases=("row_stack",))
def vstack(tensors, *, out=None):
    """The tensors one below the other: along the first dimension, 1-d tensors being rows.

    >>> torch.vstack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    return _core.cat(atleast_2d(_given("vstack", tensors)), 0)


@composition(method=False, out=True)
def dstack(tensors, *, out=None):
    """The tensors one behind the other: along the third dimension, after `atleast_3d`.

    >>> torch.dstack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[[1, 3],
             [2, 4]]])
    """
    return _core.cat(atleast_3d(_given("dstack", tensors)), 2)


@composition(method=False, out=True)
def column_stack(tensors, *, out=None):
    """The tensors side by side, 1-d ones being columns.

    >>> torch.column_stack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
    """
    return _core.cat([t.reshape(-1, 1) if t.ndim < 2 else t for t in _given("column_stack", tensors)], 1)
