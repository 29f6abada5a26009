"""The training programs in examples/ learn as they did before, and as they do in PyTorch."""

import functools
import sys
import types

import pytest

from rushlight.demo.digits import load_digits
from tests.golden import curves

# Our bits do not depend on the number of threads, but on the machine's instruction set, and PyTorch's on either: sums
# are taken in another order. Pooling and ReLU choose, so that a rounding in the CNN can tip a choice over and grow:
# PyTorch differs from itself by 3e-4 there, from one thread to two.
TOLERANCE = dict.fromkeys(curves.PROGRAMS, 1e-5) | {"digits_cnn": 5e-3}
train = functools.cache(curves.train)


@pytest.mark.multiprocess
@pytest.mark.parametrize("name", curves.PROGRAMS)
def test_golden_curve(name):
    assert train(name) == pytest.approx(curves.golden(name), rel=TOLERANCE[name]), (
        "meant? python -m tests.golden.curves"
    )


def test_every_curve_is_checked():
    assert {path.stem for path in curves.FOLDER.glob("*.json")} == set(curves.PROGRAMS)


@pytest.mark.oracle
@pytest.mark.parametrize("name", sorted({*curves.PROGRAMS} - {"resumable"}))  # PyTorch has no TrainingState
def test_curve_of_pytorch(name, monkeypatch):
    oracle = pytest.importorskip("torch")
    digits = types.ModuleType("torch.demo.digits")
    digits.load_digits = lambda: tuple(oracle.from_numpy(tensor.numpy().copy()) for tensor in load_digits())
    monkeypatch.setitem(sys.modules, "torch.demo", types.ModuleType("torch.demo"))
    monkeypatch.setitem(sys.modules, "torch.demo.digits", digits)
    assert train(name) == pytest.approx(curves.train(name, "torch"), rel=TOLERANCE[name])
