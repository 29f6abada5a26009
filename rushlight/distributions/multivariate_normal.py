"""The multivariate normal distribution."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.covariance import WithCovariance, half_log_det, mahalanobis
from rushlight.distributions.distribution import validated
from rushlight.distributions.utils import standard_normal

__all__ = ["MultivariateNormal"]


class MultivariateNormal(WithCovariance):
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
        name, matrix = self._given_matrix(
            covariance_matrix=covariance_matrix, precision_matrix=precision_matrix, scale_tril=scale_tril
        )
        batch = rushlight.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(batch + loc.shape[-1:])
        self._begin(name, matrix, batch, loc.shape[-1:], validate_args)

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
