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
def _rule(dtype):
    """Nodes and weights [N], float64, of the integral over v > 0 of a function that decays like exp(-v); as many as the
    digits of dtype need.
    """
    step = 0.14 if dtype == rushlight.float64 else 0.2
    t = [step * i for i in range(int(-3.6 / step), int(8.6 / step))]
    nodes = [math.exp(x - math.exp(-x)) for x in t]
    weights = [step * v * (1 + math.exp(-x)) for x, v in zip(t, nodes, strict=True)]
    return rushlight.tensor(nodes, dtype=rushlight.float64), rushlight.tensor(weights, dtype=rushlight.float64)


def _by_rows(function):
    """function(nodes, weights, *tensors [N, 1]) -> [N] of float64 as a function of tensors of any one shape and dtype,
    in a bounded amount of memory.
    """

    def whole(*tensors):
        tensors = rushlight.broadcast_tensors(*tensors)
        columns = [t.double().reshape(-1, 1).split(_ROWS) for t in tensors]
        nodes, weights = _rule(tensors[0].dtype)
        rows = [function(nodes, weights, *row) for row in zip(*columns, strict=True)]
        return rushlight.cat(rows).reshape(tensors[0].shape).to(tensors[0].dtype)

    whole.__doc__ = function.__doc__
    return whole


def _gamma_side(nodes, x, a):
    """The side of x on which the density falls: whether towards zero, log(t / x) at its nodes t, the density there over
    that at x, and the width of the nodes, by which the integral over log t is to be multiplied.

    Towards zero log t is integrated over, towards infinity t itself: in each the density falls off exponentially.
    """
    lower = x <= a
    above = rushlight.maximum(x, a)
    decay = rushlight.where(
        lower, (a - x).abs() + rushlight.minimum(a, a.sqrt()), 1 - a / above + above.rsqrt().clamp(max=1)
    )
    width = (1 / decay).detach()
    beyond = width * nodes
    v = rushlight.where(lower, -beyond, (beyond / above).log1p())
    moved = rushlight.where(lower, x * (-beyond).expm1(), beyond)  # t - x
    density = (rushlight.where(lower, a, a - 1) * v - moved).exp()  # less one for dt = t dlog(t)
    return lower, v, density, width / rushlight.where(lower, 1, above)


@_by_rows
def _gamma_slope(nodes, weights, x, a):
    """dx/da of a gamma sample x of concentration a and rate 1."""
    lower, v, density, width = _gamma_side(nodes, x, a)
    score = x.log() - a.digamma() + v
    integral = width.squeeze(-1) * ((density * score) @ weights)
    return x.squeeze(-1) * rushlight.where(lower.squeeze(-1), -integral, integral)


@_by_rows
def _dirichlet_slope(nodes, weights, x, a, b):
    """du/da of u = logit(x), for a beta sample x of concentrations a and b."""
    x = x.clamp(min=rushlight.finfo(x.dtype).tiny, max=1 - rushlight.finfo(x.dtype).eps)
    slope = a - (a + b) * x
    lower = slope >= 0
    spread = rushlight.minimum(((a + b) * x * (1 - x)).sqrt(), rushlight.where(lower, a, b))
    width = (1 / (slope.abs() + spread)).detach()
    log_x, log_rest = x.log(), (-x).log1p()
    u = log_x - log_rest + rushlight.where(lower, -width, width) * nodes
    log_t = logsigmoid(u)
    density = ((a + b) * log_t - b * u - (a * log_x + b * log_rest)).exp()  # log(1 - t) = log(t) - u
    score = log_t - (a.digamma() - (a + b).digamma())
    integral = width.squeeze(-1) * ((density * score) @ weights)
    return rushlight.where(lower.squeeze(-1), -integral, integral)


@_by_rows
def gamma_cdf(nodes, weights, x, a):
    """The distribution function at x >= 0 of the gamma distribution of concentration a and rate 1.

    >>> torch.distributions.implicit.gamma_cdf(torch.tensor(1.0), torch.tensor(1.0))
    tensor(0.6321)
    """
    inside = x.clamp(min=rushlight.finfo(x.dtype).tiny, max=rushlight.finfo(x.dtype).max)
    lower, _, density, width = _gamma_side(nodes, inside, a)
    tail = (a * inside.log() - inside - a.lgamma()).exp() * width * (density @ weights).unsqueeze(-1)
    return rushlight.where(x > 0, rushlight.where(lower, tail, 1 - tail), 0.0).squeeze(-1)


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
