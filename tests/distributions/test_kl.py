"""Divergences of every pair that PyTorch knows, with their gradients; by sampling where its formula might be ours."""

import warnings

import numpy as np
import pytest

import rushlight
from rushlight.distributions.kl import _formulas

torch = pytest.importorskip("torch")

# For each type two calls in the namespace of torch.distributions: one for p, one for q. v(...) is float64.
PARAMETERS = {
    "Bernoulli": ("Bernoulli(v(0.2, 0.7))", "Bernoulli(logits=v(0.5, -1.0))"),
    "Beta": ("Beta(v(0.5, 3.0), v(2.0, 1.5))", "Beta(v(1.5, 2.0), v(0.7, 3.0))"),
    "Binomial": ("Binomial(v(3.0, 5.0), v(0.2, 0.7))", "Binomial(v(3.0, 4.0), v(0.4, 0.6))"),
    "Categorical": ("Categorical(v([0.2, 0.5, 0.3], [1.0, 0.0, 1]))", "Categorical(v([0.1, 0.0, 0.9], [1.0, 1.0, 1]))"),
    "Cauchy": ("Cauchy(v(0.0, 1.0), v(1.0, 2.0))", "Cauchy(v(0.5, -1.0), v(2.0, 0.7))"),
    "ContinuousBernoulli": ("ContinuousBernoulli(v(0.2, 0.8))", "ContinuousBernoulli(v(0.4, 0.5))"),
    "Dirichlet": ("Dirichlet(v([0.5, 1.5], [2.0, 3.0]))", "Dirichlet(v(1.0, 2.0))"),
    "Exponential": ("Exponential(v(0.5, 2.0))", "Exponential(v(1.5, 0.7))"),
    "Gamma": ("Gamma(v(0.5, 3.0), v(2.0, 1.5))", "Gamma(v(1.5, 2.0), v(0.7, 3.0))"),
    "Geometric": ("Geometric(v(0.2, 0.7))", "Geometric(v(0.4, 0.5))"),
    "Gumbel": ("Gumbel(v(0.0, 1.0), v(1.0, 0.5))", "Gumbel(v(0.5, -1.0), v(2.0, 1.7))"),
    "HalfNormal": ("HalfNormal(v(1.0, 2.0))", "HalfNormal(v(2.0, 0.7))"),
    "Independent": ("Independent(Normal(v(0.0, 1.0), v(1.0, 2.0)), 1)", "Independent(Normal(v(0.5), v(2.0, 0.7)), 1)"),
    "Laplace": ("Laplace(v(0.0, 1.0), v(1.0, 2.0))", "Laplace(v(0.5, -1.0), v(2.0, 0.7))"),
    "LowRankMultivariateNormal": (
        "LowRankMultivariateNormal(v([0.0, 1.0], [2.0, 3.0]), v([1.0], [0.5]), v(1.0, 2.0))",
        "LowRankMultivariateNormal(v(0.5, 1.0), v([0.3, 1.0], [0.5, 0.2]), v(0.5, 0.7))",
    ),
    "MultivariateNormal": (
        "MultivariateNormal(v(0.5, 1.5), scale_tril=v([[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [0.2, 0.7]]))",
        "MultivariateNormal(v(0.0, 1.0), v([2.0, 0.5], [0.5, 1.0]))",
    ),
    "Normal": ("Normal(v(0.0, 1.0), v(1.0, 2.0))", "Normal(v(0.5, -1.0), v(2.0, 0.7))"),
    "OneHotCategorical": ("OneHotCategorical(v(0.2, 0.5, 0.3))", "OneHotCategorical(logits=v(0.1, 0.0, 0.9))"),
    "Pareto": ("Pareto(v(1.0, 2.0), v(3.0, 2.5))", "Pareto(v(0.5, 2.5), v(1.5, 2.0))"),
    "Poisson": ("Poisson(v(0.5, 4.0))", "Poisson(v(1.5, 3.0))"),
    "TransformedDistribution": (
        "TransformedDistribution(Normal(v(0.0, 1.0), v(1.0, 2.0)), ExpTransform())",
        "TransformedDistribution(Normal(v(0.5, 1.5), v(2.0, 0.7)), ExpTransform())",
    ),
    "Uniform": ("Uniform(v(0.2, 0.6), v(0.5, 0.9))", "Uniform(v(0.1, 0.7), v(0.6, 1.0))"),
    "ExponentialFamily": ("Wishart(v(4.0), v([2.0, 0.5], [0.5, 1.0]))", "Wishart(v(5.0), v([1.0, 0.2], [0.2, 1.5]))"),
}  # fmt: skip
PAIRS = sorted((p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY)


def made(package, call, parameters):
    def variable(*values):
        data = values[0] if len(values) == 1 else values
        parameters.append(package.tensor(data, dtype=package.float64, requires_grad=True))
        return parameters[-1]

    names = {name: getattr(package.distributions, name) for name in torch.distributions.__all__}
    return eval(call, {**names, "v": variable})


def divergence(package, p, q):
    parameters = []
    result = package.distributions.kl_divergence(
        made(package, PARAMETERS[p][0], parameters), made(package, PARAMETERS[q][1], parameters)
    )
    finite = result[package.isfinite(result)].sum()
    gradients = package.autograd.grad(finite, parameters, allow_unused=True) if finite.requires_grad else []
    return result.detach().numpy(), [None if g is None else g.numpy() for g in gradients]


def test_the_same_pairs_are_registered():
    assert sorted((p.__name__, q.__name__) for p, q in _formulas) == PAIRS


@pytest.mark.oracle
@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_agrees_with_torch(p, q):
    ours, our_gradients = divergence(rushlight, p, q)
    theirs, their_gradients = divergence(torch, p, q)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)
    for a, b in zip(our_gradients, their_gradients, strict=True):
        if b is not None and np.isfinite(b).all():
            np.testing.assert_allclose(np.zeros_like(b) if a is None else a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_batches_broadcast(p, q):
    p, q = (made(rushlight, PARAMETERS[name][i], []) for i, name in enumerate((p, q)))
    expected = rushlight.distributions.kl_divergence(p, q).detach().numpy()
    more = p.expand((3, *rushlight.broadcast_shapes(p.batch_shape, q.batch_shape)))
    received = rushlight.distributions.kl_divergence(more, q).detach().numpy()
    np.testing.assert_allclose(received, np.broadcast_to(expected, (3, *expected.shape)), rtol=1e-9)


@pytest.fixture
def unvalidated():
    rushlight.distributions.Distribution.set_default_validate_args(False)
    yield
    rushlight.distributions.Distribution.set_default_validate_args(True)


@pytest.mark.parametrize(("p", "q"), [pair for pair in PAIRS if pair[0] not in ("Binomial", "Poisson", "Cauchy")])
def test_agrees_with_sampling(p, q, unvalidated):
    """The mean of log p(x) - log q(x) over samples x of p."""
    p, q = (made(rushlight, PARAMETERS[name][i], []) for i, name in enumerate((p, q)))
    rushlight.manual_seed(0)
    with rushlight.no_grad():
        divergence = rushlight.distributions.kl_divergence(p, q)
        x = p.sample((4000,))
        terms = p.log_prob(x) - q.log_prob(x)
    error = terms.std(0) / 4000**0.5
    finite = divergence.isfinite() & terms.isfinite().all(0)
    assert bool(((terms.mean(0) - divergence).abs() < 5 * error + 1e-3)[finite].all())


@pytest.mark.parametrize(
    "name", ["Bernoulli", "Beta", "ContinuousBernoulli", "Dirichlet", "Exponential", "Gamma", "Normal", "Poisson"]
)
def test_exponential_families(name):
    """Entropy and divergence by the log normalizer's gradient are the closed forms."""
    p, q = (made(rushlight, call, []) for call in PARAMETERS[name])
    family = _formulas[rushlight.distributions.ExponentialFamily, rushlight.distributions.ExponentialFamily]
    closed = rushlight.distributions.kl_divergence(p, q).detach().numpy()
    np.testing.assert_allclose(family(p, q).detach().numpy(), closed, rtol=1e-9)
    if name not in ("Beta", "Dirichlet", "Poisson"):  # whose carrier measures have no mean in closed form, or none here
        by_family = rushlight.distributions.ExponentialFamily.entropy(p)
        np.testing.assert_allclose(by_family.detach().numpy(), p.entropy().detach().numpy(), rtol=1e-9)


def test_a_subclass_has_the_formula_of_its_base():
    D = rushlight.distributions

    class Named(D.Normal):
        pass

    assert D.kl_divergence(Named(0.0, 1.0), D.Normal(1.0, 1.0)) == 0.5
    half = D.kl_divergence(D.Chi2(3.0), D.Gamma(2.0, 1.0))
    np.testing.assert_allclose(half.numpy(), D.kl_divergence(D.Gamma(1.5, 0.5), D.Gamma(2.0, 1.0)).numpy())


def test_an_ambiguous_pair_warns():
    D = rushlight.distributions

    class A(D.Normal):
        pass

    D.register_kl(A, D.Normal)(lambda p, q: 1)
    D.register_kl(D.Normal, A)(lambda p, q: 2)
    try:
        with pytest.warns(RuntimeWarning, match="Ambiguous"):
            assert D.kl_divergence(A(0.0, 1.0), A(0.0, 1.0)) == 1
        D.register_kl(A, A)(lambda p, q: 3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert D.kl_divergence(A(0.0, 1.0), A(0.0, 1.0)) == 3
    finally:
        for pair in [pair for pair in _formulas if A in pair]:
            del _formulas[pair]


@pytest.mark.oracle
def test_certain_trials():
    for p in (0.0, 0.3, 1.0):
        for q in (0.0, 0.6, 1.0):
            a, b = (
                package.distributions.kl_divergence(
                    package.distributions.Bernoulli(p), package.distributions.Bernoulli(q)
                ).item()
                for package in (rushlight, torch)
            )
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_refusals():
    D = rushlight.distributions
    with pytest.raises(NotImplementedError, match=r"q\.total_count > p.total_count"):
        D.kl_divergence(D.Binomial(2, rushlight.tensor(0.5)), D.Binomial(3, rushlight.tensor(0.5)))
    with pytest.raises(TypeError, match="Expected a Distribution subclass"):
        D.register_kl(int, D.Normal)
    normal = D.Normal(rushlight.zeros(2, 3), 1.0)
    with pytest.raises(NotImplementedError, match="different reinterpreted_batch_ndims"):
        D.kl_divergence(D.Independent(normal, 1), D.Independent(normal, 2))
    with pytest.raises(NotImplementedError, match="same transforms"):
        D.kl_divergence(D.LogNormal(0.0, 1.0), D.TransformedDistribution(D.Normal(0.0, 1.0), D.TanhTransform()))
    vector = D.MultivariateNormal(rushlight.zeros(2), rushlight.eye(2))
    with pytest.raises(ValueError, match="event shapes must be equal"):
        D.kl_divergence(vector, D.MultivariateNormal(rushlight.zeros(3), rushlight.eye(3)))
