"""The negative binomial distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.probs_or_logits import ProbsOrLogits
from rushlight.distributions.utils import lazy_property
from rushlight.nn.functional import logsigmoid

__all__ = ["NegativeBinomial"]


class NegativeBinomial(ProbsOrLogits):
    """How many trials succeed, each with probability probs, before total_count fail; total_count may be any real >= 0.

    >>> torch.distributions.NegativeBinomial(torch.tensor(2.0), torch.tensor(0.5)).mean
    tensor(2.)
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        self._set_either(validate_args, probs, logits, total_count=total_count)

    @property
    def mean(self):
        return self.total_count * self.logits.exp()

    @property
    def mode(self):
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self):
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self):
        """The distribution of the rate of which this is a Poisson mixture."""
        return Gamma(self.total_count, (-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            return rushlight.poisson(self._gamma.sample(sample_shape))

    @validated
    def log_prob(self, value):
        n = self.total_count
        ways = (n + value).lgamma() - (1 + value).lgamma() - n.lgamma()
        ways = ways.masked_fill(n + value == 0, 0.0)
        return ways + n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
