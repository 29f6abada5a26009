"""Each test of this directory is one program text, run with Rushlight and with PyTorch as `torch`.

What holds for PyTorch is what must hold: a test that fails with PyTorch is a wrong test.
"""

import importlib

import pytest


@pytest.fixture(params=["rushlight", pytest.param("torch", marks=pytest.mark.oracle)])
def torch(request):
    return pytest.importorskip("torch") if request.param == "torch" else importlib.import_module("rushlight")


@pytest.fixture
def rushlight():
    return importlib.import_module("rushlight")
