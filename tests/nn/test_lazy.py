"""Lazy layers: what they are before and after their first input."""

import copy
import pickle

import pytest

import rushlight
from rushlight import nn
from tests.nn.oracle import assert_same, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle

CASES = [
    ("Linear", (5,), {}, (2, 3)),
    ("Linear", (5,), {"bias": False}, (3,)),
    *[(f"Conv{n}d", (4, 2), {"padding": 1}, (2, 3, *(3,) * n)) for n in (1, 2, 3)],
    ("Conv2d", (4, 2), {"groups": 2, "bias": False}, (2, 3, 3)),
    *[(f"ConvTranspose{n}d", (4, 2), {"stride": 2}, (2, 3, *(3,) * n)) for n in (1, 2, 3)],
    *[(f"BatchNorm{n}d", (), {}, (2, 3, *(3,) * n)) for n in (1, 2, 3)],
    ("BatchNorm1d", (), {"affine": False}, (4, 3)),
    *[(f"InstanceNorm{n}d", (), {}, (2, 3, *(3,) * n)) for n in (1, 2, 3)],
    ("InstanceNorm1d", (), {"track_running_stats": False, "bias": False}, (2, 3, 4)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), CASES)
def test_lazy_layer_becomes_the_ordinary_one(name, args, kwargs, shape):
    theirs, ours = getattr(torch.nn, f"Lazy{name}")(*args, **kwargs), getattr(nn, f"Lazy{name}")(*args, **kwargs)
    assert repr(ours) == repr(theirs)
    assert ours.has_uninitialized_params() == theirs.has_uninitialized_params()
    assert repr(ours.state_dict()) == repr(theirs.state_dict())
    if "groups" in kwargs:
        for module, tensor in ((copy.deepcopy(theirs), randn(3, 3, 3)), (copy.deepcopy(ours), rushlight.ones(3, 3, 3))):
            with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
                module(tensor)
    x = randn(*shape)
    torch.manual_seed(3)
    expected = theirs(x)
    rushlight.manual_seed(3)
    received = ours(from_torch(x))
    assert_same(received, expected)
    compare_states(ours, theirs)
    assert type(ours) is getattr(nn, name)
    assert repr(ours) == repr(theirs)
    ordinary = getattr(nn, name)(2 if "groups" in kwargs else 3, *args, **kwargs)
    assert vars(ours).keys() == vars(ordinary).keys()


def test_optimizer_made_before_the_first_input_trains_the_materialized_parameter():
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
    before = list(model.parameters())
    model(rushlight.ones(2, 3))
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    assert [type(p) for p in before] == [nn.Parameter] * 4
    optimizer = rushlight.optim.SGD(before, lr=0.1)
    model(rushlight.ones(2, 3)).sum().backward()
    old = before[3].detach().clone()
    optimizer.step()
    assert before[3].item() == pytest.approx(old.item() - 0.2)


def test_uninitialized_parameter_refuses_computation():
    weight = nn.LazyLinear(2).weight
    with pytest.raises(RuntimeError, match="has no shape"):
        _ = weight.shape
    with pytest.raises(RuntimeError, match="no memory to share"):
        weight.share_memory_()
    with pytest.raises(ValueError, match=r"\[add\] an uninitialized parameter"):
        _ = weight + 1
    with pytest.raises(ValueError, match="uninitialized parameter"):
        nn.functional.linear(rushlight.ones(2), weight)
    assert nn.parameter.is_lazy(weight)
    assert not nn.parameter.is_lazy(rushlight.ones(1))


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("make", [lambda: nn.LazyLinear(2), nn.LazyBatchNorm1d])
def test_copies_stay_lazy_and_independent(how, make):
    first = make().double()
    second = how(first)
    second(rushlight.ones(4, 3, dtype=rushlight.float64))
    assert not any(map(nn.parameter.is_lazy, second.parameters()))
    assert first.has_uninitialized_params()
    assert second.weight.dtype == rushlight.float64
    loaded = how(first)
    loaded.load_state_dict(second.state_dict())
    assert first.has_uninitialized_params()
    assert rushlight.equal(loaded.weight, second.weight)


def test_state_dict_of_an_ordinary_layer_materializes():
    ordinary = nn.Conv2d(3, 4, 2)
    lazy = nn.LazyConv2d(4, 2)
    lazy.load_state_dict(ordinary.state_dict())
    x = rushlight.randn(1, 3, 5, 5)
    assert rushlight.equal(lazy(x), ordinary(x))
    assert repr(lazy) == repr(ordinary)
    with pytest.raises(RuntimeError, match="has no shape"):
        nn.Linear(2, 3).load_state_dict(nn.LazyLinear(3).state_dict())
    assert str(nn.LazyLinear(3).load_state_dict(nn.LazyLinear(3).state_dict())) == "<All keys matched successfully>"


def test_a_mixin_without_initialize_parameters():
    class Half(nn.modules.lazy.LazyModuleMixin, nn.Module):
        def forward(self, input):
            return input

    with pytest.raises(NotImplementedError, match=r"\[initialize_parameters\]"):
        Half()(rushlight.ones(1))
    Half.initialize_parameters = lambda self, input: None
    half = Half()
    half.weight = nn.UninitializedParameter()
    with pytest.raises(RuntimeError, match="fully initialized"):
        half(rushlight.ones(1))


def test_wrong_number_of_dimensions():
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input to LazyConv2d"):
        nn.LazyConv2d(2, 2)(rushlight.ones(1, 2))


def test_the_data_of_a_lazy_parameter_is_a_plain_tensor():
    layer = nn.LazyLinear(1)
    assert type(layer.weight.data) is rushlight.Tensor and layer.weight.data.normal_(0, 0.01).shape == (0,)
