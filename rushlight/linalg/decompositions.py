"""Factorisations of matrices, with their gradients."""

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
from rushlight.linalg.solvers import eliminate, solve_triangular
from rushlight.ops.composition import asks_overrides


def _half_diagonal(x):
    """The lower triangle with the diagonal halved."""
    return x.tril() - rushlight.diag_embed(x.diagonal(0, -2, -1) * 0.5)


class _Cholesky(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a):
        import numpy

        failure = "The factorization could not be completed because the input is not positive-definite"
        factor = with_numpy("linalg.cholesky", numpy.linalg.cholesky, a, failure=failure)
        ctx.save_for_backward(factor)
        return factor

    @staticmethod
    def backward(ctx, grad):
        # Murray, "Differentiation of the Cholesky decomposition" (2016), symmetrised.
        (factor,) = ctx.saved_tensors
        middle = _half_diagonal(factor.mH @ grad)
        middle = (middle + middle.mH) * 0.5
        left = solve_triangular(factor.mH, middle, upper=True)
        return solve_triangular(factor, left, upper=False, left=False)


class _QR(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a, mode):
        import numpy

        q, r = with_numpy("linalg.qr", lambda x: tuple(numpy.linalg.qr(x, mode)), a)
        ctx.save_for_backward(q, r)
        ctx.mode = mode
        return q, r

    @staticmethod
    def backward(ctx, grad_q, grad_r):
        # Walter & Lehmann, "Algorithmic differentiation of linear algebra functions" (2018).
        q, r = ctx.saved_tensors
        m, n = q.shape[-2], r.shape[-1]
        if ctx.mode == "complete" and m > n:
            raise RuntimeError(
                "[linalg.qr] The QR decomposition is not differentiable when mode='complete' and nrows > ncols. "
                f"Received {m} rows and {n} columns. Use mode='reduced'."
            )
        k = min(m, n)
        square, rest = r[..., :k], r[..., k:]
        grad_square, grad_rest = grad_r[..., :k], grad_r[..., k:]
        if n > m:  # the further columns are Q times the rest of R
            grad_q = grad_q + q @ rest @ grad_rest.mH
        mixed = square @ grad_square.mH - grad_q.mH @ q
        lower = mixed.tril(-1)
        diagonal = mixed.diagonal(0, -2, -1)
        diagonal = rushlight.diag_embed(diagonal.real.to(diagonal.dtype) if diagonal.is_complex() else diagonal)
        grad = grad_q + q @ (lower + lower.mH + diagonal)
        grad = solve_triangular(square.mH, grad, upper=False, left=False)
        return (rushlight.cat([grad, q @ grad_rest], -1) if n > m else grad), None


class _SVD(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a, full_matrices):
        import numpy

        u, s, vh = with_numpy("linalg.svd", lambda x: tuple(numpy.linalg.svd(x, full_matrices)), a, iterative=True)
        ctx.save_for_backward(u, s, vh)
        ctx.set_materialize_grads(False)
        return u, s, vh

    @staticmethod
    def backward(ctx, grad_u, grad_s, grad_vh):
        # Townsend, "Differentiating the singular value decomposition" (2016); Wan & Zhang (2019) for the complex case.
        u, s, vh = ctx.saved_tensors
        k = s.shape[-1]
        m, n = u.shape[-2], vh.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        v = vh.mH
        middle = None if grad_s is None else rushlight.diag_embed(grad_s).to(u.dtype)
        eye = rushlight.eye(k, dtype=rushlight.bool)
        apart = s.unsqueeze(-2) ** 2 - s.unsqueeze(-1) ** 2
        apart = rushlight.where(eye, 1.0, apart)
        outside = None
        if grad_u is not None:
            grad_u = grad_u[..., :k]
            turned = u.mH @ grad_u
            skew = (turned - turned.mH) / apart
            part = skew * s.unsqueeze(-2)
            if u.is_complex():
                part = part + rushlight.diag_embed((turned - turned.mH).diagonal(0, -2, -1) / (2 * s))
            middle = part if middle is None else middle + part
            if m > k:
                over = grad_u / s.unsqueeze(-2)
                outside = (over - u @ (u.mH @ over)) @ vh
        if grad_vh is not None:
            grad_v = grad_vh[..., :k, :].mH
            turned = vh @ grad_v
            part = s.unsqueeze(-1) * ((turned - turned.mH) / apart)
            middle = part if middle is None else middle + part
            if n > k:
                over = (grad_v / s.unsqueeze(-2)).mH
                beyond = u @ (over - (over @ v) @ vh)
                outside = beyond if outside is None else outside + beyond
        if middle is None:
            return None, None
        grad = u @ middle @ vh
        return (grad if outside is None else grad + outside), None


