"""Elements found, taken and written by their places."""

from rushlight import _core
from rushlight.ops.composition import composition
from rushlight.ops.dimension import wrap_dim

Tensor = _core.Tensor


@composition(out=True)
def nonzero(input, *, out=None, as_tuple=False):
    """The places of the elements that are not zero: [number, dimensions], or with as_tuple a 1-d tensor per dimension.

    >>> torch.nonzero(torch.tensor([[1, 0], [0, 2]]))
    tensor([[0, 0],
            [1, 1]])
    """
    if not as_tuple:
        return _core.nonzero(input)
    if input.ndim == 0:
        input = input.unsqueeze(0)
    return _core.nonzero(input).unbind(1)


@composition
def argwhere(input):
    """The places of the elements that are not zero: [number, dimensions].

    >>> torch.argwhere(torch.tensor([0, 3]))
    tensor([[1]])
    """
    return _core.nonzero(input)


@composition(out=True)
def nonzero_static(input, *, size, fill_value=-1, out=None):
    """The first `size` rows of nonzero(input), filled up with fill_value: [size, dimensions].

    >>> torch.nonzero_static(torch.tensor([0, 3]), size=2)
    tensor([[ 1],
            [-1]])
    """
    if size < 0:
        raise RuntimeError(f"[nonzero_static] size must be non-negative. Received {size}.")
    found = _core.nonzero(input)[:size]
    return _core.constant_pad_nd(found, (0, 0, 0, size - found.shape[0]), fill_value)


@composition(out=True)
def scatter(input, dim, index, src=None, *, value=None, reduce=None, out=None):
    """A copy of input with result[index[i, j]][j] = src[i, j] (for dim 0), or a number; reduce "add" or "multiply"
    combines.

    Raises RuntimeError for an index out of range, for another reduce, and when dtypes differ.

    >>> torch.scatter(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    if src is None:
        src = value
    if src is None:
        raise TypeError("[scatter] src or value must be given. Received neither.")
    if reduce is None:
        if isinstance(src, Tensor):
            return _core.scatter(input, dim, index, src)
        return _core.scatter_value(input, dim, index, src)
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"[scatter] reduce argument must be either add or multiply. Received {reduce!r}.")
    if not isinstance(src, Tensor):
        src = _core.full(index.shape, src, dtype=input.dtype)
    if reduce == "add":
        return _core.scatter_add(input, dim, index, src)
    return _core.scatter_reduce(input, dim, index, src, "prod")


@composition(public=False)
def scatter_(input, dim, index, src=None, *, value=None, reduce=None):
    """The in-place form of scatter()."""
    if src is None:
        src = value
    if reduce is None and src is not None:
        write = _core.scatter_ if isinstance(src, Tensor) else _core.scatter_value_
        return write(input, dim, index, src)
    return input.copy_(scatter(input, dim, index, src, reduce=reduce))


@composition(out=True)
def take_along_dim(input, indices, dim=None, *, out=None):
    """gather() whose input and indices broadcast outside dim; without dim, the elements of the flattened input.

    >>> x = torch.tensor([[10, 30, 20], [60, 40, 50]])
    >>> torch.take_along_dim(x, torch.argsort(x, dim=1), dim=1)
    tensor([[10, 20, 30],
            [40, 50, 60]])
    """
    if indices.dtype != _core.int64:
        raise RuntimeError(f"[take_along_dim] dtype of indices should be Long. Received {indices.dtype}.")
    if dim is None:
        return take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "[take_along_dim] input and indices should have the same number of dimensions. "
            f"Received {input.ndim} and {indices.ndim}."
        )
    dim = wrap_dim("take_along_dim", dim, input.ndim)

    def without(shape):
        return shape[:dim] + (1,) + shape[dim + 1 :]

    common = tuple(_core.broadcast_shapes(without(tuple(input.shape)), without(tuple(indices.shape))))
    n = input.shape[dim] if input.ndim else 1
    indices = _core.where(indices < 0, indices + n, indices)
    if input.ndim == 0:
        return input.gather(0, indices)
    wide = input.expand(common[:dim] + (input.shape[dim],) + common[dim + 1 :])
    return wide.gather(dim, indices.expand(common[:dim] + (indices.shape[dim],) + common[dim + 1 :]))


@composition(inplace=True, out=True)
def index_reduce(input, dim, index, source, reduce, *, include_self=True, out=None):
    """A copy of input whose slices along dim that index [n] names are combined with those of source [.., n, ..].

    reduce: "prod", "mean", "amax" or "amin"; include_self=False leaves the elements of input out of it.

    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.index_reduce(x, 0, torch.tensor([0, 0]), torch.full((2, 2), 3.0), "prod")
    tensor([[ 9., 18.],
            [ 3.,  4.]])
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"[index_reduce] reduce argument must be either prod, mean, amax or amin. Received {reduce!r}."
        )
    if index.ndim > 1:
        raise RuntimeError(f"[index_reduce] Expected 1-dimensional or scalar index. Received {index.ndim} dimensions.")
    if input.dtype != source.dtype:
        raise RuntimeError(
            f"[index_reduce] self and source must have the same dtype. Received {input.dtype} and {source.dtype}."
        )
    dim = wrap_dim("index_reduce", dim, input.ndim)
    shape = [1] * (source.ndim or 1)
    shape[dim] = -1
    if source.numel() == 0:
        return input.clone()
    places = index.reshape(shape).expand(source.shape or (1,)).reshape(source.shape)
    return _core.scatter_reduce(input, dim, places, source, reduce, include_self=include_self)


@composition(method=False)
def unravel_index(indices, shape):
    """The coordinates, int64, of places in a flattened tensor of `shape`: one tensor per dimension. Negative places
    count from the end.

    >>> torch.unravel_index(torch.tensor([4, 5]), (2, 3))
    (tensor([1, 1]), tensor([1, 2]))
    """
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == _core.bool:
        raise ValueError(f"[unravel_index] expected 'indices' to be integer dtype. Received {indices.dtype}.")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"[unravel_index] 'shape' cannot have negative values. Received {shape}.")
    coordinates, indices = [], indices.long()
    for n in reversed(shape):
        coordinates.append(indices.remainder(n) if n else indices)
        indices = indices.div(n, rounding_mode="floor") if n else indices
    return tuple(reversed(coordinates))


@composition(public=False)
def index(input, indices):
    """input[indices], the indices being tensors."""
    return input[tuple(indices)]
