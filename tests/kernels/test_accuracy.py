"""The bounds that docs/accuracy.md publishes, on a sample of float32."""

import importlib.util
import pathlib

import pytest

pytest.importorskip("scipy")
TOOL = pathlib.Path(__file__).parents[2] / "tools" / "accuracy.py"
SPECIFICATION = importlib.util.spec_from_file_location("accuracy", TOOL)
accuracy = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(accuracy)
BOUNDS = accuracy.bounds(accuracy.PAGE.read_text())


def test_every_function_has_a_bound():
    assert BOUNDS.keys() >= accuracy.functions().keys()
    assert max(BOUNDS.values()) <= 4
    assert all(BOUNDS[name] <= 2 for name in ("exp", "log", "sin", "cos", "sqrt", "tanh", "erf"))


@pytest.mark.parametrize("name", accuracy.functions())
def test_bound(name):
    worst, at = accuracy.measure(name, every=20011, start=7)
    assert worst <= BOUNDS[name], f"{name}({at!r}) is off by {worst:.2f} ulp"