class _HermitianEigen(Function):
    _takes_batches = True

    @staticmethod
    def forward(ctx, a, lower):
        import numpy

        values, vectors = with_numpy(
            "linalg.eigh", lambda x: tuple(numpy.linalg.eigh(x, "L" if lower else "U")), a, iterative=True
        )
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx, grad_values, grad_vectors):
        # Giles, "An extended collection of matrix derivative results" (2008), section 3.1.
        values, v = ctx.saved_tensors
        if grad_vectors is None:
            return (None if grad_values is None else (v * grad_values.unsqueeze(-2)) @ v.mH), None
        eye = rushlight.eye(values.shape[-1], dtype=rushlight.bool)
        apart = rushlight.where(eye, 1.0, values.unsqueeze(-2) - values.unsqueeze(-1))
        middle = rushlight.where(eye, 0.0, (v.mH @ grad_vectors) / apart)
        if grad_values is not None:
            middle = middle + rushlight.diag_embed(grad_values).to(v.dtype)
        return v @ middle @ v.mH, None


class _Eigen(Function):
    @staticmethod
    def forward(ctx, a):
        import numpy

        values, vectors = with_numpy("linalg.eig", lambda x: tuple(numpy.linalg.eig(x)), a, iterative=True)
        wide = rushlight.promote_types(a.dtype, rushlight.complex64)
        values, vectors = values.to(wide), vectors.to(wide)
        ctx.save_for_backward(values, vectors)
        ctx.real = not a.is_complex()
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx, grad_values, grad_vectors):
        # Giles (2008), section 3.1, with eigenvectors of norm 1.
        values, v = ctx.saved_tensors
        middle = None if grad_values is None else rushlight.diag_embed(grad_values)
        if grad_vectors is not None:
            vh = v.mH
            turned = vh @ grad_vectors
            normed = turned - (vh @ v) * turned.diagonal(0, -2, -1).real.unsqueeze(-2)
            eye = rushlight.eye(values.shape[-1], dtype=rushlight.bool)
            apart = rushlight.where(eye, 1.0, (values.unsqueeze(-2) - values.unsqueeze(-1)).conj())
            part = rushlight.where(eye, 0.0, normed / apart)
            middle = part if middle is None else middle + part
        if middle is None:
            return None
        grad = rushlight.linalg.solve(v.mH, middle @ v.mH)
        return grad.real if ctx.real else grad


class _LU(Function):
    @staticmethod
    def forward(ctx, a, pivot):
        packed, pivots = with_numpy("linalg.lu_factor", lambda x: eliminate(x, pivot), a)
        ctx.save_for_backward(packed, pivots)
        ctx.mark_non_differentiable(pivots)
        return packed, pivots

    @staticmethod
    def backward(ctx, grad, _):
        packed, pivots = ctx.saved_tensors
        m, n = packed.shape[-2:]
        k = min(m, n)
        lower, upper = _unpacked(packed)
        grad_lower, grad_upper = grad[..., :k].tril(-1), grad[..., :k, :].triu()
        low, up = lower[..., :k, :], upper[..., :k]
        strict = low.mH @ grad_lower[..., :k, :]
        weak = grad_upper[..., :k] @ up.mH
        if m > n:
            weak = weak - lower[..., k:, :].mH @ grad_lower[..., k:, :]
        if n > m:
            strict = strict - grad_upper[..., k:] @ upper[..., k:].mH
        middle = strict.tril(-1) + weak.triu()
        total = solve_triangular(low.mH, middle, upper=True, unitriangular=True)
        total = solve_triangular(up.mH, total, upper=False, left=False)
        if m > n:
            below = solve_triangular(up.mH, grad_lower[..., k:, :], upper=False, left=False)
            total = rushlight.cat([total, below], -2)
        if n > m:
            beside = solve_triangular(low.mH, grad_upper[..., k:], upper=True, unitriangular=True)
            total = rushlight.cat([total, beside], -1)
        return permutation(pivots, m, packed.dtype) @ total, None


