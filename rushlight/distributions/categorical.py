"""The categorical distribution."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.probs_or_logits import given_name
from rushlight.distributions.utils import lazy_property, logits_to_probs, probs_to_logits

__all__ = ["Categorical", "CategoricalVector"]


class Categorical(Distribution):
    """Indices 0 ... K - 1 with the probabilities probs [*, K], which are normalised, or softmax(logits).

    Raises ValueError unless exactly one is given, and has a dimension.

    >>> torch.distributions.Categorical(torch.tensor([1.0, 3.0])).probs
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._given = given_name(type(self).__name__, probs, logits)
        given = logits if probs is None else probs
        if given.ndim < 1:
            raise ValueError(f"[{type(self).__name__}] `{self._given}` parameter must be at least one-dimensional.")
        if probs is None:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        else:
            self.probs = probs / probs.sum(-1, keepdim=True)
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @lazy_property
    def logits(self):
        """The logarithm of probs."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self):
        """The softmax of logits."""
        return logits_to_probs(self.logits)

    @property
    def _param(self):
        return getattr(self, self._given)

    @property
    def _num_events(self):
        return self._param.shape[-1]

    @property
    def param_shape(self):
        """The shape [*, K] of the parameter."""
        return self._param.shape

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self):
        return rushlight.full(self._extended_shape(), rushlight.nan, dtype=self.probs.dtype)

    @property
    def mode(self):
        return self.probs.argmax(-1)

    @property
    def variance(self):
        return self.mean

    def sample(self, sample_shape=rushlight.Size()):
        sample_shape = rushlight.Size(sample_shape)
        with no_grad():
            rows = self.probs.reshape(-1, self._num_events)
            drawn = rushlight.multinomial(rows, sample_shape.numel(), True)
        return drawn.T.reshape(self._extended_shape(sample_shape))

    @validated
    def log_prob(self, value):
        value, logits = rushlight.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self):
        finite = self.logits.clamp(min=rushlight.finfo(self.logits.dtype).min)  # 0 * -inf is to be 0
        return -(finite * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        return self._enumerated(rushlight.arange(self._num_events), expand)


class CategoricalVector(Distribution):
    """The base of the distributions of vectors [*, K] with an entry for each category of a Categorical."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def probs(self):
        """The probabilities [*, K]."""
        return self._categorical.probs

    @property
    def logits(self):
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self):
        """The shape [*, K] of the parameter."""
        return self._categorical.param_shape
