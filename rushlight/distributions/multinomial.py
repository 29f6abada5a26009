"""The multinomial distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.binomial import Binomial
from rushlight.distributions.categorical import CategoricalVector
from rushlight.distributions.distribution import validated

__all__ = ["Multinomial"]


class Multinomial(CategoricalVector):
    """How often each of K categories, of probabilities probs or logits [*, K], comes in total_count draws: [*, K].

    Raises NotImplementedError unless total_count is an int.

    >>> torch.distributions.Multinomial(10, torch.tensor([0.25, 0.75])).mean
    tensor([2.5000, 7.5000])
    """

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError(
                f"[Multinomial] inhomogeneous total_count is not supported. Received {total_count}. Pass an int."
            )
        self.total_count = total_count
        super().__init__(probs, logits, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=rushlight.Size()):
        sample_shape = rushlight.Size(sample_shape)
        with no_grad():
            drawn = self._categorical.sample((self.total_count,) + sample_shape).movedim(0, -1)
            counts = self.probs.new_zeros(self._extended_shape(sample_shape))
            return counts.scatter_add_(-1, drawn, rushlight.ones_like(drawn, dtype=counts.dtype))

    def entropy(self):
        n = rushlight.tensor(self.total_count, dtype=self.probs.dtype)
        binomial = Binomial(self.total_count, self.probs)
        counts = binomial.enumerate_support(False)[1:]
        log_factorials = (binomial.log_prob(counts).exp() * (counts + 1).lgamma()).sum((0, -1))
        return n * self._categorical.entropy() - (n + 1).lgamma() + log_factorials

    @validated
    def log_prob(self, value):
        logits, value = rushlight.broadcast_tensors(self.logits, value)
        impossible = (value == 0) & (logits == -rushlight.inf)
        log_powers = (logits.masked_fill(impossible, 0) * value).sum(-1)
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + log_powers
