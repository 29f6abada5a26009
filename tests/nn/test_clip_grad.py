"""Clipping of gradients and parameters as one vector."""

import math

import pytest

import rushlight
from rushlight.nn import utils
from tests.nn.oracle import assert_same, from_torch, randn, torch

pytestmark = pytest.mark.oracle


def parameters(scale=1.0):
    theirs, ours = [], []
    for i, shape in enumerate([(3, 4), (5,), ()]):
        value, grad = randn(*shape, seed=i, grad=False), randn(*shape, seed=10 + i, grad=False) * scale
        p, q = torch.nn.Parameter(value), rushlight.nn.Parameter(from_torch(value))
        p.grad, q.grad = grad.clone(), from_torch(grad)
        theirs.append(p)
        ours.append(q)
    return [*ours, rushlight.nn.Parameter(rushlight.ones(1))], [*theirs, torch.nn.Parameter(torch.ones(1))]


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3, math.inf, 0.5])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_clip_grad_norm(norm_type, scale):
    ours, theirs = parameters(scale)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 0.7, norm_type)
    received = utils.clip_grad_norm_(ours, 0.7, norm_type)
    assert_same(received, expected)
    for a, b in zip(ours, theirs, strict=True):
        assert_same(a.grad, b.grad)


def test_clip_grad_value():
    ours, theirs = parameters()
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    utils.clip_grad_value_(iter(ours), 0.3)
    for a, b in zip(ours, theirs, strict=True):
        assert_same(a.grad, b.grad)


def test_one_tensor_and_none():
    ours, _ = parameters()
    before = ours[0].grad.norm().item()
    assert utils.clip_grad_norm_(ours[0], 1.0).item() == pytest.approx(before)
    assert ours[0].grad.norm().item() == pytest.approx(1.0, abs=1e-5)
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    utils.clip_grad_value_(ours[1], 0.1)
    assert ours[1].grad.abs().max().item() <= 0.1 + 1e-7


def test_nonfinite_norm():
    ours, _ = parameters()
    ours[0].grad[0, 0] = math.nan
    with pytest.raises(RuntimeError, match="non-finite"):
        utils.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    assert math.isnan(utils.clip_grad_norm_(ours, 1.0).item())


def test_vectors():
    ours, theirs = parameters()
    vector = utils.parameters_to_vector(ours)
    assert_same(vector, torch.nn.utils.parameters_to_vector(theirs))
    utils.vector_to_parameters(vector.detach() * 2, ours)
    assert_same(ours[0], theirs[0] * 2)
    with pytest.raises(TypeError, match=r"expected torch.Tensor"):
        utils.vector_to_parameters(3, ours)
