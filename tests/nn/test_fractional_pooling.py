"""Fractional max pooling against PyTorch's."""

import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.nn import functional as F
from tests.nn.oracle import compare_call, compare_module, randn, torch


@pytest.mark.oracle
@pytest.mark.parametrize("kwargs", [{"output_size": 3}, {"output_ratio": 0.5}, {"output_size": 1}])
@pytest.mark.parametrize("shape", [(2, 3, 9, 11), (3, 8, 9), (2, 3, 9, 8, 7), (3, 9, 8, 7)])
def test_against_pytorch(shape, kwargs):
    dims = 3 if shape[-1] == 7 else 2
    name = f"fractional_max_pool{dims}d"
    samples = torch.rand(shape[0] if len(shape) == dims + 2 else 1, 3, dims)
    kwargs = {"return_indices": True, "_random_samples": samples, **kwargs}
    if dims == 2 and "output_ratio" in kwargs:
        kwargs["output_ratio"] = (0.5, 0.5)  # PyTorch's takes no single number here
    compare_call(getattr(F, name), getattr(torch.nn.functional, name), [randn(*shape), 2], kwargs)


@pytest.mark.oracle
def test_layers_draw_the_same_numbers():
    compare_module("FractionalMaxPool2d", (2,), [randn(2, 3, 8, 8)], {"output_size": 3})
    compare_module("FractionalMaxPool3d", ((2, 1, 2),), [randn(2, 3, 8, 8, 8)], {"output_ratio": (0.4, 0.5, 0.6)})


def test_derivatives():
    x = rushlight.randn(1, 2, 5, 6, dtype=rushlight.float64, requires_grad=True)

    def pooled(x):
        rushlight.manual_seed(0)
        return F.fractional_max_pool2d(x, 2, output_size=3)

    assert gradcheck(pooled, [x])
    assert gradgradcheck(pooled, [x])


@pytest.mark.parametrize(
    ("error", "shape", "kwargs"),
    [
        (ValueError, (1, 5, 5), {}),
        (RuntimeError, (5, 5), {"output_size": 2}),
        (RuntimeError, (1, 5, 5), {"output_size": 5}),
        (RuntimeError, (1, 5, 5), {"output_size": 0}),
        (RuntimeError, (1, 5, 5), {"output_size": 2, "_random_samples": rushlight.rand(1, 2, 2)}),
    ],
)
def test_errors(error, shape, kwargs):
    with pytest.raises(error, match="fractional_max_pool2d"):
        F.fractional_max_pool2d(rushlight.zeros(shape), 2, **kwargs)
