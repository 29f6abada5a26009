"""Every layer against PyTorch's: initial values, state_dict, printed form, outputs, gradients."""

import pytest

from tests.nn.oracle import compare_module, randint, randn, torch

pytestmark = pytest.mark.oracle

_plain = randn(3, 4)
_near = torch.tensor([[-6.0, -3.5, -3.0, -1.0], [-0.5, 0.0, 0.5, 1.0], [2.0, 3.0, 6.0, 25.0]], requires_grad=True)

ACTIVATIONS = [
    ("ReLU", ()), ("ReLU6", ()), ("LeakyReLU", (0.2,)), ("ELU", (0.7,)), ("SELU", ()), ("CELU", (0.7,)),
    ("GELU", ()), ("GELU", ("tanh",)), ("SiLU", ()), ("Mish", ()), ("Sigmoid", ()), ("Tanh", ()), ("Softplus", ()),
    ("Softplus", (2.0, 5.0)), ("Softsign", ()), ("Hardtanh", (-1.5, 2.0)), ("Hardswish", ()), ("Hardsigmoid", ()),
    ("Threshold", (0.5, -3.0)), ("Tanhshrink", ()), ("Softshrink", (0.5,)), ("Hardshrink", (0.5,)),
    ("LogSigmoid", ()), ("PReLU", ()), ("PReLU", (4, 0.1)), ("GLU", ()), ("GLU", (1,)), ("Softmax", (1,)),
    ("LogSoftmax", (0,)), ("Softmin", (1,)), ("Identity", (3,)), ("Flatten", (0,)), ("Flatten", ()),
    ("Unflatten", (1, (2, 2))),
]  # fmt: skip


@pytest.mark.parametrize("values", [_plain, _near], ids=["plain", "near"])
@pytest.mark.parametrize(("name", "args"), ACTIVATIONS, ids=[f"{n}{a}" for n, a in ACTIVATIONS])
def test_activation(name, args, values):
    compare_module(name, args, [values])


INPLACE = ["ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish", "Hardtanh", "Hardswish", "Hardsigmoid"]


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_activation_changes_its_input(name):
    import rushlight
    from tests.nn.oracle import assert_same, from_torch

    theirs, ours = (_plain.detach().clone() * 4), from_torch(_plain.detach() * 4)
    result = getattr(rushlight.nn, name)(inplace=True)(ours)
    getattr(torch.nn, name)(inplace=True)(theirs)
    assert result is ours
    assert_same(ours, theirs)


def test_inplace_activation_has_the_same_gradient():
    import rushlight
    from tests.nn.oracle import assert_same, backward, from_torch

    for name in INPLACE:
        x, y = _plain.detach().clone().requires_grad_(), from_torch(_plain)
        backward(torch, getattr(torch.nn, name)(inplace=True)(x * 3))
        backward(rushlight, getattr(rushlight.nn, name)(inplace=True)(y * 3))
        assert_same(y.grad, x.grad, what=name)


def test_rrelu():
    import rushlight

    compare_module("RReLU", (0.1, 0.3), [_plain], train=False)
    x = -rushlight.ones(1000)
    y = rushlight.nn.RReLU(0.1, 0.3)(x)
    assert -0.3 <= y.min().item() < -0.28
    assert -0.12 < y.max().item() <= -0.1


def test_softmax2d():
    compare_module("Softmax2d", (), [randn(2, 3, 2, 2)])


LINEAR = [
    ("Linear", (4, 5), {}, [randn(3, 4)]),
    ("Linear", (4, 5), {"bias": False}, [randn(2, 3, 4)]),
    ("Linear", (4, 5), {}, [randn(4)]),
    ("Linear", (4, 5), {"dtype": "float64"}, [randn(3, 4).detach().double().requires_grad_()]),
    ("Bilinear", (4, 3, 5), {}, [randn(6, 4), randn(6, 3)]),
    ("Bilinear", (4, 3, 5), {"bias": False}, [randn(2, 6, 4), randn(2, 6, 3)]),
    ("CosineSimilarity", (), {}, [randn(3, 4), randn(3, 4, seed=1)]),
    ("CosineSimilarity", (0, 1e-4), {}, [randn(3, 4), randn(3, 4, seed=1)]),
    ("PairwiseDistance", (), {}, [randn(3, 4), randn(3, 4, seed=1)]),
    ("PairwiseDistance", (1.0,), {"keepdim": True}, [randn(3, 4), randn(3, 4, seed=1)]),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "inputs"), LINEAR)
