"""Products of matrices and tensors; what torch.<name> shows of rushlight.linalg. (matmul, mm, addmm... are rows.)"""

import math

import rushlight
from rushlight import _core
from rushlight.ops.composition import composition, write_out
from rushlight.ops.dimension import wrap_dims

Tensor = _core.Tensor


# --- Einstein's summation

_ELLIPSIS = -1  # its dimensions are labelled -1, -2, ... from the last one


def _letters(text):
    """The labels of one operand: letters, and _ELLIPSIS for '...'."""
    labels = []
    rest = text.replace(" ", "")
    while rest:
        if rest.startswith("..."):
            if _ELLIPSIS in labels:
                raise RuntimeError(f"[einsum] an operand must have at most one ellipsis ('...'). Received {text!r}.")
            labels.append(_ELLIPSIS)
            rest = rest[3:]
        elif rest[0].isascii() and rest[0].isalpha():
            labels.append(rest[0])
            rest = rest[1:]
        else:
            raise RuntimeError(f"[einsum] subscripts must be in [a-zA-Z], '...', ',' and '->'. Received {text!r}.")
    return labels


def _sublist(entries):
    """The labels that a list of numbers in [0, 52) and Ellipsis stands for."""
    labels = []
    for entry in entries:
        if entry is Ellipsis:
            labels.append(_ELLIPSIS)
        elif 0 <= entry < 52:
            labels.append(chr(ord("A") + entry) if entry < 26 else chr(ord("a") + entry - 26))
        else:
            raise RuntimeError(f"[einsum] subscripts must be within the range [0, 52). Received {entry}.")
    return labels


def _equation(args):
    """(operands, labels of each, labels of the result or None) of einsum's two calling conventions."""
    if isinstance(args[0], str):
        equation, *operands = args
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
        left, arrow, right = equation.partition("->")
        inputs = [_letters(text) for text in left.split(",")]
        return operands, inputs, _letters(right) if arrow else None
    operands, inputs = list(args[0:-1:2]), [_sublist(entries) for entries in args[1::2]]
    return operands, inputs, _sublist(args[-1]) if len(args) % 2 else None


def _spelled_out(operand, labels, position):
    """The operand and its labels with the ellipsis as numbers and each label once (a repeated one takes the
    diagonal).
    """
    named = sum(x != _ELLIPSIS for x in labels)
    if _ELLIPSIS in labels:
        at = labels.index(_ELLIPSIS)
        count = operand.ndim - named
        labels = labels[:at] + list(range(-count, 0)) + labels[at + 1 :]
    else:
        count = 0
    if count < 0 or len(labels) != operand.ndim:
        raise RuntimeError(
            f"[einsum] the number of subscripts must match the number of dimensions of operand {position}. "
            f"Received {named} for {operand.ndim}."
        )
    k = 0
    while k < len(labels):
        first = labels.index(labels[k])
        if first == k:
            k += 1
            continue
        if operand.shape[first] != operand.shape[k]:
            raise RuntimeError(
                f"[einsum] a subscript that is repeated for operand {position} must have one size. "
                f"Received {operand.shape[first]} and {operand.shape[k]} for {labels[k]!r}."
            )
        operand = operand.diagonal(0, first, k).movedim(-1, first)
        labels = labels[:k] + labels[k + 1 :]
    return operand, labels, count


def _without(x, labels, gone):
    """x summed over the labels in `gone`."""
    places = [k for k, label in enumerate(labels) if label in gone]
    if not places:
        return x, labels
    return x.sum(places), [label for label in labels if label not in gone]


