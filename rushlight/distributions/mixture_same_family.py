"""Mixtures of distributions of one family."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.categorical import Categorical
from rushlight.distributions.distribution import Distribution, validated

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture of the K distributions along the last dimension of the batch of component_distribution, with the
    weights of the Categorical mixture_distribution.

    Raises ValueError when the two do not fit.

    >>> D = torch.distributions
    >>> D.MixtureSameFamily(D.Categorical(torch.ones(2)), D.Normal(torch.tensor([-1.0, 1.0]), torch.ones(2))).variance
    tensor(2.)
    """

    arg_constraints = {}
    has_rsample = False

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                f"[MixtureSameFamily] mixture_distribution must be a Categorical. Received {mixture_distribution!r}."
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "[MixtureSameFamily] component_distribution must be a Distribution. "
                f"Received {component_distribution!r}."
            )
        batch, weights = component_distribution.batch_shape[:-1], mixture_distribution.batch_shape
        for a, b in zip(reversed(weights), reversed(batch), strict=False):
            if a != 1 and b != 1 and a != b:
                raise ValueError(
                    "[MixtureSameFamily] mixture_distribution.batch_shape must be compatible with "
                    f"component_distribution.batch_shape[:-1]. Received {tuple(weights)} and {tuple(batch)}."
                )
        count = mixture_distribution.logits.shape[-1]
        if component_distribution.batch_shape[-1] != count:
            raise ValueError(
                f"[MixtureSameFamily] there must be a weight for each component. Received {count} weights for "
                f"component_distribution.batch_shape[-1] = {component_distribution.batch_shape[-1]}."
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._num_component = count
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def _expanded(self, name, value, batch_shape):
        if name == "_component_distribution":
            return value.expand(batch_shape + (self._num_component,))
        return super()._expanded(name, value, batch_shape)

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self):
        """The Categorical of the weights."""
        return self._mixture_distribution

    @property
    def component_distribution(self):
        """The distributions that are mixed."""
        return self._component_distribution

    def _mixed(self, x):
        """x [*batch_shape, K, *event_shape] averaged with the weights."""
        weights = self._mixture_distribution.probs
        weights = weights.reshape(weights.shape + (1,) * len(self._event_shape))
        return (weights * x).sum(-1 - len(self._event_shape))

    @property
    def mean(self):
        return self._mixed(self._component_distribution.mean)

    @property
    def variance(self):
        means = self._component_distribution.mean
        away = means - self.mean.unsqueeze(-1 - len(self._event_shape))
        return self._mixed(self._component_distribution.variance) + self._mixed(away**2)

    def _pad(self, x):
        return x.unsqueeze(-1 - len(self._event_shape))

    def cdf(self, x):
        return (self._component_distribution.cdf(self._pad(x)) * self._mixture_distribution.probs).sum(-1)

    @validated
    def log_prob(self, x):
        weights = self._mixture_distribution.logits.log_softmax(-1)
        return (self._component_distribution.log_prob(self._pad(x)) + weights).logsumexp(-1)

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            events = len(self._event_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            samples = self._component_distribution.sample(sample_shape)
            index = chosen.reshape(chosen.shape + (1,) * (events + 1))
            index = index.expand(samples.shape[: samples.ndim - events - 1] + (1,) + self._event_shape)
            return samples.gather(-1 - events, index).squeeze(-1 - events)

    def __repr__(self):
        return f"MixtureSameFamily(\n  {self._mixture_distribution!r},\n  {self._component_distribution!r})"
