"""Samples of gamma and Dirichlet distributions move with their concentrations as quantiles do."""

import numpy as np
import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.distributions import implicit

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


def test_second_derivative_of_samples():
    """Of a gamma sample, that of the quantile it is."""
    a = double([0.4, 1.5, 3.0, 20.0]).requires_grad_()
    rushlight.manual_seed(2)
    x = implicit.standard_gamma(a)
    (first,) = rushlight.autograd.grad(x.sum(), a, create_graph=True)
    (second,) = rushlight.autograd.grad(first.sum(), a)
    at, h = a.detach().numpy(), 1e-3
    level = special.gammainc(at, x.detach().numpy())
    low, middle, high = (special.gammaincinv(at + step, level) for step in (-h, 0, h))
    np.testing.assert_allclose(second.numpy(), (low - 2 * middle + high) / h**2, rtol=1e-3, atol=1e-6)


def test_many_elements_are_split():
    x = rushlight.rand(2, 3000, dtype=rushlight.float64) + 0.1
    whole = implicit.gamma_cdf(x, double(2.0))
    assert whole.shape == (2, 3000)
    np.testing.assert_allclose(whole.numpy(), special.gammainc(2.0, x.numpy()), rtol=1e-11)
    assert implicit.gamma_cdf(rushlight.zeros(0, 3), rushlight.tensor(1.0)).shape == (0, 3)
