"""Gamma and Dirichlet samples with gradients by their concentrations, and the gamma distribution function.

A sample x of the distribution function F(x; a) moves with its parameter as dx/da = -(dF/da) / F'(x) (Figurnov, Mohamed
& Mnih, "Implicit reparameterization gradients", 2018). In a coordinate u with the log-concave density exp(l(u)) and the
score s = dl/da this is

    du/da = -integral of exp(l(u - v) - l(u)) s(u - v) over v > 0 = integral of exp(l(u + v) - l(u)) s(u + v),

both without the density's normalisation. The side on which l falls is taken, and integrated by the double exponential
rule for integrands that decay (Takahasi & Mori, "Double exponential formulas for numerical integration", 1974). All of
it is differentiable, so second derivatives follow.
"""

import functools
import math

import rushlight
from rushlight.autograd import Function
from rushlight.nn.functional import logsigmoid

__all__ = ["gamma_cdf", "sample_dirichlet", "standard_gamma"]

_ROWS = 4096  # elements that are integrated at once: their nodes fit the cache


@functools.cache
def _rule():
    """Nodes v and weights [N], float64, of the integral over v > 0 of a function that decays like exp(-v)."""
    step = 0.14
    t = [step * i for i in range(-26, 62)]
    nodes = [math.exp(x - math.exp(-x)) for x in t]
    weights = [step * v * (1 + math.exp(-x)) for x, v in zip(t, nodes, strict=True)]
    return rushlight.tensor(nodes, dtype=rushlight.float64), rushlight.tensor(weights, dtype=rushlight.float64)


def _by_rows(function):
    """function(*tensors [N, 1]) -> [N], for tensors of any one shape and a bounded amount of memory; in float64."""

    @functools.wraps(function)
    def whole(*tensors):
        tensors = rushlight.broadcast_tensors(*tensors)
        columns = [t.double().reshape(-1, 1).split(_ROWS) for t in tensors]
        rows = [function(*row) for row in zip(*columns, strict=True)]
        return rushlight.cat(rows).reshape(tensors[0].shape).to(tensors[0].dtype)

    return whole


def _gamma_side(x, a):
    """Which side of x decays (-1 or 1), nodes v = log(t / x) on it, the log density there less that at x, weights.

    Towards zero log t is integrated over, towards infinity t itself: in each the density falls off exponentially.
    """
    lower = x <= a
    above = rushlight.maximum(x, a)
    decay = rushlight.where(
        lower, (a - x).abs() + rushlight.minimum(a, a.sqrt()), 1 - a / above + above.rsqrt().clamp(max=1)
    )
    nodes, weights = _rule()
    scale = (1 / decay).detach()
    beyond = scale * nodes
    v = rushlight.where(lower, -beyond, (beyond / above).log1p())
    weights = scale * weights / rushlight.where(lower, 1, above + beyond)
    return rushlight.where(lower, -1.0, 1.0), v, a * v - x * v.expm1(), weights


@_by_rows
def _gamma_slope(x, a):
    """dx/da of a gamma sample x of concentration a and rate 1."""
    side, v, relative, weights = _gamma_side(x, a)
    score = x.log() + v - a.digamma()
    return (side * x * (relative.exp() * score * weights).sum(-1, True)).squeeze(-1)


@_by_rows
def _dirichlet_slope(x, a, b):
    """du/da of u = logit(x), for a beta sample x of concentrations a and b."""
    eps = rushlight.finfo(x.dtype).eps
    x = x.clamp(min=rushlight.finfo(x.dtype).tiny, max=1 - eps)
    slope = a - (a + b) * x
    side = rushlight.where(slope >= 0, -1.0, 1.0)
    nodes, weights = _rule()
    spread = rushlight.minimum(((a + b) * x * (1 - x)).sqrt(), rushlight.where(slope >= 0, a, b))
    scale = (1 / (slope.abs() + spread)).detach()
    log_x, log_rest = x.log(), (-x).log1p()
    u = log_x - log_rest + side * scale * nodes
    log_t = logsigmoid(u)
    relative = a * (log_t - log_x) + b * (logsigmoid(-u) - log_rest)
    score = log_t - (a.digamma() - (a + b).digamma())
    return (side * (relative.exp() * score * (scale * weights)).sum(-1, True)).squeeze(-1)


@_by_rows
def gamma_cdf(x, a):
    """The distribution function at x >= 0 of the gamma distribution of concentration a and rate 1.

    >>> torch.distributions.implicit.gamma_cdf(torch.tensor(1.0), torch.tensor(1.0))
    tensor(0.6321)
    """
    inside = x.clamp(min=rushlight.finfo(x.dtype).tiny)
    side, _, relative, weights = _gamma_side(inside, a)
    density = (a * inside.log() - inside - a.lgamma()).exp()
    tail = density * (relative.exp() * weights).sum(-1, True)
    return rushlight.where(x > 0, rushlight.where(side < 0, tail, 1 - tail), 0.0).squeeze(-1)


class _StandardGamma(Function):
    @staticmethod
    def forward(ctx, concentration):
        sample = rushlight._standard_gamma(concentration)
        ctx.save_for_backward(sample, concentration)
        return sample

    @staticmethod
    def backward(ctx, grad):
        return grad * _gamma_slope(*ctx.saved_tensors)


class _SampleDirichlet(Function):
    @staticmethod
    def forward(ctx, concentration):
        sample = rushlight._sample_dirichlet(concentration)
        ctx.save_for_backward(sample, concentration)
        return sample

    @staticmethod
    def backward(ctx, grad):
        # Component i is a beta sample of a_i and the other concentrations' sum; as it moves, the others keep their
        # proportions, on which a_i has no influence.
        x, concentration = ctx.saved_tensors
        rest = concentration.sum(-1, True) - concentration
        return x * _dirichlet_slope(x, concentration, rest) * (grad - (x * grad).sum(-1, True))


def standard_gamma(concentration):
    """Gamma samples of rate 1, with their gradient.

    >>> torch.distributions.implicit.standard_gamma(torch.ones(3)).shape
    torch.Size([3])
    """
    return _StandardGamma.apply(concentration)


def sample_dirichlet(concentration):
    """Dirichlet samples for concentration [*, K], with their gradient.

    >>> torch.distributions.implicit.sample_dirichlet(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return _SampleDirichlet.apply(concentration)