def _contract(a, of_a, b, of_b, kept):
    """The product of a and b, summed over the labels that are not kept; and its labels."""
    a, of_a = _without(a, of_a, [x for x in of_a if x not in kept and x not in of_b])
    b, of_b = _without(b, of_b, [x for x in of_b if x not in kept and x not in of_a])
    summed = []
    for label in [x for x in of_a if x in of_b and x not in kept]:
        i, j = of_a.index(label), of_b.index(label)
        if a.shape[i] == b.shape[j]:
            summed.append(label)
            continue
        # One side has size 1: the other is summed by itself.
        a, b = a.sum(i), b.sum(j)
        of_a, of_b = of_a[:i] + of_a[i + 1 :], of_b[:j] + of_b[j + 1 :]
    batch = [x for x in of_a if x in of_b and x not in summed]
    only_a = [x for x in of_a if x not in of_b]
    only_b = [x for x in of_b if x not in of_a]

    def arranged(x, labels, order):
        places = [labels.index(label) for label in order]
        return x if places == list(range(len(places))) else x.permute(places)

    result = batch + only_a + only_b
    if not summed:  # nothing to sum: an elementwise product
        a, b = arranged(a, of_a, batch + only_a), arranged(b, of_b, batch + only_b)
        a = a.reshape((*a.shape, *(1,) * len(only_b)))
        return a * b.reshape((*b.shape[: len(batch)], *(1,) * len(only_a), *b.shape[len(batch) :])), result
    a, b = arranged(a, of_a, batch + only_a + summed), arranged(b, of_b, batch + summed + only_b)
    n = len(batch)
    common = tuple(_core.broadcast_shapes(tuple(a.shape[:n]), tuple(b.shape[:n])))
    rows, columns = a.shape[n : n + len(only_a)], b.shape[n + len(summed) :]
    depth = math.prod(a.shape[n + len(only_a) :])
    if common:
        a, b = a.expand(common + tuple(a.shape[n:])), b.expand(common + tuple(b.shape[n:]))
        a = a.reshape(math.prod(common), math.prod(rows), depth)
        b = b.reshape(math.prod(common), depth, math.prod(columns))
    else:
        a, b = a.reshape(math.prod(rows), depth), b.reshape(depth, math.prod(columns))
    return _core.matmul(a, b).reshape((*common, *rows, *columns)), result


@composition(method=False)
def einsum(*args):
    """Products of the operands summed over the subscripts that the result does not name.

    einsum(equation, *operands): "ij,jk->ik" is the matrix product; a repeated subscript takes a diagonal; '...'
    stands for
    dimensions that broadcast; without "->" the result has the subscripts that occur once, in alphabetical order.
    einsum(operand, [0, 1], ..., [0]) names subscripts by numbers. Raises RuntimeError for an equation that does not
    fit.

    >>> torch.einsum("ij,j->i", torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    operands, inputs, output = _equation(args)
    if not operands or len(operands) != len(inputs):
        raise RuntimeError(
            "[einsum] the number of operands must be that of the equation, at least one. "
            f"Received {len(operands)} for {len(inputs)}."
        )
    spelled = [_spelled_out(x, labels, k) for k, (x, labels) in enumerate(zip(operands, inputs, strict=True))]
    dots = list(range(-max(count for _, _, count in spelled), 0))
    sizes = {}
    for x, labels, _ in spelled:
        for label, n in zip(labels, x.shape, strict=True):
            if sizes.setdefault(label, n) != n:
                if 1 not in (sizes[label], n):
                    raise RuntimeError(
                        f"[einsum] sizes of subscript {label!r} do not broadcast with remapped shapes. "
                        f"Received {sizes[label]} and {n}."
                    )
                sizes[label] = n if sizes[label] == 1 else sizes[label]
    if output is None:
        once = [x for labels in inputs for x in labels if x != _ELLIPSIS]
        output = dots + sorted(x for x in set(once) if once.count(x) == 1)
    elif _ELLIPSIS in output:
        at = output.index(_ELLIPSIS)
        output = output[:at] + dots + output[at + 1 :]
    if len(set(output)) != len(output) or any(label not in sizes for label in output):
        raise RuntimeError(
            "[einsum] output subscripts must appear once, and in an input. "
            f"Received {''.join(x for x in output if isinstance(x, str))!r}."
        )
    result, labels, _ = spelled[0]
    for k, (x, of_x, _) in enumerate(spelled[1:], 2):
        kept = set(output).union(*(later for _, later, _ in spelled[k:]))
        result, labels = _contract(result, labels, x, of_x, kept)
    result, labels = _without(result, labels, [x for x in labels if x not in output])
    return result.permute([labels.index(label) for label in output])


# --- products


@composition(method=False)
def tensordot(a, b, dims=2, out=None):
    """The products of a and b summed over pairs of dimensions: the last `dims` of a with the first of b, or two lists
    of them.

    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=1)
    tensor([[3., 3.],
            [3., 3.]])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0 or dims > min(a.ndim, b.ndim):
            raise RuntimeError(
                "[tensordot] tensordot expects dims >= 0 and no more than the tensors have. "
                f"Received {dims} for {a.ndim} and {b.ndim}."
            )
        of_a, of_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        of_a, of_b = (wrap_dims("tensordot", d, x.ndim) for d, x in zip(dims, (a, b), strict=True))
    if len(of_a) != len(of_b):
        raise RuntimeError(f"[tensordot] both dimension lists should have same length. Received {of_a} and {of_b}.")
    for i, j in zip(of_a, of_b, strict=True):
        n, m = a.shape[i], b.shape[j]
        if n != m and n != 1 and m != 1:
            raise RuntimeError(
                f"[tensordot] contracted dimensions need to match. Received {n} in dim {i} and {m} in dim {j}."
            )
        if n == 1 and m != 1:
            b = b.sum(j, keepdim=True)
        elif m == 1 and n != 1:
            a = a.sum(i, keepdim=True)
    free_a = [d for d in range(a.ndim) if d not in of_a]
    free_b = [d for d in range(b.ndim) if d not in of_b]
    rows, columns = [a.shape[d] for d in free_a], [b.shape[d] for d in free_b]
    depth = math.prod(a.shape[d] for d in of_a)
    left = a.permute(free_a + of_a).reshape(math.prod(rows), depth)
    right = b.permute(of_b + free_b).reshape(depth, math.prod(columns))
    made = _core.matmul(left, right).reshape(rows + columns)
    return made if out is None else write_out("tensordot", made, out)


