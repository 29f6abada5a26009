"""Kullback-Leibler divergences KL(p || q) = E_p[log p(x) - log q(x)], by the types of p and q.

Many pairs come from three small tables: the entropy of p is known, and the mean of log q(x) under p needs no more of p
than a few expectations.
"""

import functools
import math
import warnings

import rushlight
from rushlight.distributions.bernoulli import Bernoulli
from rushlight.distributions.beta import Beta
from rushlight.distributions.binomial import Binomial
from rushlight.distributions.categorical import Categorical
from rushlight.distributions.cauchy import Cauchy
from rushlight.distributions.continuous_bernoulli import ContinuousBernoulli
from rushlight.distributions.covariance import half_log_det
from rushlight.distributions.dirichlet import Dirichlet
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.exponential import Exponential
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.geometric import Geometric
from rushlight.distributions.gumbel import Gumbel
from rushlight.distributions.half_normal import HalfNormal
from rushlight.distributions.independent import Independent
from rushlight.distributions.laplace import Laplace
from rushlight.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from rushlight.distributions.multivariate_normal import MultivariateNormal
from rushlight.distributions.normal import Normal
from rushlight.distributions.one_hot_categorical import OneHotCategorical
from rushlight.distributions.pareto import Pareto
from rushlight.distributions.poisson import Poisson
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.uniform import Uniform
from rushlight.distributions.utils import euler_constant, sum_rightmost
from rushlight.linalg import solve_triangular
from rushlight.nn.functional import softplus

__all__ = ["kl_divergence", "register_kl"]

_formulas = {}


def register_kl(type_p, type_q):
    """Registers the decorated function of (p, q) for these types and their subclasses, unless a pair of more special
    types is registered too.

    Raises TypeError unless both are subclasses of Distribution.

    >>> class Point(torch.distributions.Normal):
    ...     pass
    >>> @torch.distributions.register_kl(Point, torch.distributions.Normal)
    ... def kl_point_normal(p, q):
    ...     return -q.log_prob(p.loc)
    >>> torch.distributions.kl_divergence(Point(0.0, 1.0), torch.distributions.Normal(0.0, 1.0))
    tensor(0.9189)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"[register_kl] Expected a Distribution subclass. Received {kind!r}.")

    def register(formula):
        _formulas[type_p, type_q] = formula
        _formula.cache_clear()
        return formula

    return register


@functools.cache
def _formula(type_p, type_q):
    """What is registered for the nearest base classes, or None; p decides where p and q disagree."""
    near = {
        (type_p.__mro__.index(p), type_q.__mro__.index(q)): formula
        for (p, q), formula in _formulas.items()
        if issubclass(type_p, p) and issubclass(type_q, q)
    }
    if not near:
        return None
    by_p, by_q = min(near), min(near, key=lambda pair: pair[::-1])
    if near[by_p] is not near[by_q]:
        left, right = ((type_p.__mro__[i].__name__, type_q.__mro__[j].__name__) for i, j in (by_p, by_q))
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}): {left} is taken and {right} is as near. "
            "Please register_kl() the pair itself.",
            RuntimeWarning,
            stacklevel=3,
        )
    return near[by_p]


def kl_divergence(p, q):
    """KL(p || q) [*batch_shape], >= 0; inf where p reaches what q cannot.

    Raises NotImplementedError when no formula is registered for the types of p and q.

    >>> D = torch.distributions
    >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    formula = _formula(type(p), type(q))
    if formula is None:
        raise NotImplementedError(
            f"[kl_divergence] No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}. Add one with register_kl()."
        )
    return formula(p, q)


# ---- expectations under p ----


@functools.singledispatch
def _mean_log(p):
    """The mean of log x."""
    raise NotImplementedError


@functools.singledispatch
def _mean_exp(p, t):
    """The mean of exp(t x), for t < 0."""
    raise NotImplementedError


@_mean_log.register
def _(p: Beta):
    return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()


@_mean_log.register
def _(p: Exponential):
    return -p.rate.log() - euler_constant


@_mean_log.register
def _(p: Pareto):
    return p.scale.log() + 1 / p.alpha


@_mean_log.register
def _(p: Uniform):
    return _mean_log_between(p.low, p.high)


def _mean_log_between(low, high):
    return (high.xlogy(high) - low.xlogy(low)) / (high - low) - 1


@_mean_exp.register
def _(p: Exponential, t):
    return p.rate / (p.rate - t)


@_mean_exp.register
def _(p: Gamma, t):
    return (-p.concentration * (-t / p.rate).log1p()).exp()


@_mean_exp.register
def _(p: Gumbel, t):
    return (p.loc * t + (1 - p.scale * t).lgamma()).exp()


@_mean_exp.register
def _(p: Normal, t):
    return (p.loc * t + (p.scale * t) ** 2 / 2).exp()


