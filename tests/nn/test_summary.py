"""The table of layers."""

import rushlight
from rushlight import nn


def line(summary, name):
    return next(layer for layer in summary.layers if layer.name == name)


def test_table():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(nn.ReLU(), nn.Flatten()), nn.Linear(64, 10))
    model[0].requires_grad_(False)
    text = repr(model.summary(rushlight.ones(2, 1, 6, 6))).split("\n")
    assert [row.split() for row in text[2:8]] == [
        ["Sequential", "[2,", "10]", "690", "2,432"],
        ["0:", "Conv2d", "[2,", "4,", "4,", "4]", "40", "1,152"],
        ["1:", "Sequential", "[2,", "64]", "0", "0"],
        ["0:", "ReLU", "[2,", "4,", "4,", "4]", "0", "0"],
        ["1:", "Flatten", "[2,", "64]", "0", "0"],
        ["2:", "Linear", "[2,", "10]", "650", "1,280"],
    ]
    assert text[-2:] == ["Parameters: 690 (650 trainable, 40 frozen)", "Multiply-adds: 2,432"]


def test_without_inputs_and_with_depth():
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 3)))
    summary = model.summary(depth=1)
    assert [layer.name for layer in summary.layers] == ["", "0"]
    assert "Output shape" not in repr(summary)
    assert "Multiply-adds" not in repr(summary)
    assert summary.parameters == 9


def test_multiply_adds():
    x = rushlight.ones(2, 5, 4)
    cases = [
        (nn.Linear(4, 3), (x,), 2 * 5 * 4 * 3),
        (nn.Bilinear(4, 4, 3), (x, x), 2 * 5 * 3 * 4 * 5),
        (nn.Conv1d(5, 10, 2, groups=5), (x,), 2 * 10 * 3 * 2),
        (nn.ConvTranspose1d(5, 10, 2), (x,), 2 * 5 * 4 * 10 * 2),
        (nn.LSTM(4, 3, batch_first=True), (x,), 2 * 5 * 4 * 3 * (4 + 3)),
        (nn.GRUCell(4, 3), (x[0],), 5 * 3 * 3 * (4 + 3)),
        (nn.MultiheadAttention(4, 2, batch_first=True), (x, x, x), 2 * (4 * 5 * 4 * 4 + 2 * 5 * 5 * 4)),
    ]
    for module, inputs, expected in cases:
        assert module.summary(*inputs).multiply_adds == expected, module


def test_shared_layers_are_counted_once_and_their_work_twice():
    layer = nn.Linear(2, 2)
    summary = nn.Sequential(layer, layer).summary(rushlight.ones(1, 2))
    assert summary.parameters == 6
    assert summary.multiply_adds == 8
    assert line(summary, "0").multiply_adds == 8


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(), nn.LazyLinear(3))
    model[1].eval()
    summary = model.summary(rushlight.ones(4, 2))
    assert [m.training for m in model] == [True, False, True]
    assert model[0].num_batches_tracked.item() == 0
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model)
    assert line(summary, "2").output_shape == "[4, 3]"


def test_after_an_error_hooks_and_modes_are_restored():
    model = nn.Sequential(nn.Linear(2, 2))
    try:
        model.summary(rushlight.ones(1, 3))
    except RuntimeError as error:
        assert "0" in str(error)
    assert model.training
    assert not model[0]._forward_hooks
    assert not model[0]._forward_pre_hooks


def test_outputs_of_several_tensors():
    class Two(nn.Module):
        def forward(self, x):
            return {"a": x, "b": (x, 3)}

    assert Two().summary(rushlight.ones(2)).layers[0].output_shape == "{a: [2], b: ([2], int)}"


def test_arguments_by_name():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    attention = 4 * 6 * 8 * 8 + 2 * 2 * 3 * 3 * 8
    assert layer.summary(src=rushlight.ones(2, 3, 8)).multiply_adds == attention + 2 * 6 * 8 * 16
    assert nn.Transformer(8, 2, 1, 1, 16).summary(rushlight.ones(3, 1, 8), rushlight.ones(2, 1, 8)).multiply_adds > 0
    assert nn.MultiheadAttention(4, 2).summary(*[rushlight.ones(3, 4)] * 3).multiply_adds == 4 * 3 * 16 + 2 * 9 * 4


def test_members_may_be_called_summary():
    model = nn.Module()
    model.summary = nn.Parameter(rushlight.ones(1))
    assert model.summary.item() == 1
    assert list(model.state_dict()) == ["summary"]
    model = nn.Sequential()
    model.add_module("summary", nn.ReLU())
    assert repr(model.summary) == "ReLU()"
    assert nn.Module.summary(model).parameters == 0
