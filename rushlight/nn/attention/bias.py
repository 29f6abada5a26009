"""Causal masks of attention where queries and keys may differ in number.

>>> torch.nn.attention.bias.causal_lower_right(2, 3)
tensor([[ True,  True, False],
        [ True,  True,  True]])
"""

import enum
import warnings

import rushlight
from rushlight.nn.functional import scaled_dot_product_attention
from rushlight.overrides import DisableTorchFunctionSubclass

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Whether the diagonal of a causal mask [L, S] begins in the upper left corner, or ends in the lower right one."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(rushlight.Tensor):
    """A causal mask [seq_len_q, seq_len_kv], True where a query sees a key, which attention recognises.

    Args:
        variant: a CausalVariant.

    Raises:
        AssertionError: for another variant.
        ValueError: in attention that is told is_causal as well.

    >>> q = torch.ones(1, 2, 4)
    >>> bias = torch.nn.attention.bias.causal_upper_left(2, 2)
    >>> torch.nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=bias).shape
    torch.Size([1, 2, 4])
    """

    def __new__(cls, variant, seq_len_q, seq_len_kv):
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        lower_right = variant is CausalVariant.LOWER_RIGHT
        if lower_right and seq_len_q > seq_len_kv:
            warnings.warn(
                "[CausalBias] the first queries see no key where seq_len_q > seq_len_kv: attention gives them zeros.",
                stacklevel=2,
            )
        mask = rushlight.ones(seq_len_q, seq_len_kv, dtype=rushlight.bool)
        made = mask.tril(seq_len_kv - seq_len_q if lower_right else 0).as_subclass(cls)
        made.variant, made.seq_len_q, made.seq_len_kv = variant, seq_len_q, seq_len_kv
        return made

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is scaled_dot_product_attention:
            return cls._attend(*args, **kwargs)
        with DisableTorchFunctionSubclass():
            return func(*args, **kwargs)

    def __repr__(self):
        return repr(self.as_subclass(rushlight.Tensor))

    @staticmethod
    def _attend(query, key, value, attn_mask, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
        if is_causal:
            raise ValueError("[CausalBias] is_causal must be False: the mask is causal. Leave is_causal out.")
        plain = attn_mask.variant is CausalVariant.UPPER_LEFT or attn_mask.seq_len_q == attn_mask.seq_len_kv
        mask = None if plain else attn_mask.as_subclass(rushlight.Tensor)
        options = {"dropout_p": dropout_p, "is_causal": plain, "scale": scale, "enable_gqa": enable_gqa}
        return scaled_dot_product_attention(query, key, value, mask, **options)


def causal_upper_left(*size):
    """The CausalBias of this size whose diagonal begins in the upper left corner: what is_causal=True means."""
    if len(size) != 2:
        raise AssertionError("causal_upper_left only supports 2D tensors")
    return CausalBias(CausalVariant.UPPER_LEFT, *size)


def causal_lower_right(*size):
    """The CausalBias of this size whose diagonal ends in the lower right corner: the last query sees every key."""
    if len(size) != 2:
        raise AssertionError("causal_lower_right only supports 2D tensors")
    return CausalBias(CausalVariant.LOWER_RIGHT, *size)
