"""Absolute values of random variables that are symmetric around 0."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.transforms import AbsTransform

__all__ = ["Half"]


class Half(TransformedDistribution):
    """The base of the distributions of |x|, for x of a base_distribution that is symmetric around 0."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, base_distribution, validate_args=None):
        super().__init__(base_distribution, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self):
        """The scale of x."""
        return self.base_dist.scale

    @property
    def mode(self):
        return rushlight.zeros_like(self.scale)

    @validated
    def log_prob(self, value):
        return rushlight.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -rushlight.inf)

    @validated
    def cdf(self, value):
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob):
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)
