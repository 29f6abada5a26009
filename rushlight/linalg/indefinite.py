"""LDL factors of symmetric and Hermitian matrices that need not be positive definite. Computed by SciPy's LAPACK.

The factors have no derivative, as in PyTorch.
"""

import rushlight
from rushlight import return_types
from rushlight.linalg.lapack import LinAlgError, array, check_square, given, tensor


def _lapack(name, routine, a, hermitian):
    """SciPy's binding of a routine for a's dtype: ssytrf, chetrf, ..."""
    try:
        from scipy.linalg import lapack
    except ImportError:
        raise ImportError(f"[{name}] SciPy must be installed. Use `pip install scipy`.") from None
    kinds = {rushlight.float32: "s", rushlight.float64: "d", rushlight.complex64: "c", rushlight.complex128: "z"}
    kind = "he" if hermitian and a.is_complex() else "sy"
    return getattr(lapack, f"{kinds[a.dtype]}{kind}{routine}")


def _factors(name, A, hermitian):
    import numpy

    check_square(name, A)
    factor = _lapack(name, "trf", A, hermitian)
    matrices = array(A)
    packed = numpy.zeros_like(matrices)
    pivots = numpy.zeros(A.shape[:-1], numpy.int32)
    info = numpy.zeros(A.shape[:-2], numpy.int32)
    for k in numpy.ndindex(*A.shape[:-2]):
        if A.shape[-1]:
            made, pivots[k], info[k] = factor(matrices[k], lower=1)
            packed[k] = numpy.tril(made)
    return tensor(packed), tensor(pivots), tensor(info)


def ldl_factor_ex(A, *, hermitian=False, check_errors=False, out=None):
    """(LD, pivots, info): see `ldl_factor`; info is 0, or the place of the first zero on D's diagonal."""
    factors = _factors("linalg.ldl_factor_ex", A, hermitian)
    if check_errors and bool((factors[2] != 0).any()):
        raise LinAlgError(
            f"[linalg.ldl_factor_ex] D has a zero on its diagonal and ldl_solve would divide by it. Received "
            f"{tuple(A.shape)}."
        )
    return given("linalg.ldl_factor_ex", return_types.linalg_ldl_factor_ex(factors), out)


def ldl_factor(A, *, hermitian=False, out=None):
    """(LD, pivots) of symmetric (or Hermitian) matrices [*, N, N]: A = P L D L^T P^T, L below the diagonal of LD.

    pivots [*, N], int32, are the row exchanges, 1-based; two equal negative ones mark a block of two of D (Bunch and
    Kaufman, 1977). Only the lower triangle is read. Raises LinAlgError for a singular matrix. Needs SciPy.

    >>> torch.linalg.ldl_factor(torch.tensor([[2.0, 1.0], [1.0, -3.0]])).LD
    tensor([[ 2.0000,  0.0000],
            [ 0.5000, -3.5000]])
    """
    packed, pivots, info = _factors("linalg.ldl_factor", A, hermitian)
    if bool((info != 0).any()):
        raise LinAlgError(
            f"[linalg.ldl_factor] D has a zero on its diagonal and ldl_solve would divide by it. Received "
            f"{tuple(A.shape)}. Use ldl_factor_ex()."
        )
    return given("linalg.ldl_factor", return_types.linalg_ldl_factor((packed, pivots)), out)


def _check_pivots(LD, pivots):
    """LAPACK follows pivots without looking: they must name rows, and negative ones come in pairs."""
    if pivots.is_floating_point() or pivots.is_complex() or pivots.dtype == rushlight.bool:
        raise RuntimeError(f"[linalg.ldl_solve] Expected pivots to be integers. Received {pivots.dtype}.")
    if LD.shape[:-1] != pivots.shape:
        raise RuntimeError(
            "[linalg.ldl_solve] Expected LD.shape[:-1] and pivots.shape to be the same. "
            f"Received {tuple(LD.shape)} and {tuple(pivots.shape)}."
        )
    n = LD.shape[-1]
    for row in pivots.reshape(-1, n).tolist() if n else ():
        k = 0
        while k < n:
            width = 1 if row[k] > 0 else 2
            if k + width > n or not all(0 < (p if width == 1 else -p) <= n for p in row[k : k + width]):
                raise RuntimeError(f"[linalg.ldl_solve] pivots must be those of ldl_factor. Received {row}.")
            k += width


def ldl_solve(LD, pivots, B, *, hermitian=False, out=None):
    """X with A @ X = B [*, N, K], A being the matrix whose factors `ldl_factor` gave. Needs SciPy.

    >>> A = torch.tensor([[2.0, 1.0], [1.0, -3.0]])
    >>> torch.linalg.ldl_solve(*torch.linalg.ldl_factor(A), torch.tensor([[3.0], [-2.0]]))
    tensor([[1.],
            [1.]])
    """
    import numpy

    check_square("linalg.ldl_solve", LD)
    _check_pivots(LD, pivots)
    if B.ndim < 2 or B.shape[-2] != LD.shape[-1] or B.dtype != LD.dtype:
        raise RuntimeError(
            f"[linalg.ldl_solve] B must hold matrices of LD's dtype with {LD.shape[-1]} rows. "
            f"Received {B.dtype}{list(B.shape)}."
        )
    solve = _lapack("linalg.ldl_solve", "trs", LD, hermitian)
    batch = rushlight.broadcast_shapes(LD.shape[:-2], B.shape[:-2])
    factors, rows, right = (
        numpy.broadcast_to(array(t), (*batch, *t.shape[-k:])) for t, k in ((LD, 2), (pivots, 1), (B, 2))
    )
    made = numpy.zeros(right.shape, right.dtype)
    for k in numpy.ndindex(*batch):
        if made[k].size:
            made[k] = solve(factors[k], rows[k], right[k], lower=1)[0]
    return given("linalg.ldl_solve", tensor(made), out)
