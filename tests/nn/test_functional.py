"""Calls at the borders of what functions take: PyTorch's result, or an exception of PyTorch's class."""

import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.nn import functional as F
from tests.nn.oracle import assert_same, compare_call, from_torch, randn, torch

CALLS = """
interpolate(r(1, 2, 7, 5), size=(41 * 7, 49 * 5), mode="nearest")
interpolate(r(1, 2, 7, 5), size=(41 * 7, 49 * 5), mode="nearest-exact")
interpolate(r(1, 2, 4, 4), scale_factor=2.6, mode="nearest")
interpolate(r(0, 2, 4, 4), size=3)
interpolate(r(1, 2), size=3)
interpolate(r(1, 2, 3, 3, 3, 3), size=3)
interpolate(r(1, 2, 4, 4), size=0)
interpolate(i(9, 1, 2, 4, 4), size=3, mode="bilinear")
pad(r(2, 3, 4, 5), (1, 2, -1, 3), "circular")
pad(r(2, 3, 4), (-3, -2))
pad(r(2, 3, 4), (5, 4), "circular")
pad(r(2, 3, 0), (1, 1), "reflect")
pad(r(2, 3, 4), (1, 1), "reflect", 1.0)
lp_pool1d(r(2, 3, 8), float("inf"), 3)
lp_pool2d(r(2, 3, 8, 8), -float("inf"), 3)
max_unpool2d(*max_pool2d(r(2, 3, 8, 9), 2, return_indices=True), 2, output_size=(8, 9))
max_unpool2d(r(2, 2), i(4, 2, 2), 2)
max_unpool2d(r(1, 1, 2, 2), i(4, 1, 1, 2, 3), 2)
embedding_bag(i(5, 3), r(5, 2), i(1, 1), mode="max")
embedding_bag(i(5, 2, 2), r(5, 2), padding_idx=7)
embedding_bag(i(5, 0), r(5, 2), i(1, 2))
embedding(i(5, 2), r(5))
grid_sample(r(1, 2, 3, 4), r(1, 5, 6, 2) * 1e30, align_corners=False)
grid_sample(r(1, 2, 3, 4), r(1, 5, 6, 2) / 0, align_corners=False)
grid_sample(r(0, 2, 3, 4), r(0, 5, 6, 2), align_corners=True)
grid_sample(r(1, 2, 0, 4), r(1, 5, 6, 2), align_corners=True)
grid_sample(r(1, 2, 3, 4), r(1, 5, 6, 2).double(), align_corners=True)
nll_loss(r(3, 5, 2), i(5, 3, 3))
nll_loss(r(3, 5, 2), i(5, 2, 2))
nll_loss(r(), i(1))
mse_loss(i(5, 3), i(5, 3))
mse_loss(i(5, 3), r(3))
multi_margin_loss(r(), i(1))
multi_margin_loss(r(3, 4), i(4, 3), p=3)
batch_norm(r(0), r(0), r(0), training=True)
batch_norm(r(1, 3), None, None, training=True)
local_response_norm(i(9, 2, 5, 3), 3)
dropout1d(r(3))
cosine_similarity(i(5, 2, 3), r(2, 3))
cosine_similarity(i(5, 2, 3), i(5, 2, 3))
conv2d(r(1, 2, 5, 5), r(3, 2, 2), padding="same")
conv_tbc(r(5, 2, 3), r(2, 3, 4), r(3), 1)
adaptive_avg_pool2d(r(2, 5), (1, 1))
adaptive_max_pool3d(r(2, 5, 5), (1, 1, 1))
rrelu(r(3), 0.5, 0.1)
softshrink(r(3), -1.0)
native_channel_shuffle(r(1, 6, 2), 3)
scaled_dot_product_attention(r(2, 3, 4), r(2, 0, 4), r(2, 0, 6))
scaled_dot_product_attention(r(2, 4, 3, 4), r(2, 3, 5, 4), r(2, 3, 5, 6), enable_gqa=True)
scaled_dot_product_attention(r(2, 3, 4), r(2, 5, 4), r(2, 5, 6), i(2, 3, 5))
scaled_dot_product_attention(r(2, 3, 4), r(2, 5, 4), r(2, 5, 6), dropout_p=1.5)
""".strip().splitlines()


