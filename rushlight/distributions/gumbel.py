"""The Gumbel distribution."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.transforms import AffineTransform, ExpTransform
from rushlight.distributions.uniform import Uniform
from rushlight.distributions.utils import broadcast_all, euler_constant

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """The limit distribution of the largest of many: its distribution function is exp(-exp(-(x - loc) / scale)).

    >>> torch.distributions.Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        info = rushlight.finfo(self.loc.dtype)
        base = Uniform(
            rushlight.full_like(self.loc, info.tiny),
            rushlight.full_like(self.loc, 1 - info.eps),
            validate_args=validate_args,
        )
        negative_log = [ExpTransform().inv, AffineTransform(0, -rushlight.ones_like(self.scale))]
        transforms = [*negative_log, ExpTransform().inv, AffineTransform(self.loc, -self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @validated
    def log_prob(self, value):
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    @validated
    def cdf(self, value):
        return (-((self.loc - value) / self.scale).exp()).exp()

    @property
    def mean(self):
        return self.loc + self.scale * euler_constant

    @property
    def mode(self):
        return self.loc

    @property
    def stddev(self):
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self):
        return self.stddev**2

    def entropy(self):
        return self.scale.log() + (1 + euler_constant)
