"""Adaptive softmax, SyncBatchNorm and CrossMapLRN2d against PyTorch's."""

import pytest

import rushlight
from rushlight import nn
from tests.nn.oracle import assert_same, compare_call, compare_module, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle

ARGS = [
    ((16, 20, [5, 10]), {}),
    ((16, 20, [3]), {"div_value": 2.0, "head_bias": True}),
    ((8, 9, [2, 4, 8]), {"div_value": 1.5}),
]


def _pair(args, kwargs):
    torch.manual_seed(1)
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(*args, **kwargs)
    rushlight.manual_seed(1)
    return nn.AdaptiveLogSoftmaxWithLoss(*args, **kwargs), theirs


@pytest.mark.parametrize(("args", "kwargs"), ARGS)
def test_adaptive_softmax(args, kwargs):
    ours, theirs = _pair(args, kwargs)
    assert repr(ours) == repr(theirs)
    compare_states(ours, theirs)
    classes = torch.arange(args[1])
    x = randn(args[1], args[0])
    compare_call(ours, theirs, [x, classes])
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert_same(a.grad, b.grad, what=name)
    compare_call(ours, theirs, [x[0].detach().requires_grad_(), classes[-1]])
    assert_same(ours.log_prob(from_torch(x)), theirs.log_prob(x))
    assert_same(ours.predict(from_torch(x)), theirs.predict(x))
    result = ours(from_torch(x), from_torch(classes))
    assert result._fields == ("output", "loss")
    rushlight.manual_seed(5)
    torch.manual_seed(5)
    ours.reset_parameters()
    theirs.reset_parameters()
    compare_states(ours, theirs)


def test_adaptive_softmax_second_derivative():
    layer = nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], 2.0, dtype=rushlight.float64)
    target = rushlight.tensor([0, 3, 5, 2])
    x = rushlight.randn(4, 4, dtype=rushlight.float64, requires_grad=True)
    assert rushlight.autograd.gradcheck(lambda x: layer(x, target).output, (x,))
    assert rushlight.autograd.gradgradcheck(lambda x: layer(x, target).output, (x,))


@pytest.mark.parametrize("cutoffs", [[], [5, 5], [5, 4], [0, 3], [5, 20], [1.5]])
def test_adaptive_softmax_cutoffs(cutoffs):
    for module in (nn, torch.nn):
        with pytest.raises(ValueError, match="cutoffs should be a sequence"):
            module.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs)


@pytest.mark.parametrize(
    ("shape", "target", "message"),
    [
        ((3, 16), [0, 1, 25], "Target values should be in"),
        ((3, 16), [0, -1, 2], "Target values should be in"),
        ((3, 16), [0, 1], "same size in the batch dimension"),
        ((16,), [0, 1], "same size in the batch dimension"),
        ((2, 3, 16), [[0], [1]], "multi-target not supported"),
    ],
)
def test_adaptive_softmax_errors(shape, target, message):
    for module in (rushlight, torch):
        with pytest.raises(RuntimeError, match=message):
            module.nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5])(module.ones(shape), module.tensor(target))


@pytest.mark.parametrize("args", [(3,), (4, 2.0), (1, 1.0, 0.5, 2), (9, 3.0, 1.0)])
def test_cross_map_lrn(args):
    theirs, ours = torch.nn.CrossMapLRN2d(*args), nn.CrossMapLRN2d(*args)
    x = randn(2, 6, 3, 2)
    assert repr(ours) == repr(theirs)
    assert_same(ours(from_torch(x)), theirs(x))
    x = rushlight.randn(1, 4, 2, 1, dtype=rushlight.float64, requires_grad=True)
    assert rushlight.autograd.gradcheck(ours, (x,))
    with pytest.raises(ValueError, match="Expected input to be 4D, got 2D"):
        ours(rushlight.ones(2, 2))


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (2, 3, 2, 2), (2, 3, 1, 2, 2)])
def test_sync_batch_norm_in_one_process(shape, train):
    compare_module("SyncBatchNorm", (3,), [randn(*shape)], train=train)


def test_convert_sync_batchnorm():
    def build(nn):
        return nn.Sequential(
            nn.Linear(3, 3), nn.Sequential(nn.BatchNorm1d(3, eps=0.1, affine=False)), nn.BatchNorm2d(3)
        )

    theirs, ours = (m.SyncBatchNorm.convert_sync_batchnorm(build(m).eval()) for m in (torch.nn, nn))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert not ours[2].training
    norm = nn.BatchNorm1d(2)
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(norm, process_group="some")
    assert converted.weight is norm.weight
    assert converted.running_mean is norm.running_mean
    with pytest.raises(RuntimeError, match="process_group must be None"):
        converted(rushlight.ones(2, 2))
    with pytest.raises(ValueError, match="at least 2D"):
        nn.SyncBatchNorm(2)(rushlight.ones(2))