def outcome(functional, convert, call):
    """The result, or the exception."""

    class Names(dict):
        def __missing__(self, name):
            return getattr(functional, name)

    def integers(high, *shape):
        return convert(torch.randint(high, shape, generator=torch.Generator().manual_seed(high + len(shape))))

    try:
        return eval(call, {}, Names(r=lambda *shape: convert(randn(*shape, grad=False)), i=integers, float=float))
    except Exception as error:
        return error


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Using a target size", "ignore:dropout1d", "ignore:Support for mismatched")
@pytest.mark.parametrize("call", CALLS)
def test_at_the_border(call):
    theirs = outcome(torch.nn.functional, lambda t: t, call)
    ours = outcome(F, from_torch, call)
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), ours
    else:
        assert_same(ours, theirs, 1e-4, 1e-5)


@pytest.mark.oracle
def test_bytes_are_rounded_and_kept_in_range():
    x = torch.randint(256, (1, 3, 9, 7), dtype=torch.uint8)
    for kwargs in ({"mode": "bilinear"}, {"mode": "bicubic"}, {"mode": "bicubic", "antialias": True}):
        theirs = torch.nn.functional.interpolate(x, (4, 5), **kwargs)
        ours = F.interpolate(from_torch(x), (4, 5), **kwargs)
        assert ours.dtype == rushlight.uint8
        assert (ours.int() - from_torch(theirs).int()).abs().max().item() <= 1  # PyTorch rounds between dimensions


@pytest.mark.oracle
@pytest.mark.parametrize("mode", [0, 1, 2])
def test_grid_samplers(mode):
    inputs = [randn(2, 3, 4, 5), randn(2, 3, 6, 2, grad=mode != 1), mode, 1, False]
    compare_call(rushlight.grid_sampler, torch.grid_sampler, inputs, None, 1e-4, 1e-5)
    compare_call(rushlight.grid_sampler_2d, torch.grid_sampler_2d, inputs, None, 1e-4, 1e-5)
    if mode < 2:
        inputs = [randn(2, 3, 4, 5, 3), randn(2, 3, 6, 2, 3, grad=mode != 1), mode, 2, True]
        compare_call(rushlight.grid_sampler_3d, torch.grid_sampler_3d, inputs, None, 1e-4, 1e-5)


@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_derivatives_of_sampling_at_points(mode, padding_mode):
    image = rushlight.randn(1, 2, 4, 3, dtype=rushlight.float64, requires_grad=True)
    grid = rushlight.tensor([[[[0.13, -0.41], [0.77, 0.21], [1.31, -1.17]]]], dtype=rushlight.float64).requires_grad_()

    def sampled(image, grid):
        return F.grid_sample(image, grid, mode, padding_mode, align_corners=False)

    assert gradcheck(sampled, [image, grid])
    assert gradgradcheck(sampled, [image, grid])


@pytest.mark.oracle
def test_native_group_norm():
    inputs = [randn(2, 6, 3), randn(6), randn(6, seed=1), 2, 6, 3, 3, 1e-5]
    compare_call(rushlight.native_group_norm, torch.native_group_norm, inputs, None, 1e-4, 1e-5)


@pytest.mark.oracle
def test_convolution_of_time_batch_channels():
    compare_call(rushlight.conv_tbc, torch.conv_tbc, [randn(5, 2, 3), randn(2, 3, 4), randn(4), 1], None, 1e-4, 1e-5)


def test_arguments_that_override_functions():
    class Other:
        def __torch_function__(self, *args):
            """Whatever."""

    assert F.has_torch_function_variadic(1, Other())
    assert not F.has_torch_function_unary(rushlight.nn.Parameter(rushlight.ones(1)))
    with pytest.raises(AssertionError, match="kernel_size"):
        F.assert_int_or_pair((1, 2, 3), "kernel_size", "{} must be one or two numbers")
