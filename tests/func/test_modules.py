"""Modules as functions of their parameters, alone and under vmap."""

import copy

import pytest

import rushlight
from rushlight import func, nn


def randn(*shape, seed=0):
    return rushlight.randn(*shape, generator=rushlight.Generator().manual_seed(seed), dtype=rushlight.float64)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2, bias=False)
        self.second = nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x))


def test_a_call_with_other_parameters_leaves_the_module_alone():
    layer = nn.Linear(2, 3)
    before = layer.weight
    x = rushlight.ones(2)
    given = {"weight": rushlight.zeros(3, 2), "no such name": rushlight.zeros(1)}
    assert rushlight.equal(func.functional_call(layer, given, (x,)), layer.bias)
    assert rushlight.equal(func.functional_call(layer, given, x), layer.bias)
    assert rushlight.equal(func.functional_call(layer, given, None, {"input": x}), layer.bias)
    two = ({"weight": given["weight"]}, {"bias": rushlight.ones(3)})
    assert func.functional_call(layer, two, x).tolist() == [1.0] * 3
    assert layer.weight is before is layer._parameters["weight"] and isinstance(layer.weight, nn.Parameter)
    with pytest.raises(RuntimeError):
        func.functional_call(layer, given, rushlight.ones(7))
    assert layer.weight is before


def test_tied_weights():
    x, zeros = rushlight.ones(2), rushlight.zeros(2, 2)
    model = Tied()
    assert func.functional_call(model, {"first.weight": zeros}, x).tolist() == [0.0, 0.0]
    apart = func.functional_call(model, {"first.weight": zeros + 1}, x, tie_weights=False)
    assert rushlight.equal(apart, model.second(rushlight.tensor([2.0, 2.0])))
    with pytest.raises(ValueError, match=r"got multiple values for keys.*tied"):
        func.functional_call(model, {"first.weight": zeros, "second.weight": zeros + 1}, x)


def test_what_functional_call_refuses():
    layer, x, zeros = nn.Linear(2, 3), rushlight.ones(2), rushlight.zeros(3, 2)
    with pytest.raises(RuntimeError, match=r"reparametrizing for Linear: Missing key\(s\): 'bias'"):
        func.functional_call(layer, {"weight": zeros}, x, strict=True)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'a'"):
        func.functional_call(layer, {"weight": zeros, "bias": x, "a": x}, x, strict=True)
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        func.functional_call(layer, [{"weight": zeros}, {"weight": zeros}], x)
    with pytest.raises(ValueError, match="Expected parameter_and_buffer_dicts to be a dict"):
        func.functional_call(layer, zeros, x)


def test_stack_module_state():
    models = [nn.BatchNorm1d(2) for _ in range(3)]
    parameters, buffers = func.stack_module_state(models)
    assert {name: tuple(p.shape) for name, p in parameters.items()} == {"weight": (3, 2), "bias": (3, 2)}
    assert all(p.requires_grad and p.is_leaf for p in parameters.values())
    assert buffers["num_batches_tracked"].shape == (3,) and not buffers["running_mean"].requires_grad
    for wrong, message in (
        ([], "at least one model"),
        ([nn.Linear(1, 1), nn.ReLU()], "same class"),
        ([nn.Linear(1, 1), nn.Linear(1, 1).eval()], "same training/eval mode"),
        ([nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False)], "same requires_grad"),
        ([nn.Linear(1, 1), nn.Linear(1, 2)], "stack"),
    ):
        with pytest.raises(RuntimeError, match=message):
            func.stack_module_state(wrong)


MODULES = {
    "Linear": (lambda: nn.Linear(3, 4), (5, 3)),
    "Conv1d": (lambda: nn.Conv1d(2, 4, 3, padding=1), (2, 2, 8)),
    "Conv2d grouped": (lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), (2, 2, 8, 8)),
    "Conv2d of one": (lambda: nn.Conv2d(2, 4, 3), (2, 8, 8)),
    "Conv2d circular": (lambda: nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), (2, 2, 5, 5)),
    "Conv3d": (lambda: nn.Conv3d(1, 2, 3), (2, 1, 5, 5, 5)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 4, 3, stride=2), (2, 2, 5, 5)),
    "ConvTranspose1d grouped": (lambda: nn.ConvTranspose1d(4, 4, 3, groups=2), (2, 4, 5)),
    "LayerNorm": (lambda: nn.LayerNorm(6), (4, 6)),
    "RMSNorm": (lambda: nn.RMSNorm(6), (4, 6)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (3, 4, 5)),
    "BatchNorm in training": (lambda: nn.BatchNorm1d(4), (6, 4)),
    "BatchNorm": (lambda: nn.BatchNorm2d(4).eval(), (3, 4, 5, 5)),
    "InstanceNorm": (lambda: nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 4)),
    "PReLU": (lambda: nn.PReLU(3), (2, 3, 4)),
    "LSTM": (lambda: nn.LSTM(3, 4, 2, batch_first=True), (2, 5, 3)),
    "GRU": (lambda: nn.GRU(3, 4, bidirectional=True), (5, 2, 3)),
    "Transformer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), (2, 5, 4)),
    "Embedding": (lambda: nn.Embedding(7, 3), "indices"),
    "CNN": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3), nn.GELU()
        ),
        (2, 1, 8, 8),
    ),
}


def first(output):
    return output[0] if isinstance(output, tuple) else output


@pytest.mark.parametrize("name", MODULES)
def test_an_ensemble_is_its_members(name):
    make, shape = MODULES[name]
    models = [make().double() for _ in range(3)]
    x = rushlight.tensor([[1, 2], [0, 6], [5, 5]]) if shape == "indices" else randn(3, *shape)
    base = copy.deepcopy(models[0])
    parameters, buffers = func.stack_module_state(models)

    def call(parameters, buffers, x):
        return first(func.functional_call(base, (parameters, buffers), (x,)))

    found = func.vmap(call)(parameters, buffers, x)
    rushlight.testing.assert_close(found, rushlight.stack([first(m(a)) for m, a in zip(models, x, strict=True)]))
    for key, buffer in buffers.items():  # running statistics were written, to each its own
        rushlight.testing.assert_close(buffer, rushlight.stack([dict(m.named_buffers())[key] for m in models]))
    found = func.vmap(call, (0, 0, None))(parameters, buffers, x[0])
    if "training" not in name:
        rushlight.testing.assert_close(found, rushlight.stack([first(m(x[0])) for m in models]))
        check_gradients_for_each_example(models[0], x)


def check_gradients_for_each_example(model, x):
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())

    def loss(parameters, x):
        return first(func.functional_call(model, (parameters, buffers), (x,))).square().sum()

    found = func.vmap(func.grad(loss), (None, 0))(parameters, x)
    for k, example in enumerate(x):
        model.zero_grad()
        first(model(example)).square().sum().backward()
        for name, p in model.named_parameters():
            rushlight.testing.assert_close(found[name][k], p.grad)


def test_batch_norm_in_training_needs_statistics_of_its_own():
    norm = nn.BatchNorm1d(2)
    x = rushlight.ones(3, 4, 2)
    with pytest.raises(RuntimeError, match="replace_all_batch_norm_modules_"):
        func.vmap(norm)(x)
    model = func.replace_all_batch_norm_modules_(nn.Sequential(nn.Linear(2, 2), norm, nn.InstanceNorm1d(2)))
    assert norm.running_mean is None and norm.running_var is None and not norm.track_running_stats
    assert func.vmap(model[:2])(x).shape == (3, 4, 2)