def test_linear(name, args, kwargs, inputs):
    if "dtype" in kwargs:
        import rushlight
        from tests.nn.oracle import compare_call, compare_states

        torch.manual_seed(3)
        theirs = torch.nn.Linear(*args, dtype=torch.float64)
        rushlight.manual_seed(3)
        ours = rushlight.nn.Linear(*args, dtype=rushlight.float64)
        compare_states(ours, theirs)
        compare_call(ours, theirs, inputs)
    else:
        compare_module(name, args, inputs, kwargs)


_p = torch.rand(3, 4, generator=torch.Generator().manual_seed(2)).mul(0.9).add(0.05).requires_grad_()
_q = torch.rand(3, 4, generator=torch.Generator().manual_seed(3))
_edge = torch.tensor([[0.0, 1.0, 1e-20, 0.5], [0.0, 1.0, 0.3, 1.0], [0.2, 0.0, 1.0, 1e-7]], requires_grad=True)
_binary = torch.tensor([[0.0, 1.0, 1.0, 0.5], [1.0, 0.0, 0.3, 1.0], [0.2, 0.0, 1.0, 0.0]])
_signs = torch.tensor([[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])
_classes = torch.tensor([0, 3, 1])
_some_ignored = torch.tensor([0, -100, 1])
_weights = torch.tensor([0.5, 1.0, 2.0, 0.1])
_image, _labels = randn(2, 4, 3, 3), randint(4, 2, 3, 3)

LOSSES = [
    ("MSELoss", {}, [_plain, _q]), ("L1Loss", {}, [_plain, _q]), ("SmoothL1Loss", {}, [_plain, _q]),
    ("SmoothL1Loss", {"beta": 0.3}, [_plain, _q]), ("SmoothL1Loss", {"beta": 0.0}, [_plain, _q]),
    ("HuberLoss", {"delta": 0.4}, [_plain, _q]),
    ("BCELoss", {}, [_p, _q]), ("BCELoss", {"weight": _weights}, [_p, _q]), ("BCELoss", {}, [_edge, _binary]),
    ("BCEWithLogitsLoss", {}, [_plain, _q]), ("BCEWithLogitsLoss", {"pos_weight": _weights}, [_near, _q]),
    ("BCEWithLogitsLoss", {"weight": _weights}, [_plain, _q]),
    ("KLDivLoss", {}, [_plain, _q]), ("KLDivLoss", {"log_target": True}, [_plain, _q]),
    ("NLLLoss", {}, [_plain, _classes]), ("NLLLoss", {"weight": _weights}, [_plain, _some_ignored]),
    ("NLLLoss", {}, [_image, _labels]), ("NLLLoss", {}, [randn(4), torch.tensor(2)]),
    ("NLLLoss", {"ignore_index": 3}, [_plain, _classes]),
    ("CrossEntropyLoss", {}, [_plain, _classes]), ("CrossEntropyLoss", {"weight": _weights}, [_plain, _some_ignored]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [_plain, _some_ignored]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "weight": _weights}, [_plain, _some_ignored]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "weight": _weights}, [_image, _labels]),
    ("CrossEntropyLoss", {}, [_plain, _q]), ("CrossEntropyLoss", {"weight": _weights}, [_plain, _q]),
    ("CrossEntropyLoss", {"label_smoothing": 0.2}, [_plain, _q]), ("CrossEntropyLoss", {}, [randn(4), torch.tensor(1)]),
    ("CrossEntropyLoss", {}, [_image, randn(2, 4, 3, 3, seed=9).detach().softmax(1)]),
    ("CrossEntropyLoss", {"ignore_index": 1}, [_plain, _classes]),
    ("CrossEntropyLoss", {}, [_image, _labels]),
    ("PoissonNLLLoss", {}, [_plain, _q]), ("PoissonNLLLoss", {"log_input": False}, [_p, _q]),
    ("PoissonNLLLoss", {"full": True}, [_plain, _q * 5]),
    ("GaussianNLLLoss", {}, [_plain, _q, _p]), ("GaussianNLLLoss", {"full": True}, [_plain, _q, _p]),
    ("GaussianNLLLoss", {"eps": 0.5}, [_plain, _q, _p]),
    ("GaussianNLLLoss", {}, [_plain, _q, _p[:1]]), ("GaussianNLLLoss", {}, [_plain, _q, _p[:, 0]]),
    ("HingeEmbeddingLoss", {}, [_plain, _signs]), ("HingeEmbeddingLoss", {"margin": 0.3}, [_plain, _signs]),
    ("MarginRankingLoss", {"margin": 0.2}, [_plain, randn(3, 4, seed=5), _signs]),
    ("SoftMarginLoss", {}, [_plain, _signs]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [_plain, randn(3, 4, seed=5), _signs[:, 0]]),
    ("MultiLabelMarginLoss", {}, [_plain, torch.tensor([[3, 0, -1, 1], [-1, 0, 0, 0], [1, 2, 3, 0]])]),
    ("MultiLabelMarginLoss", {}, [randn(4), torch.tensor([3, 0, -1, 1])]),
    ("MultiLabelSoftMarginLoss", {}, [_plain, _binary]),
    ("MultiLabelSoftMarginLoss", {"weight": _weights}, [_plain, _binary]),
    ("MultiMarginLoss", {}, [_plain, _classes]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.7, "weight": _weights}, [_plain, _classes]),
    ("TripletMarginLoss", {}, [_plain, randn(3, 4, seed=5), randn(3, 4, seed=6)]),
    ("TripletMarginLoss", {"swap": True, "p": 1.0}, [_plain, randn(3, 4, seed=5), randn(3, 4, seed=6)]),
    ("TripletMarginWithDistanceLoss", {}, [_plain, randn(3, 4, seed=5), randn(3, 4, seed=6)]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "kwargs", "inputs"), LOSSES, ids=[f"{n}{list(k)}" for n, k, _ in LOSSES])
