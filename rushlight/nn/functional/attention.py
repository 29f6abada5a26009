"""Attention (Vaswani et al., 2017)."""

import math

import rushlight
from rushlight import _core
from rushlight.backends import cuda as _backends
from rushlight.nn.functional.blocked_attention import attend, attention
from rushlight.nn.functional.linear import linear
from rushlight.nn.functional.padding import pad

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """softmax(query keyᵀ * scale + mask) value.

    Args:
        query: [..., L, E].
        key: [..., S, E].
        value: [..., S, V].
        attn_mask: broadcasts to [..., L, S]; bool (False shuts a position out) or numbers that are added.
        dropout_p: the share of the attention weights that are dropped.
        is_causal: query i sees keys 0 to i only; not together with `attn_mask`.
        scale: 1 / sqrt(E) by default.
        enable_gqa: key and value have fewer heads (dimension -3), each of which serves several of the query's.

    Returns:
        [..., L, V]; zero where a query sees no key.

    >>> q = torch.ones(1, 2, 4)
    >>> torch.nn.functional.scaled_dot_product_attention(q, q, q).shape
    torch.Size([1, 2, 4])
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            f"{_SDPA} explicit attn_mask should not be set when is_causal=True. Put both into attn_mask."
        )
    _check_operands(query, key, value)
    if not (_backends.math_sdp_enabled() or _backends.flash_sdp_enabled()):
        raise RuntimeError(
            f"{_SDPA} No viable backend was found: neither MATH nor FLASH_ATTENTION is allowed, and the others are a "
            "GPU's. Allow one with torch.nn.attention.sdpa_kernel."
        )
    if not 0.0 <= dropout_p <= 1.0:
        raise RuntimeError(f"{_SDPA} dropout_p must be between 0 and 1. Received {dropout_p}.")
    dtype = query.dtype
    if dtype in _HALF:
        query, key, value = query.float(), key.float(), value.float()
    if attn_mask is not None:
        attn_mask = _fitting_mask(attn_mask, query, key, dtype)
    if enable_gqa:
        heads = query.shape[-3]
        key, value = _for_heads(key, heads), _for_heads(value, heads)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    result = attention(query * scale, key, value, attn_mask, dropout_p, is_causal)
    return result.to(dtype) if dtype in _HALF else result


_SDPA = "[scaled_dot_product_attention]"
_HALF = (rushlight.float16, rushlight.bfloat16)


def _check_operands(query, key, value):
    q, k, v = query.shape, key.shape, value.shape
    enough = len(q) > 1 and len(k) > 1 and len(v) > 1 and query.dtype == key.dtype == value.dtype
    if not enough or q[-1] != k[-1] or k[-2] != v[-2]:
        raise RuntimeError(
            f"{_SDPA} query must be [..., L, E], key [..., S, E] and value [..., S, V], of one dtype. "
            f"Received {', '.join(f'{t.dtype}{list(t.shape)}' for t in (query, key, value))}."
        )


def _fitting_mask(mask, query, key, dtype):
    """The mask with at least two dimensions, bool or of the query's dtype."""
    if mask.dtype not in (rushlight.bool, dtype, rushlight.float32):
        raise RuntimeError(f"{_SDPA} attn_mask must be bool or {dtype}. Received {mask.dtype}.")
    mask = mask.reshape(1, -1) if mask.ndim < 2 else mask
    rows, columns = mask.shape[-2:]
    if rows not in (1, query.shape[-2]) or columns not in (1, key.shape[-2]):
        raise RuntimeError(
            f"{_SDPA} attn_mask must broadcast to [..., {query.shape[-2]}, {key.shape[-2]}]. "
            f"Received {list(mask.shape)}."
        )
    return mask if mask.dtype == rushlight.bool else mask.to(query.dtype)


