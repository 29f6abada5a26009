"""Covariance matrices, given as they are, as their inverses or as their Cholesky factors."""

import rushlight
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import lazy_property
from rushlight.linalg import cholesky, solve_triangular

__all__ = ["WithCovariance", "half_log_det", "mahalanobis"]


class WithCovariance(Distribution):
    """The base of the distributions with one covariance matrix [*, N, N], given by covariance_matrix, precision_matrix
    or scale_tril; the other two are computed when they are first read, all from the factor L = scale_tril.
    """

    def _given_matrix(self, **matrices):
        """The name and value of the one that is given; ValueError unless it is one, of two dimensions or more."""
        given = [(name, value) for name, value in matrices.items() if value is not None]
        if len(given) != 1:
            raise ValueError(f"[{type(self).__name__}] Exactly one of {' or '.join(matrices)} may be specified.")
        name, value = given[0]
        if value.ndim < 2:
            raise ValueError(
                f"[{type(self).__name__}] {name} must be at least two-dimensional. Received {tuple(value.shape)}."
            )
        return name, value

    def _begin(self, name, matrix, batch_shape, event_shape, validate_args):
        setattr(self, name, matrix.expand(batch_shape + matrix.shape[-2:]))
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        self._factor = _factor(name, matrix)  # not expanded: a batch shares the work

    def _batch(self, matrix):
        return matrix.expand(self._batch_shape + matrix.shape[-2:])

    @lazy_property
    def scale_tril(self):
        """The Cholesky factor of the covariance matrix."""
        return self._batch(self._factor)

    @lazy_property
    def covariance_matrix(self):
        """The covariance matrix."""
        return self._batch(self._factor @ self._factor.mT)

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance matrix."""
        inverse = _inverse(self._factor)
        return self._batch(inverse.mT @ inverse)


def _inverse(factor):
    return solve_triangular(factor, rushlight.eye(factor.shape[-1], dtype=factor.dtype), upper=False)


def _factor(name, matrix):
    """The lower triangular L with L L^T = covariance, from the matrix of that name."""
    if name == "precision_matrix":
        # With J the reversal of order, J P J = M M^T makes U = J M J upper triangular and P = U U^T.
        upper = cholesky(matrix.flip((-2, -1))).flip((-2, -1))
        return _inverse(upper.mT)
    return cholesky(matrix) if name == "covariance_matrix" else matrix


def half_log_det(factor):
    """log det L."""
    return factor.diagonal(0, -2, -1).log().sum(-1)


def mahalanobis(factor, difference):
    """|L^-1 x|^2 [*] of x [*, N]; its leading dimensions beyond those of L [*, N, N] become columns of one solve."""
    samples = difference.ndim + 1 - factor.ndim
    columns = difference.reshape((-1, *difference.shape[samples:])).movedim(0, -1)
    solved = solve_triangular(factor, columns, upper=False)
    return (solved**2).sum(-2).movedim(-1, 0).reshape(difference.shape[:-1])
