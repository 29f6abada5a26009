"""Exponential families: log p(x) = <t(x), natural parameters> - log normalizer + carrier measure."""

import rushlight
from rushlight.autograd.grad_mode import enable_grad
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """The base of distributions with natural parameters and a log normalizer, from which the entropy and the
    divergence within the family follow by differentiation (Nielsen & Nock, "Entropies and cross-entropies of
    exponential families", 2010).

    A subclass defines _natural_params, _log_normalizer() and _mean_carrier_measure.

    >>> torch.distributions.ExponentialFamily.entropy(torch.distributions.Normal(0.0, 1.0))
    tensor(1.4189, grad_fn=<...>)
    """

    @property
    def _natural_params(self):
        raise NotImplementedError(f"[{type(self).__name__}] _natural_params is not implemented.")

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError(f"[{type(self).__name__}] _log_normalizer() is not implemented.")

    @property
    def _mean_carrier_measure(self):
        raise NotImplementedError(f"[{type(self).__name__}] _mean_carrier_measure is not implemented.")

    def _expectations(self):
        """The natural parameters, the log normalizer, and its gradient, which is the mean of t(x)."""
        with enable_grad():
            params = [p if p.requires_grad else p.detach().requires_grad_() for p in self._natural_params]
            normalizer = self._log_normalizer(*params)
            return params, normalizer, rushlight.autograd.grad(normalizer.sum(), params, create_graph=True)

    def _inner(self, params, statistics):
        """The inner product of natural parameters and statistics, whose batch may broadcast."""
        events = [t.ndim - len(self._batch_shape) for t in statistics]
        return sum(sum_rightmost(p * t, n) for p, t, n in zip(params, statistics, events, strict=True))

    def entropy(self):
        """The log normalizer less what the statistics and the carrier measure amount to on the average."""
        carrier = self._mean_carrier_measure
        params, normalizer, statistics = self._expectations()
        return normalizer - self._inner(params, statistics) - carrier
