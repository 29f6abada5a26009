"""Samples of gamma and Dirichlet distributions move with their concentrations as quantiles do; samples are as they
should be distributed.
"""

import numpy as np
import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.distributions import implicit

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")

CONCENTRATIONS = [1e-3, 0.05, 0.5, 1.0, 3.0, 30.0, 1000.0]
LEVELS = np.array([1e-4, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-6])


def double(x):
    return rushlight.tensor(np.asarray(x), dtype=rushlight.float64)


def slope(quantile, a):
    """The derivative of a quantile, by Richardson extrapolation of central differences."""
    h = 1e-3 * a
    coarse, fine = ((quantile(a + s) - quantile(a - s)) / (2 * s) for s in (h, h / 2))
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize("a", CONCENTRATIONS)
def test_gamma_samples_move_as_quantiles(a):
    x = special.gammaincinv(a, LEVELS)
    usable = x > 1e-60
    expected = slope(lambda a: special.gammaincinv(a, LEVELS[usable]), a)
    received = implicit._gamma_slope(double(x[usable]), double(a)).numpy()
    np.testing.assert_allclose(received, expected, rtol=1e-5)


@pytest.mark.parametrize("a", CONCENTRATIONS)
def test_gamma_distribution_function(a):
    x = np.array([0.0, 1e-300, 1e-3, 0.1, 0.9, 1.0, 1.1, 5.0, 40.0, 990.0, 1000.0, 1100.0, 1e5, np.inf])
    np.testing.assert_allclose(implicit.gamma_cdf(double(x), double(a)).numpy(), special.gammainc(a, x), rtol=1e-11)
    assert rushlight.distributions.Gamma(a, 2.0).cdf(rushlight.tensor(a)).dtype == rushlight.float32


@pytest.mark.parametrize(("a", "b"), [(0.05, 0.05), (0.3, 2.0), (1.0, 1.0), (5.0, 0.5), (20.0, 30.0), (300.0, 1000.0)])
def test_beta_samples_move_as_quantiles(a, b):
    levels = LEVELS[1:-1]
    x = np.clip(special.betaincinv(a, b, levels), 1e-200, 1 - 1e-12)
    usable = (x > 1e-200) & (x < 1 - 1e-12)
    expected = slope(lambda a: special.betaincinv(a, b, levels[usable]), a)
    x = double(x[usable])
    received = (x * (1 - x) * implicit._dirichlet_slope(x, double(a), double(b))).numpy()
    np.testing.assert_allclose(received, expected, rtol=1e-5)


@pytest.mark.parametrize("sampler", [implicit.standard_gamma, implicit.sample_dirichlet])
def test_gradients_by_the_mean(sampler):
    """The gradient of a mean over samples is that of the expectation."""
    rushlight.manual_seed(0)
    a = rushlight.tensor([0.4, 1.5, 3.0], dtype=rushlight.float64, requires_grad=True)
    weights = double([1.0, -0.5, 2.0])
    received = rushlight.autograd.grad((sampler(a.expand(20000, 3)).mean(0) * weights).sum(), a)[0]
    mean = a if sampler is implicit.standard_gamma else a / a.sum()
    expected = rushlight.autograd.grad((mean * weights).sum(), a)[0]
    np.testing.assert_allclose(received.numpy(), expected.numpy(), atol=0.05)


@pytest.mark.parametrize(
    "function",
    [
        lambda a, x: implicit.gamma_cdf(x, a),
        lambda a, x: implicit._gamma_slope(x, a),
        lambda a, x: implicit._dirichlet_slope(x.sigmoid(), a, a + 1),
    ],
)
def test_derivatives_of_the_integrals(function):
    inputs = [double([0.4, 1.5, 3.0, 3.0]).requires_grad_(), double([0.3, 2.0, 2.5, 7.0]).requires_grad_()]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_many_elements_are_split():
    x = rushlight.rand(2, 3000, dtype=rushlight.float64) + 0.1
    whole = implicit.gamma_cdf(x, double(2.0))
    assert whole.shape == (2, 3000)
    np.testing.assert_allclose(whole.numpy(), special.gammainc(2.0, x.numpy()), rtol=1e-11)
    assert implicit.gamma_cdf(rushlight.zeros(0, 3), rushlight.tensor(1.0)).shape == (0, 3)


