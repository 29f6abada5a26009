"""Matrices from their diagonals."""

import rushlight
from rushlight.sparse.creation import sparse_coo_tensor

__all__ = ["spdiags"]


def spdiags(diagonals, offsets, shape, layout=None):
    """The matrix of the given shape with diagonals [n, length] at offsets [n]: above the main one if positive.

    Column j of the matrix takes element j of each diagonal. Raises RuntimeError when an offset occurs twice.

    >>> torch.sparse.spdiags(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1]), (2, 2)).to_dense()
    tensor([[1., 4.],
            [0., 2.]])
    """
    diagonals, offsets = diagonals.reshape(-1, diagonals.shape[-1]), offsets.reshape(-1)
    if len(diagonals) != len(offsets):
        raise RuntimeError(
            f"[spdiags] Number of diagonals ({len(diagonals)}) does not match the number of offsets ({len(offsets)})."
        )
    if len(shape) != 2:
        raise RuntimeError(f"[spdiags] Output shape must be 2d. Received {tuple(shape)}.")
    if offsets.dtype != rushlight.int64:
        raise RuntimeError(f"[spdiags] Expected a LongTensor of offsets but got {offsets.dtype}.")
    if len(offsets.unique()) != len(offsets):
        raise RuntimeError(f"[spdiags] Offset tensor contains duplicate values. Received {offsets.tolist()}.")
    if layout not in (None, rushlight.sparse_coo, rushlight.sparse_csr, rushlight.sparse_csc):
        raise RuntimeError(f"[spdiags] Only output layouts (Sparse, SparseCsc, SparseCsr) are supported, got {layout}.")
    columns = rushlight.arange(diagonals.shape[1]).expand(diagonals.shape)
    rows = columns - offsets.unsqueeze(1)
    inside = (rows >= 0) & (rows < shape[0]) & (columns < shape[1])
    made = sparse_coo_tensor(rushlight.stack([rows[inside], columns[inside]]), diagonals[inside], shape)
    return made.to_sparse(layout=layout)