def test_loss(name, kwargs, inputs, reduction):
    compare_module(name, (), inputs, {**kwargs, "reduction": reduction})


def test_kl_div_batchmean():
    compare_module("KLDivLoss", (), [_plain, _q], {"reduction": "batchmean"})


CONVOLUTIONS = [
    ("Conv1d", (4, 6, 3), {}, (2, 4, 9)),
    ("Conv1d", (4, 6, 3), {"padding": "same", "bias": False}, (2, 4, 9)),
    ("Conv1d", (4, 6, 4), {"padding": "same", "dilation": 3}, (4, 20)),
    ("Conv2d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 7, 8)),
    ("Conv2d", (4, 6, (3, 2)), {"dilation": (1, 2), "padding": "valid"}, (4, 7, 8)),
    ("Conv2d", (4, 4, 3), {"padding": 2, "padding_mode": "reflect", "groups": 4}, (2, 4, 7, 8)),
    ("Conv2d", (4, 4, (4, 3)), {"padding": "same", "padding_mode": "circular"}, (2, 4, 7, 8)),
    ("Conv2d", (4, 4, 3), {"padding": (1, 2), "padding_mode": "replicate"}, (4, 7, 8)),
    ("Conv2d", (4, 4, (4, 3)), {"padding": "same", "dilation": (1, 2)}, (2, 4, 7, 8)),
    ("Conv3d", (2, 3, 2), {"padding": 1, "stride": (1, 2, 1)}, (2, 2, 4, 5, 4)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1}, (2, 4, 5)),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 5, 4)),
    ("ConvTranspose2d", (4, 6, 3), {"dilation": 2, "bias": False}, (4, 5, 4)),
    ("ConvTranspose3d", (2, 3, 2), {"stride": 2}, (1, 2, 2, 3, 2)),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), CONVOLUTIONS)
def test_convolution(name, args, kwargs, shape):
    compare_module(name, args, [randn(*shape)], kwargs, rtol=1e-4, atol=1e-4)


def test_output_size_of_transposed_convolution():
    import rushlight

    layer = rushlight.nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    x = rushlight.ones(1, 1, 4, 4)
    assert layer(x, output_size=(7, 8)).shape == (1, 1, 7, 8)
    assert layer(x, output_size=(1, 1, 8, 8)).shape == (1, 1, 8, 8)
    with pytest.raises(ValueError, match="valid sizes range"):
        layer(x, output_size=(9, 9))


