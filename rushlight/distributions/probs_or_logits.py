"""Distributions that are told by probabilities or by their logits; the other is computed when it is first read."""

import rushlight
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import lazy_property, logits_to_probs, probs_to_logits

__all__ = ["ProbsOrLogits", "given_name"]


def given_name(distribution, probs, logits):
    """The name of the one that is given. Raises ValueError unless exactly one is."""
    if (probs is None) == (logits is None):
        raise ValueError(f"[{distribution}] Either `probs` or `logits` must be specified, but not both.")
    return "logits" if probs is None else "probs"


class ProbsOrLogits(Distribution):
    """The base of the distributions of trials that succeed with probability probs, the sigmoid of logits."""

    def _set_either(self, validate_args, probs, logits, **others):
        """Sets the other parameters, in the dtype of the given one, and it."""
        self._given = given_name(type(self).__name__, probs, logits)
        given = logits if probs is None else probs
        if isinstance(given, rushlight.Tensor):
            others = {
                name: value.type_as(given) if isinstance(value, rushlight.Tensor) else value
                for name, value in others.items()
            }
        self._set(validate_args, **others, **{self._given: given})

    @lazy_property
    def logits(self):
        """The log-odds of probs."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        """The sigmoid of logits."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self):
        return getattr(self, self._given)

    @property
    def param_shape(self):
        """The shape of the parameter that was given."""
        return self._param.shape
