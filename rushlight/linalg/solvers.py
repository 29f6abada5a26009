"""Linear systems, inverses and determinants, with their gradients."""

import math

import rushlight
from rushlight import return_types
from rushlight.autograd import Function
from rushlight.linalg.lapack import (
    LinAlgError,
    array,
    check_inexact,
    check_matrix,
    check_square,
    given,
    tensor,
    with_numpy,
)
from rushlight.ops.composition import asks_overrides

_SINGULAR = "The factorization could not be completed because the input matrix is singular: a pivot is zero"


class _Inverse(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a):
        import numpy

        y = with_numpy("linalg.inv", numpy.linalg.inv, a, failure=_SINGULAR)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        yh = y.mH
        return -(yh @ grad @ yh)


class _Solve(Function):
    """X with A X = B, both matrices of equal batches."""

    @staticmethod
    def forward(ctx, a, b):
        import numpy

        x = with_numpy("linalg.solve", numpy.linalg.solve, a, b, failure=_SINGULAR)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        grad_b = _Solve.apply(a.mH, grad)
        return (-(grad_b @ x.mH) if ctx.needs_input_grad[0] else None), grad_b


class _Determinant(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a):
        import numpy

        d = with_numpy("linalg.det", numpy.linalg.det, a)
        ctx.save_for_backward(a, d)
        return d

    @staticmethod
    def backward(ctx, grad):
        a, d = ctx.saved_tensors
        if not a.numel():
            return a.new_zeros(a.shape)
        if not bool((d.detach() == 0).any()):
            scale = (grad * d.conj())[..., None, None]
            return scale * _Inverse.apply(a).mH
        # The cofactors, also of a singular matrix: det(U) det(V^H) U diag(products of the other singular values) V^H.
        u, s, vh = rushlight.linalg.svd(a)
        n = a.shape[-1]
        others = s.unsqueeze(-2).expand((*s.shape[:-1], n, n))
        others = rushlight.where(rushlight.eye(n, dtype=rushlight.bool), 1, others).prod(-1)
        phase = det(u.detach()) * det(vh.detach())
        return (grad * phase.conj().detach())[..., None, None] * ((u * others.unsqueeze(-2)) @ vh)


class _SignedLogDeterminant(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a):
        import numpy

        sign, logarithm = with_numpy("linalg.slogdet", lambda x: tuple(numpy.linalg.slogdet(x)), a)
        ctx.save_for_backward(a, sign)
        return sign, logarithm

    @staticmethod
    def backward(ctx, grad_sign, grad_logarithm):
        a, sign = ctx.saved_tensors
        scale = grad_logarithm
        if a.is_complex():
            scale = rushlight.complex(scale, -(grad_sign.conj() * sign).imag)
        return scale[..., None, None] * _Inverse.apply(a).mH


class _PseudoInverse(Function):
    @staticmethod
    def forward(ctx, a, atol, rtol, hermitian):
        y = with_numpy("linalg.pinv", lambda x: _pseudo_inverse(x, atol, rtol, hermitian), a, iterative=True)
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        # Golub & Pereyra, "The differentiation of pseudo-inverses", SIAM J. Numer. Anal. 10, 1973.
        a, y = ctx.saved_tensors
        yh, gh = y.mH, grad.mH
        left = gh @ y @ yh
        right = yh @ y @ gh
        total = -(yh @ grad @ yh) + (left - a @ (y @ left)) + (right - (right @ y) @ a)
        return total, None, None, None


def _limit(largest, shape, dtype, atol, rtol):
    """The singular values at or below which a matrix counts as rank deficient."""
    import numpy

    if rtol is None:
        rtol = (
            max(shape[-2:]) * numpy.finfo(dtype).eps if atol is None or not numpy.any(numpy.asarray(atol) > 0) else 0.0
        )
    return numpy.maximum(0.0 if atol is None else atol, rtol * largest)