@_mean_exp.register
def _(p: Uniform, t):
    return ((t * p.high).exp() - (t * p.low).exp()) / (t * (p.high - p.low))


# ---- the mean of -log q(x) under p, from those ----


@functools.singledispatch
def _cross_entropy(q, p):
    raise NotImplementedError


@_cross_entropy.register
def _(q: Normal, p):
    return (p.variance + (p.mean - q.loc) ** 2) / (2 * q.scale**2) + q.scale.log() + math.log(2 * math.pi) / 2


@_cross_entropy.register
def _(q: Exponential, p):
    return q.rate * p.mean - q.rate.log()


@_cross_entropy.register
def _(q: Gamma, p):
    a, rate = q.concentration, q.rate
    return a.lgamma() - a * rate.log() - (a - 1) * _mean_log(p) + rate * p.mean


@_cross_entropy.register
def _(q: Gumbel, p):
    return (p.mean - q.loc) / q.scale + (q.loc / q.scale).exp() * _mean_exp(p, -1 / q.scale) + q.scale.log()


@_cross_entropy.register
def _(q: ContinuousBernoulli, p):
    return -p.mean * q.logits - (-q.probs).log1p() - q._log_normalization()


@_cross_entropy.register
def _(q: Pareto, p):
    return (q.alpha + 1) * _mean_log(p) - q.alpha.log() - q.alpha * q.scale.log()


@_cross_entropy.register
def _(q: Uniform, p):
    return (q.high - q.low).log()


@_cross_entropy.register
def _(q: Beta, p: Uniform):
    a, b = q.concentration1, q.concentration0
    log_rest = _mean_log_between(1 - p.high, 1 - p.low)
    return a.lgamma() + b.lgamma() - (a + b).lgamma() - (a - 1) * _mean_log(p) - (b - 1) * log_rest


@_cross_entropy.register
def _(q: Laplace, p: Normal):
    away = p.loc - q.loc
    mean_distance = (
        math.sqrt(2 / math.pi) * p.scale * (-0.5 * (away / p.scale) ** 2).exp()
        + away * (away / (math.sqrt(2) * p.scale)).erf()
    )
    return mean_distance / q.scale + (2 * q.scale).log()


@_cross_entropy.register
def _(q: Poisson, p: Bernoulli):
    return q.rate - p.probs * q.rate.log()  # log x! is 0 for both values


def _by_cross_entropy(p, q):
    return _cross_entropy(q, p) - p.entropy()


def _within_bounds(p, q):
    """For p of a bounded support, which that of q may not cover."""
    high = getattr(q.support, "upper_bound", rushlight.inf)
    outside = (p.support.lower_bound < q.support.lower_bound) | (p.support.upper_bound > high)
    return rushlight.where(outside, rushlight.inf, _by_cross_entropy(p, q))


def _infinite(p, q):
    shape = rushlight.broadcast_shapes(p.batch_shape, q.batch_shape)
    return rushlight.full(shape, rushlight.inf, dtype=p.mean.dtype)


def _register_tables():
    finite = {
        Bernoulli: [Poisson],
        Beta: [ContinuousBernoulli, Exponential, Gamma, Normal],
        ContinuousBernoulli: [Exponential, Normal],
        Exponential: [Gamma, Gumbel, Normal],
        Gamma: [Exponential, Gumbel, Normal],
        Gumbel: [Gumbel, Normal],
        Laplace: [Normal],
        Normal: [Gumbel, Laplace],
        Pareto: [Exponential, Gamma, Normal],
        Uniform: [Gumbel, Normal],
    }
    bounded = {
        Beta: [Uniform],
        ContinuousBernoulli: [Uniform],
        Uniform: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    }
    whole_line = [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform]
    half_line = [Beta, ContinuousBernoulli, Pareto, Uniform]
    beyond = {
        Beta: [Pareto],
        ContinuousBernoulli: [Pareto],
        Exponential: half_line,
        Gamma: half_line,
        Gumbel: whole_line,
        Laplace: whole_line,
        Normal: whole_line,
        Pareto: [Beta, ContinuousBernoulli, Uniform],
        Poisson: [Bernoulli, Binomial],
    }
    for table, formula in ((finite, _by_cross_entropy), (bounded, _within_bounds), (beyond, _infinite)):
        for p, qs in table.items():
            for q in qs:
                register_kl(p, q)(formula)


_register_tables()


# ---- two of one family ----


@register_kl(Bernoulli, Bernoulli)
def _kl_trials(p, q):
    success = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    success = success.masked_fill(q.probs == 0, rushlight.inf).masked_fill(p.probs == 0, 0)
    failure = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return success + failure.masked_fill(q.probs == 1, rushlight.inf).masked_fill(p.probs == 1, 0)


