"""Recurrent layers and packed sequences against PyTorch's."""

import pytest

import rushlight
from tests.nn.oracle import assert_same, backward, compare_module, from_torch, randn, torch

pytestmark = pytest.mark.oracle

KINDS = ["RNN", "LSTM", "GRU"]
OPTIONS = [
    {},
    {"num_layers": 2, "bias": False},
    {"bidirectional": True, "batch_first": True},
    {"num_layers": 2, "bidirectional": True},
]
LENGTHS = [[5, 4, 4, 2], [2, 5, 1, 4]]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, options):
    compare_module(kind, (3, 4), [randn(5, 2, 3)], options, rtol=1e-4)
    compare_module(kind, (3, 4), [randn(5, 3)], options, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch's own, about the oracle
def test_special_options():
    compare_module("RNN", (3, 4), [randn(5, 2, 3)], {"nonlinearity": "relu"})
    compare_module("LSTM", (3, 4), [randn(5, 2, 3)], {"proj_size": 2, "num_layers": 2, "bidirectional": True})
    with pytest.warns(UserWarning, match="dropout option adds dropout"):
        rushlight.nn.LSTM(3, 4, dropout=0.5)
    model = rushlight.nn.LSTM(3, 4, 2, dropout=0.5)
    x = rushlight.ones(5, 2, 3)
    assert not rushlight.equal(model(x)[0], model(x)[0])
    assert rushlight.equal(model.eval()(x)[0], model(x)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_given_state(kind):
    state = randn(2, 2, 4, seed=3)
    state = (state, randn(2, 2, 4, seed=4)) if kind == "LSTM" else state
    torch.manual_seed(1)
    theirs = getattr(torch.nn, kind)(3, 4, 2)
    rushlight.manual_seed(1)
    ours = getattr(rushlight.nn, kind)(3, 4, 2)
    x = randn(5, 2, 3)
    assert_same(ours(from_torch(x), from_torch(state)), theirs(x, state))
    with pytest.raises(RuntimeError, match="Expected hidden"):
        ours(rushlight.ones(5, 3, 3), from_torch(state))
    with pytest.raises(RuntimeError, match="must be equal to input_size"):
        ours(rushlight.ones(5, 3, 4))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_packed(kind, lengths):
    x = randn(5, 4, 3)
    torch.manual_seed(1)
    theirs = getattr(torch.nn, kind)(3, 4, 2, bidirectional=True)
    rushlight.manual_seed(1)
    ours = getattr(rushlight.nn, kind)(3, 4, 2, bidirectional=True)
    y = from_torch(x)
    results = []
    for module, layer, data in ((torch, theirs, x.detach().clone().requires_grad_()), (rushlight, ours, y)):
        rnn = module.nn.utils.rnn
        packed = rnn.pack_padded_sequence(data, lengths, enforce_sorted=False)
        output, state = layer(packed)
        padded, sizes = rnn.pad_packed_sequence(output)
        backward(module, [padded, state])
        results.append((packed.data, packed.batch_sizes, padded, sizes, state, data.grad))
    assert_same(results[1], results[0], rtol=1e-4)
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert_same(a.grad, b.grad, rtol=1e-4, atol=1e-5, what=name)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("LSTMCell", {}), ("GRUCell", {"bias": False})],
)
def test_cells(kind, options):
    compare_module(kind, (3, 4), [randn(2, 3)], options)
    compare_module(kind, (3, 4), [randn(3)], options)
    state = randn(2, 4, seed=2)
    compare_module(kind, (3, 4), [randn(2, 3), (state, state) if kind == "LSTMCell" else state], options)


