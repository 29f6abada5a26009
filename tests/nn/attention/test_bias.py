"""Causal biases against PyTorch's."""

import pytest

import rushlight
from tests.nn.oracle import assert_same, from_torch, randn, torch

theirs = pytest.importorskip("torch.nn.attention.bias")
ours = rushlight.nn.attention.bias
pytestmark = pytest.mark.oracle


@pytest.mark.parametrize("size", [(3, 3), (2, 4)])
@pytest.mark.parametrize("name", ["causal_upper_left", "causal_lower_right"])
def test_attention_with_a_causal_bias(name, size):
    mine, bias = getattr(ours, name)(*size), getattr(theirs, name)(*size)
    assert mine.variant == bias.variant
    assert mine.as_subclass(rushlight.Tensor).tolist() == bias._materialize().tolist()
    q, k, v = randn(1, 2, size[0], 4), randn(1, 2, size[1], 4, seed=1), randn(1, 2, size[1], 4, seed=2)
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, bias)
    attend = rushlight.nn.functional.scaled_dot_product_attention
    assert_same(attend(*map(from_torch, (q, k, v)), attn_mask=mine), expected)
    assert type(mine.float() + 1) is rushlight.Tensor


def test_errors():
    q = rushlight.ones(1, 2, 4)
    with pytest.raises(ValueError, match="Leave is_causal out"):
        rushlight.nn.functional.scaled_dot_product_attention(q, q, q, ours.causal_upper_left(2, 2), is_causal=True)
    with pytest.raises(AssertionError, match="CausalVariant"):
        ours.CausalBias(7, 2, 2)
    for make in (ours.causal_upper_left, ours.causal_lower_right):
        with pytest.raises(AssertionError, match="2D"):
            make(2)
    with pytest.warns(UserWarning, match="see no key"):
        ours.causal_lower_right(3, 2)
