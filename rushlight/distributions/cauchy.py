"""The Cauchy distribution."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated

__all__ = ["Cauchy"]


class Cauchy(Distribution):
    """The distribution of the ratio of two independent normal variables, with median loc and half width scale.

    >>> torch.distributions.Cauchy(0.0, 1.0).cdf(torch.tensor(1.0))
    tensor(0.7500)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        self._set(validate_args, loc=loc, scale=scale)

    @property
    def mean(self):
        return rushlight.full_like(self.loc, rushlight.nan)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return rushlight.full_like(self.loc, rushlight.inf)

    def rsample(self, sample_shape=rushlight.Size()):
        return self.loc + self.scale * self.loc.new_empty(self._extended_shape(sample_shape)).cauchy_()

    @validated
    def log_prob(self, value):
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    @validated
    def cdf(self, value):
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value):
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self):
        return math.log(4 * math.pi) + self.scale.log()
