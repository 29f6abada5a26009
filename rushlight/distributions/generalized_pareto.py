"""The generalized Pareto distribution."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.utils import uniform

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """What exceeds a threshold loc: its survival function is (1 + k z)^(-1 / k), z = (x - loc) / scale, for k =
    concentration; exp(-z) where that is 0 (Pickands, 1975).

    >>> torch.distributions.GeneralizedPareto(0.0, 1.0, 0.5).mean
    tensor(2.)
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(self, loc, scale, concentration, validate_args=None):
        self._set(validate_args, loc=loc, scale=scale, concentration=concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, rushlight.where(self.concentration < 0, end, rushlight.inf))

    @property
    def _zero(self):
        return self.concentration.isclose(rushlight.zeros_like(self.concentration))

    @property
    def _divisor(self):
        """The concentration, with ones for zeros: where these stand another formula is chosen."""
        return self.concentration.masked_fill(self._zero, 1.0)

    @property
    def mean(self):
        k = self.concentration
        return rushlight.where(k < 1, self.loc + self.scale / (1 - k), rushlight.nan)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        k = self.concentration
        return rushlight.where(k < 0.5, self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k)), rushlight.nan)

    def rsample(self, sample_shape=rushlight.Size()):
        return self.icdf(uniform(self.loc, self._extended_shape(sample_shape)))

    def log_survival_function(self, value):
        """The logarithm of 1 - cdf(value)."""
        z, k = (value - self.loc) / self.scale, self._divisor
        return rushlight.where(self._zero, -z, -(k * z).log1p() / k)

    @validated
    def log_prob(self, value):
        z, k = (value - self.loc) / self.scale, self._divisor
        return rushlight.where(self._zero, -z, -(1 + 1 / k) * (k * z).log1p()) - self.scale.log()

    @validated
    def log_cdf(self, value):
        """The logarithm of cdf(value)."""
        return (-self.log_survival_function(value).exp()).log1p()

    @validated
    def cdf(self, value):
        return -self.log_survival_function(value).expm1()

    def icdf(self, value):
        k, log_rest = self._divisor, (-value).log1p()
        return self.loc + self.scale * rushlight.where(self._zero, -log_rest, (-k * log_rest).expm1() / k)

    def entropy(self):
        return self.scale.log() + self.concentration + 1
