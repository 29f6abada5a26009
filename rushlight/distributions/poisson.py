"""The Poisson distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.exp_family import ExponentialFamily

__all__ = ["Poisson"]


class Poisson(ExponentialFamily):
    """How often a thing happens that happens rate times on the average.

    >>> torch.distributions.Poisson(torch.tensor(4.0)).log_prob(torch.tensor(0.0))
    tensor(-4.)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate, validate_args=None):
        self._set(validate_args, rate=rate)

    @property
    def mean(self):
        return self.rate

    @property
    def mode(self):
        return self.rate.floor()

    @property
    def variance(self):
        return self.rate

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            return rushlight.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    @validated
    def log_prob(self, value):
        rate, value = rushlight.broadcast_tensors(self.rate, value)
        return value.xlogy(rate) - rate - (value + 1).lgamma()

    @property
    def _natural_params(self):
        return (self.rate.log(),)

    def _log_normalizer(self, x):
        return x.exp()
