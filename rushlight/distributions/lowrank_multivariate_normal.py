"""The multivariate normal distribution with a covariance matrix of low rank plus a diagonal."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.covariance import half_log_det, mahalanobis
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.utils import lazy_property, standard_normal
from rushlight.linalg import cholesky, solve_triangular

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """Normal vectors [*, N] of mean loc and covariance W W^T + D, W = cov_factor [*, N, R], D the diagonal cov_diag
    [*, N].

    Determinant and inverse come from the matrix C = I + W^T D^-1 W [*, R, R] by the lemmas of Sylvester and Woodbury.
    Raises ValueError when the shapes do not fit.

    >>> normal = torch.distributions.LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2))
    >>> normal.covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.ndim < 1:
            raise ValueError("[LowRankMultivariateNormal] loc must be at least one-dimensional.")
        event = loc.shape[-1:]
        if cov_factor.ndim < 2 or cov_factor.shape[-2:-1] != event:
            raise ValueError(
                f"[LowRankMultivariateNormal] cov_factor must be a batch of matrices with shape {event[0]} x m. "
                f"Received {tuple(cov_factor.shape)}."
            )
        if cov_diag.shape[-1:] != event:
            raise ValueError(
                f"[LowRankMultivariateNormal] cov_diag must be a batch of vectors with shape {event[0]}. "
                f"Received {tuple(cov_diag.shape)}."
            )
        try:
            batch = rushlight.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as failure:
            raise ValueError(
                f"[LowRankMultivariateNormal] Incompatible batch shapes: loc {tuple(loc.shape)}, cov_factor "
                f"{tuple(cov_factor.shape)}, cov_diag {tuple(cov_diag.shape)}."
            ) from failure
        self._w, self._d = cov_factor, cov_diag  # not expanded: a batch shares the work
        self.loc = loc.expand(batch + event)
        self.cov_factor = cov_factor.expand(batch + cov_factor.shape[-2:])
        self.cov_diag = cov_diag.expand(batch + event)
        super().__init__(batch, event, validate_args=validate_args)
        scaled = self._scaled
        eye = rushlight.eye(cov_factor.shape[-1], dtype=cov_factor.dtype)
        self._capacitance_factor = cholesky(eye + scaled.mT @ cov_factor)

    @property
    def _scaled(self):
        """D^-1 W."""
        return self._w / self._d.unsqueeze(-1)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return ((self._w**2).sum(-1) + self._d).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        """The Cholesky factor of the covariance matrix: of I + D^-1/2 W W^T D^-1/2, which is conditioned better."""
        root = self._d.sqrt().unsqueeze(-1)
        scaled = self._w / root
        eye = rushlight.eye(self._event_shape[0], dtype=root.dtype)
        return (root * cholesky(scaled @ scaled.mT + eye)).expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def covariance_matrix(self):
        """The covariance matrix."""
        matrix = self._w @ self._w.mT + self._d.diag_embed()
        return matrix.expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance matrix."""
        a = solve_triangular(self._capacitance_factor, self._scaled.mT, upper=False)
        return (self._d.reciprocal().diag_embed() - a.mT @ a).expand(self._batch_shape + self._event_shape * 2)

    def rsample(self, sample_shape=rushlight.Size()):
        shape = self._extended_shape(sample_shape)
        factors = standard_normal(self.loc, shape[:-1] + self._w.shape[-1:])
        own = standard_normal(self.loc, shape)
        return self.loc + (self._w @ factors.unsqueeze(-1)).squeeze(-1) + self._d.sqrt() * own

    def _log_det(self):
        return 2 * half_log_det(self._capacitance_factor) + self._d.log().sum(-1)

    @validated
    def log_prob(self, value):
        away = value - self.loc
        projected = (self._scaled.mT @ away.unsqueeze(-1)).squeeze(-1)
        distance = (away**2 / self._d).sum(-1) - mahalanobis(self._capacitance_factor, projected)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det() + distance)

    def entropy(self):
        entropy = 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self._log_det())
        return entropy.expand(self._batch_shape)
