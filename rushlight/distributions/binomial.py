"""The binomial distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.probs_or_logits import ProbsOrLogits
from rushlight.nn.functional import softplus

__all__ = ["Binomial"]


class Binomial(ProbsOrLogits):
    """How many of total_count trials succeed.

    >>> torch.distributions.Binomial(3, torch.tensor(0.5)).log_prob(torch.arange(4.0)).exp()
    tensor([0.1250, 0.3750, 0.3750, 0.1250])
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        self._set_either(validate_args, probs, logits, total_count=total_count)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=rushlight.Size()):
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return rushlight.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    @validated
    def log_prob(self, value):
        n = self.total_count
        choices = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return choices + value * self.logits - n * softplus(self.logits)

    def _one_count(self, method):
        """total_count as an int. Raises NotImplementedError unless it is the same in the whole batch."""
        largest = self.total_count.max()
        if self.total_count.min() != largest:
            raise NotImplementedError(f"[Binomial] Inhomogeneous total count not supported by `{method}`.")
        return int(largest)

    def entropy(self):
        self._one_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        count = self._one_count("enumerate_support")
        return self._enumerated(rushlight.arange(1 + count, dtype=self._param.dtype), expand)
