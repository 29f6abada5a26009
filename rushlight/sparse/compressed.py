"""`CsrTensor` and `CscTensor`: matrices whose values are sorted by row (column), so that a row's end says it all."""

import rushlight
from rushlight.sparse.coo import coo
from rushlight.sparse.tensor import SparseTensor


class CompressedTensor(SparseTensor):
    """A matrix whose values stand row after row, or column after column: the compressed dimension.

    `_places` is (where each row begins and, last, where all end [rows + 1], column of every value [nnz]).
    """

    compressed_dim = 0
    names = ("crow_indices", "col_indices")

    def _like(self, elements):
        return type(self)._make(self._places, elements, self.shape)

    def _named_parts(self):
        return dict(zip((*self.names, "values"), (*self._places, self._elements), strict=True))

    def _as_coo(self):
        ends, plain = self._places
        lines = rushlight.arange(len(ends) - 1).repeat_interleave((ends[1:] - ends[:-1]).to(rushlight.int64))
        places = [lines, plain.to(rushlight.int64)]
        stacked = rushlight.stack(places if self.compressed_dim == 0 else places[::-1])
        return coo(stacked, self._elements, self.shape)

    def sparse_dim(self):
        """2: rows and columns."""
        return 2

    def dense_dim(self):
        """0: values are numbers."""
        return 0

    def to_dense(self, dtype=None, *, masked_grad=None):
        """The strided matrix with zeros everywhere else."""
        return self._as_coo().to_dense(dtype)


class CsrTensor(CompressedTensor):
    """A matrix with layout torch.sparse_csr. Made by `torch.sparse_csr_tensor`."""

    layout = rushlight.sparse_csr

    def crow_indices(self):
        """Where each row's values begin and, last, where all end: [rows + 1]."""
        return self._places[0]

    def col_indices(self):
        """The column of every value: [nnz]."""
        return self._places[1]


class CscTensor(CompressedTensor):
    """A matrix with layout torch.sparse_csc. Made by `torch.sparse_csc_tensor`."""

    layout = rushlight.sparse_csc
    compressed_dim = 1
    names = ("ccol_indices", "row_indices")

    def ccol_indices(self):
        """Where each column's values begin and, last, where all end: [columns + 1]."""
        return self._places[0]

    def row_indices(self):
        """The row of every value: [nnz]."""
        return self._places[1]


KINDS = {rushlight.sparse_csr: CsrTensor, rushlight.sparse_csc: CscTensor}


def kind_of(op, layout):
    """The class of a layout."""
    if layout not in KINDS:
        raise NotImplementedError(
            f"[{op}] layout must be torch.sparse_coo, torch.sparse_csr or torch.sparse_csc. Received {layout}: "
            "blocks are not supported."
        )
    return KINDS[layout]


def compress(tensor, layout):
    """A CooTensor that is a matrix, in a compressed layout."""
    kind = kind_of("to_sparse", layout)
    if tensor.ndim != 2 or tensor.dense_dim():
        raise RuntimeError(
            f"[to_sparse] a compressed layout must hold a matrix of numbers. Received shape {tuple(tensor.shape)} with "
            f"{tensor.dense_dim()} dense dimensions. Convert one matrix at a time."
        )
    dim = kind.compressed_dim
    if dim == 1:
        tensor = coo(tensor._places.flip(0), tensor._elements, (tensor.shape[1], tensor.shape[0]))
    tensor = tensor.coalesce()
    lines, plain = tensor._places
    counts = rushlight.bincount(lines, minlength=tensor.shape[0])
    ends = rushlight.cat([counts.new_zeros(1), counts.cumsum(0)])
    size = tensor.shape if dim == 0 else (tensor.shape[1], tensor.shape[0])
    return kind._make((ends, plain), tensor._elements, size)
