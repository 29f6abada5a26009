"""Attention as a layer."""

import rushlight
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.linear import Linear
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """The name of the output projection in saved models."""


class MultiheadAttention(Module):
    """Attention in `num_heads` subspaces of the embedding (Vaswani et al., 2017).

    Shapes: query [L, N, embed_dim], key [S, N, kdim], value [S, N, vdim] ([N, L, ...] if `batch_first`, or without N);
    output [L, N, embed_dim]; weights [N, L, S], or [N, num_heads, L, S] if not averaged.

    Args:
        dropout: the share of the attention weights that are dropped in training.
        add_bias_kv: learn one more key and value.
        add_zero_attn: add a key and value of zeros.
        kdim, vdim: the sizes of key and value; `embed_dim` by default.

    >>> attention = torch.nn.MultiheadAttention(8, 2)
    >>> x = torch.randn(5, 3, 8)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 3, 8]), torch.Size([3, 5, 5]))
    """

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
        device=None,
        dtype=None,
    ):
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        super().__init__()
        options = {"device": device, "dtype": dtype}
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads

        def weight(*shape):
            return Parameter(rushlight.empty(shape, **options))

        if self._qkv_same_embed_dim:
            self.in_proj_weight = weight(3 * embed_dim, embed_dim)
            self.register_parameter("q_proj_weight", None)
            self.register_parameter("k_proj_weight", None)
            self.register_parameter("v_proj_weight", None)
        else:
            self.q_proj_weight = weight(embed_dim, embed_dim)
            self.k_proj_weight = weight(embed_dim, self.kdim)
            self.v_proj_weight = weight(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", weight(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **options)
        self.bias_k = weight(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = weight(1, 1, embed_dim) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self):
        for matrix in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if matrix is not None:
                init.xavier_uniform_(matrix)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        """The output and, if `need_weights`, the attention weights.

        Args:
            key_padding_mask: [N, S]; bool (True shuts a key out) or numbers that are added.
            attn_mask: [L, S] or [N * num_heads, L, S]; likewise.
            average_attn_weights: return the mean of the heads' weights.
            is_causal: says that `attn_mask` is the causal one.
        """
        flip = self.batch_first and query.ndim == 3
        if flip:
            if query is key and key is value:
                query = key = value = query.transpose(0, 1)
            else:
                query, key, value = (t.transpose(0, 1) for t in (query, key, value))
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(0, 1) if flip else output), weights

    def merge_masks(self, attn_mask, key_padding_mask, query):
        """One mask for both of a query [N, L, embed_dim], and its kind: 1 for the padding mask alone, else 2.

        Kind 2 is [N, num_heads, L, L]. Both must be bool (True shuts out), or numbers that are added.

        >>> attention = torch.nn.MultiheadAttention(2, 1)
        >>> attention.merge_masks(torch.zeros(1, 1), torch.zeros(3, 1), torch.ones(3, 1, 2))[0].shape
        torch.Size([3, 1, 1, 1])
        """
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length = query.shape[:2]
        merged = attn_mask.view(batch if attn_mask.ndim == 3 else 1, -1, length, length)
        merged = merged.expand(batch, self.num_heads, length, length)
        return (merged if key_padding_mask is None else merged + key_padding_mask.view(batch, 1, 1, length)), 2
