"""Other arrangements of the same values: transposed, selected, joined."""

import rushlight
from rushlight.sparse.compressed import CompressedTensor, CscTensor, CsrTensor
from rushlight.sparse.coo import CooTensor, coo, keys_of
from rushlight.sparse.pointwise import look_up
from rushlight.sparse.tensor import implements, is_sparse, refuse


def _wrap_dim(op, dim, ndim):
    if not -ndim <= dim < ndim:
        raise IndexError(f"[{op}] dimension out of range (expected to be in [{-ndim}, {ndim - 1}], but got {dim}).")
    return dim % ndim


def _wrap_index(op, index, n, dim):
    if not -n <= index < n:
        raise IndexError(f"[{op}] index {index} is out of bounds for dimension {dim} with size {n}.")
    return index % n


# --- the order of dimensions


@implements("transpose", "swapaxes", "swapdims")
def transpose(input, dim0, dim1):
    """Two sparse or two strided dimensions exchanged; of a CSR matrix, the CSC matrix on the same parts."""
    order = list(range(input.ndim))
    dim0, dim1 = (_wrap_dim("transpose", d, input.ndim) for d in (dim0, dim1))
    order[dim0], order[dim1] = dim1, dim0
    return permute(input, order)


@implements()
def permute(input, *dims):
    """The dimensions in another order; sparse ones stay before strided ones."""
    order = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    order = [_wrap_dim("permute", d, input.ndim) for d in order]
    if sorted(order) != list(range(input.ndim)):
        raise RuntimeError(f"[permute] every dimension must be named once. Received {order} for {input.ndim}.")
    size = [input.shape[d] for d in order]
    if isinstance(input, CompressedTensor):
        kind = CsrTensor if isinstance(input, CsrTensor) == (order == [0, 1]) else CscTensor
        return kind._make(input._elements, size, _places=input._places)
    sparse_dim = input.sparse_dim()
    if any(d >= sparse_dim for d in order[:sparse_dim]):
        raise RuntimeError(
            f"[permute] can't exchange sparse and dense dimensions: the first {sparse_dim} of {input.ndim} are sparse. "
            f"Received the order {order}."
        )
    of_values = [0, *(d - sparse_dim + 1 for d in order[sparse_dim:])]
    unchanged = input._coalesced and order[:sparse_dim] == list(range(sparse_dim))
    return coo(input._places[order[:sparse_dim]], input._elements.permute(of_values), size, unchanged)


@implements()
def t(input):
    """The transpose of a matrix; a vector itself."""
    if input.ndim > 2 or input.dense_dim():
        raise RuntimeError(
            "[t] t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got "
            f"{input.sparse_dim()} sparse and {input.dense_dim()} dense dimensions."
        )
    return transpose(input, 0, 1) if input.ndim == 2 else input


@implements()
def unsqueeze(input, dim):
    """A new dimension of size 1."""
    tensor = _coo_only("unsqueeze", input)
    dim = _wrap_dim("unsqueeze", dim, input.ndim + 1)
    size = [*input.shape[:dim], 1, *input.shape[dim:]]
    sparse_dim = tensor.sparse_dim()
    if dim > sparse_dim:
        return coo(tensor._places, tensor._elements.unsqueeze(dim - sparse_dim + 1), size, tensor._coalesced)
    places = tensor._places
    zeros = places.new_zeros((1, places.shape[1]))
    return coo(rushlight.cat([places[:dim], zeros, places[dim:]]), tensor._elements, size, tensor._coalesced)


def _coo_only(op, input):
    if not isinstance(input, CooTensor):
        refuse(op)
    return input


# --- parts


@implements()
def select(input, dim, index):
    """The slice at `index` along dim: strided when no sparse dimension is left."""
    dim = _wrap_dim("select", dim, input.ndim)
    index = _wrap_index("select", index, input.shape[dim], dim)
    tensor, sparse_dim = input._as_coo(), input.sparse_dim()
    size = [*input.shape[:dim], *input.shape[dim + 1 :]]
    if dim >= sparse_dim:
        elements = tensor._elements.select(dim - sparse_dim + 1, index)
        return coo(tensor._places, elements, size, tensor._coalesced)
    here = (tensor._places[dim] == index).nonzero().squeeze(1)
    elements = tensor._elements.index_select(0, here)
    if sparse_dim == 1:
        return elements.sum(0, dtype=elements.dtype)
    left = [d for d in range(sparse_dim) if d != dim]
    return coo(tensor._places[left][:, here], elements, size, tensor._coalesced)


@implements()
def unbind(input, dim=0):
    """All slices along dim."""
    return tuple(select(input, dim, i) for i in range(input.shape[dim]))


def _range(input, dim, start, stop):
    """The slices from start up to stop along dim."""
    size = [*input.shape[:dim], max(stop - start, 0), *input.shape[dim + 1 :]]
    sparse_dim = input.sparse_dim()
    if dim >= sparse_dim:
        elements = input._elements.narrow(dim - sparse_dim + 1, start, size[dim])
        return coo(input._places, elements, size, input._coalesced)
    row = input._places[dim]
    here = ((row >= start) & (row < stop)).nonzero().squeeze(1)
    places = input._places[:, here]
    places[dim] -= start
    return coo(places, input._elements.index_select(0, here), size, input._coalesced)


