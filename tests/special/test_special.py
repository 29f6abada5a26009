"""torch.special against PyTorch and SciPy: values, dtypes, forms, gradients and refusals."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")
scipy_special = pytest.importorskip("scipy.special")
pytestmark = pytest.mark.oracle

POLYNOMIALS = [name for name in dir(torch.special) if "_polynomial_" in name]
BINARY = ["xlogy", "xlog1py", "zeta", *POLYNOMIALS]
PUBLIC = {name for name in dir(torch.special) if callable(getattr(torch.special, name)) and name[0].islower()}
OTHERS = {"gammainc", "gammaincc", "log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax"}
UNARY = sorted(PUBLIC - OTHERS - set(BINARY))
ARGUMENTS = np.array([-7.25, -1.0, -0.75, -0.3, -0.0, 0.0, 0.1, 0.5, 0.9, 1.0, 1.5, 2.0, 8.0, 30.0, np.nan])


def both(name, *arrays, **options):
    return tuple(
        getattr(package.special, name)(
            *(package.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays), **options
        )
        for package in (rushlight, torch)
    )


def agree(got, expected, rtol=1e-5, atol=1e-6):
    assert str(got.dtype) == str(expected.dtype) and tuple(got.shape) == tuple(expected.shape)
    np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=rtol, atol=atol)


def test_every_name_is_there():
    assert set(dir(rushlight.special)) >= PUBLIC
    for name in PUBLIC:
        assert callable(getattr(rushlight.special, name))
    with pytest.raises(AttributeError, match="no attribute 'pow'"):
        _ = rushlight.special.pow


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    if (name, dtype) == ("round", "int64"):
        pytest.skip("PyTorch rounds no integers")
    x = ARGUMENTS if dtype != "int64" else ARGUMENTS[:-1]
    agree(*both(name, x.astype(dtype)))


@pytest.mark.parametrize("bits", [np.uint32(0x7FC00155), np.uint32(0xFFC00001), np.uint64(0x7FF8000000000155)])
@pytest.mark.parametrize("name", UNARY)
def test_every_nan_stays_nan(name, bits):
    x = np.full(9, bits).view(f"float{8 * bits.nbytes}")  # NaN may carry any low bits
    assert getattr(rushlight.special, name)(rushlight.from_numpy(x)).isnan().all()


def test_dtypes_other_than_numbers():
    agree(*both("airy_ai", np.array([True, False])))
    with pytest.raises(RuntimeError, match=r"\[airy_ai\] input must be floating point"):
        rushlight.special.airy_ai(rushlight.tensor([1j]))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    x = np.linspace(-1.5, 1.5, 13)[:, None] if name in POLYNOMIALS else np.linspace(0.1, 4, 13)[:, None]
    n = np.arange(-1.0, 9)
    agree(*both(name, x, n), rtol=1e-9, atol=1e-9)
    agree(*both(name, x.astype(np.float32), n.astype(np.float32)), rtol=1e-4, atol=1e-4)
    agree(*both(name, x, 3))
    agree(*both(name, 1.25, n))
    agree(*both(name, np.arange(1, 5), np.arange(1, 5)))
    agree(*both(name, np.zeros((0, 1)), n))
    out = rushlight.empty(13, 10, dtype=rushlight.float64)
    assert getattr(rushlight.special, name)(rushlight.from_numpy(x), rushlight.from_numpy(n), out=out) is out
    with pytest.raises(TypeError, match="needs a Tensor, not numbers alone"):
        getattr(rushlight.special, name)(2, 3)


def test_polynomials_of_high_and_odd_degrees():
    x = np.array([-1.0, -0.999, 0.2, 1.0])
    for name in POLYNOMIALS:
        if name.startswith(("cheb", "leg", "lag")):
            agree(*both(name, x, np.array([[150.0], [7.9], [-0.5]])), rtol=1e-9)
        if name.startswith("cheb"):  # the closed form
            agree(*both(name, x[1:3], np.array([[257.0], [1e5]])), rtol=1e-8)
    assert rushlight.special.legendre_polynomial_p(rushlight.tensor(0.5), 2**21).isnan()
    strided = rushlight.arange(12.0).reshape(3, 4).T / 12
    want = rushlight.special.hermite_polynomial_h(strided.contiguous(), 4)
    assert rushlight.equal(rushlight.special.hermite_polynomial_h(strided, 4), want)


# name: (SciPy's function, arguments, relative tolerance)
POSITIVE = np.concatenate([np.geomspace(1e-300, 0.99, 50), np.linspace(1, 60, 200), [300.0, 700.0]])
REFERENCES = {
    "modified_bessel_k0": (scipy_special.k0, POSITIVE, 1e-13),
    "modified_bessel_k1": (scipy_special.k1, POSITIVE, 1e-13),
    "scaled_modified_bessel_k0": (scipy_special.k0e, np.append(POSITIVE, [1e10, 1e300, np.inf]), 1e-14),
    "scaled_modified_bessel_k1": (scipy_special.k1e, np.append(POSITIVE, [1e10, 1e300, np.inf]), 1e-14),
    "airy_ai": (lambda x: scipy_special.airy(x)[0], np.linspace(-30, 30, 301), 1e-11),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_against_scipy(name):
    reference, x, tolerance = REFERENCES[name]
    got = getattr(rushlight.special, name)(rushlight.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, reference(x), rtol=tolerance, atol=1e-300)


@pytest.mark.parametrize("largest", [1.0, 40.0, 3e3, 1e5])
def test_incomplete_gamma(largest):
    r = np.random.default_rng(0)
    a = r.uniform(0, largest, 300)
    x = np.abs(np.where(r.random(300) < 0.5, a + r.normal(size=300) * np.sqrt(a), r.uniform(0, 2 * largest, 300)))
    for ours, reference in (("gammainc", scipy_special.gammainc), ("gammaincc", scipy_special.gammaincc)):
        got = getattr(rushlight.special, ours)(rushlight.from_numpy(a), rushlight.from_numpy(x)).numpy()
        expected = reference(a, x)
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-290)
    total = rushlight.igamma(rushlight.from_numpy(a), rushlight.from_numpy(x)) + rushlight.igammac(
        rushlight.from_numpy(a), rushlight.from_numpy(x)
    )
    np.testing.assert_allclose(total.numpy(), 1, rtol=1e-14)


def test_incomplete_gamma_at_its_borders():
    borders = np.array([-1.0, 0.0, 0.5, 1.0, np.inf])
    for name in ("gammainc", "gammaincc"):
        agree(*both(name, borders[:, None], borders))


# a, x, Q(a, x) and P(a, x), by quadrature in 60 digits
PRECISE = """
1e-10 0.5 5.597735948054988e-11 0.9999999999440226
0.001 1.5 0.0001001529596570144 0.999899847040343
0.3 0.05 0.5515631378934072 0.4484368621065928
1000000.0 997000.0 0.9986618958326864 0.0013381041673136
1000000.0 1003000.0 0.001361740646217591 0.9986382593537824
200000.0 200000.0 0.4997026459723815 0.5002973540276185
5678530.5 5666922.75 0.9999994540723504 5.459276495752746e-7
800000000000.0 799996000000.0 0.9999961280200314 3.871979968571564e-6
"""


@pytest.mark.parametrize("line", PRECISE.split("\n")[1:-1])
def test_incomplete_gamma_where_differences_cancel(line):
    a, x, upper, lower = (rushlight.tensor(float(word), dtype=rushlight.float64) for word in line.split())
    np.testing.assert_allclose(rushlight.igammac(a, x).item(), upper.item(), rtol=2e-12)
    np.testing.assert_allclose(rushlight.igamma(a, x).item(), lower.item(), rtol=2e-12)


def test_incomplete_gamma_refuses():
    whole, real = rushlight.tensor([1, 2]), rushlight.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"\[igamma\] input must be floating point"):
        rushlight.igamma(whole, whole)
    with pytest.raises(TypeError, match="argument 'other' must be Tensor, not int"):
        rushlight.igamma(real, 2)
    with pytest.raises(RuntimeError, match="derivative"):
        rushlight.igamma(real, real).sum().backward()
    x = rushlight.tensor([1.0, 2.0])
    assert x.clone().igammac_(x).allclose(rushlight.igammac(x, x))


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_gradients_of_incomplete_gamma(name):
    a = rushlight.tensor([0.3, 1.0, 2.5, 9.0], dtype=rushlight.float64)
    x = rushlight.tensor([0.7, 1e-3, 3.0, 8.0], dtype=rushlight.float64, requires_grad=True)
    assert rushlight.autograd.gradcheck(lambda x: getattr(rushlight, name)(a, x), (x,))
    assert rushlight.autograd.gradgradcheck(lambda x: getattr(rushlight, name)(a, x), (x,))


@pytest.mark.parametrize("name", ["i0", "i0e", "i1", "i1e"])
def test_second_derivatives_at_zero(name):
    derivatives = []
    for package in (rushlight, torch):
        x = package.tensor([0.0, -1.5, 2.0], dtype=package.float64, requires_grad=True)
        (first,) = package.autograd.grad(getattr(package.special, name)(x).sum(), x, create_graph=True)
        (second,) = package.autograd.grad(first.sum(), x)
        derivatives.append((first.detach().numpy(), second.numpy()))
    np.testing.assert_allclose(*derivatives, rtol=1e-7)


def test_polynomial_fit():
    """A real use: Legendre coefficients of a smooth function by least squares."""
    x = rushlight.linspace(-1, 1, 50, dtype=rushlight.float64)
    basis = rushlight.special.legendre_polynomial_p(x[:, None], rushlight.arange(10))
    coefficients = rushlight.linalg.lstsq(basis, rushlight.exp(x)[:, None]).solution
    np.testing.assert_allclose((basis @ coefficients)[:, 0].numpy(), np.exp(x.numpy()), atol=1e-7)
