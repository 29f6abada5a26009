"""The F distribution of Fisher and Snedecor."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.gamma import Gamma

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """The distribution of the ratio of two mean squares, of df1 and df2 degrees of freedom.

    >>> torch.distributions.FisherSnedecor(2.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1, df2, validate_args=None):
        self._set(validate_args, df1=df1, df2=df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2)

    @property
    def mean(self):
        return rushlight.where(self.df2 > 2, self.df2 / (self.df2 - 2), rushlight.nan)

    @property
    def mode(self):
        inside = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return rushlight.where(self.df1 > 2, inside, rushlight.nan)

    @property
    def variance(self):
        m, n = self.df1, self.df2
        finite = 2 * n**2 * (m + n - 2) / (m * (n - 2) ** 2 * (n - 4))
        return rushlight.where(n > 4, finite, rushlight.nan)

    def rsample(self, sample_shape=rushlight.Size()):
        tiny = rushlight.finfo(self.df2.dtype).tiny
        numerator = self._gamma1.rsample(sample_shape)
        return (numerator / self._gamma2.rsample(sample_shape).clamp(min=tiny)).clamp(min=tiny)

    @validated
    def log_prob(self, value):
        m, n, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        log_beta = m.lgamma() + n.lgamma() - (m + n).lgamma()
        return m * ratio.log() + (m - 1) * value.log() - (m + n) * (ratio * value).log1p() - log_beta
