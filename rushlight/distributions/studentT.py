"""Student's t distribution."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.chi2 import Chi2
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.utils import standard_normal

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t distribution of df degrees of freedom, moved by loc and stretched by scale.

    >>> torch.distributions.StudentT(4.0).variance
    tensor(2.)
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, df, loc=0.0, scale=1.0, validate_args=None):
        self._set(validate_args, df=df, loc=loc, scale=scale)
        self._chi2 = Chi2(self.df)

    @property
    def mean(self):
        return rushlight.where(self.df > 1, self.loc, rushlight.nan)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        finite = self.scale**2 * self.df / (self.df - 2)
        return rushlight.where(self.df > 2, finite, rushlight.where(self.df > 1, rushlight.inf, rushlight.nan))

    def rsample(self, sample_shape=rushlight.Size()):
        x = standard_normal(self.df, self._extended_shape(sample_shape))
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * x * (z / self.df).rsqrt()

    def _log_normalizer(self):
        return 0.5 * (self.df.log() + math.log(math.pi)) + (self.df / 2).lgamma() - ((self.df + 1) / 2).lgamma()

    @validated
    def log_prob(self, value):
        y = (value - self.loc) / self.scale
        return -0.5 * (self.df + 1) * (y**2 / self.df).log1p() - self._log_normalizer() - self.scale.log()

    def entropy(self):
        half = (self.df + 1) / 2
        return self.scale.log() + self._log_normalizer() + half * (half.digamma() - (self.df / 2).digamma())