@composition(out=True)
def inner(input, other, *, out=None):
    """The products summed over the last dimension of both; with a number, the product.

    >>> torch.inner(torch.tensor([1, 2, 3]), torch.tensor([0, 2, 1]))
    tensor(7)
    """
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "[inner] inner() the last dimension must match on both input tensors. "
            f"Received {tuple(input.shape)} and {tuple(other.shape)}."
        )
    return tensordot(input, other, ([-1], [-1]))


@composition(out=True)
def kron(input, other, *, out=None):
    """The Kronecker product: every element of input times other, as blocks.

    >>> torch.kron(torch.tensor([1, 10]), torch.tensor([[1, 2]]))
    tensor([[ 1,  2, 10, 20]])
    """
    ndim = max(input.ndim, other.ndim)
    a = input.reshape((1,) * (ndim - input.ndim) + tuple(input.shape))
    b = other.reshape((1,) * (ndim - other.ndim) + tuple(other.shape))
    shape = [n * m for n, m in zip(a.shape, b.shape, strict=True)]
    a = a.reshape([n for size in a.shape for n in (size, 1)])
    b = b.reshape([n for size in b.shape for n in (1, size)])
    return (a * b).reshape(shape)


@composition(method=False, out=True)
def chain_matmul(*matrices, out=None):
    """The product of the matrices, associated so that it costs least.

    >>> torch.chain_matmul(torch.ones(2, 3), torch.ones(3, 1), torch.ones(1, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    if not matrices:
        raise RuntimeError("[chain_matmul] chain_matmul(): Expected one or more matrices. Received none.")
    for m in matrices:
        if m.ndim != 2:
            raise RuntimeError(f"[chain_matmul] Tensor dimension is {m.ndim}, expected 2 instead. Give matrices.")
    return cheapest_product(matrices)


def cheapest_product(matrices):
    """The product of matrices [p0, p1], [p1, p2], ... in the order of fewest multiplications (Cormen et al., chapter
    15).
    """
    n = len(matrices)
    p = [m.shape[0] for m in matrices] + [matrices[-1].shape[1]]
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            choices = ((cost[i][k] + cost[k + 1][j] + p[i] * p[k + 1] * p[j + 1], k) for k in range(i, j))
            cost[i][j], cut[i][j] = min(choices)

    def product(i, j):
        if i == j:
            return matrices[i]
        return _core.matmul(product(i, cut[i][j]), product(cut[i][j] + 1, j))

    return product(0, n - 1)


@composition(out=True)
def matrix_power(input, n, *, out=None):
    """The n-th power of square matrices [*, M, M]; of the inverse for a negative n.

    >>> torch.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"[matrix_power] A must be batches of square matrices, at least 2-d. Received {tuple(input.shape)}."
        )
    if n < 0:
        input, n = rushlight.linalg.inv(input), -n
    if n == 0:
        return _core.fill(input, 0) + _core.eye(input.shape[-1], dtype=input.dtype)  # with a gradient: zeros
    result = None
    while n:
        if n & 1:
            result = input if result is None else _core.matmul(result, input)
        n >>= 1
        if n:
            input = _core.matmul(input, input)
    return result.clone() if result is input else result


