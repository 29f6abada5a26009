"""Attention and transformers against PyTorch's."""

import pytest

import rushlight
from tests.nn.oracle import assert_same, backward, compare_call, compare_module, from_torch, randn, torch

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:Support for mismatched"),  # PyTorch's own, about the oracle
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True"),
]

causal = torch.nn.Transformer.generate_square_subsequent_mask
padding = torch.tensor([[False, False, True, True], [False, True, False, True]])


def pair(name, *args, **kwargs):
    torch.manual_seed(5)
    theirs = getattr(torch.nn, name)(*args, **kwargs)
    rushlight.manual_seed(5)
    return getattr(rushlight.nn, name)(*args, **kwargs), theirs


MASKS = [
    {},
    {"is_causal": True},
    {"attn_mask": torch.rand(3, 3, generator=torch.Generator().manual_seed(1))},
    {"attn_mask": torch.tensor([[True, False, True], [False, False, False], [True, True, True]])},
    {"scale": 0.3},
]


@pytest.mark.parametrize("kwargs", MASKS)
def test_scaled_dot_product_attention(kwargs):
    q, k, v = randn(2, 4, 3, 5), randn(2, 4, 3, 5, seed=1), randn(2, 4, 3, 6, seed=2)
    name = "scaled_dot_product_attention"
    compare_call(getattr(rushlight.nn.functional, name), getattr(torch.nn.functional, name), [q, k, v], kwargs)


def test_grouped_queries():
    q, k, v = randn(2, 4, 3, 5), randn(2, 2, 3, 5, seed=1), randn(2, 2, 3, 5, seed=2)
    name, kwargs = "scaled_dot_product_attention", {"enable_gqa": True}
    compare_call(getattr(rushlight.nn.functional, name), getattr(torch.nn.functional, name), [q, k, v], kwargs)
    with pytest.raises(RuntimeError, match="attn_mask"):
        x = rushlight.ones(1, 2, 2)
        rushlight.nn.functional.scaled_dot_product_attention(x, x, x, x, is_causal=True)


CASES = [
    ({}, {}),
    ({"bias": False}, {"need_weights": False}),
    ({"batch_first": True}, {"average_attn_weights": False}),
    ({"kdim": 5, "vdim": 7}, {}),
    ({"add_bias_kv": True, "add_zero_attn": True}, {"attn_mask": causal(4)[:3], "key_padding_mask": padding}),
    ({}, {"key_padding_mask": padding}),
    ({}, {"attn_mask": causal(4)[:3]}),
    ({}, {"attn_mask": torch.rand(4, 3, 4, generator=torch.Generator().manual_seed(0)) > 0.9}),
]


