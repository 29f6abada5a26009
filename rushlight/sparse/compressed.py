"""`CsrTensor` and `CscTensor`: matrices whose values are sorted by row (column), so that a row's end says it all."""

from functools import cached_property

import rushlight
from rushlight.sparse.coo import coo
from rushlight.sparse.tensor import SparseTensor


class Lines:
    """The places of a compressed matrix, line after line (row after row in CSR).

    ends: where each line begins and, last, where all end [lines + 1]; plain: where in its line a value stands [nnz].
    """

    def __init__(self, ends, plain):
        self.ends, self.plain = ends, plain

    @cached_property
    def coordinates(self):
        """[2, nnz]: the line of every value, and its place in the line."""
        counts = (self.ends[1:] - self.ends[:-1]).to(rushlight.int64)
        lines = rushlight.arange(len(counts)).repeat_interleave(counts)
        return rushlight.stack([lines, self.plain.to(rushlight.int64)])

    def clone(self):
        """A copy."""
        return Lines(self.ends.clone(), self.plain.clone())


class CompressedTensor(SparseTensor):
    """A matrix whose values stand line after line along the compressed dimension; `_places` are `Lines`."""

    compressed_dim = 0
    names = ("crow_indices", "col_indices")

    def _like(self, elements):
        return type(self)._make(elements, self.shape, _places=self._places)

    def _named_parts(self):
        return dict(zip(self.names, (self._places.ends, self._places.plain), strict=True)) | {"values": self._elements}

    def _as_coo(self):
        places = self._places.coordinates
        return coo(places if self.compressed_dim == 0 else places.flip(0), self._elements, self.shape)

    @classmethod
    def _from_coo(cls, tensor):
        if tensor.ndim != 2 or tensor.dense_dim():
            raise RuntimeError(
                "[to_sparse] a compressed layout must hold a matrix of numbers. Received shape "
                f"{tuple(tensor.shape)} with {tensor.dense_dim()} dense dimensions. Convert one matrix at a time."
            )
        size = tensor.shape
        if cls.compressed_dim == 1:
            tensor = coo(tensor._places.flip(0), tensor._elements, (size[1], size[0]))
        tensor = tensor.coalesce()
        lines, plain = tensor._places
        counts = rushlight.bincount(lines, minlength=tensor.shape[0])
        ends = rushlight.cat([counts.new_zeros(1), counts.cumsum(0)])
        return cls._make(tensor._elements, size, _places=Lines(ends, plain))

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
        return self._places.ends

    def col_indices(self):
        """The column of every value: [nnz]."""
        return self._places.plain


class CscTensor(CompressedTensor):
    """A matrix with layout torch.sparse_csc. Made by `torch.sparse_csc_tensor`."""

    layout = rushlight.sparse_csc
    compressed_dim = 1
    names = ("ccol_indices", "row_indices")

    def ccol_indices(self):
        """Where each column's values begin and, last, where all end: [columns + 1]."""
        return self._places.ends

    def row_indices(self):
        """The row of every value: [nnz]."""
        return self._places.plain
