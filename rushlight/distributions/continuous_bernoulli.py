"""The continuous Bernoulli distribution."""

import math

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import validated
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.probs_or_logits import ProbsOrLogits
from rushlight.distributions.utils import clamp_probs, uniform
from rushlight.nn.functional import binary_cross_entropy_with_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """The distribution on [0, 1] with density proportional to probs^x (1 - probs)^(1 - x) (Loaiza-Ganem & Cunningham,
    2019). Within lims, around 1/2 where the formulas are 0 / 0, series are taken.

    >>> torch.distributions.ContinuousBernoulli(torch.tensor(0.5)).mean
    tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        self._lims = lims
        self._set_either(validate_args, probs, logits)
        if probs is not None:
            self.probs = clamp_probs(self.probs)

    @property
    def _outside(self):
        """Where the formulas are taken and not the series."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _chosen(self, formula, *coefficients):
        """formula(p) outside the limits, the polynomial in p - 1/2 inside."""
        outside = self._outside
        x = self.probs - 0.5
        series = sum(c * x**i for i, c in enumerate(coefficients))
        return rushlight.where(outside, formula(self._safe_probs), series)

    @property
    def _safe_probs(self):
        return rushlight.where(self._outside, self.probs, self._lims[0])

    def _log_normalization(self):
        """log C(p), C = 2 atanh(1 - 2p) / (1 - 2p)."""
        return self._chosen(
            lambda p: ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log(), math.log(2), 0, 4 / 3, 0, 104 / 45
        )

    @property
    def mean(self):
        return self._chosen(lambda p: p / (2 * p - 1) + 1 / ((-p).log1p() - p.log()), 1 / 2, 1 / 3, 0, 16 / 45)

    @property
    def variance(self):
        return self._chosen(
            lambda p: p * (p - 1) / (1 - 2 * p) ** 2 + 1 / ((-p).log1p() - p.log()) ** 2,
            *(1 / 12, 0, -1 / 15, 0, 128 / 945),
        )

    def rsample(self, sample_shape=rushlight.Size()):
        return self.icdf(uniform(self.probs, self._extended_shape(sample_shape)))

    @validated
    def log_prob(self, value):
        logits, value = rushlight.broadcast_tensors(self.logits, value)
        return self._log_normalization() - binary_cross_entropy_with_logits(logits, value, reduction="none")

    @validated
    def cdf(self, value):
        p = self._safe_probs
        inside = (p**value * (1 - p) ** (1 - value) + p - 1) / (2 * p - 1)
        return rushlight.where(self._outside, inside, value).clamp(min=0, max=1)

    def icdf(self, value):
        p = self._safe_probs
        log_rest = (-p).log1p()
        inside = ((-p + value * (2 * p - 1)).log1p() - log_rest) / (p.log() - log_rest)
        return rushlight.where(self._outside, inside, value)

    def entropy(self):
        log_rest = (-self.probs).log1p()
        return self.mean * (log_rest - self.probs.log()) - self._log_normalization() - log_rest

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        # log((exp(x) - 1) / x), whose series at 0 begins x / 2 + x^2 / 24.
        away = x.abs() > 4 * max(0.5 - self._lims[0], self._lims[1] - 0.5)
        safe = rushlight.where(away, x, 1.0)
        return rushlight.where(away, (safe.expm1() / safe).log(), x / 2 + x**2 / 24 - x**4 / 2880)
