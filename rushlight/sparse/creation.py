"""Sparse tensors from indices and values, and from strided tensors. What is given is checked: no index leaves its
dimension."""

import rushlight
from rushlight import _core
from rushlight.sparse.compressed import CompressedTensor, Lines
from rushlight.sparse.coo import coo, empty_coo, flat_keys
from rushlight.sparse.invariants import check_sparse_tensor_invariants
from rushlight.sparse.tensor import kind_of, to_layout

Tensor = _core.Tensor

__all__ = ["sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor"]


def _require(holds, text):
    if not holds:
        raise RuntimeError(text)


def _as_size(op, size):
    """A tuple of sizes that fit 64 bits."""
    size = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if not all(isinstance(n, int) for n in size):
        raise TypeError(f"[{op}] size must be a tuple of ints. Received {size}.")
    _require(all(n < 2**63 for n in size), f"[{op}] sizes must fit 64 bits. Received {size}.")
    return size


def _strided(op, name, data, dtype=None):
    """A strided tensor of what is given: a tensor, or numbers."""
    if data is None:
        raise TypeError(f"[{op}] {name} must be a tensor or numbers. Received None.")
    if not isinstance(data, Tensor):
        return _core.tensor_from(data, dtype, True)
    _require(data.layout is rushlight.strided, f"[{op}] {name} must be strided. Received layout {data.layout}.")
    return data


def _as_index(op, name, data, dtype=rushlight.int64):
    index = _strided(op, name, data).detach()
    _require(not index.is_complex(), f"[{op}] {name} must be integers. Received {index.dtype}. Use .long().")
    return index.to(dtype)


def _as_values(op, data, dtype, requires_grad):
    """The values: with their history, unless the sparse tensor shall be a leaf of its own."""
    values = _strided(op, "values", data, dtype)
    values = values if dtype is None else values.to(dtype)
    if requires_grad:
        return values.detach().requires_grad_()
    return _core.alias(values) if values.requires_grad else values


def sparse_coo_tensor(
    indices=None,
    values=None,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
    is_coalesced=None,
):
    """A tensor of the given size that holds `values` at `indices`, and zeros elsewhere, which take no memory.

    Args:
        indices: [sparse_dim, nnz], a column for every value. Coordinates may occur twice: their values add up.
        values: [nnz], or [nnz, *dense sizes] for a hybrid tensor, whose last dimensions are strided.
        size: by default the smallest that holds all indices. A size alone makes a tensor without values.
        requires_grad: the tensor is a leaf with a sparse .grad. Without it, gradients reach `values` if those want it.
        check_invariants: also check that indices are sorted and distinct where `is_coalesced` says so.
        is_coalesced: the indices are known to be sorted and distinct.

    Raises:
        RuntimeError: an index is negative or too large, or the shapes do not agree.

    >>> s = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    >>> s
    tensor(indices=tensor([[0, 1, 1],
                           [2, 0, 2]]),
           values=tensor([3., 4., 5.]),
           size=(2, 3), nnz=3, layout=torch.sparse_coo)
    >>> s @ torch.ones(3, 1)
    tensor([[3.],
            [9.]])
    """
    op = "sparse_coo_tensor"
    _core.check_device(device or "cpu")
    if values is None and (indices is None or size is None):
        size = _as_size(op, indices if size is None else size)
        made = empty_coo(size, len(size), dtype or rushlight.get_default_dtype())
        return made.requires_grad_(requires_grad)
    indices = _as_index(op, "indices", indices)
    values = _as_values(op, values, dtype, requires_grad)
    if indices.ndim == 1 and indices.numel() == 0:
        indices = indices.reshape(0 if size is None else len(size), 0)
    _require(indices.ndim == 2, f"[{op}] indices must be sparse_dim x nnz. Received shape {tuple(indices.shape)}.")
    sparse_dim, nnz = indices.shape
    found = values.shape[0] if values.ndim else 1
    _require(
        values.ndim and found == nnz,
        f"[{op}] indices and values must have same nnz, but got nnz from indices: {nnz}, nnz from values: {found}.",
    )
    largest = indices.amax(1).tolist() if nnz else [-1] * sparse_dim
    smallest = indices.amin(1).tolist() if nnz else [0] * sparse_dim
    for dim, low in enumerate(smallest):
        _require(low >= 0, f"[{op}] indices must not be negative. Received: found negative index {low} for dim {dim}.")
    if size is None:
        size = (*(high + 1 for high in largest), *values.shape[1:])
    size = _as_size(op, size)
    dense_dim = values.ndim - 1
    _require(
        len(size) == sparse_dim + dense_dim,
        f"[{op}] 'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = "
        f"{sparse_dim}, dense_dim = {dense_dim}.",
    )
    _require(
        size[sparse_dim:] == tuple(values.shape[1:]),
        f"[{op}] values has incorrect size, expected {[nnz, *size[sparse_dim:]]}, got {list(values.shape)}.",
    )
    for dim, high in enumerate(largest):
        _require(
            high < size[dim],
            f"[{op}] size is inconsistent with indices: for dim {dim}, size is {size[dim]} but found index {high}.",
        )
    if is_coalesced and (check_invariants or check_sparse_tensor_invariants.is_enabled()):
        key = flat_keys(indices, size[:sparse_dim])
        _require(
            bool((key[1:] > key[:-1]).all()),
            f"[{op}] cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor. "
            "Call .coalesce() on the result instead.",
        )
    return coo(indices, values, size, bool(is_coalesced))


