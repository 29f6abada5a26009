"""Fusion with batch normalisation, memory formats, modules without first values."""

import pytest

import rushlight
from rushlight import nn
from tests.nn.oracle import assert_same, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle

PAIRS = [
    (lambda nn: (nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3)), (1, 2, 5)),
    (lambda nn: (nn.Conv2d(2, 4, 2, groups=2, bias=False), nn.BatchNorm2d(4, eps=0.1)), (1, 2, 5, 5)),
    (lambda nn: (nn.Conv3d(1, 2, 2), nn.BatchNorm3d(2, affine=False)), (1, 1, 3, 3, 3)),
    (lambda nn: (nn.ConvTranspose2d(2, 3, 2), nn.BatchNorm2d(3)), (1, 2, 3, 3)),
    (lambda nn: (nn.Linear(2, 3), nn.BatchNorm1d(3)), (4, 2)),
    (lambda nn: (nn.Linear(2, 3, bias=False).requires_grad_(False), nn.BatchNorm1d(3)), (4, 2)),
]


@pytest.mark.parametrize(("build", "shape"), PAIRS)
def test_fusion(build, shape):
    torch.manual_seed(1)
    theirs, their_norm = build(torch.nn)
    rushlight.manual_seed(1)
    ours, our_norm = build(nn)
    x = randn(*shape)
    for layer, norm, data in ((theirs, their_norm, x), (ours, our_norm, from_torch(x))):
        for scale in (1.0, 2.0):
            norm(layer(data * scale))  # running statistics that are not the first ones
        layer.eval()
        norm.eval()
    fuse = "fuse_linear_bn_eval" if len(shape) == 2 else "fuse_conv_bn_eval"
    transpose = [True] if isinstance(ours, nn.ConvTranspose2d) else []
    fused = getattr(nn.utils, fuse)(ours, our_norm, *transpose)
    expected = getattr(torch.nn.utils, fuse)(theirs, their_norm, *transpose)
    compare_states(fused, expected)
    assert repr(fused).replace("bias=True", "") == repr(expected).replace("bias=True", "")
    assert [p.requires_grad for p in fused.parameters()] == [p.requires_grad for p in expected.parameters()]
    assert_same(fused(from_torch(x)), our_norm(ours(from_torch(x))), 1e-4, 1e-5)
    assert fused is not ours
    with pytest.raises(AssertionError, match="evaluation mode"):
        getattr(nn.utils, fuse)(ours.train(), our_norm)
    our_norm.running_mean = None
    with pytest.raises(AssertionError, match="running statistics"):
        getattr(nn.utils, fuse)(ours.eval(), our_norm)


def test_fusion_of_a_linear_layer_needs_fitting_features():
    for package in (nn, torch.nn):
        with pytest.raises(AssertionError):
            package.utils.fuse_linear_bn_eval(package.Linear(2, 3).eval(), package.BatchNorm1d(2).eval())


@pytest.mark.parametrize("n", [2, 3])
def test_memory_format(n):
    convert = getattr(nn.utils, f"convert_conv{n}d_weight_memory_format")
    layers = [getattr(nn, f"{kind}{n}d")(2, 3, 2) for kind in ("Conv", "ConvTranspose")]
    model = nn.Sequential(*layers, nn.Linear(2, 2))
    before = [layer.weight.detach().clone() for layer in layers]
    memory_format = rushlight.channels_last if n == 2 else rushlight.channels_last_3d
    assert convert(model, memory_format) is model
    for layer, values in zip(layers, before, strict=True):
        assert layer.weight.is_contiguous(memory_format=memory_format)
        assert rushlight.equal(layer.weight, values)


def test_skip_init():
    rushlight.manual_seed(0)
    first = rushlight.rand(1).item()
    rushlight.manual_seed(0)
    for name, args in (("Linear", (3, 4)), ("Conv2d", (1, 2, 3)), ("LSTM", (2, 3)), ("Embedding", (3, 2))):
        module = nn.utils.skip_init(getattr(nn, name), *args, dtype=rushlight.float64)
        assert repr(module) == repr(getattr(nn, name)(*args))
        assert next(module.parameters()).dtype == rushlight.float64
    rushlight.manual_seed(0)
    nn.utils.skip_init(nn.Linear, 3, 4)
    assert rushlight.rand(1).item() == first  # nothing was drawn
    assert nn.Linear(3, 4).weight.abs().max() > 0
    for package in (nn, torch.nn):
        with pytest.raises(RuntimeError, match="Expected a Module"):
            package.utils.skip_init(int)
        with pytest.raises(RuntimeError, match="must support a 'device' arg"):
            package.utils.skip_init(package.ReLU)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kwargs", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "groups": 2}])
def test_gradients_of_convolutions(n, kwargs):
    conv = getattr(torch.nn.functional, f"conv{n}d")
    x, weight = randn(2, 4, *(6,) * n), randn(4, 4 // kwargs.get("groups", 1), *(2,) * n, seed=1)
    gradient = torch.randn_like(conv(x, weight, **kwargs))
    for kind, first, second in (("input", x.shape, weight), ("weight", x, weight.shape)):
        args = [first, second, gradient]
        expected = getattr(torch.nn.grad, f"conv{n}d_{kind}")(*args, **kwargs)
        args = [from_torch(a) if isinstance(a, torch.Tensor) else tuple(a) for a in args]
        assert_same(getattr(nn.grad, f"conv{n}d_{kind}")(*args, **kwargs), expected, 1e-4, 1e-4)


def test_consume_prefix():
    for package in (nn, torch.nn):
        model = package.DataParallel(package.Sequential(package.Linear(1, 1), package.BatchNorm1d(1)))
        state = model.state_dict()
        package.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        assert list(state) == list(model.module.state_dict())
        assert dict(state._metadata) == dict(model.module.state_dict()._metadata)
    assert nn.modules.utils._pair(2) == (2, 2) == nn.modules.utils._pair([2, 2])
    assert nn.modules.utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