def test_convolution_arguments():
    from rushlight import nn

    for kwargs, message in [
        ({"groups": 3}, "divisible by groups"),
        ({"groups": 0}, "positive"),
        ({"padding": "full"}, "Invalid padding string"),
        ({"padding": "same", "stride": 2}, "not supported for strided"),
        ({"padding_mode": "mirror"}, "padding_mode must be one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            nn.Conv2d(4, 4, 3, **kwargs)
    with pytest.raises(ValueError, match="zeros"):
        nn.ConvTranspose1d(1, 1, 1, padding_mode="reflect")


NORMS = [
    ("BatchNorm1d", (4,), {}, (5, 4)),
    ("BatchNorm1d", (4,), {"affine": False, "momentum": None}, (5, 4, 3)),
    ("BatchNorm2d", (4,), {"momentum": 0.3, "eps": 1e-3}, (3, 4, 2, 2)),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, (3, 4, 2, 2)),
    ("BatchNorm3d", (4,), {}, (2, 4, 2, 2, 2)),
    ("BatchNorm2d", (4,), {"bias": False}, (2, 4, 2, 2)),
    ("InstanceNorm1d", (4,), {}, (3, 4, 5)),
    ("InstanceNorm1d", (4,), {"affine": True}, (4, 5)),
    ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, (3, 4, 3, 3)),
    ("InstanceNorm3d", (4,), {}, (2, 4, 2, 2, 3)),
    ("LayerNorm", (4,), {}, (3, 4)),
    ("LayerNorm", ((3, 4),), {"bias": False, "eps": 1e-3}, (2, 3, 4)),
    ("LayerNorm", ((3, 4),), {"elementwise_affine": False}, (2, 3, 4)),
    ("RMSNorm", (4,), {}, (3, 4)),
    ("RMSNorm", ((3, 4),), {"eps": 1e-2, "elementwise_affine": False}, (2, 3, 4)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5)),
    ("GroupNorm", (4, 4), {"affine": False}, (3, 4, 5, 2)),
    ("LocalResponseNorm", (3,), {"alpha": 0.1}, (2, 6, 4)),
    ("LocalResponseNorm", (2,), {"alpha": 0.1, "k": 2.0}, (2, 6, 4, 3)),
]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), NORMS)
def test_normalization(name, args, kwargs, shape, train):
    compare_module(name, args, [randn(*shape)], kwargs, train=train, rtol=1e-4, atol=1e-5)


def test_normalization_errors():
    import rushlight

    with pytest.raises(ValueError, match="more than 1 value per channel"):
        rushlight.nn.BatchNorm1d(3)(rushlight.ones(1, 3))
    with pytest.raises(ValueError, match="expected 4D input"):
        rushlight.nn.BatchNorm2d(3)(rushlight.ones(1, 3))
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        rushlight.nn.InstanceNorm1d(3)(rushlight.ones(2, 3, 1))
    with pytest.raises(ValueError, match="match num_features"):
        rushlight.nn.InstanceNorm1d(3, affine=True)(rushlight.ones(2, 4, 5))
    with pytest.raises(ValueError, match="must be divisible by num_groups"):
        rushlight.nn.GroupNorm(3, 4)


def test_old_batch_norm_files_load():
    import rushlight

    layer = rushlight.nn.BatchNorm1d(2)
    state = layer.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1
    layer.load_state_dict(state)
    state._metadata[""]["version"] = 2
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        layer.load_state_dict(state)