def sparse_compressed_tensor(
    compressed_indices,
    plain_indices,
    values,
    size=None,
    *,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
):
    """A matrix in compressed layout: `sparse_csr_tensor` or `sparse_csc_tensor`, by `layout`.

    >>> torch.sparse_compressed_tensor([0, 1, 2], [0, 1], [1.0, 2.0], layout=torch.sparse_csr).to_dense()
    tensor([[1., 0.],
            [0., 2.]])
    """
    op = "sparse_compressed_tensor"
    _require(layout is not None, f"[{op}] expected sparse compressed tensor layout but got none. Give layout=.")
    parts = (compressed_indices, plain_indices, values)
    return _compressed(op, layout, parts, size, dtype, device, requires_grad, check_invariants)


def sparse_csr_tensor(
    crow_indices,
    col_indices,
    values,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
):
    """A matrix [rows, columns] given row by row.

    Args:
        crow_indices: [rows + 1]: values from crow_indices[i] up to crow_indices[i + 1] are row i's. int64 or int32.
        col_indices: [nnz], the column of every value.
        values: [nnz].
        size: by default as many columns as col_indices needs.
        check_invariants: also check that the columns of every row are sorted and distinct.

    Raises:
        RuntimeError: crow_indices does not rise from 0 to nnz, a column is out of range, the shapes or dtypes do not
            agree.

    >>> torch.sparse_csr_tensor([0, 1, 3], [2, 0, 2], [3.0, 4.0, 5.0]).to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 5.]])
    """
    parts = (crow_indices, col_indices, values)
    return _compressed(
        "sparse_csr_tensor", rushlight.sparse_csr, parts, size, dtype, device, requires_grad, check_invariants
    )


def sparse_csc_tensor(
    ccol_indices,
    row_indices,
    values,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
):
    """A matrix [rows, columns] given column by column: as `sparse_csr_tensor` with the dimensions' parts exchanged.

    >>> torch.sparse_csc_tensor([0, 1, 1], [1], [4.0], (2, 2)).to_dense()
    tensor([[0., 0.],
            [4., 0.]])
    """
    parts = (ccol_indices, row_indices, values)
    return _compressed(
        "sparse_csc_tensor", rushlight.sparse_csc, parts, size, dtype, device, requires_grad, check_invariants
    )


