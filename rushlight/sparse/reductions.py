"""Sums, norms and softmax over what is stored."""

import builtins

import rushlight
from rushlight.sparse.coo import CooTensor, coo, flat_keys, segment_sum
from rushlight.sparse.tensor import implements, is_sparse, refuse, to_layout

__all__ = ["log_softmax", "softmax", "sum"]


def _wrapped(op, dim, ndim):
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    for d in dims:
        if not -ndim <= d < ndim:
            raise IndexError(f"[{op}] dimension out of range (expected to be in [{-ndim}, {ndim - 1}], but got {d}).")
    wrapped = [d % ndim for d in dims]
    if len(set(wrapped)) < len(wrapped):
        raise RuntimeError(f"[{op}] a dimension must not appear twice. Received {dims}.")
    return wrapped


def sum(input, dim=None, dtype=None):
    """The sum of all stored elements, or along dimensions of a COO tensor.

    Sparse where a sparse dimension is left, strided otherwise. Integers give int64.

    >>> s = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    >>> torch.sparse.sum(s)
    tensor(12.)
    >>> torch.sparse.sum(s, 0).to_dense()
    tensor([4., 0., 8.])
    """
    if not is_sparse(input):
        raise RuntimeError(f"[sparse.sum] input must be sparse. Received {input.layout}. Use torch.sum.")
    return _sum(input, dim, dtype=dtype)


@implements("sum")
def _sum(input, dim=None, keepdim=False, *, dtype=None):
    if dim is None or (not isinstance(dim, int) and len(dim) == 0):
        return input._elements.sum(dtype=dtype)
    if not isinstance(input, CooTensor):
        if keepdim:
            return to_layout(_sum(input._as_coo(), dim, True, dtype=dtype), input.layout)
        if len(_wrapped("sum", dim, input.ndim)) == input.ndim:
            return input._elements.sum(dtype=dtype)
        raise RuntimeError(
            "[sum] reduction operations on CSR tensors with keepdim=False are unsupported. Call .to_sparse() first."
        )
    dims, sparse_dim = _wrapped("sum", dim, input.ndim), input.sparse_dim()
    of_values = [d - sparse_dim + 1 for d in dims if d >= sparse_dim]
    left = [d for d in range(sparse_dim) if d not in dims]
    elements = input._elements
    if not left:
        of_values.append(0)
    if of_values:
        elements = elements.sum(of_values, dtype=dtype)
    elif dtype is not None or not (elements.is_floating_point() or elements.is_complex()):
        elements = elements.to(dtype or rushlight.int64)
    if not left:
        result = elements
    else:
        size = [input.shape[d] for d in range(input.ndim) if d not in dims]
        result = coo(input._places[left], elements, size).coalesce()
    for d in sorted(dims) if keepdim else ():
        result = result.unsqueeze(d)
    return result


@implements("vector_norm")
def _norm(input, ord=2, dim=None, keepdim=False, *, dtype=None):
    if dim is not None or keepdim:
        refuse("norm")
    tensor = input.coalesce() if isinstance(input, CooTensor) else input
    return rushlight.linalg.vector_norm(tensor._elements, ord, dtype=dtype)


@implements()
def any(input, dim=None, keepdim=False):
    """Whether any stored element is not zero."""
    if dim is not None:
        refuse("any")
    tensor = input.coalesce() if isinstance(input, CooTensor) else input
    return tensor._elements.any()


def softmax(input, dim, *, dtype=None):
    """Softmax along dim over the stored elements alone: what is not stored counts as -inf, not as zero.

    >>> s = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 4.0], (2, 3))
    >>> torch.sparse.softmax(s, 1).to_dense()
    tensor([[0.0000, 0.0000, 1.0000],
            [0.5000, 0.0000, 0.5000]])
    """
    tensor, shifted, at, n = _shifted("softmax", input, dim, dtype)
    if at is None:
        return tensor._like(shifted.softmax(n))
    exponentials = shifted.exp()
    return tensor._like(exponentials / segment_sum(exponentials, at, n)[at])


def log_softmax(input, dim, *, dtype=None):
    """The logarithm of `softmax`.

    >>> s = torch.sparse_coo_tensor([[0, 0], [0, 2]], [1.0, 1.0], (1, 3))
    >>> torch.sparse.log_softmax(s, 1).values()
    tensor([-0.6931, -0.6931])
    """
    tensor, shifted, at, n = _shifted("log_softmax", input, dim, dtype)
    if at is None:
        return tensor._like(shifted.log_softmax(n))
    return tensor._like(shifted - segment_sum(shifted.exp(), at, n).log()[at])


def _shifted(op, input, dim, dtype):
    """The coalesced tensor, its values less the largest of their line along dim, the line of each, how many there are.

    Along a strided dimension: the tensor, its values, None, the values' dimension.
    """
    if not isinstance(input, CooTensor):
        refuse(op)
    (dim,) = _wrapped(op, dim, input.ndim)
    tensor = (input if dtype is None else input.to(dtype)).coalesce()
    if not tensor.is_floating_point():
        raise RuntimeError(f"[{op}] input must be floating point. Received {input.dtype}. Give dtype=.")
    values, sparse_dim = tensor._elements, tensor.sparse_dim()
    if dim >= sparse_dim:
        return tensor, values, None, dim - sparse_dim + 1
    others = [d for d in range(sparse_dim) if d != dim]
    lines, at = flat_keys(tensor._places[others], [tensor.shape[d] for d in others]).unique(return_inverse=True)
    at_all = at.reshape(-1, *[1] * tensor.dense_dim()).expand(values.shape)
    lowest = values.new_zeros((len(lines), *values.shape[1:]))
    largest = lowest.scatter_reduce(0, at_all, values.detach(), "amax", include_self=False)
    return tensor, values - largest[at], at, builtins.len(lines)
