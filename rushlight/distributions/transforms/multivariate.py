"""Transforms onto the simplex and onto matrices."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.transforms.transform import Transform
from rushlight.distributions.utils import clipped_sigmoid, tril_matrix_to_vec, vec_to_tril_matrix
from rushlight.nn.functional import logsigmoid, pad, softplus

__all__ = [
    "CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform", "SoftmaxTransform",
    "StickBreakingTransform",
]  # fmt: skip


class _OfVectors(Transform):
    """The base of the transforms that need a dimension of events."""

    def forward_shape(self, shape):
        if not shape:
            raise ValueError(f"[{type(self).__name__}] Too few dimensions on input: at least one is wanted.")
        return shape

    def inverse_shape(self, shape):
        return _OfVectors.forward_shape(self, shape)


class SoftmaxTransform(_OfVectors):
    """y = softmax(x), the inverse log(y): not bijective, and without a Jacobian.

    >>> torch.distributions.SoftmaxTransform()(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    _compared = ()

    def _call(self, x):
        return x.softmax(-1)

    def _inverse(self, y):
        return y.log()


class StickBreakingTransform(_OfVectors):
    """Vectors [*, K - 1] as points [*, K] of the simplex: a stick is broken K - 1 times, by default in equal parts.

    >>> torch.distributions.StickBreakingTransform()(torch.zeros(2))
    tensor([0.3333, 0.3333, 0.3333])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True
    _compared = ()

    def _offset(self, x):
        """The logarithm of how many parts are left at each break, which makes zeros the uniform point."""
        count = x.shape[-1]
        return rushlight.arange(count, 0, -1, dtype=x.dtype).log()

    def _call(self, x):
        broken = clipped_sigmoid(x - self._offset(x))
        return pad(broken, [0, 1], value=1) * pad((1 - broken).cumprod(-1), [1, 0], value=1)

    def _inverse(self, y):
        parts = y[..., :-1]
        # The rest is what the later parts sum to; rounding may leave it below zero.
        rest = (1 - parts.cumsum(-1)).clamp(min=rushlight.finfo(y.dtype).tiny)
        return parts.log() - rest.log() + self._offset(parts)

    def log_abs_det_jacobian(self, x, y):
        x = x - self._offset(x)
        return (logsigmoid(x) - x + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape):
        shape = super().forward_shape(shape)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape):
        shape = super().inverse_shape(shape)
        return shape[:-1] + (shape[-1] - 1,)


class CorrCholeskyTransform(Transform):
    """Vectors [*, D (D - 1) / 2] as Cholesky factors [*, D, D] of correlation matrices.

    tanh(x) fills the strict lower triangle with canonical partial correlations; each row is then a stick that is
    broken by their squares (Lewandowski, Kurowicka & Joe, 2009; Stan reference manual, section 10.12).

    >>> torch.distributions.CorrCholeskyTransform()(torch.zeros(3))
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        eps = rushlight.finfo(x.dtype).eps
        partial = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - partial**2).sqrt().cumprod(-1)
        return (partial + rushlight.eye(partial.shape[-1], dtype=x.dtype)) * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = pad(1 - (y * y).cumsum(-1)[..., :-1], [1, 0], value=1)
        return (tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()).atanh()

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        left = 1 - (y * y).cumsum(-1)
        sticks = 0.5 * tril_matrix_to_vec(left, -2).log().sum(-1)
        return sticks - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape):
        if not shape:
            raise ValueError("[CorrCholeskyTransform] Too few dimensions on input: at least one is wanted.")
        size = round(((1 + 8 * shape[-1]) ** 0.5 + 1) / 2)
        if size * (size - 1) // 2 != shape[-1]:
            raise ValueError(f"[CorrCholeskyTransform] a size D (D - 1) / 2 is wanted. Received {shape[-1]}.")
        return shape[:-1] + (size, size)

    def inverse_shape(self, shape):
        if len(shape) < 2 or shape[-1] != shape[-2]:
            raise ValueError(f"[CorrCholeskyTransform] square matrices are wanted. Received {tuple(shape)}.")
        return shape[:-2] + (shape[-1] * (shape[-1] - 1) // 2,)


class LowerCholeskyTransform(Transform):
    """Matrices [*, D, D] as lower triangular ones with a positive diagonal, which is exponentiated.

    >>> torch.distributions.LowerCholeskyTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky
    _compared = ()

    def _call(self, x):
        return x.tril(-1) + x.diagonal(0, -2, -1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(0, -2, -1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Matrices [*, D, D] as positive definite ones: L L^T of what LowerCholeskyTransform makes.

    >>> torch.distributions.PositiveDefiniteTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite
    _compared = ()

    def _call(self, x):
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(rushlight.linalg.cholesky(y))