def _unpacked(packed):
    """L with ones on the diagonal, and U, of the two in one matrix."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    lower = packed[..., :k].tril(-1) + rushlight.eye(m, k, dtype=packed.dtype)
    return lower, packed[..., :k, :].triu()


def permutation(pivots, m, dtype):
    """The matrices P [*, M, M] with A = P L U for the row exchanges `pivots` (1-based)."""
    import numpy

    exchanges = array(pivots)
    batch = exchanges.shape[:-1]
    flat = exchanges.reshape(math.prod(batch), exchanges.shape[-1])
    order = numpy.tile(numpy.arange(m), (flat.shape[0], 1))
    which = numpy.arange(flat.shape[0])
    for j in range(flat.shape[1]):
        other = flat[:, j] - 1
        kept = order[which, other].copy()
        order[which, other] = order[:, j]
        order[:, j] = kept
    places = tensor(order.reshape((*batch, m)))
    return (places.unsqueeze(-2) == rushlight.arange(m).unsqueeze(-1)).to(dtype)


def cholesky(A, *, upper=False, out=None):
    """L with A = L L^H for positive definite matrices A [*, N, N] (U with A = U^H U when upper); the other triangle
    is not read.

    Raises LinAlgError when a matrix is not positive definite.

    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    check_square("linalg.cholesky", A)
    factor = _Cholesky.apply(A.mH).mH if upper else _Cholesky.apply(A)
    return given("linalg.cholesky", factor, out)


@asks_overrides
def cholesky_ex(A, *, upper=False, check_errors=False, out=None):
    """(L, info): see `cholesky`; info is 0, or the order of the first leading minor that is not positive definite.

    >>> torch.linalg.cholesky_ex(torch.tensor([[-1.0]])).info
    tensor(1, dtype=torch.int32)
    """
    check_square("linalg.cholesky_ex", A)
    import numpy

    x = array(A.mH if upper else A)
    n = x.shape[-1]

    def fails(matrix, order):
        try:
            numpy.linalg.cholesky(matrix[:order, :order])
        except numpy.linalg.LinAlgError:
            return True
        return False

    flat = x.reshape((math.prod(x.shape[:-2]), n, n))
    orders = [next((k for k in range(1, n + 1) if fails(m, k)), 0) if n and fails(m, n) else 0 for m in flat]
    info = tensor(numpy.array(orders, dtype="int32").reshape(x.shape[:-2]))
    bad = (info != 0)[..., None, None]
    if bool(bad.any()):
        if check_errors:
            raise LinAlgError(
                "[linalg.cholesky] The factorization could not be completed because the input is not "
                "positive-definite. "
                f"Received {tuple(A.shape)}."
            )
        A = rushlight.where(bad, rushlight.eye(n, dtype=A.dtype), A)
    return given("linalg.cholesky_ex", return_types.linalg_cholesky_ex((cholesky(A, upper=upper), info)), out)


def qr(A, mode="reduced", *, out=None):
    """(Q, R) with A = Q R, Q having orthonormal columns and R being upper triangular; A [*, M, N].

    mode: "reduced" (Q [*, M, K], R [*, K, N], K = min(M, N)), "complete" (Q [*, M, M], R [*, M, N]) or "r" (Q is
    empty).

    >>> torch.linalg.qr(torch.tensor([[3.0], [4.0]])).R
    tensor([[-5.]])
    """
    check_matrix("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"[linalg.qr] qr received unrecognized mode {mode!r} but expected one of 'reduced', 'r', or 'complete'."
        )
    q, r = _QR.apply(A, "complete" if mode == "complete" else "reduced")
    if mode == "r":
        q = A.new_empty((0,))
    return given("linalg.qr", return_types.linalg_qr((q, r)), out)


