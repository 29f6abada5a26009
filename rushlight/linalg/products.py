"""Products, powers and the exponential of matrices."""

import math

import rushlight
from rushlight import _core
from rushlight.linalg.lapack import check_square, given
from rushlight.ops.composition import asks_overrides
from rushlight.ops.matrix import cheapest_product


def matmul(input, other, *, out=None):
    """The matrix product, as torch.matmul.

    >>> torch.linalg.matmul(torch.ones(1, 2), torch.ones(2, 1))
    tensor([[2.]])
    """
    return _core.matmul(input, other, out=out)


def matrix_power(A, n, *, out=None):
    """The n-th power of square matrices [*, N, N]; of the inverse for a negative n.

    >>> torch.linalg.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), -1)
    tensor([[ 1., -1.],
            [ 0.,  1.]])
    """
    return rushlight.matrix_power(A, n, out=out)


def cross(input, other, *, dim=-1, out=None):
    """The cross product of vectors of 3 along dim; the rest broadcasts.

    >>> torch.linalg.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    return rushlight.cross(input, other, dim, out=out)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonals of matrices: a view.

    >>> torch.linalg.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return _core.diagonal(A, offset, dim1, dim2)


def vecdot(x, y, *, dim=-1, out=None):
    """The sum of conj(x) * y along dim; the rest broadcasts.

    >>> torch.linalg.vecdot(torch.tensor([[1, 2], [3, 4]]), torch.tensor([1, 1]))
    tensor([3, 7])
    """
    return given(
        "linalg.vecdot",
        ((x.conj() if x.is_complex() else x) * y).sum(dim, dtype=_core.promote_types(x.dtype, y.dtype)),
        out,
    )


def multi_dot(tensors, *, out=None):
    """The product of matrices, associated so that it costs least; the first and the last may be vectors.

    >>> torch.linalg.multi_dot([torch.tensor([1.0, 2.0]), torch.eye(2), torch.tensor([1.0, 1.0])])
    tensor(3.)
    """
    if len(tensors) < 2:
        raise RuntimeError(f"[linalg.multi_dot] multi_dot(): expected at least 2 tensors but got {len(tensors)}.")
    row, column = tensors[0].ndim == 1, tensors[-1].ndim == 1
    matrices = list(tensors)
    if row:
        matrices[0] = matrices[0].unsqueeze(0)
    if column:
        matrices[-1] = matrices[-1].unsqueeze(-1)
    for k, m in enumerate(matrices):
        if m.ndim != 2:
            raise RuntimeError(f"[linalg.multi_dot] multi_dot(): tensor {k} must be 2D but got {m.ndim}D.")
        if m.dtype != tensors[0].dtype:
            raise RuntimeError(
                f"[linalg.multi_dot] multi_dot(): all tensors must have the same dtype. Received {tensors[0].dtype} "
                f"and {m.dtype}."
            )
        if k and matrices[k - 1].shape[1] != m.shape[0]:
            raise RuntimeError(
                f"[linalg.multi_dot] multi_dot(): tensors {k - 1} and {k} must fit. "
                f"Received {tuple(tensors[k - 1].shape)} and {tuple(tensors[k].shape)}."
            )
    result = cheapest_product(matrices)
    if row:
        result = result.squeeze(0)
    return given("linalg.multi_dot", result.squeeze(-1) if column else result, out)


def vander(x, N=None):
    """The Vandermonde matrices of x [*, n]: [*, n, N], their columns the powers 0 ... N - 1 of x.

    >>> torch.linalg.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    if N is not None and N <= 1:
        raise RuntimeError(f"[linalg.vander] N must be greater than 1. Received {N}.")
    if N is None and x.ndim == 0:
        raise RuntimeError(
            "[linalg.vander] x must have at least one dimension when N is left out. Received a 0-d tensor."
        )
    x = x.reshape(1) if x.ndim == 0 else x
    n = x.shape[-1] if N is None else N
    dtype = x.dtype if x.is_floating_point() or x.is_complex() else _core.int64
    powers = x.to(dtype).unsqueeze(-1).expand((*x.shape, n - 1)).cumprod(-1)
    return _core.cat([_core.ones((*x.shape, 1), dtype=dtype), powers], -1)


@asks_overrides
def matrix_exp(A):
    """The exponential of square matrices [*, N, N]: the sum of A^k / k!.

    Scaling and squaring (Moler & Van Loan, SIAM Review 45, 2003) around a Taylor polynomial of degree 18.

    >>> torch.linalg.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_square("linalg.matrix_exp", A)
    eye = _core.eye(A.shape[-1], dtype=A.dtype)
    if A.numel() == 0:
        return A.clone()
    size = A.detach().abs().sum(-2).amax().item()
    # Up to this norm the polynomial is exact to the last digit (Bader, Blanes & Casas, Mathematics 7, 2019, table 3).
    reach = 1.09 if A.dtype in (_core.float64, _core.complex128) else 3.01
    squarings = max(0, math.ceil(math.log2(size / reach))) if 0 < size < math.inf else 0
    x = A * 2.0**-squarings
    # Paterson & Stockmeyer: blocks of x^0 ... x^5 in powers of x^6.
    degree, step = 18, 6
    powers = [eye, x]
    for _ in range(step - 1):
        powers.append(powers[-1] @ x)
    result = powers[step] * (1.0 / math.factorial(degree))
    for block in reversed(range(degree // step)):
        for k in range(step):
            result = result + powers[k] * (1.0 / math.factorial(block * step + k))
        if block:
            result = result @ powers[step]
    for _ in range(squarings):
        result = result @ result
    return result
