"""The von Mises distribution."""

import math

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.utils import lazy_property
from rushlight.special import i0e, i1e

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles in [-pi, pi) around loc, the closer the larger concentration.

    >>> torch.distributions.VonMises(torch.tensor(0.0), torch.tensor(1.0)).log_prob(torch.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc, concentration, validate_args=None):
        self._set(validate_args, loc=loc, concentration=concentration)

    @validated
    def log_prob(self, value):
        # log I0(k) = log i0e(k) + k: the exponential is taken out.
        k = self.concentration
        return k * ((value - self.loc).cos() - 1) - math.log(2 * math.pi) - i0e(k).log()

    @lazy_property
    def _envelope(self):
        """The parameter of the wrapped Cauchy distribution whose samples are accepted or refused, in float64."""
        k = self.concentration.double()
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        return rushlight.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))  # there tau - sqrt(2 tau) cancels

    def sample(self, sample_shape=rushlight.Size()):
        # Best & Fisher, "Efficient simulation of the von Mises distribution" (1979).
        shape = self._extended_shape(sample_shape)
        with no_grad():
            loc, k, r = (t.double().expand(shape) for t in (self.loc, self.concentration, self._envelope))
            angle, done = loc.new_empty(shape), rushlight.zeros(shape, dtype=rushlight.bool)
            while not done.all():
                u1, u2, u3 = rushlight.rand((3, *shape), dtype=loc.dtype)
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accepted = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                angle = rushlight.where(accepted, (u3 - 0.5).sign() * f.acos(), angle)
                done = done | accepted
            return ((angle + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    @property
    def mean(self):
        """The circular mean."""
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        """The circular variance."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)
