"""The public functions on parameters: broadcasting, probabilities and logits, triangles."""

import numpy as np
import pytest

import rushlight
from rushlight.autograd import gradcheck
from rushlight.distributions import utils

torch = pytest.importorskip("torch")


@pytest.mark.oracle
@pytest.mark.parametrize("is_binary", [True, False])
def test_probabilities_and_logits(is_binary):
    probs = np.array([[0.0, 0.3, 0.7], [1.0, 0.0, 0.0]])
    for name in ("probs_to_logits", "logits_to_probs"):
        ours = getattr(utils, name)(rushlight.tensor(probs), is_binary)
        theirs = getattr(torch.distributions.utils, name)(torch.tensor(probs), is_binary)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    for dtype in ("float16", "bfloat16", "float32"):
        clamped = utils.clamp_probs(rushlight.tensor(probs, dtype=getattr(rushlight, dtype)))
        assert ((clamped > 0) & (clamped < 1)).all()


@pytest.mark.oracle
@pytest.mark.parametrize("diag", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("size", [3, 4])
def test_triangles(size, diag):
    matrix = np.arange(1.0, 2 * size * size + 1).reshape(2, size, size)
    vector = utils.tril_matrix_to_vec(rushlight.tensor(matrix), diag)
    expected = torch.distributions.utils.tril_matrix_to_vec(torch.tensor(matrix), diag)
    np.testing.assert_array_equal(vector.numpy(), expected.numpy())
    again = utils.vec_to_tril_matrix(vector, diag)
    np.testing.assert_array_equal(again.numpy(), torch.distributions.utils.vec_to_tril_matrix(expected, diag).numpy())
    assert gradcheck(lambda v: utils.vec_to_tril_matrix(v, diag), vector.requires_grad_())


def test_triangle_refusals():
    with pytest.raises(ValueError, match="cannot be expressed as the lower triangular part"):
        utils.vec_to_tril_matrix(rushlight.ones(4))
    with pytest.raises(ValueError, match="-2 <= diag < 2"):
        utils.tril_matrix_to_vec(rushlight.ones(2, 2), 2)


def test_broadcast_all():
    a, b = utils.broadcast_all(rushlight.zeros(2, 1, dtype=rushlight.float64), 3)
    assert a.shape == b.shape == (2, 1)
    assert b.dtype == rushlight.float64
    _, half = utils.broadcast_all(rushlight.tensor([2, 3]), 0.5)
    assert half.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="must all be instances"):
        utils.broadcast_all("a", 1.0)
    with pytest.raises(RuntimeError, match="broadcast"):
        utils.broadcast_all(rushlight.zeros(2), rushlight.zeros(3))


def test_lazy_property_is_computed_once_and_with_gradients():
    class Square:
        def __init__(self, x):
            self.x = x
            self.calls = 0

        @utils.lazy_property
        def area(self):
            """The area."""
            self.calls += 1
            return self.x**2

    square = Square(rushlight.tensor(3.0, requires_grad=True))
    with rushlight.no_grad():
        first = square.area
    assert square.area is first
    assert square.calls == 1
    assert first.requires_grad
    assert isinstance(Square.area, utils.lazy_property)
    assert Square.area.__doc__ == "The area."