POOLS = [
    ("MaxPool1d", (3,), {}, (2, 3, 10)),
    ("MaxPool1d", (3, 2, 1), {"return_indices": True}, (3, 10)),
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1}, (2, 3, 7, 8)),
    ("MaxPool2d", ((2, 3),), {"ceil_mode": True, "return_indices": True}, (3, 7, 8)),
    ("MaxPool2d", (2,), {"dilation": 2, "stride": 1}, (1, 3, 7, 8)),
    ("MaxPool3d", (2,), {"return_indices": True}, (2, 3, 4, 5, 4)),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1}, (2, 3, 10)),
    ("AvgPool1d", (3,), {"count_include_pad": False, "padding": 1, "ceil_mode": True}, (3, 10)),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1}, (2, 3, 7, 8)),
    ("AvgPool2d", ((2, 3),), {"divisor_override": 5}, (3, 7, 8)),
    ("AvgPool3d", (2,), {}, (2, 3, 4, 5, 4)),
    ("LPPool1d", (2, 3), {}, (2, 3, 10)),
    ("LPPool2d", (3, 2), {"stride": 1}, (2, 3, 5, 5)),
    ("LPPool3d", (2, 2), {}, (2, 3, 4, 4, 4)),
    ("AdaptiveAvgPool1d", (4,), {}, (2, 3, 10)),
    ("AdaptiveAvgPool2d", ((3, None),), {}, (2, 3, 7, 8)),
    ("AdaptiveAvgPool3d", (2,), {}, (2, 3, 4, 5, 4)),
    ("AdaptiveMaxPool1d", (4,), {"return_indices": True}, (2, 3, 10)),
    ("AdaptiveMaxPool2d", ((3, None),), {"return_indices": True}, (2, 3, 7, 8)),
    ("AdaptiveMaxPool3d", (2,), {}, (2, 3, 4, 5, 4)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), POOLS)
def test_pooling(name, args, kwargs, shape):
    compare_module(name, args, [randn(*shape)], kwargs)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_max_unpool(ndim):
    x = randn(2, 3, *(6,) * ndim, grad=False)
    values, positions = getattr(torch.nn.functional, f"max_pool{ndim}d")(x, 2, return_indices=True)
    compare_module(f"MaxUnpool{ndim}d", (2,), [values.requires_grad_(), positions])
    import rushlight
    from tests.nn.oracle import from_torch

    unpool = getattr(rushlight.nn, f"MaxUnpool{ndim}d")(2)
    ours = from_torch([values, positions])
    assert unpool(*ours, output_size=(7,) * ndim).shape == (2, 3, *(7,) * ndim)
    with pytest.raises(ValueError, match="invalid output_size"):
        unpool(*ours, output_size=(9,) * ndim)
    with pytest.raises(RuntimeError, match="indices must be from 0"):
        unpool(ours[0], ours[1] + 10**6)