def _pseudo_inverse(x, atol, rtol, hermitian):
    import numpy

    if x.size == 0:
        return numpy.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    if hermitian:
        values, v = numpy.linalg.eigh(x)
        u, s, vh = v, values, numpy.conj(numpy.swapaxes(v, -1, -2))
    else:
        u, s, vh = numpy.linalg.svd(x, full_matrices=False)
    size = numpy.abs(s)
    keep = size > _limit(size.max(-1), x.shape, x.dtype, atol, rtol)[..., None]
    reciprocal = numpy.where(keep, 1 / numpy.where(keep, s, 1), 0).astype(s.dtype)
    back = numpy.conj(numpy.swapaxes(vh, -1, -2)) * reciprocal[..., None, :]
    return (back @ numpy.conj(numpy.swapaxes(u, -1, -2))).astype(x.dtype)


def _number(x):
    """A tolerance as a number or an array."""
    return array(x) if isinstance(x, rushlight.Tensor) else x


def inv(A, *, out=None):
    """The inverse of square matrices [*, N, N].

    Raises LinAlgError when one is singular, RuntimeError when they are not square.

    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_square("linalg.inv", A)
    return given("linalg.inv", _Inverse.apply(A), out)


def _singular_info(a):
    """For each matrix, the 1-based place of the first zero pivot, or 0."""
    import numpy

    factor, _ = eliminate(array(a))
    zero = numpy.diagonal(factor, axis1=-2, axis2=-1) == 0
    first = zero.argmax(-1) + 1 if zero.shape[-1] else 0
    return tensor(numpy.where(zero.any(-1), first, 0).astype("int32"))


@asks_overrides
def inv_ex(A, *, check_errors=False, out=None):
    """(inverse, info): info is 0 where the inverse exists, otherwise the place of a zero pivot (and the inverse inf).

    >>> torch.linalg.inv_ex(torch.tensor([[2.0]])).info
    tensor(0, dtype=torch.int32)
    """
    check_square("linalg.inv_ex", A)
    info = _singular_info(A)
    if check_errors and bool((info != 0).any()):
        raise LinAlgError(f"[linalg.inv] {_SINGULAR}. Received {tuple(A.shape)}.")
    singular = (info != 0)[..., None, None]
    if bool(singular.any()):
        eye = rushlight.eye(A.shape[-1], dtype=A.dtype)
        inverse = rushlight.where(singular, math.inf, _Inverse.apply(rushlight.where(singular, eye, A)))
    else:
        inverse = _Inverse.apply(A)
    return given("linalg.inv_ex", return_types.linalg_inv_ex((inverse, info)), out)


def _is_vector(A, B):
    """Whether B holds vectors: one, or one for each matrix of A."""
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))


def solve(A, B, *, left=True, out=None):
    """X with A X = B (X A = B with left=False), A [*, N, N], B [*, N, K] or vectors [*, N].

    Raises LinAlgError when a matrix is singular, RuntimeError when shapes do not fit.

    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    check_square("linalg.solve", A)
    check_inexact("linalg.solve", B)
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"[linalg.solve] Expected A and B to have the same dtype. Received {A.dtype} and {B.dtype}. Use .to()."
        )
    vector = _is_vector(A, B)
    if vector and not left:
        raise RuntimeError("[linalg.solve] left=False is only valid when B is a matrix. Received a vector.")
    b = B.unsqueeze(-1) if vector else B
    if b.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            f"[linalg.solve] Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'}. "
            f"Received {tuple(A.shape)} and {tuple(B.shape)}."
        )
    batch = tuple(rushlight.broadcast_shapes(tuple(A.shape[:-2]), tuple(b.shape[:-2])))
    a, b = A.expand(batch + tuple(A.shape[-2:])), b.expand(batch + tuple(b.shape[-2:]))
    x = _Solve.apply(a, b) if left else _Solve.apply(a.mT, b.mT).mT
    return given("linalg.solve", x.squeeze(-1) if vector else x, out)


@asks_overrides
def solve_ex(A, B, *, left=True, check_errors=False, out=None):
    """(result, info): see `solve`; info is 0 where the matrix is not singular.

    >>> torch.linalg.solve_ex(torch.tensor([[2.0]]), torch.tensor([[4.0]])).result
    tensor([[2.]])
    """
    check_square("linalg.solve_ex", A)
    info = _singular_info(A)
    return given("linalg.solve_ex", return_types.linalg_solve_ex((solve(A, B, left=left), info)), out)


