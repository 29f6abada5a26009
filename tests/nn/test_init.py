"""Initial values: the same numbers as PyTorch with the same seed."""

import pytest

import rushlight
from tests.nn.oracle import assert_same, torch

pytestmark = pytest.mark.oracle

CASES = [
    ("uniform_", (), {"a": -2.0, "b": 3.0}, (3, 4)),
    ("normal_", (), {"mean": 1.0, "std": 2.0}, (5, 7)),
    ("normal_", (), {}, (33, 3)),
    ("trunc_normal_", (), {"std": 0.5, "a": -0.4, "b": 0.9}, (5, 4)),
    ("trunc_normal_", (), {"a": 1.0, "b": 2.0}, (5, 4)),
    ("trunc_normal_", (), {"mean": 2.0, "std": 3.0, "a": 1.9, "b": 2.3}, (5, 4)),
    ("constant_", (3.5,), {}, (2, 2)),
    ("ones_", (), {}, (2, 2)),
    ("zeros_", (), {}, (2, 2)),
    ("eye_", (), {}, (3, 2)),
    ("dirac_", (), {}, (4, 3, 3)),
    ("dirac_", (2,), {}, (6, 2, 3, 4)),
    ("dirac_", (), {}, (2, 3, 3, 3, 3)),
    ("xavier_uniform_", (), {"gain": 0.5}, (4, 3, 2)),
    ("xavier_normal_", (), {}, (5, 4)),
    ("kaiming_uniform_", (), {"a": 0.3, "mode": "fan_out"}, (4, 3, 2, 2)),
    ("kaiming_normal_", (), {"nonlinearity": "relu"}, (4, 5)),
    ("orthogonal_", (), {}, (4, 3)),
    ("orthogonal_", (2.0,), {}, (3, 2, 4)),
    ("sparse_", (0.4,), {}, (5, 3)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), CASES)
def test_same_numbers(name, args, kwargs, shape):
    torch.manual_seed(11)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), *args, **kwargs)
    rushlight.manual_seed(11)
    tensor = rushlight.empty(shape)
    ours = getattr(rushlight.nn.init, name)(tensor, *args, **kwargs)
    assert ours is tensor
    assert_same(ours, theirs)


def test_parameters_are_filled_without_a_graph():
    parameter = rushlight.nn.Parameter(rushlight.empty(2, 2))
    assert rushlight.nn.init.xavier_normal_(parameter) is parameter
    assert parameter.is_leaf
    assert parameter.requires_grad


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gain(name):
    assert rushlight.nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)


def test_gain_of_leaky_relu():
    assert rushlight.nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)
    for wrong in (True, "a"):
        with pytest.raises(ValueError, match="not a valid number"):
            rushlight.nn.init.calculate_gain("leaky_relu", wrong)
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        rushlight.nn.init.calculate_gain("nothing")


def test_wrong_shapes_and_modes():
    init, e = rushlight.nn.init, rushlight.empty
    for call in (
        lambda: init.eye_(e(2)),
        lambda: init.dirac_(e(2, 2)),
        lambda: init.dirac_(e(3, 2, 2), 2),
        lambda: init.xavier_uniform_(e(2)),
        lambda: init.orthogonal_(e(2)),
        lambda: init.sparse_(e(2), 0.5),
        lambda: init.kaiming_normal_(e(2, 2), mode="fan"),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(e(0, 2))
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(e(2, 2), mean=10.0)


def test_names_of_old_programs():
    with pytest.warns(FutureWarning, match="deprecated"):
        assert rushlight.nn.init.constant(rushlight.empty(1), 2.0).item() == 2
