"""The relaxed categorical distribution."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.categorical import CategoricalVector
from rushlight.distributions.distribution import validated
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.transforms import ExpTransform
from rushlight.distributions.utils import clamp_probs, uniform

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(CategoricalVector):
    """The logarithms of RelaxedOneHotCategorical samples: log_softmax of Gumbel noise around logits, over temperature.

    >>> D = torch.distributions.relaxed_categorical.ExpRelaxedCategorical(torch.tensor(1.0), torch.ones(3))
    >>> D.sample().logsumexp(-1).abs() < 1e-5
    tensor(True)
    """

    support = constraints.real_vector  # to be exact, the vectors of which the exponentials sum to one
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        super().__init__(probs, logits, validate_args=validate_args)

    def rsample(self, sample_shape=rushlight.Size()):
        u = clamp_probs(uniform(self.logits, self._extended_shape(sample_shape)))
        return ((self.logits - (-u.log()).log()) / self.temperature).log_softmax(-1)

    @validated
    def log_prob(self, value):
        count = self._event_shape[0]
        temperature = rushlight.as_tensor(self.temperature, dtype=self.logits.dtype)
        scores = (self.logits - value * temperature).log_softmax(-1).sum(-1)
        return scores + rushlight.full_like(temperature, count).lgamma() + (count - 1) * temperature.log()


class RelaxedOneHotCategorical(TransformedDistribution):
    """One-hot samples made continuous, inside the simplex, sharper the lower the temperature (Maddison, Mnih & Teh,
    "The concrete distribution", 2017; Jang, Gu & Poole, 2017).

    >>> torch.distributions.RelaxedOneHotCategorical(torch.tensor(2.2), torch.ones(3)).rsample().sum() < 1.1
    tensor(True)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self):
        """The temperature."""
        return self.base_dist.temperature

    @property
    def logits(self):
        """The logarithms of probs."""
        return self.base_dist.logits

    @property
    def probs(self):
        """The probabilities [*, K]."""
        return self.base_dist.probs
