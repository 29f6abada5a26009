"""Interpolation and sampling at points against PyTorch's."""

import pytest

import rushlight
from tests.nn.oracle import compare_call, compare_module, randn, torch

pytestmark = pytest.mark.oracle

SHAPES = {"linear": (2, 3, 7), "bilinear": (2, 3, 7, 5), "bicubic": (2, 3, 7, 5), "trilinear": (1, 2, 4, 5, 3)}


def compare(name, inputs, **kwargs):
    compare_call(getattr(rushlight.nn.functional, name), getattr(torch.nn.functional, name), inputs, kwargs, 1e-4, 1e-5)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("mode", SHAPES)
def test_interpolation(mode, align_corners):
    x = randn(*SHAPES[mode])
    for kwargs in ({"scale_factor": 2}, {"scale_factor": 0.6}, {"size": 4}, {"size": 1},
                   {"scale_factor": 1.7, "recompute_scale_factor": True}):  # fmt: skip
        compare("interpolate", [x], mode=mode, align_corners=align_corners, **kwargs)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area"])
@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 7, 5), (1, 2, 4, 5, 3)])
def test_nearest_and_area(mode, shape):
    for kwargs in ({"scale_factor": 2}, {"scale_factor": 0.6}, {"size": 3}, {"size": list(range(4, len(shape) + 2))}):
        compare("interpolate", [randn(*shape)], mode=mode, **kwargs)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_antialias(mode):
    for kwargs in ({"size": (3, 4)}, {"scale_factor": 0.4}, {"size": (9, 9)}):
        compare("interpolate", [randn(2, 3, 8, 7)], mode=mode, antialias=True, **kwargs)


def test_layers():
    compare_module("Upsample", (), [randn(1, 2, 3, 4)], {"scale_factor": 2})
    compare_module("Upsample", ((5, 6),), [randn(1, 2, 3, 4)], {"mode": "bilinear"})
    compare_module("UpsamplingNearest2d", (), [randn(1, 2, 3, 4)], {"scale_factor": 2})
    compare_module("UpsamplingBilinear2d", ((5, 6),), [randn(1, 2, 3, 4)])


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode, padding_mode, align_corners):
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    smooth = mode != "nearest"  # to its points "nearest" has no gradient
    compare("grid_sample", [randn(2, 3, 5, 4), randn(2, 6, 3, 2, seed=1, grad=smooth)], **options)
    if mode != "bicubic":
        compare("grid_sample", [randn(2, 3, 5, 4, 3), randn(2, 6, 3, 2, 3, seed=1, grad=smooth)], **options)


@pytest.mark.filterwarnings("ignore:Since version 1.3.0")  # PyTorch's own, about the oracle
@pytest.mark.parametrize("align_corners", [False, True])
def test_affine_grid(align_corners):
    compare("affine_grid", [randn(2, 2, 3)], size=(2, 1, 4, 5), align_corners=align_corners)
    compare("affine_grid", [randn(2, 3, 4)], size=(2, 1, 4, 1, 3), align_corners=align_corners)


def test_errors():
    F, x = rushlight.nn.functional, rushlight.ones(1, 1, 4)
    for error, kwargs in [
        (ValueError, {}),
        (ValueError, {"size": 2, "scale_factor": 2}),
        (ValueError, {"size": 2, "align_corners": True}),
        (ValueError, {"size": (2, 2)}),
        (NotImplementedError, {"size": 2, "mode": "bilinear"}),
        (NotImplementedError, {"size": 2, "mode": "smooth"}),
        (ValueError, {"size": 2, "antialias": True}),
        (RuntimeError, {"size": 0}),
    ]:
        with pytest.raises(error):
            F.interpolate(x, **kwargs)
    with pytest.raises(RuntimeError, match="grid"):
        F.grid_sample(rushlight.ones(1, 1, 2, 2), rushlight.ones(1, 2, 2, 3), align_corners=True)
    with pytest.raises(ValueError, match="theta must be"):
        F.affine_grid(rushlight.ones(1, 2, 2), (1, 1, 2, 2), align_corners=True)