def svd(A, full_matrices=True, *, driver=None, out=None):
    """(U, S, Vh) with A = U diag(S) Vh, S descending; A [*, M, N]. full_matrices=False: U [*, M, K], Vh [*, K, N].

    driver: accepted; LAPACK's divide and conquer is used. Gradients through U and Vh need distinct singular values.

    >>> torch.linalg.svd(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    check_matrix("linalg.svd", A)
    return given("linalg.svd", return_types.linalg_svd(_SVD.apply(A, full_matrices)), out)


def svdvals(A, *, driver=None, out=None):
    """The singular values of matrices [*, M, N], descending: [*, min(M, N)].

    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    check_matrix("linalg.svdvals", A)
    return given("linalg.svdvals", _SVD.apply(A, False)[1], out)


def _lower(name, uplo):
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"[{name}] Expected UPLO argument to be 'L' or 'U'. Received {uplo!r}.")
    return uplo.upper() == "L"


def eigh(A, UPLO="L", *, out=None):
    """(eigenvalues, eigenvectors) of Hermitian matrices [*, N, N]: values ascending, vectors in columns.

    UPLO: the triangle that is read. Gradients through vectors need distinct values.

    >>> torch.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    check_square("linalg.eigh", A)
    pair = _HermitianEigen.apply(A, _lower("linalg.eigh", UPLO))
    return given("linalg.eigh", return_types.linalg_eigh(pair), out)


def eigvalsh(A, UPLO="L", *, out=None):
    """The eigenvalues of Hermitian matrices [*, N, N], ascending: [*, N].

    >>> torch.linalg.eigvalsh(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    check_square("linalg.eigvalsh", A)
    return given("linalg.eigvalsh", _HermitianEigen.apply(A, _lower("linalg.eigvalsh", UPLO))[0], out)


def _check_finite(name, a):
    if not bool(rushlight.isfinite(a.detach()).all()):
        raise RuntimeError(f"[{name}] input tensor should not contain infs or NaNs. Received {tuple(a.shape)}.")


@asks_overrides
def eig(A, *, out=None):
    """(eigenvalues, eigenvectors) of square matrices [*, N, N], complex, in no order; vectors in columns, of norm 1.

    >>> torch.linalg.eig(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([2.+0.j, 1.+0.j])
    """
    check_square("linalg.eig", A)
    _check_finite("linalg.eig", A)
    return given("linalg.eig", return_types.linalg_eig(_Eigen.apply(A)), out)


@asks_overrides
def eigvals(A, *, out=None):
    """The eigenvalues of square matrices [*, N, N], complex, in no order: [*, N].

    >>> torch.linalg.eigvals(torch.tensor([[0.0, 1.0], [-1.0, 0.0]])).abs()
    tensor([1., 1.])
    """
    check_square("linalg.eigvals", A)
    _check_finite("linalg.eigvals", A)
    return given("linalg.eigvals", _Eigen.apply(A)[0], out)


@asks_overrides
def lu_factor(A, *, pivot=True, out=None):
    """(LU, pivots): L below the diagonal of LU and U on and above it; pivots are the row exchanges, 1-based int32.

    >>> torch.linalg.lu_factor(torch.tensor([[0.0, 1.0], [2.0, 3.0]])).pivots
    tensor([2, 2], dtype=torch.int32)
    """
    check_matrix("linalg.lu_factor", A)
    return given("linalg.lu_factor", return_types.linalg_lu_factor(_LU.apply(A, pivot)), out)


@asks_overrides
def lu_factor_ex(A, *, pivot=True, check_errors=False, out=None):
    """(LU, pivots, info): see `lu_factor`; info is 0, or the place of the first zero on U's diagonal."""
    check_matrix("linalg.lu_factor_ex", A)
    packed, pivots = _LU.apply(A, pivot)
    zero = packed.detach().diagonal(0, -2, -1) == 0
    if zero.shape[-1]:
        first = zero.to(rushlight.int32).argmax(-1) + 1
        info = rushlight.where(zero.any(-1), first, 0).to(rushlight.int32)
    else:
        info = rushlight.zeros(zero.shape[:-1], dtype=rushlight.int32)
    if check_errors and bool((info != 0).any()):
        raise LinAlgError(
            "[linalg.lu_factor] U has a zero on its diagonal and lu_solve would divide by it. Received "
            f"{tuple(A.shape)}."
        )
    return given("linalg.lu_factor_ex", return_types.linalg_lu_factor_ex((packed, pivots, info)), out)


@asks_overrides
def lu(A, *, pivot=True, out=None):
    """(P, L, U) with A = P L U, P a permutation, L lower triangular with ones on its diagonal, U upper triangular.

    >>> torch.linalg.lu(torch.tensor([[0.0, 1.0], [2.0, 3.0]])).U
    tensor([[2., 3.],
            [0., 1.]])
    """
    check_matrix("linalg.lu", A)
    packed, pivots = _LU.apply(A, pivot)
    p = permutation(pivots, A.shape[-2], A.dtype) if pivot else A.new_empty((0,))
    return given("linalg.lu", return_types.linalg_lu((p, *_unpacked(packed))), out)


@asks_overrides
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True, *, out=None):
    """(P, L, U) of what lu_factor() gave; what is not asked for is empty."""
    check_matrix("lu_unpack", LU_data)
    if LU_pivots.dtype != rushlight.int32:
        raise RuntimeError(
            "[lu_unpack] LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. Received "
            f"{LU_pivots.dtype}."
        )
    nothing = LU_data.new_empty((0,))
    p = permutation(LU_pivots, LU_data.shape[-2], LU_data.dtype) if unpack_pivots else nothing
    lower, upper = _unpacked(LU_data) if unpack_data else (nothing, nothing)
    return given("lu_unpack", return_types.lu_unpack((p, lower, upper)), out)


