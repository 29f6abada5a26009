"""Dual numbers against PyTorch's."""

import numpy
import pytest

import rushlight
from rushlight.autograd import forward_ad

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]  # PyTorch warns about itself

PROGRAMS = [
    lambda t, d: (d * d).sin().cumsum(0),
    lambda t, d: d.clone().mul_(d).add_(1),
    lambda t, d: d.outer(d.exp()) @ d,
    lambda t, d: d[1:].prod() + d.softmax(0)[0],
    lambda t, d: d * 0 + 1,
]


@pytest.mark.parametrize("f", PROGRAMS, ids=range(len(PROGRAMS)))
def test_tangents(f):
    x = numpy.random.RandomState(0).standard_normal(4)

    def run(t, ad):
        x_, v = t.tensor(x), t.tensor(numpy.cos(x))
        with ad.dual_level():
            return ad.unpack_dual(f(t, ad.make_dual(x_, v)))

    ours, theirs = run(rushlight, forward_ad), run(torch, torch.autograd.forward_ad)
    for a, b in zip(ours, theirs, strict=True):
        numpy.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10)
        assert not a.requires_grad


def test_two_duals_and_plain_tensors():
    with forward_ad.dual_level():
        x = forward_ad.make_dual(rushlight.tensor(2.0), rushlight.tensor(1.0))
        y = forward_ad.make_dual(rushlight.tensor(3.0), rushlight.tensor(10.0))
        assert forward_ad.unpack_dual(x * y).tangent == 23
        assert forward_ad.unpack_dual(x).tangent == 1 and forward_ad.unpack_dual(x).primal == 2
        assert forward_ad.unpack_dual(rushlight.tensor(2.0)).tangent is None
        assert forward_ad.unpack_dual(rushlight.tensor(2.0, requires_grad=True) * 2).tangent is None
    assert forward_ad.unpack_dual(x).tangent is None


def test_a_tangent_has_a_gradient():
    w = rushlight.tensor([1.0, 2.0], requires_grad=True)
    with forward_ad.dual_level():
        x = forward_ad.make_dual(rushlight.ones(2), rushlight.ones(2))
        tangent = forward_ad.unpack_dual((x * w) ** 2).tangent  # 2 w ** 2
    (gradient,) = rushlight.autograd.grad(tangent.sum(), w)
    assert gradient.tolist() == [4.0, 8.0]


def test_what_it_refuses():
    one = rushlight.ones(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        forward_ad.make_dual(one, one)
    with pytest.raises(RuntimeError, match="was not entered"):
        forward_ad.exit_dual_level()
    assert forward_ad.enter_dual_level() == 0
    with pytest.raises(RuntimeError, match="Nested forward mode AD is not supported"):
        forward_ad.enter_dual_level()
    with pytest.raises(RuntimeError, match="different size than that of the original"):
        forward_ad.make_dual(one, rushlight.ones(3))
    with pytest.raises(ValueError, match="Expected primal to be floating point"):
        forward_ad.make_dual(one.long(), one)
    forward_ad.exit_dual_level()
