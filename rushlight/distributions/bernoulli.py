"""The Bernoulli distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.probs_or_logits import ProbsOrLogits
from rushlight.nn.functional import binary_cross_entropy_with_logits, softplus

__all__ = ["Bernoulli"]


class Bernoulli(ProbsOrLogits, ExponentialFamily):
    """1 with probability probs (or sigmoid(logits)), 0 otherwise.

    >>> torch.distributions.Bernoulli(torch.tensor([0.3])).log_prob(torch.ones(1))
    tensor([-1.2040])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set_either(validate_args, probs, logits)

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return rushlight.where(self.probs == 0.5, rushlight.nan, (self.probs >= 0.5).to(self.probs.dtype))

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            return rushlight.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    @validated
    def log_prob(self, value):
        logits, value = rushlight.broadcast_tensors(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value.to(logits.dtype), reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        return self._enumerated(rushlight.arange(2, dtype=self._param.dtype), expand)

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        return softplus(x)
