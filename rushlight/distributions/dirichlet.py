"""The Dirichlet distribution."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.implicit import sample_dirichlet

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """Points [*, K] of the simplex, with the concentrations [*, K].

    Raises ValueError unless concentration has a dimension.

    >>> torch.distributions.Dirichlet(torch.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration, validate_args=None):
        if concentration.ndim < 1:
            raise ValueError("[Dirichlet] `concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def _total(self):
        return self.concentration.sum(-1, True)

    @property
    def mean(self):
        return self.concentration / self._total

    @property
    def mode(self):
        above = (self.concentration - 1).clamp(min=0.0)
        inside = above / above.sum(-1, True)
        # Where every concentration is below one the density is unbounded at the vertices; the largest is named.
        vertex = rushlight.nn.functional.one_hot(inside.argmax(-1), self._event_shape[0]).to(inside.dtype)
        return rushlight.where((self.concentration < 1).all(-1, True), vertex, inside)

    @property
    def variance(self):
        return self.concentration * (self._total - self.concentration) / (self._total**2 * (self._total + 1))

    def rsample(self, sample_shape=()):
        return sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    @validated
    def log_prob(self, value):
        return (self.concentration - 1.0).xlogy(value).sum(-1) - self._log_normalizer(self.concentration)

    def entropy(self):
        a, total = self.concentration, self.concentration.sum(-1)
        spread = (total - a.shape[-1]) * total.digamma() - ((a - 1) * a.digamma()).sum(-1)
        return self._log_normalizer(a) + spread

    @property
    def _natural_params(self):
        return (self.concentration,)

    def _log_normalizer(self, x):
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