@pytest.mark.parametrize(("kwargs", "call"), CASES)
def test_multihead_attention(kwargs, call):
    ours, theirs = pair("MultiheadAttention", 6, 2, **kwargs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        assert_same(ours.state_dict()[key], value, what=key)
    shapes = [(3, 2, 6), (4, 2, kwargs.get("kdim", 6)), (4, 2, kwargs.get("vdim", 6))]
    if kwargs.get("batch_first"):
        shapes = [(n, t, e) for t, n, e in shapes]
    compare_call(ours, theirs, [randn(*s, seed=i) for i, s in enumerate(shapes)], call)
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert_same(a.grad, b.grad, what=name)


def test_self_attention_without_batch():
    ours, theirs = pair("MultiheadAttention", 6, 3, batch_first=True)
    x = randn(4, 6)
    y = from_torch(x)
    expected, received = theirs(x, x, x), ours(y, y, y)
    assert_same(received, expected)
    backward(torch, expected)
    backward(rushlight, received)
    assert_same(ours.in_proj_weight.grad, theirs.in_proj_weight.grad)


def test_attention_errors():
    with pytest.raises(AssertionError, match="divisible"):
        rushlight.nn.MultiheadAttention(5, 2)
    attention, x = rushlight.nn.MultiheadAttention(4, 2), rushlight.ones(3, 2, 4)
    with pytest.raises(AssertionError, match="embedding dimension"):
        attention(rushlight.ones(3, 2, 5), x, x)
    with pytest.raises(RuntimeError, match="attn_mask must be"):
        attention(x, x, x, attn_mask=rushlight.ones(2, 3))
    with pytest.raises(AssertionError, match="key_padding_mask must be"):
        attention(x, x, x, key_padding_mask=rushlight.ones(2, 4))


LAYERS = [{}, {"norm_first": True}, {"activation": "gelu", "bias": False, "batch_first": True}]


@pytest.mark.parametrize("kwargs", LAYERS)
def test_layers(kwargs):
    kwargs = {"dim_feedforward": 7, "dropout": 0.0, **kwargs}
    compare_module("TransformerEncoderLayer", (6, 2), [randn(3, 2, 6)], kwargs)
    compare_module("TransformerDecoderLayer", (6, 2), [randn(3, 2, 6), randn(3, 2, 6, seed=4)], kwargs)


def test_stacks_and_whole():
    options = {"dim_feedforward": 7, "dropout": 0.0}
    for name in ("TransformerEncoder", "TransformerDecoder"):
        (our_layer, their_layer) = pair(name + "Layer", 6, 2, **options)
        ours = getattr(rushlight.nn, name)(our_layer, 2, norm=rushlight.nn.LayerNorm(6))
        theirs = getattr(torch.nn, name)(their_layer, 2, norm=torch.nn.LayerNorm(6))
        inputs = [randn(4, 2, 6)] + [randn(5, 2, 6, seed=3)] * (name == "TransformerDecoder")
        mask = "mask" if name == "TransformerEncoder" else "tgt_mask"
        compare_call(ours, theirs, inputs, {mask: causal(4)})
    options = {**options, "num_encoder_layers": 1, "num_decoder_layers": 2, "batch_first": True}
    ours, theirs = pair("Transformer", 6, 3, **options)
    assert repr(ours) == repr(theirs)
    for key, value in theirs.state_dict().items():
        assert_same(ours.state_dict()[key], value, what=key)
    masks = {"tgt_mask": causal(3), "src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    compare_call(ours, theirs, [randn(2, 4, 6), randn(2, 3, 6, seed=1)], masks)
    with pytest.raises(RuntimeError, match="feature number"):
        ours(rushlight.ones(2, 4, 5), rushlight.ones(2, 3, 6))


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_subclass_replaces_a_part_of_a_layer(norm_first):
    for torch_or_ours in (torch, rushlight):
        nn = torch_or_ours.nn

        class Encoder(nn.TransformerEncoderLayer):
            def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False):
                return x * 0

        class Decoder(nn.TransformerDecoderLayer):
            def _mha_block(self, x, mem, attn_mask, key_padding_mask, is_causal=False):
                return x * 0

            def _ff_block(self, x):
                return x * 0

        options = {"norm_first": norm_first, "dropout": 0.0}
        encoder, decoder = Encoder(4, 2, 8, activation="gelu", **options), Decoder(4, 2, 8, **options)
        assert encoder.activation_relu_or_gelu == 2
        x = torch_or_ours.ones(3, 1, 4)
        assert not decoder(x, x).isnan().any() and decoder(x, x).equal(decoder(x, x * 5))
        first = encoder.norm2(x) if norm_first else encoder.norm1(x)
        network = x + encoder._ff_block(first) if norm_first else encoder.norm2(first + encoder._ff_block(first))
        assert torch_or_ours.allclose(encoder.train()(x), network)


@pytest.mark.parametrize("shape", [None, (3, 3), (4, 3, 3)])
@pytest.mark.parametrize("padded", [False, True])
def test_merged_masks(shape, padded):
    told = []
    for module in (torch, rushlight):
        layer = module.nn.MultiheadAttention(4, 2, batch_first=True)
        mask = None if shape is None else module.arange(9.0).expand(1, -1).reshape(3, 3)
        mask = mask if shape is None or len(shape) == 2 else mask.expand(shape)
        padding_mask = module.arange(6.0).reshape(2, 3) if padded else None
        merged, kind = layer.merge_masks(mask, padding_mask, module.ones(2, 3, 4))
        told.append((kind, None if merged is None else merged.tolist()))
    assert told[0] == told[1]