def _compressed(op, layout, parts, size, dtype, device, requires_grad, check_invariants):
    _core.check_device(device or "cpu")
    kind = kind_of(op, layout)
    _require(issubclass(kind, CompressedTensor), f"[{op}] layout must be a compressed one. Received {layout}.")
    names = kind.names
    given = [_strided(op, name, part) for name, part in zip(names, parts[:2], strict=True)]
    index_dtype = rushlight.int32 if all(p.dtype == rushlight.int32 for p in given) else rushlight.int64
    ends, plain = (_as_index(op, name, p, index_dtype) for name, p in zip(names, given, strict=True))
    values = _as_values(op, parts[2], dtype, requires_grad)
    if ends.ndim > 1 or values.ndim > 1:
        raise NotImplementedError(
            f"[{op}] must describe one matrix of numbers: batches and blocks are not supported. Received {names[0]} of "
            f"shape {tuple(ends.shape)} and values of shape {tuple(values.shape)}. Use a list of matrices, or COO."
        )
    _require(
        ends.ndim == plain.ndim == values.ndim == 1 and len(ends) > 0,
        f"[{op}] {names[0]}, {names[1]} and values must have one dimension, and {names[0]} at least one element.",
    )
    nnz, lines, dim = len(values), len(ends) - 1, kind.compressed_dim
    _require(
        len(plain) == nnz,
        f"[{op}] {names[1]} and values must have the same length. Received {len(plain)} and {nnz}.",
    )
    smallest, largest = (plain.min().item(), plain.max().item()) if nnz else (0, -1)
    if size is None:
        size = (lines, largest + 1) if dim == 0 else (largest + 1, lines)
    size = _as_size(op, size)
    _require(len(size) == 2, f"[{op}] size must have two entries, rows and columns. Received {size}.")
    _require(
        size[dim] == lines,
        f"[{op}] {names[0]} must have an entry more than the size of dim {dim}. Received {lines + 1} for size {size}.",
    )
    _require(
        ends[0].item() == 0 and ends[-1].item() == nnz and bool((ends[1:] >= ends[:-1]).all()),
        f"[{op}] {names[0]} must rise from 0 to nnz = {nnz} and never fall. Received {ends.tolist()[:8]}, ...",
    )
    _require(
        smallest >= 0 and largest < size[1 - dim],
        f"[{op}] {names[1]} must lie in [0, {size[1 - dim]}). Received indices from {smallest} to {largest}.",
    )
    places = Lines(ends, plain)
    if check_invariants or check_sparse_tensor_invariants.is_enabled():
        key = flat_keys(places.coordinates, size if dim == 0 else size[::-1])
        _require(
            bool((key[1:] > key[:-1]).all()),
            f"[{op}] {names[1]} must be sorted and distinct along {'rows' if dim == 0 else 'columns'}. "
            "Make a COO tensor of them and convert it.",
        )
    return kind._make(values, size, _places=places)


# --- from strided tensors


def from_dense(input, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """Tensor.to_sparse: the elements that are not zero, with their coordinates in the first `sparse_dim` dimensions."""
    if layout is None or layout is rushlight.sparse_coo:
        return _coo_from_dense(input, input.ndim if sparse_dim is None else sparse_dim)
    if layout is rushlight.strided:
        return input
    return to_layout(_coo_from_dense(input, input.ndim), layout)


def _coo_from_dense(input, sparse_dim):
    if not 0 <= sparse_dim <= input.ndim or (input.ndim and not sparse_dim):
        raise RuntimeError(
            f"[to_sparse] sparse_dim must be in (0, {input.ndim}]. Received {sparse_dim} for {tuple(input.shape)}."
        )
    stored = input.detach() != 0
    if sparse_dim < input.ndim:
        stored = stored.flatten(sparse_dim).any(-1)
    places = stored.nonzero().t().contiguous()
    elements = input[tuple(places.unbind(0))] if sparse_dim else input.reshape(1)[: places.shape[1]]
    return coo(places, elements, input.shape, True)


def dense_method(name):
    """What the method of a strided tensor does that is about sparse layouts."""
    conversions = {
        "to_sparse": from_dense,
        "to_sparse_coo": from_dense,
        "to_sparse_csr": lambda input, dense_dim=None: from_dense(input, layout=rushlight.sparse_csr),
        "to_sparse_csc": lambda input, dense_dim=None: from_dense(input, layout=rushlight.sparse_csc),
        "sparse_dim": lambda input: 0,
        "dense_dim": lambda input: input.ndim,
    }
    if name in conversions:
        return conversions[name]
    if name == "sparse_mask":
        from rushlight.sparse.shaping import sparse_mask

        return sparse_mask

    wanted = next((text for names, text in _WANTED_LAYOUTS.items() if name in names), "sparse")

    def expected(input, *args):
        raise RuntimeError(
            f"[{name}] expected {wanted} tensor layout but got {_LAYOUT_NAMES[input.layout]}. "
            "Convert it with to_sparse() or to_sparse_csr()."
        )

    return expected


_WANTED_LAYOUTS = {
    ("coalesce", "is_coalesced", "indices", "_indices"): "sparse coordinate",
    ("crow_indices", "col_indices"): "sparse row compressed",
    ("ccol_indices", "row_indices"): "sparse column compressed",
}
_LAYOUT_NAMES = {
    rushlight.strided: "Strided",
    rushlight.sparse_coo: "Sparse",
    rushlight.sparse_csr: "SparseCsr",
    rushlight.sparse_csc: "SparseCsc",
}
