"""Linear algebra: torch.linalg. LAPACK comes from NumPy; every gradient is written over tensors.

>>> A = torch.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
>>> torch.linalg.det(A).backward()
>>> A.grad
tensor([[4., 0.],
        [0., 2.]])
"""

from rushlight.linalg.decompositions import (
    cholesky,
    cholesky_ex,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    householder_product,
    lu,
    lu_factor,
    lu_factor_ex,
    lu_solve,
    qr,
    svd,
    svdvals,
)
from rushlight.linalg.indefinite import ldl_factor, ldl_factor_ex, ldl_solve
from rushlight.linalg.lapack import LinAlgError
from rushlight.linalg.norms import cond, matrix_norm, norm, vector_norm
from rushlight.linalg.products import cross, diagonal, matmul, matrix_exp, matrix_power, multi_dot, vander, vecdot
from rushlight.linalg.solvers import (
    det,
    inv,
    inv_ex,
    lstsq,
    matrix_rank,
    pinv,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from rushlight.ops import offer as _offer

__all__ = [
    "LinAlgError",
    "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

globals().update(_offer({name: globals()[name] for name in __all__}, "rushlight.linalg:"))