def test_padding():
    sequences = [[1, 2, 3], [4], [5, 6]]
    for module in (rushlight, torch):
        rnn = module.nn.utils.rnn
        tensors = [module.tensor(s) for s in sequences]
        assert rnn.pad_sequence(tensors, True, -1).tolist() == [[1, 2, 3], [4, -1, -1], [5, 6, -1]]
        assert rnn.pad_sequence(tensors, padding_side="left").tolist() == [[1, 0, 0], [2, 0, 5], [3, 4, 6]]
        packed = rnn.pack_sequence(tensors, enforce_sorted=False)
        assert packed.data.tolist() == [1, 5, 4, 2, 6, 3]
        assert packed.sorted_indices.tolist() == [0, 2, 1]
        assert [s.tolist() for s in rnn.unpack_sequence(packed)] == sequences
        padded, lengths = rnn.pad_packed_sequence(packed, True, 9, total_length=4)
        assert padded.tolist() == [[1, 2, 3, 9], [4, 9, 9, 9], [5, 6, 9, 9]]
        assert lengths.tolist() == [3, 1, 2]
        assert packed.to(module.float64).data.dtype == module.float64


CASTS = ("byte", "char", "cpu", "double", "float", "half", "int", "long", "short")


def test_packed_sequences_are_cast():
    told = []
    for module in (rushlight, torch):
        packed = module.nn.utils.rnn.pack_sequence([module.ones(2), module.ones(1)])
        told.append([str(getattr(packed, name)().data.dtype) for name in CASTS])
        told[-1] += [packed.cpu() is packed, packed.to(module.float32) is packed, packed.is_cuda, packed.is_pinned()]
    assert told[0] == told[1]
    with pytest.raises(RuntimeError, match="must be iterable"):
        rushlight.nn.utils.rnn.pad_sequence(3)


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch's own, about the oracle
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_a_layer_shows_what_it_checks(kind):
    told = []
    for module in (rushlight, torch):
        layer = getattr(module.nn, kind)(3, 4, 2, bidirectional=True, **({"proj_size": 2} if kind == "LSTM" else {}))
        x, state = module.ones(5, 2, 3), module.arange(4.0).reshape(1, 2, 2)
        told.append([tuple(layer.get_expected_hidden_size(x, None))])
        told[-1].append(tuple(layer.get_expected_hidden_size(x[0], module.tensor([2, 1]))))
        order = module.tensor([1, 0])
        if kind == "LSTM":
            told[-1].append(tuple(layer.get_expected_cell_size(x, None)))
            told[-1].append([s.tolist() for s in layer.permute_hidden((state, state), order)])
        else:
            told[-1].append(layer.permute_hidden(state, order).tolist())
        for wrong in (
            lambda layer=layer, x=x: layer.check_input(x, layer.all_weights[0][0]),
            lambda layer=layer, x=x: layer.check_input(x[..., :2], None),
            lambda layer=layer, state=state: layer.check_hidden_size(state, (1, 2, 3)),
        ):
            with pytest.raises(RuntimeError) as raised:
                wrong()
            told[-1].append(str(raised.value).split(".")[0][:20])
    assert told[0] == told[1]


def test_a_subclass_replaces_a_check():
    class Lenient(rushlight.nn.GRU):
        def check_forward_args(self, input, hidden, batch_sizes):
            raise KeyError("asked")

    with pytest.raises(KeyError, match="asked"):
        Lenient(3, 4)(rushlight.ones(5, 2, 3))


def test_errors():
    rnn, x = rushlight.nn.utils.rnn, rushlight.ones(3, 2)
    for lengths, message in [
        ([1, 2], "sorted in decreasing"),
        ([2, 0], "greater than 0"),
        ([4, 1], "exceed"),
        ([2], "one"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            rnn.pack_padded_sequence(x, lengths)
    with pytest.raises(ValueError, match="total_length"):
        rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [3, 2]), total_length=2)
    for kwargs, error in [
        ({"hidden_size": 0}, ValueError),
        ({"num_layers": 0}, ValueError),
        ({"hidden_size": 1.5}, TypeError),
        ({"dropout": 2}, ValueError),
        ({"proj_size": 4}, ValueError),
    ]:
        with pytest.raises(error):
            rushlight.nn.LSTM(**{"input_size": 3, "hidden_size": 4, **kwargs})
    with pytest.raises(ValueError, match="2D or 3D"):
        rushlight.nn.GRU(3, 4)(rushlight.ones(3))
