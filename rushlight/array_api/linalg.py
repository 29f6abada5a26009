"""Linear algebra: the extension `linalg`, and what the main namespace takes from it."""

import collections

import rushlight
from rushlight.array_api.dtypes import promoted
from rushlight.array_api.reduction import sum

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot",
    "trace", "vecdot", "vector_norm",
]  # fmt: skip

QR = collections.namedtuple("QR", "Q R")


def cholesky(x, /, *, upper=False):
    """The triangular factor L of positive definite matrices L L^H; upper gives L^H."""
    return rushlight.linalg.cholesky(x, upper=upper)


def cross(x1, x2, /, *, axis=-1):
    """The cross product of vectors of three elements along an axis."""
    x1, x2 = promoted(x1, x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(f"[cross] the axis must have size 3. Received {x1.shape[axis]} and {x2.shape[axis]}.")
    return rushlight.linalg.cross(*rushlight.broadcast_tensors(x1, x2), dim=axis)


def det(x, /):
    """The determinants of square matrices."""
    return rushlight.linalg.det(x)


def diagonal(x, /, *, offset=0):
    """The diagonals of matrices: a view."""
    return rushlight.diagonal(x, offset, -2, -1)


def eigh(x, /):
    """(eigenvalues, eigenvectors) of Hermitian matrices, ascending."""
    return rushlight.linalg.eigh(x)


def eigvalsh(x, /):
    """The eigenvalues of Hermitian matrices, ascending."""
    return rushlight.linalg.eigvalsh(x)


def inv(x, /):
    """The inverses of square matrices."""
    return rushlight.linalg.inv(x)


def matmul(x1, x2, /):
    """Matrix products."""
    return rushlight.matmul(*promoted(x1, x2))


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """The norms of matrices; ord None is the Frobenius norm."""
    return rushlight.linalg.matrix_norm(x, "fro" if ord is None else ord, keepdim=keepdims)


def matrix_power(x, n, /):
    """Square matrices multiplied n times."""
    return rushlight.linalg.matrix_power(x, n)


def matrix_rank(x, /, *, rtol=None):
    """How many singular values are above rtol times the largest."""
    return rushlight.linalg.matrix_rank(x, rtol=rtol)


def matrix_transpose(x, /):
    """Matrices with rows and columns exchanged: a view."""
    return x.mT


def outer(x1, x2, /):
    """The products of all pairs of elements of two vectors."""
    return rushlight.outer(*promoted(x1, x2))


def pinv(x, /, *, rtol=None):
    """The pseudo-inverses of matrices."""
    return rushlight.linalg.pinv(x, rtol=rtol)


def qr(x, /, *, mode="reduced"):
    """(Q, R): matrices as an orthonormal times a triangular one."""
    return QR(*rushlight.linalg.qr(x, mode))


def slogdet(x, /):
    """(sign, logabsdet) of square matrices."""
    return rushlight.linalg.slogdet(x)


def solve(x1, x2, /):
    """x with x1 x = x2; x2 is a vector where it has one dimension, matrices otherwise."""
    x1, x2 = promoted(x1, x2)
    if x2.ndim == 1:
        return rushlight.linalg.solve(x1, x2[:, None])[..., 0]
    if x2.ndim == x1.ndim - 1:  # matrices, where PyTorch reads a batch of vectors
        x2 = x2.expand(*x1.shape[:-2], *x2.shape[-2:])
    return rushlight.linalg.solve(x1, x2)


def svd(x, /, *, full_matrices=True):
    """(U, S, Vh): the singular value decomposition."""
    return rushlight.linalg.svd(x, full_matrices=full_matrices)


def svdvals(x, /):
    """The singular values, descending."""
    return rushlight.linalg.svdvals(x)


def tensordot(x1, x2, /, *, axes=2):
    """The sum of products over axes of both."""
    return rushlight.tensordot(*promoted(x1, x2), dims=axes)


def trace(x, /, *, offset=0, dtype=None):
    """The sums of the diagonals of matrices."""
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vecdot(x1, x2, /, *, axis=-1):
    """The sum along an axis, of one size in both, of x1's conjugate times x2."""
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(f"[vecdot] both must agree along the axis. Received {x1.shape[axis]} and {x2.shape[axis]}.")
    x1, x2 = rushlight.broadcast_tensors(*promoted(x1, x2))
    return rushlight.sum(rushlight.conj(x1) * x2, axis, dtype=x1.dtype)


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """The norms along an axis, several, or of all elements."""
    if axis == ():
        return rushlight.abs(x) if ord else (x != 0).to(x.abs().dtype)
    return rushlight.linalg.vector_norm(x, ord, axis, keepdims)