@composition
def adjoint(input):
    """The last two dimensions swapped, the elements conjugated.

    >>> torch.adjoint(torch.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"[adjoint] tensor.adjoint() is only supported on matrices. Received {input.ndim}-d.")
    swapped = input.transpose(-2, -1)
    return swapped.conj() if input.is_complex() else swapped


# --- decompositions and solvers, by their names in the root


@composition(out=True)
def inverse(input, *, out=None):
    """The inverse of square matrices [*, M, M], see `linalg.inv`.

    >>> torch.inverse(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return rushlight.linalg.inv(input)


@composition
def det(input):
    """The determinants of square matrices [*, M, M], see `linalg.det`.

    >>> torch.det(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return rushlight.linalg.det(input)


@composition
def logdet(input):
    """The logarithm of the determinants of square matrices; NaN for negative ones.

    >>> torch.logdet(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor(0.)
    """
    sign, logarithm = rushlight.linalg.slogdet(input)
    return _core.where(sign == -1, math.nan, logarithm) if not input.is_complex() else logarithm + sign.log()


@composition(out=True)
def slogdet(input, *, out=None):
    """(sign, logabsdet) of the determinants of square matrices, see `linalg.slogdet`."""
    return rushlight.linalg.slogdet(input)


@composition(out=True)
def cholesky(input, upper=False, *, out=None):
    """The Cholesky factors of positive definite matrices, see `linalg.cholesky`.

    >>> torch.cholesky(torch.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    return rushlight.linalg.cholesky(input, upper=upper)


@composition(out=True)
def cholesky_inverse(input, upper=False, *, out=None):
    """The inverse of the matrices whose Cholesky factor is input [*, M, M]."""
    factor = input.mH if upper else input
    eye = _core.eye(input.shape[-1], dtype=input.dtype).expand(input.shape)
    half = rushlight.linalg.solve_triangular(factor.tril(), eye, upper=False)
    return _core.matmul(half.mH, half)


@composition(out=True)
def cholesky_solve(B, L, upper=False, *, out=None):
    """X with A @ X = B [*, M, K], A being the matrix whose Cholesky factor is L [*, M, M].

    >>> torch.cholesky_solve(torch.tensor([[8.0]]), torch.tensor([[2.0]]))
    tensor([[2.]])
    """
    lower = (L.mH if upper else L).tril()
    half = rushlight.linalg.solve_triangular(lower, B, upper=False)
    return rushlight.linalg.solve_triangular(lower.mH, half, upper=True)


@composition(out=True)
def qr(input, some=True, *, out=None):
    """(Q, R) of matrices [*, M, N], see `linalg.qr`; some=False gives a square Q."""
    return rushlight.linalg.qr(input, "reduced" if some else "complete")


@composition(out=True)
def svd(input, some=True, compute_uv=True, *, out=None):
    """(U, S, V) with input = U diag(S) V^H; some=False gives square U and V. See `linalg.svd`."""
    if not compute_uv:
        s = rushlight.linalg.svdvals(input)
        *batch, m, n = input.shape
        return rushlight.return_types.svd(
            (_core.zeros((*batch, m, m), dtype=input.dtype), s, _core.zeros((*batch, n, n), dtype=input.dtype))
        )
    u, s, vh = rushlight.linalg.svd(input, full_matrices=not some)
    return rushlight.return_types.svd((u, s, vh.mH))


@composition
def pinverse(input, rcond=1e-15):
    """The pseudo-inverse of matrices [*, M, N], see `linalg.pinv`.

    >>> torch.pinverse(torch.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return rushlight.linalg.pinv(input, rcond)


@composition
def matrix_exp(input):
    """The exponential of square matrices [*, M, M], see `linalg.matrix_exp`."""
    return rushlight.linalg.matrix_exp(input)


@composition(out=True)
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False, *, out=None):
    """(X, A) with A X = input for a triangular A (A^T X = input with transpose), see `linalg.solve_triangular`."""
    matrix = A.mT if transpose else A
    x = rushlight.linalg.solve_triangular(matrix, input, upper=upper != transpose, unitriangular=unitriangular)
    return rushlight.return_types.triangular_solve((x, A))


@composition
def lu(input, pivot=True, get_infos=False, out=None):
    """(LU, pivots) of matrices [*, M, N], and with get_infos the places of zero pivots; see `linalg.lu_factor`."""
    result = (rushlight.linalg.lu_factor_ex if get_infos else rushlight.linalg.lu_factor)(input, pivot=pivot)
    return result if out is None else write_out("lu", result, out)


@composition(out=True)
def lu_solve(input, LU_data, LU_pivots, *, out=None):
    """X with A X = input, A being what lu_factor() took apart; see `linalg.lu_solve`."""
    return rushlight.linalg.lu_solve(LU_data, LU_pivots, input)


@composition(method=False, out=True)
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True, *, out=None):
    """(P, L, U) of what lu_factor() gave; what is not asked for is empty.

    >>> A = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> torch.lu_unpack(*torch.linalg.lu_factor(A)).L
    tensor([[1., 0.],
            [0., 1.]])
    """
    return rushlight.linalg.decompositions.lu_unpack(LU_data, LU_pivots, unpack_data, unpack_pivots)


@composition(out=True)
def geqrf(input, *, out=None):
    """(a, tau): R on and above the diagonal of a, the reflections of Q below; see `linalg.householder_product`. No
    gradient.
    """
    return rushlight.linalg.decompositions.reflections(input)


@composition(out=True)
def orgqr(input, tau, *, out=None):
    """The first columns of a product of reflections, see `linalg.householder_product`."""
    return rushlight.linalg.householder_product(input, tau)


@composition(out=True)
def ormqr(input, tau, other, left=True, transpose=False, *, out=None):
    """Q @ other (Q^H with transpose; other @ Q with left=False), Q [M, M] being the product of the reflections of
    geqrf().
    """
    if input.ndim < 2:
        raise RuntimeError(f"[ormqr] input must have at least 2 dimensions. Received {input.ndim}.")
    m, n = input.shape[-2:]
    if other.ndim < 2 or other.shape[-2 if left else -1] != m or tau.shape[-1] > n:
        raise RuntimeError(
            f"[ormqr] other must have {m} {'rows' if left else 'columns'}, and tau at most {n} elements. "
            f"Received {tuple(other.shape)} and {tuple(tau.shape)}."
        )
    if not input.dtype == tau.dtype == other.dtype:
        raise RuntimeError(
            f"[ormqr] Expected input and tau and other to have the same dtype. Received {input.dtype}, {tau.dtype} "
            f"and {other.dtype}."
        )
    if m > n:  # reflections of zero complete the square
        input = _core.constant_pad_nd(input, (0, m - n))
    q = rushlight.linalg.householder_product(input[..., :m], tau)
    q = q.mH if transpose else q
    return _core.matmul(q, other) if left else _core.matmul(other, q)


@composition(method=False)
def svd_lowrank(A, q=6, niter=2, M=None):
    """(U, S, V) with A ~ U diag(S) V^H of rank q, from random projections: A - M when M is given.

    Halko, Martinsson & Tropp, "Finding structure with randomness", SIAM Review 53, 2011, algorithms 4.4 and 5.1.
    """
    if M is not None:
        A = A - M.expand(A.shape)
    basis = rushlight.linalg.qr(_core.matmul(A, _core.randn((A.shape[-1], q), dtype=A.dtype))).Q
    for _ in range(niter):
        basis = rushlight.linalg.qr(_core.matmul(A.mH, basis)).Q
        basis = rushlight.linalg.qr(_core.matmul(A, basis)).Q
    u, s, vh = rushlight.linalg.svd(_core.matmul(basis.mH, A), full_matrices=False)
    return _core.matmul(basis, u), s, vh.mH


@composition(method=False)
def pca_lowrank(A, q=None, center=True, niter=2):
    """(U, S, V) of the principal components of the rows of A [*, M, N], see `svd_lowrank`; center subtracts the
    columns' means.
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(
            f"[pca_lowrank] q must be non-negative integer and not greater than min(m, n). Received {q} for {m} and "
            f"{n}."
        )
    if niter < 0:
        raise ValueError(f"[pca_lowrank] niter must be non-negative integer. Received {niter}.")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


# --- norms by their older names, eigenvalues at one end


@composition(method=False, out=True)
def frobenius_norm(input, dim=(), keepdim=False, *, out=None):
    """The square root of the sum of squares over dim, or over all dimensions.

    >>> torch.frobenius_norm(torch.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    return rushlight.linalg.vector_norm(input, 2, dim or None, keepdim)


@composition(method=False, out=True)
def nuclear_norm(input, dim=(-2, -1), keepdim=False, *, out=None):
    """The sum of singular values of the matrices along two dimensions.

    >>> torch.nuclear_norm(torch.eye(2))
    tensor(2.)
    """
    if isinstance(dim, bool):  # nuclear_norm(input, keepdim)
        dim, keepdim = (-2, -1), dim
    return rushlight.linalg.matrix_norm(input, "nuc", tuple(dim), keepdim)


@composition(method=False)
def norm_except_dim(v, pow=2, dim=0):
    """The norms of order pow over all dimensions but one, with size 1 in them; over all where dim is -1.

    >>> torch.norm_except_dim(torch.tensor([[3.0, 4.0], [6.0, 8.0]]))
    tensor([[ 5.],
            [10.]])
    """
    if dim == -1:
        return rushlight.linalg.vector_norm(v, pow)
    others = [d for d in range(v.ndim) if d != dim % v.ndim]
    return rushlight.linalg.vector_norm(v, pow, others, True) if others else v.abs()


@composition(method=False)
def lobpcg(
    A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None,
    ortho_iparams=None, ortho_fparams=None, ortho_bparams=None,
):  # fmt: skip
    """(values [*, k], vectors [*, M, k]): the k largest (or smallest) solutions of A x = value * B x, A symmetric.

    B: positive definite, the identity by default. k: as many as X has columns, or 1. The problem is solved exactly, by
    a Cholesky factor of B and all eigenvalues: iK, niter, tol, method and ortho_* steer an iteration and are not read.
    Raises RuntimeError when A is not square, ValueError when k does not fit.

    >>> torch.lobpcg(torch.diag(torch.tensor([1.0, 3.0, 2.0])), k=2)[0]
    tensor([3., 2.])
    """
    k = k or (X.shape[-1] if X is not None else 1)
    if not 0 < k <= A.shape[-1]:
        raise ValueError(f"[lobpcg] k must be from 1 to {A.shape[-1]}. Received {k}.")
    inverse = None
    if B is not None:
        factor = rushlight.linalg.cholesky(B)
        inverse = rushlight.linalg.solve_triangular(factor, _core.eye(B.shape[-1], dtype=B.dtype), upper=False)
        A = inverse @ A @ inverse.mT
    values, vectors = rushlight.linalg.eigh(A)
    if inverse is not None:
        vectors = inverse.mT @ vectors
    if largest is None or largest:
        values, vectors = values.flip(-1), vectors.flip(-1)
    return values[..., :k], vectors[..., :k]