@asks_overrides
def reflections(A):
    """(a, tau) of LAPACK's geqrf: R on and above the diagonal, the vectors of the reflections below."""
    check_matrix("geqrf", A)
    import numpy

    a, tau = numpy.linalg.qr(array(A), "raw")
    return return_types.geqrf((tensor(numpy.swapaxes(a, -1, -2)), tensor(tau)))


@asks_overrides
def lu_solve(LU, pivots, B, *, left=True, adjoint=False, out=None):
    """X with A X = B (X A = B with left=False; A^H with adjoint), A being what lu_factor() took apart.

    >>> A = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> torch.linalg.lu_solve(*torch.linalg.lu_factor(A), torch.tensor([[1.0], [5.0]]))
    tensor([[1.],
            [1.]])
    """
    check_square("linalg.lu_solve", LU)
    check_matrix("linalg.lu_solve", B)
    if pivots.dtype != rushlight.int32:
        raise RuntimeError(
            f"[linalg.lu_solve] pivots should be a Tensor of scalar type torch.int32. Received {pivots.dtype}."
        )
    p = permutation(pivots, LU.shape[-1], LU.dtype)
    if not left:  # X A = B is A^H X^H = B^H
        return given("linalg.lu_solve", lu_solve(LU, pivots, B.mH, adjoint=not adjoint).mH, out)
    if adjoint:  # A^H = U^H L^H P^T
        x = solve_triangular(LU.mH, B, upper=False)
        x = p @ solve_triangular(LU.mH, x, upper=True, unitriangular=True)
    else:
        x = solve_triangular(LU, p.mT @ B, upper=False, unitriangular=True)
        x = solve_triangular(LU, x, upper=True)
    return given("linalg.lu_solve", x, out)


def householder_product(A, tau, *, out=None):
    """The first N columns of the product of the reflections I - tau_k v_k v_k^H; v_k: column k of A [*, M, N] below a
    1 in row k.

    >>> torch.linalg.householder_product(torch.zeros(2, 1), torch.zeros(1))
    tensor([[1.],
            [0.]])
    """
    check_matrix("linalg.householder_product", A)
    check_inexact("linalg.householder_product", tau)
    m, n = A.shape[-2:]
    k = tau.shape[-1]
    if m < n or k > n or tuple(tau.shape[:-1]) != tuple(A.shape[:-2]) or A.dtype != tau.dtype:
        raise RuntimeError(
            "[linalg.householder_product] A must have at least as many rows as columns, and tau one number for each "
            f"reflection, of the same dtype. Received {A.dtype}{list(A.shape)} and {tau.dtype}{list(tau.shape)}."
        )
    vectors = A.tril(-1) + rushlight.eye(m, n, dtype=A.dtype)
    q = rushlight.fill(A, 0) + rushlight.eye(m, n, dtype=A.dtype)  # without reflections, a gradient of zeros
    for j in reversed(range(k)):
        v = vectors[..., j : j + 1]
        q = q - (tau[..., j, None, None] * v) @ (v.mH @ q)
    return given("linalg.householder_product", q, out)
