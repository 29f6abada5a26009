"""Norms of vectors and matrices, and condition numbers."""

import math

import rushlight
from rushlight import _core
from rushlight.linalg.decompositions import svdvals
from rushlight.linalg.lapack import check_inexact, check_square, given
from rushlight.linalg.solvers import inv
from rushlight.ops.dimension import wrap_dims


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """(sum |x|^ord)^(1/ord) over all elements or dim; inf and -inf take the largest and smallest, 0 counts nonzero
    ones.

    >>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return given("linalg.vector_norm", _core.vector_norm(x, ord, dim, keepdim, dtype=dtype), out)


def _extremum(x, dim, keepdim, largest):
    """The largest or smallest of non-negative numbers; the largest of none is 0."""
    if largest and x.shape[dim] == 0:
        return x.sum(dim, keepdim)
    return x.amax(dim, keepdim) if largest else x.amin(dim, keepdim)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None, out=None):
    """Norms of matrices in the dimensions dim: "fro"; "nuc", the sum of singular values; 2 and -2, the largest and
    smallest
    of them; 1 and -1, the largest and smallest sum of a column's sizes; inf and -inf, of a row's.

    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    tensor(7.)
    """
    name = "linalg.matrix_norm"
    if A.ndim < 2:
        raise RuntimeError(f"[{name}] The input tensor A must have at least 2 dimensions. Received {A.ndim}.")
    check_inexact(name, A) if ord in ("nuc", 2, -2) else _core.vector_norm(A.flatten()[:0].detach(), 1)
    if isinstance(dim, int) or len(dim) != 2:
        raise RuntimeError(f"[{name}] dim must be a 2-tuple. Received {dim}.")
    rows, columns = wrap_dims(name, tuple(dim), A.ndim)
    if dtype is not None:
        A = A.to(dtype)
    if ord == "fro":
        result = _core.vector_norm(A, 2, (rows, columns), keepdim)
    elif ord in ("nuc", 2, -2):
        s = svdvals(A.movedim((rows, columns), (-2, -1)))
        result = s.sum(-1) if ord == "nuc" else _extremum(s, -1, False, ord == 2)
        if keepdim:
            for d in sorted((rows, columns)):
                result = result.unsqueeze(d)
    elif ord in (1, -1, math.inf, -math.inf):
        summed, taken = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = _core.vector_norm(A, 1, summed, True)
        result = _extremum(sums, taken, True, ord > 0)
        if not keepdim:
            result = result.squeeze((rows, columns))
    else:
        raise RuntimeError(f"[{name}] Order {ord} not supported. Use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf.")
    return given(name, result, out)


def norm(A, ord=None, dim=None, keepdim=False, *, out=None, dtype=None):
    """The vector norm (of all elements without ord and dim) or, for two dimensions, the matrix norm.

    >>> torch.linalg.norm(torch.tensor([[3.0], [4.0]]))
    tensor(5.)
    """
    two = dim is not None and not isinstance(dim, int) and len(dim) == 2
    if dim is not None and not isinstance(dim, int) and len(dim) not in (1, 2):
        raise RuntimeError(f"[linalg.norm] If dim is specified, it must be of length 1 or 2. Received {dim}.")
    if ord is not None and dim is None:
        if A.ndim not in (1, 2):
            raise RuntimeError(
                f"[linalg.norm] If dim is not specified but ord is, the input must be 1D or 2D. Received {A.ndim}D."
            )
        two = A.ndim == 2
    if two and ord is not None:
        result = matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    elif isinstance(ord, str):
        raise RuntimeError(
            f"[linalg.norm] Order {ord!r} is for matrices: dim must name two dimensions. Received {dim}."
        )
    else:
        result = _core.vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    return given("linalg.norm", result, out)


def cond(A, p=None, *, out=None):
    """The condition number of matrices [*, M, N]: largest over smallest singular value, or norm(A, p) * norm(inv(A),
    p).

    >>> torch.linalg.cond(torch.tensor([[1.0, 0.0], [0.0, 0.5]]))
    tensor(2.)
    """
    if A.ndim < 2:
        raise RuntimeError(f"[linalg.cond] The input tensor A must have at least 2 dimensions. Received {A.ndim}.")
    check_inexact("linalg.cond", A)
    if p is None or p in (2, -2):
        s = svdvals(A)
        if s.shape[-1] == 0:
            return given("linalg.cond", s.sum(-1), out)
        largest, smallest = s[..., 0], s[..., -1]
        return given("linalg.cond", smallest / largest if p == -2 else largest / smallest, out)
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        raise RuntimeError(
            f"[linalg.cond] linalg.cond got an invalid norm type: {p}. Use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf."
        )
    check_square("linalg.cond", A)
    inverse, info = rushlight.linalg.inv_ex(A.detach())
    if bool((info != 0).any()):
        return given("linalg.cond", matrix_norm(A, p) * matrix_norm(inverse, p), out)
    return given("linalg.cond", matrix_norm(A, p) * matrix_norm(inv(A), p), out)
