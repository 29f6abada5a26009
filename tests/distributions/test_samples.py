"""Samples are distributed as the density says: Kolmogorov-Smirnov and chi-squared tests against scipy, and moments."""

import numpy as np
import pytest

import rushlight

stats = pytest.importorskip("scipy.stats")

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
