"""Fourier transforms against PyTorch: values, dtypes, errors, and gradients to the second order."""

import sys

import numpy as np
import pytest

import rushlight
from rushlight.fft import primitives

torch = pytest.importorskip("torch")

FAMILIES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
FORMS = [
    ("", {}),
    ("", {"n": 3}),
    ("", {"n": 8, "dim": 0, "norm": "ortho"}),
    ("2", {"norm": "forward"}),
    ("2", {"s": (2, -1), "dim": (2, 0)}),
    ("n", {}),
    ("n", {"s": 5}),
    ("n", {"dim": (1, 0), "norm": "ortho"}),
]


def inputs(family):
    r = np.random.default_rng(3)
    real = r.normal(size=(3, 4, 5))
    return [real] if family in ("rfft", "ihfft") else [real, real + 1j * r.normal(size=real.shape)]


@pytest.fixture(params=["scipy", "numpy"])
def library(request, monkeypatch):
    """Each library in turn; one that sys.modules holds as None cannot be imported."""
    if request.param == "scipy":
        pytest.importorskip("scipy")
    else:
        monkeypatch.setitem(sys.modules, "scipy.fft", None)
    primitives.library.cache_clear()
    yield request.param
    primitives.library.cache_clear()


@pytest.mark.oracle
@pytest.mark.parametrize("form, options", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_agrees_with_torch(library, family, form, options):
    for x in inputs(family):
        results = []
        for package in (rushlight, torch):
            leaf = package.tensor(x, requires_grad=True)
            y = getattr(package.fft, family + form)(leaf, **options)
            (y * y.conj()).real.pow(2).sum().backward()
            results.append((y.detach().resolve_conj().numpy(), leaf.grad.resolve_conj().numpy()))
        for ours, theirs in zip(*results, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-8 * np.abs(theirs).max())


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_of_gradients(family):
    for x in inputs(family):
        leaf = rushlight.tensor(x[:2, :2, :3], requires_grad=True)
        for n in (4, 3):
            function = getattr(rushlight.fft, family + "n")
            assert rushlight.autograd.gradcheck(lambda t, f=function, n=n: f(t, (2, n)), leaf)
            assert rushlight.autograd.gradgradcheck(lambda t, f=function, n=n: f(t, (2, n)), leaf)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "complex64", "complex128"])
def test_dtypes(library, dtype):
    x = rushlight.ones(4, dtype=getattr(rushlight, dtype))
    wide = dtype in ("float64", "complex128")
    assert rushlight.fft.fft(x).dtype == (rushlight.complex128 if wide else rushlight.complex64)
    assert rushlight.fft.irfft(x).dtype == (rushlight.float64 if wide else rushlight.float32)


def test_strided_and_empty_inputs():
    x = rushlight.randn(6, 4, dtype=rushlight.float64)
    for strided in (x.t(), x[::2, 1:], x.unsqueeze(0).expand(3, 6, 4), x[0, 0].expand(4)):
        received = rushlight.fft.fftn(strided)
        np.testing.assert_allclose(received.numpy(), np.fft.fftn(strided.numpy()), atol=1e-12)
    empty = rushlight.zeros(0, 6)
    assert rushlight.fft.fft(empty).shape == (0, 6)
    assert rushlight.fft.rfft(empty).shape == (0, 4)
    assert rushlight.fft.irfft(empty, 5).shape == (0, 5)


ERRORS = [
    ("fft(torch.ones(()))", IndexError),
    ("fft(torch.ones(3), dim=2)", IndexError),
    ("fft(torch.ones(3), dim=(0,))", TypeError),
    ("fft(torch.ones(3), n=2.0)", TypeError),
    ("fft(torch.ones(3), norm=1)", TypeError),
    ("fft([1.0, 2.0])", TypeError),
    ("fft(torch.ones(3), n=0)", RuntimeError),
    ("fft(torch.ones(3), n=-1)", RuntimeError),
    ("fft(torch.ones(0))", RuntimeError),
    ("fft(torch.ones(3), norm='x')", RuntimeError),
    ("fft(torch.ones(3).half())", RuntimeError),
    ("fft(torch.ones(3), out=torch.ones(3))", RuntimeError),
    ("rfft(torch.ones(3) + 0j)", RuntimeError),
    ("irfft(torch.ones(1))", RuntimeError),
    ("irfft(torch.ones(3), out=torch.ones(4) + 0j)", RuntimeError),
    ("fftn(torch.ones(3, 3), s=(2,), dim=(0, 1))", RuntimeError),
    ("fftn(torch.ones(3, 3), s=(2, 2, 2))", RuntimeError),
    ("fftn(torch.ones(3, 3), s=(-2, 2))", RuntimeError),
    ("fftn(torch.ones(3, 3), dim=(0, -2))", RuntimeError),
    ("rfftn(torch.ones(3, 3), dim=())", RuntimeError),
    ("fftfreq(-1)", RuntimeError),
    ("fftfreq(2.5)", TypeError),
    ("fftfreq(4, dtype=torch.int64)", RuntimeError),
    ("fftshift(torch.ones(3), dim=2)", IndexError),
]


@pytest.mark.oracle
@pytest.mark.parametrize("call, error", ERRORS)
def test_errors_are_those_of_torch(call, error):
    for package in (rushlight, torch):
        with pytest.raises(error):
            eval("torch.fft." + call, {"torch": package})


@pytest.mark.oracle
@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_frequencies_and_their_order(n):
    for name in ("fftfreq", "rfftfreq"):
        for options in ({}, {"d": 0.5, "dtype": "float64"}):
            ours, theirs = (
                getattr(p.fft, name)(n, **{k: getattr(p, v) if k == "dtype" else v for k, v in options.items()})
                for p in (rushlight, torch)
            )
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    for name in ("fftshift", "ifftshift"):
        for dim in (None, 0, (0, 1)):
            ours, theirs = (getattr(p.fft, name)(p.arange(3 * n).reshape(3, n), dim) for p in (rushlight, torch))
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_out_is_written_and_returned():
    x, out = rushlight.randn(5), rushlight.zeros(0, dtype=rushlight.complex128)
    assert rushlight.fft.ihfftn(x, out=out) is out
    np.testing.assert_allclose(out.numpy(), rushlight.fft.ihfftn(x).numpy())
    places = rushlight.zeros(4, dtype=rushlight.float64)
    assert rushlight.fft.fftfreq(4, out=places) is places
    assert places.tolist() == [0.0, 0.25, -0.5, -0.25]


def test_a_filter_is_learnt_through_the_transform():
    signal = rushlight.randn(64, generator=rushlight.Generator().manual_seed(0))
    wanted = signal.roll(3)
    kernel = rushlight.zeros(64, requires_grad=True)
    optimizer = rushlight.optim.LBFGS([kernel], line_search_fn="strong_wolfe", max_iter=200)

    def loss():
        optimizer.zero_grad()
        made = rushlight.fft.irfft(rushlight.fft.rfft(signal) * rushlight.fft.rfft(kernel))
        error = (made - wanted).square().sum()
        error.backward()
        return error

    optimizer.step(loss)
    assert kernel.argmax().item() == 3
    assert loss().item() < 1e-4
