"""At the ends of their supports and parameters, distributions say what PyTorch's say: limits, infinities, nan."""

import math

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")

# In the namespace of torch.distributions; c(...) is a float64 tensor (of a list of int: int64), f(...) of float32.
EXPRESSIONS = """
Bernoulli(logits=c([1e4, -1e4, 50.0, 0.0])).log_prob(c([0.0, 1.0, 1.0, 0.0]))
Bernoulli(c([0.0, 1.0, 0.5])).log_prob(c([0.0, 1.0, 1.0]))
Bernoulli(c([0.0, 1.0])).entropy()
Bernoulli(logits=c([1e4, -1e4])).entropy()
Binomial(c([3.0, 3.0, 3.0]), c([0.0, 1.0, 0.5])).log_prob(c([0.0, 3.0, 1.0]))
Binomial(3, logits=c([100.0, -100.0])).log_prob(c([3.0, 1.0]))
Binomial(0, c([0.3])).log_prob(c([0.0]))
Categorical(logits=c([0.0, -inf, 1.0])).entropy()
Categorical(c([0.0, 1.0, 0.0])).entropy()
Categorical(c([0.0, 1.0, 0.0])).log_prob(c([0, 1]))
Categorical(logits=c([0.0, -inf, 1.0])).log_prob(c([1]))
Geometric(c([1.0, 0.5])).log_prob(c([0.0, 3.0]))
Geometric(c([1.0, 0.5])).entropy()
Geometric(c([1.0])).log_prob(c([2.0]))
Poisson(c([0.0, 0.0, 5.0])).log_prob(c([0.0, 1.0, 0.0]))
NegativeBinomial(c([0.0, 3.0]), c([0.5, 0.0])).log_prob(c([0.0, 0.0]))
NegativeBinomial(c([0.0]), c([0.5])).log_prob(c([2.0]))
Multinomial(3, c([0.0, 0.5, 0.5])).log_prob(c([0.0, 1.0, 2.0]))
Multinomial(3, logits=c([-inf, 0.5, 0.5])).log_prob(c([0.0, 1.0, 2.0]))
Multinomial(3, c([0.0, 0.5, 0.5])).entropy()
OneHotCategorical(c([0.0, 0.5, 0.5])).log_prob(c([1.0, 0.0, 0.0]))
OneHotCategorical(c([0.0, 0.5, 0.5])).entropy()
Beta(c([1.0, 0.5, 2.0]), c([1.0, 0.5, 2.0])).log_prob(c([0.0, 0.0, 1.0]))
Beta(c([1.0, 0.5, 2.0]), c([1.0, 0.5, 2.0])).mode
Dirichlet(c([0.5, 0.2, 0.3])).mode
Dirichlet(c([1.0, 1.0, 1.0])).mode
Dirichlet(c([0.5, 2.0, 0.3])).mode
Dirichlet(c([1.0, 1.0])).log_prob(c([0.0, 1.0]))
Gamma(c([1.0, 0.5, 2.0]), 1.0).log_prob(c([0.0, 0.0, 0.0]))
Gamma(c([1.0, 0.5, 2.0]), 1.0).mode
Exponential(c([1.0])).log_prob(c([0.0]))
Uniform(c([0.0]), c([1.0])).log_prob(c([1.0]))
Uniform(c([0.0]), c([1.0])).log_prob(c([0.0]))
ContinuousBernoulli(c([0.0, 1.0, 0.5, 0.4990, 0.501, 0.4991])).log_prob(c([0.3]))
ContinuousBernoulli(c([0.0, 1.0, 0.5, 0.4990, 0.501])).mean
ContinuousBernoulli(c([0.0, 1.0, 0.5, 0.4990, 0.501])).variance
ContinuousBernoulli(c([0.0, 1.0, 0.5, 0.4990, 0.501])).cdf(c([0.3]))
ContinuousBernoulli(c([0.0, 1.0, 0.5, 0.4990, 0.501])).icdf(c([0.3]))
ContinuousBernoulli(c([0.0, 1.0, 0.5, 0.4990, 0.501])).entropy()
ContinuousBernoulli(c([0.3]), lims=(0.2, 0.8)).mean
Normal(c([0.0]), c([1e-3])).log_prob(c([10.0]))
HalfNormal(c([1.0])).log_prob(c([0.0]))
HalfNormal(c([1.0]), validate_args=False).log_prob(c([-1.0]))
Kumaraswamy(c([1.0, 2.0]), c([1.0, 2.0])).log_prob(c([0.0, 1.0]))
Kumaraswamy(c([1.0]), c([1.0])).mode
Pareto(c([1.0, 1.0, 1.0]), c([0.5, 1.0, 2.0])).mean
Pareto(c([1.0, 1.0, 1.0]), c([0.5, 1.0, 2.0])).variance
Weibull(c([1.0]), c([0.5])).mode
Weibull(c([1.0]), c([1.0])).log_prob(c([1e-30]))
StudentT(c([1.0, 2.0, 2.5])).variance
StudentT(c([1.0, 2.0, 2.5])).mean
FisherSnedecor(c([1.0, 3.0]), c([2.0, 5.0])).mode
InverseGamma(c([0.5, 1.0, 2.0, 3.0]), 1.0).mean
InverseGamma(c([0.5, 1.0, 2.0, 3.0]), 1.0).variance
VonMises(c([0.0, 0.0]), c([1e-5, 1e3])).log_prob(c([3.0, 0.0]))
Gumbel(c([0.0]), c([1.0])).log_prob(c([-100.0, 100.0]))
RelaxedBernoulli(c([0.1]), logits=c([100.0])).log_prob(c([0.5]))
RelaxedOneHotCategorical(c([0.1]), logits=c([100.0, 0.0])).log_prob(c([0.5, 0.5]))
LogNormal(c([0.0]), c([1.0])).log_prob(c([1e-30]))
GeneralizedPareto(f([0.0]), f([1.0]), f([-0.5])).log_prob(f([2.0]))
GeneralizedPareto(f([0.0]), f([1.0]), f([1e-9])).log_prob(f([2.0]))
kl_divergence(Categorical(c([0.0, 1.0])), Categorical(c([1.0, 0.0])))
kl_divergence(Uniform(c([0.0]), c([1.0])), Beta(c([1.0]), c([1.0])))
kl_divergence(Uniform(c([0.0, -1.0]), c([1.0, 2.0])), Gamma(c([1.0]), c([1.0])))
kl_divergence(Pareto(c([1.0, 1.0]), c([0.5, 1.5])), Normal(c([1.0]), c([1.0])))
kl_divergence(Pareto(c([1.0, 1.0]), c([0.5, 1.0])), Exponential(c([1.0])))
kl_divergence(Poisson(c([0.0])), Poisson(c([1.0])))
kl_divergence(Bernoulli(c([0.0, 1.0])), Poisson(c([1.0])))
kl_divergence(ContinuousBernoulli(c([0.5, 0.3])), ContinuousBernoulli(c([0.5, 0.5])))
Wishart(c(5.0), eye(2)*2).log_prob(eye(2))
LKJCholesky(3, c(1.0)).log_prob(eye(3))
MultivariateNormal(c([0.0, 0.0]), eye(2)*1e-8).log_prob(c([0.0, 0.0]))
Normal(c([0.0]), c([1.0])).icdf(c([0.0, 1.0]))
Cauchy(c([0.0]), c([1.0])).icdf(c([0.0, 1.0]))
Laplace(c([0.0]), c([1.0])).icdf(c([0.0, 1.0]))
Gumbel(c([0.0]), c([1.0])).icdf(c([0.0, 1.0]))
""".strip().splitlines()


def evaluate(package, expression):
    names = {name: getattr(package.distributions, name) for name in torch.distributions.__all__}

    def constant(values):
        whole = isinstance(values, list) and isinstance(values[0], int)
        return package.tensor(values, dtype=package.int64 if whole else package.float64)

    def eye(n):
        return package.eye(n, dtype=package.float64)

    names.update(c=constant, f=package.tensor, eye=eye, inf=math.inf)
    return eval(expression, names).numpy()


def test_gumbel_distribution_function_has_no_bounds():
    gumbel = rushlight.distributions.Gumbel(0.0, 1.0)
    assert gumbel.cdf(rushlight.tensor([-1000.0, 1000.0])).tolist() == [0.0, 1.0]


@pytest.mark.oracle
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_agrees_with_torch(expression):
    ours, theirs = evaluate(rushlight, expression), evaluate(torch, expression)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