# A call in the namespace of rushlight.distributions, and the same distribution of scipy.
SAMPLED = [
    ("Beta(0.4, 2.0)", stats.beta(0.4, 2.0)),
    ("Cauchy(1.0, 2.0)", stats.cauchy(1.0, 2.0)),
    ("Chi2(3.0)", stats.chi2(3.0)),
    ("Exponential(0.5)", stats.expon(scale=2.0)),
    ("FisherSnedecor(5.0, 6.0)", stats.f(5.0, 6.0)),
    ("Gamma(0.3, 2.0)", stats.gamma(0.3, scale=0.5)),
    ("GeneralizedPareto(1.0, 2.0, 0.3)", stats.genpareto(0.3, 1.0, 2.0)),
    ("Gumbel(1.0, 2.0)", stats.gumbel_r(1.0, 2.0)),
    ("HalfCauchy(2.0)", stats.halfcauchy(scale=2.0)),
    ("HalfNormal(2.0)", stats.halfnorm(scale=2.0)),
    ("InverseGamma(3.0, 2.0)", stats.invgamma(3.0, scale=2.0)),
    ("Laplace(1.0, 2.0)", stats.laplace(1.0, 2.0)),
    ("LogNormal(1.0, 0.5)", stats.lognorm(0.5, scale=np.e)),
    ("Normal(1.0, 2.0)", stats.norm(1.0, 2.0)),
    ("Pareto(2.0, 3.0)", stats.pareto(3.0, scale=2.0)),
    ("StudentT(3.0, 1.0, 2.0)", stats.t(3.0, 1.0, 2.0)),
    ("Uniform(1.0, 3.0)", stats.uniform(1.0, 2.0)),
    ("VonMises(0.5, 2.0)", stats.vonmises(2.0, 0.5)),
    ("Weibull(2.0, 1.5)", stats.weibull_min(1.5, scale=2.0)),
]
COUNTED = [
    ("Bernoulli(0.3)", stats.bernoulli(0.3)),
    ("Binomial(7, tensor(0.3))", stats.binom(7, 0.3)),
    ("Geometric(0.3)", stats.geom(0.3, loc=-1)),
    ("NegativeBinomial(2.5, tensor(0.4))", stats.nbinom(2.5, 0.6)),
    ("Poisson(6.5)", stats.poisson(6.5)),
]


def made(call):
    rushlight.manual_seed(7)
    return eval(call, {**vars(rushlight.distributions), "tensor": rushlight.tensor})


@pytest.mark.parametrize(("call", "reference"), SAMPLED, ids=[call for call, _ in SAMPLED])
def test_is_distributed_as_in_scipy(call, reference):
    distribution = made(call)
    samples = distribution.sample((4000,)).double()
    assert stats.kstest(samples.numpy(), reference.cdf).pvalue > 1e-3
    expected = reference.logpdf(samples.numpy())
    np.testing.assert_allclose(distribution.log_prob(samples.float()).numpy(), expected, rtol=1e-3, atol=1e-4)
    if type(distribution).cdf is not rushlight.distributions.Distribution.cdf and call[:3] not in ("Inv", "Log"):
        received = distribution.cdf(samples.float()).numpy()
        np.testing.assert_allclose(received, reference.cdf(samples.numpy()), atol=1e-5)


@pytest.mark.parametrize(("call", "reference"), COUNTED, ids=[call for call, _ in COUNTED])
def test_is_counted_as_in_scipy(call, reference):
    distribution = made(call)
    samples = distribution.sample((4000,))
    values = np.arange(30)
    seen = np.array([(samples == value).sum().item() for value in values])
    expected = 4000 * reference.pmf(values)
    often = expected > 5
    assert ((seen[often] - expected[often]) ** 2 / expected[often]).sum() < stats.chi2(often.sum()).ppf(1 - 1e-4)
    present = np.unique(samples.numpy())
    received = distribution.log_prob(rushlight.tensor(present)).numpy()
    np.testing.assert_allclose(received, reference.logpmf(present), rtol=1e-4, atol=1e-5)


VECTORS = """
Dirichlet(tensor([0.5, 1.5, 2.0]))
LKJCholesky(3, 1.5)
LowRankMultivariateNormal(tensor([0.0, 1.0]), tensor([[1.0], [0.5]]), tensor([1.0, 2.0]))
MixtureSameFamily(Categorical(tensor([0.2, 0.8])), Normal(tensor([0.0, 3.0]), tensor([1.0, 2.0])))
Multinomial(5, tensor([0.2, 0.5, 0.3]))
MultivariateNormal(tensor([0.0, 1.0]), tensor([[2.0, 0.5], [0.5, 1.0]]))
OneHotCategorical(tensor([0.2, 0.5, 0.3]))
Wishart(tensor(5.0), tensor([[2.0, 0.5], [0.5, 1.0]]))
""".strip().splitlines()


@pytest.mark.parametrize("call", VECTORS)
def test_moments_of_samples(call):
    distribution = made(call)
    samples = distribution.sample((8000,))
    assert distribution.support.check(samples).all()
    if call.startswith("LKJ"):  # correlations have mean 0
        correlation = (samples @ samples.mT).mean(0)
        np.testing.assert_allclose(correlation.numpy(), np.eye(3), atol=0.03)
        return
    error = (distribution.variance / 8000) ** 0.5
    assert ((samples.mean(0) - distribution.mean).abs() < 5 * error).all()
    np.testing.assert_allclose(samples.var(0).numpy(), distribution.variance.numpy(), rtol=0.12)
