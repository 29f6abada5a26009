"""The Wishart distribution."""

import math
import numbers
import warnings

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.chi2 import Chi2
from rushlight.distributions.covariance import WithCovariance, half_log_det
from rushlight.distributions.distribution import validated
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.utils import vec_to_tril_matrix

__all__ = ["Wishart"]


class Wishart(WithCovariance, ExponentialFamily):
    """Positive definite matrices [*, N, N]: the scatter of df normal vectors with one of covariance_matrix,
    precision_matrix and scale_tril (its Cholesky factor), [*, N, N].

    Raises ValueError unless exactly one is given and df > N - 1.

    >>> torch.distributions.Wishart(torch.tensor(2.0), covariance_matrix=torch.eye(2)).mean
    tensor([[2., 0.],
            [0., 2.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        name, matrix = self._given_matrix(
            covariance_matrix=covariance_matrix, precision_matrix=precision_matrix, scale_tril=scale_tril
        )
        if isinstance(df, numbers.Number):
            df = rushlight.tensor(df, dtype=matrix.dtype)
        size = matrix.shape[-1]
        if (df <= size - 1).any():
            raise ValueError(f"[Wishart] df must be greater than ndim - 1 = {size - 1}. Received {df}.")
        if (df < size).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim."
            )
        batch = rushlight.broadcast_shapes(df.shape, matrix.shape[:-2])
        self.df = df.expand(batch)
        self._begin(name, matrix, batch, matrix.shape[-2:], validate_args)

    @property
    def arg_constraints(self):
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    @property
    def _size(self):
        return self._event_shape[-1]

    def _per_matrix(self, x):
        return x[..., None, None]

    @property
    def mean(self):
        return self._per_matrix(self.df) * self.covariance_matrix

    @property
    def mode(self):
        factor = self.df - self._size - 1
        factor = rushlight.where(factor > 0, factor, rushlight.nan)
        return self._per_matrix(factor) * self.covariance_matrix

    @property
    def variance(self):
        diagonal = self.covariance_matrix.diagonal(0, -2, -1)
        outer = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self._per_matrix(self.df) * (self.covariance_matrix**2 + outer)

    def _bartlett_sampling(self, sample_shape=rushlight.Size()):
        # Bartlett (1933): the factor of a sample is L A, A triangular with normal entries below roots of chi-squares.
        size = self._size
        chi2 = Chi2(self.df.unsqueeze(-1) - rushlight.arange(size, dtype=self.df.dtype), validate_args=False)
        noise = chi2.rsample(sample_shape).sqrt().diag_embed()
        below = rushlight.randn((*noise.shape[:-2], size * (size - 1) // 2), dtype=noise.dtype)
        lower = self._factor @ (noise + vec_to_tril_matrix(below, -1))
        return lower @ lower.mT

    def rsample(self, sample_shape=rushlight.Size(), max_try_correction=None):
        """Samples as differentiable functions of the parameters. Those that rounding makes singular are drawn again, at
        most max_try_correction times (by default 3, 10 for 2 x 2 matrices), with a warning.
        """
        if max_try_correction is None:
            max_try_correction = 3 if self._size > 2 else 10
        sample_shape = rushlight.Size(sample_shape)
        sample = self._bartlett_sampling(sample_shape)
        for _ in range(max_try_correction):
            singular = ~self.support.check(sample.detach())
            if not singular.any():
                return sample
            warnings.warn("Singular sample detected.")
            sample = rushlight.where(self._per_matrix(singular), self._bartlett_sampling(sample_shape), sample)
        return sample

    @property
    def _log_constant(self):
        size = self._size
        return self.df * (size * math.log(2) / 2 + half_log_det(self._factor)) + (self.df / 2).mvlgamma(size)

    @validated
    def log_prob(self, value):
        trace = value.cholesky_solve(self._factor).diagonal(0, -2, -1).sum(-1)
        log_det = rushlight.linalg.slogdet(value).logabsdet
        return (self.df - self._size - 1) / 2 * log_det - trace / 2 - self._log_constant

    def entropy(self):
        size = self._size
        halves = (self.df.unsqueeze(-1) - rushlight.arange(size, dtype=self.df.dtype)) / 2
        log_det = halves.digamma().sum(-1) + size * math.log(2) + 2 * half_log_det(self._factor)  # on the average
        return self._log_constant - (self.df - size - 1) / 2 * log_det + size * self.df / 2

    @property
    def _natural_params(self):
        return 0.5 * self.df, -0.5 * self.precision_matrix

    def _log_normalizer(self, x, y):
        size = self._size
        return x * (size * math.log(2) - rushlight.linalg.slogdet(-2 * y).logabsdet) + x.mvlgamma(size)
