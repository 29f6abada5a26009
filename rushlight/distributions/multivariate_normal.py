"""The multivariate normal distribution."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.utils import lazy_property, standard_normal
from rushlight.linalg import cholesky, solve_triangular

__all__ = ["MultivariateNormal"]


def given_matrix(distribution, **matrices):
    """The name and value of the one matrix that is given; ValueError unless it is one, and has two dimensions."""
    given = [(name, value) for name, value in matrices.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"[{distribution}] Exactly one of {' or '.join(matrices)} may be specified.")
    name, value = given[0]
    if value.ndim < 2:
        raise ValueError(f"[{distribution}] {name} must be at least two-dimensional. Received {tuple(value.shape)}.")
    return name, value


def factor(name, value):
    """The lower triangular L with L L^T = covariance, from the matrix of that name."""
    if name == "precision_matrix":
        # With J the reversal of order, J P J = M M^T makes U = J M J upper triangular and P = U U^T.
        upper = cholesky(value.flip((-2, -1))).flip((-2, -1))
        return solve_triangular(upper.mT, rushlight.eye(value.shape[-1], dtype=value.dtype), upper=False)
    return cholesky(value) if name == "covariance_matrix" else value


def precision(factor):
    """(L L^T)^-1."""
    inverse = solve_triangular(factor, rushlight.eye(factor.shape[-1], dtype=factor.dtype), upper=False)
    return inverse.mT @ inverse


def half_log_det(factor):
    """log det L."""
    return factor.diagonal(0, -2, -1).log().sum(-1)


def mahalanobis(factor, difference):
    """|L^-1 x|^2 [*] of x [*, N]; its leading dimensions beyond those of L [*, N, N] become columns of one solve."""
    samples = difference.ndim + 1 - factor.ndim
    columns = difference.reshape((-1, *difference.shape[samples:])).movedim(0, -1)
    solved = solve_triangular(factor, columns, upper=False)
    return (solved**2).sum(-2).movedim(-1, 0).reshape(difference.shape[:-1])


class MultivariateNormal(Distribution):
    """Normal vectors [*, N] of mean loc and one of covariance_matrix, precision_matrix and scale_tril (its lower
    triangular Cholesky factor), [*, N, N]; the last is the cheapest.

    Raises ValueError unless exactly one is given.

    >>> normal = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    >>> normal.log_prob(torch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.ndim < 1:
            raise ValueError("[MultivariateNormal] loc must be at least one-dimensional.")
        name, matrix = given_matrix(
            "MultivariateNormal",
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        batch = rushlight.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(batch + loc.shape[-1:])
        setattr(self, name, matrix.expand(batch + matrix.shape[-2:]))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._factor = factor(name, matrix)  # not expanded: a batch shares the work

    @lazy_property
    def scale_tril(self):
        """The Cholesky factor of the covariance matrix."""
        return self._factor.expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def covariance_matrix(self):
        """The covariance matrix."""
        return (self._factor @ self._factor.mT).expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance matrix."""
        return precision(self._factor).expand(self._batch_shape + self._event_shape * 2)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return (self._factor**2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=rushlight.Size()):
        noise = standard_normal(self.loc, self._extended_shape(sample_shape))
        return self.loc + (self._factor @ noise.unsqueeze(-1)).squeeze(-1)

    @validated
    def log_prob(self, value):
        distance = mahalanobis(self._factor, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - half_log_det(self._factor)

    def entropy(self):
        entropy = 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi)) + half_log_det(self._factor)
        return entropy.expand(self._batch_shape)
