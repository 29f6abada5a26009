"""`CooTensor`: every value beside its coordinates."""

import math

import rushlight
from rushlight.sparse.tensor import SparseTensor, implements, write


class CooTensor(SparseTensor):
    """A tensor with layout torch.sparse_coo: indices [sparse_dim, nnz], values [nnz, *dense sizes].

    Coordinates may occur twice until coalesce() adds such values up. Made by `torch.sparse_coo_tensor`.
    """

    layout = rushlight.sparse_coo

    def _like(self, elements):
        return coo(self._places, elements, self.shape, self._coalesced)

    def _as_coo(self):
        return self

    @staticmethod
    def _from_coo(tensor):
        return tensor

    def _named_parts(self):
        return {"indices": self._places, "values": self._elements}

    def sparse_dim(self):
        """The number of dimensions that the indices name: the first ones."""
        return self._places.shape[0]

    def dense_dim(self):
        """The number of dimensions of each value: the last ones."""
        return self._elements.ndim - 1

    def is_coalesced(self):
        """Whether the coordinates are known to be sorted, and none to occur twice."""
        return self._coalesced

    def _coalesced_(self, coalesced):
        self._coalesced = coalesced
        return self

    def indices(self):
        """The coordinates [sparse_dim, nnz] of a coalesced tensor."""
        self._require_coalesced("indices")
        return self._places

    def values(self):
        """The values [nnz, *dense sizes] of a coalesced tensor, differentiable."""
        self._require_coalesced("values")
        return rushlight._core.alias(self._elements)

    def _indices(self):
        return self._places

    def _require_coalesced(self, what):
        if not self._coalesced:
            raise RuntimeError(
                f"[{what}] Cannot get {what} on an uncoalesced tensor, please call .coalesce() first. "
                f"Or read _{what}() as they are."
            )

    def coalesce(self):
        """The tensor with sorted coordinates, of which none occurs twice; itself when it is so already."""
        if self._coalesced:
            return self
        key, at = keys_of(self).unique(return_inverse=True)
        sparse_size = self.shape[: self.sparse_dim()]
        return coo(places_of(key, sparse_size), segment_sum(self._elements, at, len(key)), self.shape, True)

    def to_dense(self, dtype=None, *, masked_grad=None):
        """The strided tensor with zeros everywhere else."""
        cells = math.prod(self.shape[: self.sparse_dim()])
        dense = segment_sum(self._elements, keys_of(self), cells).reshape(self.shape)
        return dense if dtype is None else dense.to(dtype)

    def sparse_resize_(self, size, sparse_dim, dense_dim):
        """Another size and other numbers of dimensions, in place; the values stay.

        Raises RuntimeError when a tensor with values would become smaller or change its numbers of dimensions.
        """
        size = tuple(size)
        same_kind = (sparse_dim, dense_dim, len(size)) == (self.sparse_dim(), self.dense_dim(), self.ndim)
        if not self._nnz():
            return self.sparse_resize_and_clear_(size, sparse_dim, dense_dim)
        if not same_kind or any(new < old for new, old in zip(size, self.shape, strict=True)):
            raise RuntimeError(
                "[sparse_resize_] a tensor with values must keep its numbers of dimensions and grow. Received "
                f"{size} for {tuple(self.shape)}. Use sparse_resize_and_clear_()."
            )
        if size[sparse_dim:] != self.shape[sparse_dim:]:
            elements = self._elements.new_zeros((self._nnz(), *size[sparse_dim:]))
            elements[tuple(slice(n) for n in self._elements.shape)] = self._elements
        else:
            elements = self._elements
        return write(self, coo(self._places, elements, size, self._coalesced))

    def sparse_resize_and_clear_(self, size, sparse_dim, dense_dim):
        """Another size and other numbers of dimensions, in place, without values."""
        if sparse_dim + dense_dim != len(size):
            raise RuntimeError(
                "[sparse_resize_and_clear_] number of dimensions must be sparse_dim + dense_dim. Received "
                f"{sparse_dim} + {dense_dim} for size {tuple(size)}."
            )
        return write(self, empty_coo(size, sparse_dim, self.dtype))


def coo(places, elements, size, coalesced=False):
    """A CooTensor of parts that are known to be valid."""
    return CooTensor._make(elements, size, _places=places, _coalesced=coalesced or places.shape[1] < 2)


def empty_coo(size, sparse_dim, dtype):
    """A CooTensor without values."""
    elements = rushlight.zeros((0, *size[sparse_dim:]), dtype=dtype)
    return coo(rushlight.zeros((sparse_dim, 0), dtype=rushlight.int64), elements, size, True)


def flat_keys(places, size):
    """One number for every column of places [len(size), nnz]: the row-major position in a tensor of that size."""
    key = places.new_zeros(places.shape[1])
    for row, n in zip(places.unbind(0), size, strict=True):
        key = key * n + row
    return key


def keys_of(tensor):
    """The row-major position of every value of a CooTensor among its sparse dimensions."""
    if tensor.sparse_dim() == 1:
        return tensor._places[0]
    return flat_keys(tensor._places, tensor.shape[: tensor.sparse_dim()])


def places_of(key, size):
    """The coordinates [len(size), nnz] of row-major positions."""
    rows = []
    for n in reversed(size):
        rows.append(key % n if n else key)
        key = key // n if n else key
    return rushlight.stack(rows[::-1]) if rows else key.new_zeros((0, len(key)))


def segment_sum(values, at, n):
    """[n, *]: row i is the sum of those values [nnz, *] for which `at` [nnz] is i; of bools, whether one is True."""
    if values.dtype == rushlight.bool:
        return segment_sum(values.to(rushlight.int32), at, n) != 0
    return rushlight.zeros((n, *values.shape[1:]), dtype=values.dtype).index_add(0, at, values)


@implements()
def clone(input, *, memory_format=None):
    """A copy of places and values."""
    copy = input._like(input._elements.clone())
    copy._places = input._places.clone()
    return copy