PADS = [(kind, n) for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular") for n in (1, 2, 3)]


@pytest.mark.parametrize(("kind", "n"), PADS)
def test_padding(kind, n):
    value = (1.5,) if kind == "Constant" else ()
    compare_module(f"{kind}Pad{n}d", (2, *value), [randn(2, 3, *(4,) * n)])
    compare_module(f"{kind}Pad{n}d", ((1, 2, 0, 3, 2, 1)[: 2 * n], *value), [randn(3, *(4,) * n)])


def test_padding_errors():
    import rushlight

    F, x = rushlight.nn.functional, rushlight.ones(1, 3)
    with pytest.raises(RuntimeError, match="at most 2"):
        F.pad(x, (3, 0), mode="reflect")
    with pytest.raises(RuntimeError, match="two numbers per dimension"):
        F.pad(x, (3,))
    with pytest.raises(NotImplementedError, match="mode must be"):
        F.pad(x, (1, 1), mode="mirror")
    with pytest.raises(NotImplementedError, match="pads the last n"):
        F.pad(x, (1, 1, 1, 1), mode="reflect")
    with pytest.raises(RuntimeError, match="belongs to mode 'constant'"):
        F.pad(x, (1, 1), mode="reflect", value=2.0)


OTHERS = [
    ("PixelShuffle", (2,), (2, 8, 3, 4)), ("PixelUnshuffle", (2,), (2, 2, 6, 4)), ("ChannelShuffle", (3,), (2, 6, 4)),
    ("Unfold", (2,), (2, 3, 5, 4)), ("Fold", ((5, 4), 2), (2, 12, 12)), ("Dropout", (0.0,), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "shape"), OTHERS)
def test_rearrangement(name, args, shape):
    compare_module(name, args, [randn(*shape)])


DROPOUTS = [
    ("Dropout", (50, 40)), ("Dropout1d", (50, 40, 3)), ("Dropout1d", (400, 3)), ("Dropout2d", (50, 40, 3, 2)),
    ("Dropout3d", (50, 40, 2, 2, 1)), ("Dropout3d", (400, 2, 2, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape"), DROPOUTS)
def test_dropout(name, shape):
    import rushlight

    layer = getattr(rushlight.nn, name)(0.25)
    assert repr(layer) == repr(getattr(torch.nn, name)(0.25))
    x = rushlight.ones(shape, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert rushlight.equal(x.grad, y)
    kept = y != 0
    assert rushlight.allclose(y[kept], rushlight.tensor(4 / 3))
    assert abs(kept.float().mean().item() - 0.75) < 0.12
    if name != "Dropout":  # whole channels
        first = 2 if len(shape) > {"Dropout1d": 2, "Dropout2d": 3, "Dropout3d": 4}[name] else 1
        channels = kept.flatten(first)
        assert rushlight.equal(channels.all(-1), channels.any(-1))
    assert layer.eval()(x) is x
    z = rushlight.ones(shape)
    assert getattr(rushlight.nn, name)(0.5, inplace=True)(z) is z
    assert 0 < (z == 0).float().mean().item() < 1


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    import rushlight

    rushlight.manual_seed(0)
    y = getattr(rushlight.nn, name)(0.3)(rushlight.randn(500, 400))
    assert abs(y.mean().item()) < 0.02
    assert abs(y.var().item() - 1) < 0.03
    low = y.min().item()
    alpha, p = -1.7580993408473766, 0.3
    scale = ((alpha**2 * p + 1) * (1 - p)) ** -0.5
    assert (y - (alpha * scale - alpha * scale * p)).abs().lt(1e-5).float().mean().item() == pytest.approx(
        0.3, abs=0.02
    )
    assert low < -1


def test_dropout_errors():
    import rushlight

    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            rushlight.nn.Dropout(p)
        with pytest.raises(ValueError, match="between 0 and 1"):
            rushlight.nn.functional.dropout(rushlight.ones(1), p)
    with pytest.raises(RuntimeError, match="1 spatial dimension"):
        rushlight.nn.Dropout1d()(rushlight.ones(1, 2, 3, 4))


EMBEDDINGS = [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"max_norm": 1.0}, {"max_norm": 1.5, "norm_type": 1.0},
              {"scale_grad_by_freq": True}]  # fmt: skip


@pytest.mark.parametrize("kwargs", EMBEDDINGS)
def test_embedding(kwargs):
    compare_module("Embedding", (5, 3), [torch.tensor([[0, 2, 4], [2, 2, 1]])], kwargs)


BAGS = [
    ({"mode": "sum"}, [torch.tensor([[0, 2, 4], [2, 2, 1]])]),
    ({"mode": "mean"}, [torch.tensor([0, 2, 4, 2, 1]), torch.tensor([0, 2, 2])]),
    ({"mode": "max"}, [torch.tensor([0, 2, 4, 2, 1]), torch.tensor([0, 2, 2])]),
    ({"mode": "mean", "include_last_offset": True}, [torch.tensor([0, 2, 4, 2, 1]), torch.tensor([0, 2, 5])]),
    ({"mode": "sum", "padding_idx": 2}, [torch.tensor([0, 2, 4, 2, 1]), torch.tensor([0, 2, 4])]),
    ({"mode": "mean", "padding_idx": 2}, [torch.tensor([[0, 2, 4], [2, 2, 2]])]),
    ({"mode": "sum"}, [torch.tensor([[0, 2, 4], [2, 2, 1]]), None, randn(2, 3)]),
]


@pytest.mark.parametrize(("kwargs", "inputs"), BAGS)
def test_embedding_bag(kwargs, inputs):
    compare_module("EmbeddingBag", (5, 3), inputs, kwargs)


def test_pretrained_embeddings():
    import rushlight

    table = rushlight.ones(3, 2)
    for cls in (rushlight.nn.Embedding, rushlight.nn.EmbeddingBag):
        assert not cls.from_pretrained(table).weight.requires_grad
        assert cls.from_pretrained(table, freeze=False).weight.requires_grad
        with pytest.raises(AssertionError, match="2-dimensional"):
            cls.from_pretrained(table[0])
