"""The Weibull distribution."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.exponential import Exponential
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.transforms import AffineTransform, PowerTransform
from rushlight.distributions.utils import broadcast_all, euler_constant

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """The distribution whose survival function is exp(-(x / scale)^concentration).

    >>> torch.distributions.Weibull(2.0, 1.0).mean
    tensor(2.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale, concentration, validate_args=None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(rushlight.ones_like(self.scale), validate_args=validate_args)
        transforms = [PowerTransform(1 / self.concentration), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    def _moment(self, n):
        """The mean of (x / scale)^n."""
        return (1 + n / self.concentration).lgamma().exp()

    @property
    def mean(self):
        return self.scale * self._moment(1)

    @property
    def mode(self):
        k = self.concentration
        return self.scale * ((k - 1) / k) ** (1 / k)

    @property
    def variance(self):
        return self.scale**2 * (self._moment(2) - self._moment(1) ** 2)

    def entropy(self):
        k = self.concentration
        return euler_constant * (1 - 1 / k) + (self.scale / k).log() + 1