@register_kl(Binomial, Binomial)
def _kl_binomial(p, q):
    if (q.total_count > p.total_count).any():
        raise NotImplementedError(
            "[kl_divergence] KL between Binomials where q.total_count > p.total_count is not implemented."
        )
    return rushlight.where(p.total_count > q.total_count, rushlight.inf, p.total_count * _kl_trials(p, q))


@register_kl(Categorical, Categorical)
def _kl_categorical(p, q):
    terms = p.probs * (p.logits - q.logits)
    return terms.masked_fill(q.probs == 0, rushlight.inf).masked_fill(p.probs == 0, 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_one_hot(p, q):
    return _kl_categorical(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _kl_geometric(p, q):
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _kl_poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet(p, q):
    a, b = p.concentration, q.concentration
    total = a.sum(-1, True)
    return q._log_normalizer(b) - p._log_normalizer(a) + ((a - b) * (a.digamma() - total.digamma())).sum(-1)


@register_kl(Beta, Beta)
def _kl_beta(p, q):
    return _kl_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy(p, q):
    # Chyzak & Nielsen, "A closed-form formula for the Kullback-Leibler divergence between Cauchy distributions" (2019).
    apart = (p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _kl_continuous_bernoulli(p, q):
    return _cross_entropy(q, p) - _cross_entropy(p, p)


@register_kl(Exponential, Exponential)
def _kl_exponential(p, q):
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _kl_gamma(p, q):
    a, b = p.concentration, q.concentration
    shapes = (a - b) * a.digamma() + b.lgamma() - a.lgamma()
    return shapes + b * (p.rate / q.rate).log() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Laplace, Laplace)
def _kl_laplace(p, q):
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return away / q.scale + ratio * (-away / p.scale).exp() - 1 - ratio.log()


@register_kl(Normal, Normal)
def _kl_normal(p, q):
    ratio = (p.scale / q.scale) ** 2
    return (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log()) / 2


@register_kl(HalfNormal, HalfNormal)
def _kl_half_normal(p, q):
    return _kl_normal(p.base_dist, q.base_dist)


@register_kl(Pareto, Pareto)
def _kl_pareto(p, q):
    ratio = q.alpha / p.alpha
    divergence = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return rushlight.where(p.scale < q.scale, rushlight.inf, divergence)


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_exponential_family(p, q):
    """The Bregman divergence of the log normalizer (Nielsen & Nock, 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "[kl_divergence] The cross KL-divergence between different exponential families cannot be computed using "
            f"Bregman divergences. Received {type(p).__name__} and {type(q).__name__}."
        )
    params, normalizer, statistics = p._expectations()
    others = q._natural_params
    away = [b - a for a, b in zip(params, others, strict=True)]
    return q._log_normalizer(*others) - normalizer - p._inner(away, statistics)


# ---- normal vectors: Duchi, "Derivations for linear algebra and optimization" (2007), section 9 ----


@functools.singledispatch
def _squares(q, columns):
    """The sum of c^T S^-1 c over the columns c of [*, N, M], S the covariance matrix of q."""
    return (solve_triangular(q._factor, columns, upper=False) ** 2).sum((-2, -1))


@_squares.register
def _(q: LowRankMultivariateNormal, columns):
    low_rank = solve_triangular(q._capacitance_factor, q._scaled.mT @ columns, upper=False)
    return (columns**2 / q._d.unsqueeze(-1)).sum((-2, -1)) - (low_rank**2).sum((-2, -1))


def _diagonal_trace(q, diagonal):
    """The trace of S^-1 times a diagonal matrix."""
    if not isinstance(q, LowRankMultivariateNormal):
        return _squares(q, diagonal.sqrt().diag_embed())
    low_rank = solve_triangular(q._capacitance_factor, q._scaled.mT, upper=False)
    return (diagonal / q._d).sum(-1) - (low_rank**2 * diagonal.unsqueeze(-2)).sum((-2, -1))


def _log_det(p):
    return p._log_det() if isinstance(p, LowRankMultivariateNormal) else 2 * half_log_det(p._factor)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _kl_vectors(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"[kl_divergence] the two event shapes must be equal. Received {tuple(p.event_shape)} and "
            f"{tuple(q.event_shape)}."
        )
    if isinstance(p, LowRankMultivariateNormal):
        trace = _squares(q, p._w) + _diagonal_trace(q, p._d)
    else:
        trace = _squares(q, p._factor)
    distance = _squares(q, (q.loc - p.loc).unsqueeze(-1))
    return (_log_det(q) - _log_det(p) + trace + distance - p.event_shape[0]) / 2


# ---- distributions of distributions ----


@register_kl(Independent, Independent)
def _kl_independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "[kl_divergence] two Independent with different reinterpreted_batch_ndims are not comparable. "
            f"Received {p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}."
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("[kl_divergence] only distributions with the same transforms are comparable.")
    return kl_divergence(p.base_dist, q.base_dist)
