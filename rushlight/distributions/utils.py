"""Parameters as tensors: broadcasting, probabilities and log-odds, triangles as vectors, lazy attributes."""

import numbers

import rushlight
from rushlight.autograd.grad_mode import enable_grad

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]  # fmt: skip

euler_constant = 0.57721566490153286060


def broadcast_all(*values):
    """values (tensors or numbers) as tensors of one shape. Numbers take the dtype of the first tensor where it can hold
    them, the default dtype otherwise.

    Raises ValueError for any other type.

    >>> torch.distributions.utils.broadcast_all(torch.zeros(2), 1.0)
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    for value in values:
        if not isinstance(value, (rushlight.Tensor, numbers.Number)):
            raise ValueError(
                "[broadcast_all] Input arguments must all be instances of Number or torch.Tensor. "
                f"Received {type(value).__name__}."
            )
    default = rushlight.get_default_dtype()
    dtype = next((v.dtype for v in values if isinstance(v, rushlight.Tensor)), default)

    def made(value):
        if isinstance(value, rushlight.Tensor):
            return value
        fits = dtype.is_floating_point or isinstance(value, int)
        return rushlight.tensor(value, dtype=dtype if fits else default)

    return tuple(rushlight.broadcast_tensors(*map(made, values)))


def clamp_probs(probs):
    """probs within [eps, 1 - eps] of its dtype, so that its logarithm and log-odds are finite.

    >>> torch.distributions.utils.clamp_probs(torch.tensor([0.5, 0.0])).log()
    tensor([ -0.6931, -15.9424])
    """
    eps = rushlight.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs, is_binary=False):
    """The log-odds of probs where is_binary, their logarithm otherwise; both finite by clamp_probs().

    >>> torch.distributions.utils.probs_to_logits(torch.tensor([0.5]), is_binary=True)
    tensor([0.])
    """
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def logits_to_probs(logits, is_binary=False):
    """The sigmoid of logits where is_binary, their softmax over the last dimension otherwise.

    >>> torch.distributions.utils.logits_to_probs(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def _triangle(size, diag):
    rows = rushlight.arange(size)
    return rows < rows.unsqueeze(-1) + (diag + 1)


def vec_to_tril_matrix(vec, diag=0):
    """vec [*, D] as lower triangular matrices [*, N, N], row by row, up to the diagonal diag.

    >>> torch.distributions.utils.vec_to_tril_matrix(torch.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    count = vec.shape[-1]
    # 2 D = N^2 + b N - |diag| (diag + 1), solved for N.
    b = 1 + 2 * diag
    size = round(((b * b + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5 - b) / 2)
    mask = _triangle(size, diag)
    if mask.sum() != count:
        raise ValueError(
            f"[vec_to_tril_matrix] The size of last dimension is {count} which cannot be expressed as the lower "
            f"triangular part of a square D x D matrix with diag={diag}."
        )
    matrix = vec.new_zeros((*vec.shape[:-1], size, size))
    matrix[..., mask] = vec
    return matrix


def tril_matrix_to_vec(mat, diag=0):
    """The entries of mat [*, N, N] at and below the diagonal diag, row by row [*, D].

    Raises ValueError unless -N <= diag < N.

    >>> torch.distributions.utils.tril_matrix_to_vec(torch.tensor([[1.0, 0.0], [2.0, 3.0]]))
    tensor([1., 2., 3.])
    """
    size = mat.shape[-1]
    if not -size <= diag < size:
        raise ValueError(f"[tril_matrix_to_vec] diag must hold {-size} <= diag < {size}. Received {diag}.")
    return mat[..., _triangle(size, diag)]


def sum_rightmost(value, dim):
    """value summed over its last dim dimensions."""
    return value.sum(tuple(range(-dim, 0))) if dim else value


def standard_normal(like, shape):
    """Normal samples [*shape] of the dtype of like."""
    return rushlight.normal(like.new_zeros(shape), like.new_ones(shape))


def uniform(like, shape):
    """Uniform samples [*shape] in [0, 1) of the dtype of like."""
    return rushlight.rand(shape, dtype=like.dtype)


def clipped_sigmoid(x):
    """The sigmoid of x within the open unit interval."""
    info = rushlight.finfo(x.dtype)
    return x.sigmoid().clamp(min=info.tiny, max=1 - info.eps)


class lazy_property:
    """A method without arguments that is computed when it is first read and kept as an attribute of that name.

    >>> class Circle:
    ...     radius = torch.tensor(2.0)
    ...     @torch.distributions.utils.lazy_property
    ...     def area(self):
    ...         return torch.pi * self.radius**2
    >>> Circle().area
    tensor(12.5664)
    """

    def __init__(self, wrapped):
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return self
        with enable_grad():  # what is kept serves every later reader, also those that ask for a gradient
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value