def solve_triangular(A, B, *, upper, left=True, unitriangular=False, out=None):
    """X with A X = B (X A = B with left=False) for triangular A [*, N, N]; what is on the other side of A is not read.

    unitriangular: the diagonal of A is not read either and counts as 1.

    >>> A = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> torch.linalg.solve_triangular(A, torch.tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    check_square("linalg.solve_triangular", A)
    check_matrix("linalg.solve_triangular", B)
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            "[linalg.solve_triangular] Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'}. "
            f"Received {tuple(A.shape)} and {tuple(B.shape)}."
        )
    shift = int(unitriangular)
    a = A.triu(shift) if upper else A.tril(-shift)
    if unitriangular:
        a = a + rushlight.eye(A.shape[-1], dtype=A.dtype)
    return given(
        "linalg.solve_triangular", solve(a, B, left=left) if not _is_vector(A, B) else _as_matrices(a, B, left), out
    )


def _as_matrices(a, b, left):
    """solve() where B is a matrix although its shape could be that of vectors."""
    batch = tuple(rushlight.broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2])))
    a, b = a.expand(batch + tuple(a.shape[-2:])), b.expand(batch + tuple(b.shape[-2:]))
    return _Solve.apply(a, b) if left else _Solve.apply(a.mT, b.mT).mT


def det(A, *, out=None):
    """The determinants of square matrices [*, N, N]: [*].

    >>> torch.linalg.det(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    check_square("linalg.det", A)
    return given("linalg.det", _Determinant.apply(A), out)


def slogdet(A, *, out=None):
    """(sign, logabsdet) of the determinants of square matrices [*, N, N]; sign 0 and -inf for singular ones.

    >>> torch.linalg.slogdet(torch.tensor([[-1.0]])).sign
    tensor(-1.)
    """
    check_square("linalg.slogdet", A)
    return given("linalg.slogdet", return_types.linalg_slogdet(_SignedLogDeterminant.apply(A)), out)


@asks_overrides
def pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """The pseudo-inverse (Moore-Penrose) of matrices [*, M, N]: [*, N, M].

    Singular values at or below max(atol, rtol * largest) count as zero; rtol is max(M, N) * eps unless a tolerance is
    given.
    hermitian: the matrices are Hermitian, and eigenvalues serve.

    >>> torch.linalg.pinv(torch.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    check_matrix("linalg.pinv", A)
    if hermitian:
        check_square("linalg.pinv", A)
    rtol = rcond if rtol is None else rtol
    return given("linalg.pinv", _PseudoInverse.apply(A, _number(atol), _number(rtol), hermitian), out)


@asks_overrides
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """The number of singular values (of eigenvalues, by size, when hermitian) above max(atol, rtol * largest), int64.

    >>> torch.linalg.matrix_rank(torch.eye(3))
    tensor(3)
    """
    check_matrix("linalg.matrix_rank", A)
    import numpy

    atol, rtol = _number(tol if atol is None else atol), _number(rtol)
    if A.numel() == 0:
        rank = rushlight.zeros(A.shape[:-2], dtype=rushlight.int64)
    else:
        x = array(A)
        s = numpy.abs(numpy.linalg.eigvalsh(x)) if hermitian else numpy.linalg.svd(x, compute_uv=False)
        limit = _limit(s.max(-1), x.shape, x.dtype, atol, 0.0 if tol is not None and rtol is None else rtol)
        rank = tensor(numpy.asarray((s > limit[..., None]).sum(-1)))
    return given("linalg.matrix_rank", rank, out)


@asks_overrides
def lstsq(A, B, rcond=None, *, driver=None, out=None):
    """(solution, residuals, rank, singular_values) of least |A X - B|, A [*, M, N], B [*, M, K] or vectors [*, M].

    driver: "gels" (full rank, no rank is given), "gelsy" (the default), "gelsd" or "gelss" (which give singular
    values).
    residuals are given when M > N and all matrices have full rank, but not by "gelsy".

    >>> torch.linalg.lstsq(torch.tensor([[2.0]]), torch.tensor([[4.0]])).solution
    tensor([[2.]])
    """
    check_matrix("linalg.lstsq", A)
    if B.ndim < 1 or A.dtype != B.dtype:
        raise RuntimeError(
            f"[linalg.lstsq] other must be at least 1-d and have input's dtype. Received {B.dtype}{list(B.shape)}."
        )
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            f"[linalg.lstsq] parameter `driver` should be one of (gels, gelsy, gelsd, gelss). Received {driver!r}."
        )
    vector = A.ndim - 1 == B.ndim
    b = B.unsqueeze(-1) if vector else B
    if b.ndim < 2 or b.shape[-2] != A.shape[-2]:
        raise RuntimeError(
            f"[linalg.lstsq] input.size(-2) should match other.size(-2). Received {tuple(A.shape)} and "
            f"{tuple(B.shape)}."
        )
    m, n = A.shape[-2:]
    eps = rushlight.finfo(A.dtype).eps
    rtol = eps * max(m, n) if rcond is None or rcond < 0 else rcond
    solution = pinv(A, rtol=0.0 if driver == "gels" else rtol) @ b
    rank = matrix_rank(A, rtol=rtol)
    nothing = solution.reshape(-1)[:0].abs()
    residuals = values = nothing
    if m > n and (driver == "gels" or (driver in ("gelsd", "gelss") and bool((rank == n).all()))):
        residuals = (A @ solution - b).abs().square().sum(-2)
    if driver in ("gelsd", "gelss"):
        values = rushlight.linalg.svdvals(A)
    if driver == "gels":
        rank = rank.new_empty((0,))
    solution = solution.squeeze(-1) if vector else solution
    return given("linalg.lstsq", return_types.linalg_lstsq((solution, residuals, rank, values)), out)


def tensorinv(A, ind=2, *, out=None):
    """The inverse of A seen as a square matrix of its first `ind` dimensions by the others.

    >>> torch.linalg.tensorinv(torch.eye(4).reshape(4, 2, 2), ind=1).shape
    torch.Size([2, 2, 4])
    """
    if ind <= 0:
        raise RuntimeError(f"[linalg.tensorinv] Expected a strictly positive integer for 'ind'. Received {ind}.")
    front, back = A.shape[:ind], A.shape[ind:]
    n = math.prod(front)
    if n != math.prod(back):
        raise RuntimeError(
            "[linalg.tensorinv] Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            "prod(self.shape[:ind]). "
            f"Received {tuple(A.shape)} and ind {ind}."
        )
    return given("linalg.tensorinv", inv(A.reshape(n, n)).reshape((*back, *front)), out)


def tensorsolve(A, B, dims=None, *, out=None):
    """X with tensordot(A, X, X.ndim) = B. dims: dimensions of A that are moved to its end first.

    >>> A = torch.eye(4).reshape(2, 2, 2, 2)
    >>> torch.linalg.tensorsolve(A, torch.ones(2, 2))
    tensor([[1., 1.],
            [1., 1.]])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = A.shape[B.ndim :]
    n = math.prod(shape)
    if n != B.numel() or A.numel() != n * n:
        raise RuntimeError(
            "[linalg.tensorsolve] Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]). Received {tuple(A.shape)} and {tuple(B.shape)}."
        )
    return given("linalg.tensorsolve", solve(A.reshape(n, n), B.reshape(-1)).reshape(shape), out)


def eliminate(x, pivot=True):
    """(L and U in one array, 1-based pivots) of arrays [*, M, N] by Gaussian elimination with row exchanges; LAPACK's
    choice of pivots.
    """
    import numpy

    a = numpy.array(x)
    m, n = a.shape[-2:]
    k = min(m, n)
    batch = a.shape[:-2]
    a = a.reshape((math.prod(batch), m, n))
    which = numpy.arange(a.shape[0])
    pivots = numpy.tile(numpy.arange(1, k + 1, dtype="int32"), (a.shape[0], 1))
    for j in range(k):
        if pivot and a.shape[0]:
            column = a[:, j:, j]
            row = (numpy.abs(column.real) + numpy.abs(column.imag)).argmax(1) + j
            pivots[:, j] = row + 1
            swapped = a[which, row].copy()
            a[which, row] = a[:, j]
            a[:, j] = swapped
        top = a[:, j, j]
        a[:, j + 1 :, j] /= numpy.where(top == 0, 1, top)[:, None]
        a[:, j + 1 :, j + 1 :] -= a[:, j + 1 :, j, None] * a[:, None, j, j + 1 :]
    return a.reshape((*batch, m, n)), pivots.reshape((*batch, k))
