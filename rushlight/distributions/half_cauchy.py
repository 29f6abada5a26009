"""The half-Cauchy distribution."""

import rushlight
from rushlight.distributions.cauchy import Cauchy
from rushlight.distributions.half import Half

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """The distribution of |x| for x of a Cauchy distribution around 0 with half width scale.

    >>> torch.distributions.HalfCauchy(1.0).icdf(torch.tensor(0.5))
    tensor(1.)
    """

    def __init__(self, scale, validate_args=None):
        super().__init__(Cauchy(0, scale, validate_args=False), validate_args=validate_args)

    @property
    def mean(self):
        return rushlight.full_like(self.scale, rushlight.inf)

    @property
    def variance(self):
        return rushlight.full_like(self.scale, rushlight.inf)
