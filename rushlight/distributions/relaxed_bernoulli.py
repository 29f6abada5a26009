"""The relaxed Bernoulli distribution."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.probs_or_logits import ProbsOrLogits
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.transforms import SigmoidTransform
from rushlight.distributions.utils import probs_to_logits, uniform
from rushlight.nn.functional import softplus

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(ProbsOrLogits):
    """The logits of RelaxedBernoulli samples: logistic noise around logits, over temperature.

    >>> torch.distributions.relaxed_bernoulli.LogitRelaxedBernoulli(1.0, torch.tensor([0.5])).sample().shape
    torch.Size([1])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        self._set_either(validate_args, probs, logits)

    def rsample(self, sample_shape=rushlight.Size()):
        shape = self._extended_shape(sample_shape)
        noise = probs_to_logits(uniform(self.probs, shape), is_binary=True)
        return (noise + probs_to_logits(self.probs.expand(shape), is_binary=True)) / self.temperature

    @validated
    def log_prob(self, value):
        away = self.logits - value * self.temperature
        return rushlight.as_tensor(self.temperature).log() + away - 2 * softplus(away)


class RelaxedBernoulli(TransformedDistribution):
    """Bernoulli samples made continuous, in the open unit interval, sharper the lower the temperature (Maddison, Mnih &
    Teh, "The concrete distribution", 2017; Jang, Gu & Poole, 2017).

    >>> torch.distributions.RelaxedBernoulli(torch.tensor(2.2), torch.tensor([0.1, 0.9])).rsample().shape
    torch.Size([2])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self):
        """The temperature."""
        return self.base_dist.temperature

    @property
    def logits(self):
        """The log-odds."""
        return self.base_dist.logits

    @property
    def probs(self):
        """The probabilities."""
        return self.base_dist.probs