def _for_heads(t, heads):
    """Key or value [..., G, S, E], each repeated for the heads / G heads of the query that it serves."""
    groups = t.shape[-3]
    if groups == 0 or heads % groups:
        raise RuntimeError(
            f"{_SDPA} with enable_gqa, the heads of the query must be a multiple of those of key and value. "
            f"Received {heads} and {groups}."
        )
    return t if groups == heads else t.repeat_interleave(heads // groups, -3)


def _as_added(mask, dtype):
    """A mask as numbers to add: a bool one shuts out where it is True."""
    if mask is None or mask.dtype != rushlight.bool:
        return mask
    return rushlight.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(mask, -math.inf)


def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention in several subspaces; the work of `MultiheadAttention`, which says what the arguments are.

    Args:
        query: [L, N, E] or [L, E].
        key: [S, N, K] or [S, K].
        value: [S, N, V] or [S, V].
        in_proj_weight: [3 E, E]; or None with `use_separate_proj_weight`, and the three weights by themselves.
        key_padding_mask: [N, S] or [S]; bool (True shuts a key out) or numbers that are added.
        attn_mask: [L, S] or [N * num_heads, L, S]; likewise.
        static_k, static_v: [N * num_heads, S, E / num_heads]; instead of the projected ones.

    Returns:
        The output, [L, N, E], and the weights, [N, L, S] or [N, num_heads, L, S], or None.
    """
    name = "[multi_head_attention_forward]"
    batched = query.ndim == 3
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise AssertionError(
            f"{name} query, key and value must all be 2-D (unbatched) or all 3-D. "
            f"Received {query.ndim}-D, {key.ndim}-D and {value.ndim}-D."
        )
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    if width != embed_dim_to_check:
        raise AssertionError(f"{name} was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"{name} embed_dim {width} not divisible by num_heads {num_heads}")
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"{name} key shape {key.shape} does not match value shape {value.shape}")
    if is_causal and attn_mask is None:
        raise RuntimeError(f"{name} Need attn_mask if specifying the is_causal hint.")
    head = width // num_heads
    key_padding_mask = _as_added(key_padding_mask, query.dtype)
    attn_mask = _as_added(attn_mask, query.dtype)
    if attn_mask is not None:
        wanted = (length, key.shape[0]) if attn_mask.ndim == 2 else (batch * num_heads, length, key.shape[0])
        if tuple(attn_mask.shape) != wanted:
            raise RuntimeError(f"{name} attn_mask must be {list(wanted)}. Received {list(attn_mask.shape)}.")
        if attn_mask.ndim == 2:
            attn_mask = attn_mask.unsqueeze(0)

    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    else:
        weights = in_proj_weight.chunk(3)
    if query is key and key is value and not use_separate_proj_weight:
        q, k, v = linear(query, in_proj_weight, in_proj_bias).chunk(3, -1)
    else:
        q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))

    def one_more(mask):
        return None if mask is None else pad(mask, (0, 1))

    if bias_k is not None and bias_v is not None:
        k = rushlight.cat([k, bias_k.expand(1, batch, width)])
        v = rushlight.cat([v, bias_v.expand(1, batch, width)])
        attn_mask, key_padding_mask = one_more(attn_mask), one_more(key_padding_mask)

    def heads(x):  # [T, N, E] -> [N * heads, T, E / heads]
        return x.reshape(x.shape[0], batch * num_heads, head).transpose(0, 1)

    q = heads(q)
    k = heads(k) if static_k is None else static_k
    v = heads(v) if static_v is None else static_v
    if add_zero_attn:
        zeros = rushlight.zeros((batch * num_heads, 1, head), dtype=k.dtype, device=k.device)
        k, v = rushlight.cat([k, zeros], 1), rushlight.cat([v, zeros], 1)
        attn_mask, key_padding_mask = one_more(attn_mask), one_more(key_padding_mask)
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, k.shape[1]):
            raise AssertionError(
                f"{name} key_padding_mask must be {[batch, k.shape[1]]}. Received {list(key_padding_mask.shape)}."
            )
        of_keys = key_padding_mask.reshape(batch, 1, 1, -1).expand(-1, num_heads, -1, -1)
        of_keys = of_keys.reshape(batch * num_heads, 1, -1)
        attn_mask = of_keys if attn_mask is None else attn_mask + of_keys

    q = q / math.sqrt(head)
    if attn_mask is not None and _core.autocasting():
        attn_mask = attn_mask.to(q.dtype)  # as short as the projections
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        result, weights = attend(q, k, v, attn_mask, dropout_p)
    else:
        result, weights = attention(q, k, v, attn_mask, dropout_p, False), None
    result = linear(result.transpose(0, 1).reshape(length, batch, width), out_proj_weight, out_proj_bias)
    if not batched:
        result = result.squeeze(1)
    if not need_weights:
        return result, None
    weights = weights.reshape(batch, num_heads, length, -1)
    if average_attn_weights:
        weights = weights.mean(1)
    return result, weights if batched else weights.squeeze(0)
