"""Matrix products. A value at (i, j) adds itself times row j of the other matrix to row i of the result."""

import rushlight
from rushlight.sparse.coo import coo, empty_coo
from rushlight.sparse.tensor import SparseTensor, implements, is_sparse, refuse, to_layout, write

__all__ = ["addmm", "mm", "sampled_addmm"]


def _require(op, holds, must, *tensors):
    if not holds:
        shapes = " and ".join(f"{t.dtype} {list(t.shape)}" for t in tensors)
        raise RuntimeError(f"[{op}] {must}. Received {shapes}.")


def _check_matrices(op, a, b):
    _require(op, a.ndim == 2 and b.ndim == 2, "both must be matrices", a, b)
    _require(op, a.shape[1] == b.shape[0], "inner dimensions must agree", a, b)
    _require(op, a.dtype == b.dtype, "both must have one dtype", a, b)
    for t in (a, b):
        _require(op, not (is_sparse(t) and t.dense_dim()), "sparse matrices must have two sparse dimensions", t)


def _times_dense(matrix, dense):
    """[n, k] for a CooTensor [n, m] and a strided [m, k]."""
    rows, columns = matrix._places.unbind(0)
    return rushlight._core.coo_product(rows, columns, matrix._elements, dense, matrix.shape[0])


def _times_sparse(a, b):
    """[n, k] for CooTensors [n, m] and [m, k]: every value of a meets the values in one row of b."""
    b = b.coalesce()
    size = (a.shape[0], b.shape[1])
    counts = rushlight.bincount(b._places[0], minlength=b.shape[0])
    begins = counts.cumsum(0) - counts
    met = counts[a._places[1]]
    total = int(met.sum())
    if not total:
        return empty_coo(size, 2, a.dtype)
    of_a = rushlight.arange(a._nnz()).repeat_interleave(met)
    within = rushlight.arange(total) - (met.cumsum(0) - met)[of_a]
    of_b = begins[a._places[1]][of_a] + within
    places = rushlight.stack([a._places[0][of_a], b._places[1][of_b]])
    return coo(places, a._elements[of_a] * b._elements[of_b], size).coalesce()


@implements("mm")
def _product(input, mat2):
    _check_matrices("mm", input, mat2)
    if is_sparse(input) and is_sparse(mat2):
        return to_layout(_times_sparse(input._as_coo(), mat2._as_coo()), input.layout)
    if is_sparse(input):
        return _times_dense(input._as_coo(), mat2)
    return _times_dense(mat2.t()._as_coo(), input.t()).t()


@implements()
def mv(input, vec):
    """A matrix times a vector."""
    _require("mv", vec.ndim == 1 and not is_sparse(vec), "the second must be a strided vector", input, vec)
    return _product(input, vec.unsqueeze(1)).squeeze(1)


@implements()
def bmm(input, mat2):
    """[b, n, k] for a sparse [b, n, m] and a strided [b, m, k]: one product of a matrix with the batch on its diagonal.

    A strided first and a sparse second argument are transposed.
    """
    if is_sparse(input) and is_sparse(mat2):
        refuse("bmm")
    if not is_sparse(input):
        return bmm(mat2.transpose(1, 2), input.transpose(1, 2)).transpose(1, 2)
    agree = input.sparse_dim() == mat2.ndim == 3 and input.shape[:3:2] == mat2.shape[:2]
    _require("bmm", agree and not input.dense_dim(), "both must be batches of matrices whose sizes agree", input, mat2)
    _require("bmm", input.dtype == mat2.dtype, "both must have one dtype", input, mat2)
    b, n, m = input.shape
    which, rows, columns = input._places.unbind(0)
    diagonal = coo(rushlight.stack([which * n + rows, which * m + columns]), input._elements, (b * n, b * m))
    return _times_dense(diagonal, mat2.reshape(b * m, mat2.shape[2])).reshape(b, n, mat2.shape[2])


@implements()
def matmul(input, other):
    """Products of sparse and strided matrices and vectors, and of batches of matrices."""
    if input.ndim == 2 and other.ndim == 1:
        return mv(input, other)
    if input.ndim == 1 and other.ndim == 2:
        return mv(other.t(), input)
    if input.ndim == 3 and other.ndim == 3:
        return bmm(input, other)
    return _product(input, other)


@implements("linear")
def _linear(input, weight, bias=None):
    product = matmul(input, weight.t())
    return product if bias is None else product + bias


@implements("addmm")
def _add_product(input, mat1, mat2, *, beta=1, alpha=1):
    product = _product(mat1, mat2)
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product
    return (input if beta == 1 else input * beta) + product


@implements("addmv")
def _add_vector_product(input, mat, vec, *, beta=1, alpha=1):
    product = mv(mat, vec) * alpha
    return product if beta == 0 else input * beta + product


