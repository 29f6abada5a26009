"""Window functions against PyTorch, and their errors."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

CALLS = """
bartlett()
blackman()
cosine()
exponential()
exponential(tau=3.0)
gaussian(std=0.7)
general_cosine(a=[0.4, 0.3, 0.2, 0.1])
general_hamming(alpha=0.6)
hamming()
hann()
kaiser(beta=5.0)
nuttall()
""".strip().splitlines()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("sym", [True, False])
def test_agrees_with_torch(call, sym):
    name, options = call.rstrip(")").split("(")
    for m in (0, 1, 2, 7, 10):
        for dtype in ("float32", "float64"):
            ours, theirs = (
                eval(f"w.{name}({m}, sym={sym}, dtype=p.{dtype}, {options})", {"w": p.signal.windows, "p": p})
                for p in (rushlight, torch)
            )
            assert str(ours.dtype) == str(theirs.dtype)
            tolerance = 1e-6 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=tolerance, atol=tolerance)


def test_a_center_of_its_own():
    ours, theirs = (p.signal.windows.exponential(5, center=0, tau=2.0, sym=False) for p in (rushlight, torch))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_a_window_can_be_a_leaf():
    assert rushlight.signal.windows.hann(4, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    "call, error",
    [
        ("hann(-1)", ValueError),
        ("hann(4.0)", TypeError),
        ("hann(4, dtype=torch.int64)", ValueError),
        ("hann(4, dtype=torch.float16)", ValueError),
        ("hann(4, layout=torch.sparse_coo)", ValueError),
        ("exponential(4, center=1.0)", ValueError),
        ("exponential(4, tau=0)", ValueError),
        ("gaussian(4, std=-1)", ValueError),
        ("kaiser(4, beta=-1)", ValueError),
        ("general_cosine(4, a=[])", ValueError),
        ("general_cosine(4, a=0.5)", TypeError),
    ],
)
def test_errors_are_those_of_torch(call, error):
    for package in (rushlight, torch):
        with pytest.raises(error):
            eval("torch.signal.windows." + call, {"torch": package})
