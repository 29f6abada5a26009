"""The geometric distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.probs_or_logits import ProbsOrLogits
from rushlight.distributions.utils import uniform
from rushlight.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Geometric"]


class Geometric(ProbsOrLogits):
    """How many trials fail before the first success: 0, 1, ...

    Raises ValueError unless probs > 0.

    >>> torch.distributions.Geometric(torch.tensor(0.5)).mean
    tensor(1.)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set_either(validate_args, probs, logits)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ValueError(f"[Geometric] Expected parameter probs to be positive. Received {self.probs}.")

    @property
    def mean(self):
        return 1 / self.probs - 1

    @property
    def mode(self):
        return rushlight.zeros_like(self.probs)

    @property
    def variance(self):
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            u = uniform(self.probs, self._extended_shape(sample_shape))
            u = u.clamp(min=rushlight.finfo(u.dtype).tiny)
            return (u.log() / (-self.probs).log1p()).floor()

    @validated
    def log_prob(self, value):
        # Where probs is 1 only 0 is possible, and 0 * log(0) is to be 0.
        return rushlight.special.xlog1py(value, -self.probs) + self.probs.log()

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