def mm(mat1, mat2, reduce="sum"):
    """mat1 @ mat2, where either may be sparse; differentiable in both. Sparse if both are, strided otherwise.

    reduce: "sum", or what becomes of the products of a row's stored values instead: "mean", "amax" or "amin", for a
    sparse and a strided matrix. A row without values gives zeros.

    >>> s = torch.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0], (2, 2))
    >>> torch.sparse.mm(s, torch.tensor([[1.0], [10.0]]))
    tensor([[20.],
            [ 3.]])
    """
    if reduce == "sum":
        return rushlight.mm(mat1, mat2)
    if reduce not in ("mean", "amax", "amin"):
        raise RuntimeError(f"[sparse.mm] reduce must be sum, mean, amax or amin. Received {reduce!r}.")
    if not is_sparse(mat1) or is_sparse(mat2):
        raise RuntimeError(f"[sparse.mm] reduce={reduce!r} takes a sparse and a strided matrix.")
    _check_matrices("sparse.mm", mat1, mat2)
    matrix = mat1._as_coo().coalesce()
    rows, columns = matrix._places.unbind(0)
    if reduce == "mean":
        counts = rushlight.bincount(rows, minlength=matrix.shape[0]).clamp(min=1)
        return _times_dense(matrix, mat2) / counts.unsqueeze(1)
    products = mat2.index_select(0, columns) * matrix._elements.unsqueeze(1)
    zeros = products.new_zeros((matrix.shape[0], mat2.shape[1]))
    return zeros.scatter_reduce(0, rows.unsqueeze(1).expand_as(products), products, reduce, include_self=False)


spmm = dsmm = mm  # older names


def smm(input, mat):
    """A sparse times a strided matrix, as a sparse one.

    >>> s = torch.sparse_coo_tensor([[1], [0]], [2.0], (2, 2))
    >>> torch.smm(s, torch.ones(2, 1)).indices()
    tensor([[1],
            [0]])
    """
    return mm(input, mat).to_sparse()


def hspmm(mat1, mat2):
    """A sparse times a strided matrix, as a hybrid one: rows of the result that mat1 has values for, strided.

    >>> s = torch.sparse_coo_tensor([[1], [0]], [2.0], (2, 2))
    >>> torch.hspmm(s, torch.ones(2, 3)).values()
    tensor([[2., 2., 2.]])
    """
    if not is_sparse(mat1) or is_sparse(mat2):
        raise RuntimeError(f"[hspmm] takes a sparse and a strided matrix. Received {mat1.layout} and {mat2.layout}.")
    rows = mat1._as_coo()._places[0].unique()
    product = mm(mat1, mat2)
    return coo(rows.unsqueeze(0), product.index_select(0, rows), product.shape, True)


def sspaddmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2) with sparse input and mat1, as a sparse matrix.

    >>> s = torch.eye(2).to_sparse()
    >>> torch.sspaddmm(s, s, torch.ones(2, 2)).to_dense()
    tensor([[2., 1.],
            [1., 2.]])
    """
    return input * beta + smm(mat1, mat2) * alpha


SparseTensor.smm, SparseTensor.sspaddmm = smm, sspaddmm


def addmm(mat, mat1, mat2, *, beta=1.0, alpha=1.0):
    """beta * mat + alpha * (mat1 @ mat2), mat1 being sparse.

    >>> s = torch.sparse_coo_tensor([[0], [1]], [2.0], (2, 2))
    >>> torch.sparse.addmm(torch.ones(2, 1), s, torch.ones(2, 1), alpha=10)
    tensor([[21.],
            [ 1.]])
    """
    return rushlight.addmm(mat, mat1, mat2, beta=beta, alpha=alpha)


def sampled_addmm(input, mat1, mat2, *, beta=1.0, alpha=1.0, out=None):
    """beta * input + alpha * (mat1 @ mat2) at the places of the CSR matrix `input` alone.

    Only the products that are asked for are computed.

    >>> s = torch.eye(2).to_sparse_csr()
    >>> torch.sparse.sampled_addmm(s, torch.ones(2, 3), torch.ones(3, 2)).values()
    tensor([4., 4.])
    """
    if not is_sparse(input) or input.layout is not rushlight.sparse_csr:
        raise NotImplementedError(f"[sampled_addmm] input must have layout torch.sparse_csr. Received {input.layout}.")
    _check_matrices("sampled_addmm", mat1, mat2)
    agree = tuple(input.shape) == (mat1.shape[0], mat2.shape[1])
    _require("sampled_addmm", agree, "input must have the product's size", input, mat1, mat2)
    rows, columns = input._as_coo()._places.unbind(0)
    products = (mat1.index_select(0, rows) * mat2.t().index_select(0, columns)).sum(1)
    result = input._like(beta * input._elements + alpha * products)
    return result if out is None else write(out, result)