@implements("narrow", "narrow_copy")
def narrow(input, dim, start, length):
    """`length` slices along dim, from `start` on."""
    dim = _wrap_dim("narrow", dim, input.ndim)
    n, start = input.shape[dim], int(start)
    start = start + n if start < 0 else start
    if length < 0 or not 0 <= start <= n - length:
        raise RuntimeError(f"[narrow] start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _range(_coo_only("narrow", input), dim, start, start + length)


@implements("__getitem__")
def get_item(input, key):
    """input[key] for integers, slices without a step, and one Ellipsis."""
    key = list(key) if isinstance(key, tuple) else [key]
    named = len(key) - key.count(Ellipsis) if not any(isinstance(k, rushlight.Tensor) for k in key) else None
    if named is None or key.count(Ellipsis) > 1:
        refuse("indexing")
    if named > input.ndim:
        raise IndexError(f"[index] too many indices for tensor of dimension {input.ndim}. Received {named}.")
    if Ellipsis in key:
        at = key.index(Ellipsis)
        key[at : at + 1] = [slice(None)] * (input.ndim - named)
    result, dim = input, 0
    for part in key:
        if isinstance(part, slice) and part.step in (None, 1) and is_sparse(result):
            start, stop, _ = part.indices(result.shape[dim])
            if (start, stop) != (0, result.shape[dim]):
                result = _range(result._as_coo(), dim, start, stop)
            dim += 1
        elif isinstance(part, int) and not isinstance(part, bool):
            result = result.select(dim, part)
        else:
            refuse("indexing")
    return result


@implements()
def index_select(input, dim, index):
    """The slices along dim that `index` [n] names; one that is named twice comes twice."""
    tensor = _coo_only("index_select", input)
    dim = _wrap_dim("index_select", dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(f"[index_select] index is supposed to be a vector. Received shape {tuple(index.shape)}.")
    if index.dtype not in (rushlight.int32, rushlight.int64):
        raise RuntimeError(f"[index_select] index must be int32 or int64. Received {index.dtype}. Use index.long().")
    index = index.detach().to(rushlight.int64).reshape(-1)
    n, sparse_dim = input.shape[dim], input.sparse_dim()
    size = [*input.shape[:dim], len(index), *input.shape[dim + 1 :]]
    if len(index) and not (index.min() >= 0 and index.max() < n):
        raise IndexError(f"[index_select] index out of range: it must lie in [0, {n}) along dim {dim}.")
    if dim >= sparse_dim:
        elements = tensor._elements.index_select(dim - sparse_dim + 1, index)
        return coo(tensor._places, elements, size, tensor._coalesced)
    # Every value goes wherever the sorted index names its slice.
    ordered, order = index.sort(stable=True)
    row = tensor._places[dim]
    first = rushlight.searchsorted(ordered, row)
    counts = rushlight.searchsorted(ordered, row, right=True) - first
    which = rushlight.arange(len(row)).repeat_interleave(counts)
    within = rushlight.arange(len(which)) - (counts.cumsum(0) - counts)[which]
    places = tensor._places[:, which]
    places[dim] = order[first[which] + within]
    return coo(places, tensor._elements.index_select(0, which), size)


@implements()
def sparse_mask(input, mask):
    """What `input` holds at the places of the sparse tensor `mask`, stored there even where it is zero."""
    if not is_sparse(mask) or input.shape != mask.shape:
        raise RuntimeError(
            f"[sparse_mask] mask must be sparse and have the tensor's size, {tuple(input.shape)}. Received "
            f"{mask.layout} {tuple(mask.shape)}."
        )
    places = mask._as_coo()._places
    if not is_sparse(input):
        return mask._like(input[tuple(places.unbind(0))])
    tensor = input._as_coo().coalesce()
    if not tensor._nnz():
        return mask._like(tensor._elements.new_zeros(mask._elements.shape))
    at, found = look_up(keys_of(tensor), keys_of(mask._as_coo()))
    found = found.reshape(-1, *[1] * tensor.dense_dim())
    return mask._like(rushlight.where(found, tensor._elements[at], tensor._elements.new_zeros(())))


# --- joining


@implements("cat", "concat", "concatenate")
def cat(tensors, dim=0):
    """COO tensors one after the other along dim."""
    if is_sparse(tensors):
        raise TypeError("[cat] argument 'tensors' must be tuple of Tensors, not Tensor.")
    tensors = [_coo_only("cat", tensor) for tensor in tensors]
    first = tensors[0]
    dim = _wrap_dim("cat", dim, first.ndim)
    for tensor in tensors:
        agree = tensor.ndim == first.ndim and tensor.sparse_dim() == first.sparse_dim()
        if not agree or any(a != b for d, (a, b) in enumerate(zip(tensor.shape, first.shape, strict=True)) if d != dim):
            raise RuntimeError(
                f"[cat] sizes of tensors must match except in dimension {dim}. Received {tuple(first.shape)} and "
                f"{tuple(tensor.shape)} with {first.sparse_dim()} and {tensor.sparse_dim()} sparse dimensions."
            )
    total = sum(tensor.shape[dim] for tensor in tensors)
    size = [*first.shape[:dim], total, *first.shape[dim + 1 :]]
    all_places, all_elements, offset = [], [], 0
    for tensor in tensors:
        places, elements = tensor._places, tensor._elements
        if dim < first.sparse_dim():
            places = places.clone()
            places[dim] += offset
        else:
            at = dim - first.sparse_dim() + 1
            before, after = list(elements.shape), list(elements.shape)
            before[at], after[at] = offset, total - offset - tensor.shape[dim]
            elements = rushlight.cat([elements.new_zeros(before), elements, elements.new_zeros(after)], at)
        all_places.append(places)
        all_elements.append(elements)
        offset += tensor.shape[dim]
    return coo(rushlight.cat(all_places, 1), rushlight.cat(all_elements), size)


@implements()
def stack(tensors, dim=0):
    """COO tensors side by side along a new dimension."""
    return cat(tensors if is_sparse(tensors) else [unsqueeze(tensor, dim) for tensor in tensors], dim)
