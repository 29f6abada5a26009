"""The printed form of every module of PyTorch's module database, built with the same arguments in both packages."""

import copy
import pickle
import warnings

import pytest

import rushlight
from tests.nn.oracle import from_torch, torch

common_modules = pytest.importorskip("torch.testing._internal.common_modules")
pytestmark = pytest.mark.oracle


def ours(value):
    """An argument of torch's as one of rushlight's: tensors, dtypes, functions by name, containers."""
    if isinstance(value, torch.dtype):
        return getattr(rushlight, str(value).removeprefix("torch."))
    if isinstance(value, torch.device):
        return str(value)
    if callable(value) and getattr(value, "__module__", "").startswith("torch") and hasattr(rushlight, value.__name__):
        return getattr(rushlight, value.__name__)
    if isinstance(value, dict):
        return {key: ours(item) for key, item in value.items()}
    return from_torch(value)


def constructions(info):
    inputs = info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False, training=True)
    return [(i.constructor_input.args, i.constructor_input.kwargs) for i in inputs]


INFOS = [info for info in common_modules.module_db if info.name != "nn.TransformerEncoder"]  # its argument is a module


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_repr(info):
    name = info.module_cls.__name__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's, on arguments that it deprecates
        cases = constructions(info)
        assert cases
        for args, kwargs in cases:
            theirs = info.module_cls(*args, **kwargs)
            mine = getattr(rushlight.nn, name)(*map(ours, args), **ours(kwargs))
            assert repr(mine) == repr(theirs)
            assert mine.extra_repr() == theirs.extra_repr()


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_copies(info):
    """deepcopy and pickle give an equal module that shares no memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        args, kwargs = constructions(info)[-1]
        module = getattr(rushlight.nn, info.module_cls.__name__)(*map(ours, args), **ours(kwargs))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(other) == repr(module)
        assert vars(other).keys() == vars(module).keys()
        for (key, a), b in zip(other.state_dict().items(), module.state_dict().values(), strict=True):
            if not rushlight.nn.parameter.is_lazy(b):
                assert rushlight.equal(a, b), key
                assert a.numel() == 0 or a.data_ptr() != b.data_ptr()


PLAIN = {
    "AdaptiveLogSoftmaxWithLoss": (8, 10, [2, 4], 1.5),
    "AlphaDropout": (0.3, True), "ChannelShuffle": (2,), "CosineSimilarity": (), "Dropout": (0.1,), "Dropout1d": (),
    "Dropout2d": (0.2, True), "Dropout3d": (), "FeatureAlphaDropout": (0.4,), "Flatten": (0, 2), "Fold": (4, 2),
    "Identity": (3,), "LSTMCell": (2, 3, False), "LazyLinear": (3, False), "MaxUnpool1d": (2,), "MaxUnpool2d": (2, 1),
    "MaxUnpool3d": ((1, 2, 3),), "PairwiseDistance": (1.0,), "PixelShuffle": (2,), "PixelUnshuffle": (2,),
    "RReLU": (0.1, 0.2, True), "Softmax2d": (), "SyncBatchNorm": (4,), "Transformer": (8, 2, 1, 1, 16),
    "TripletMarginWithDistanceLoss": (), "Unflatten": (1, (2, 3)), "Unfold": (2, 1, 1), "Upsample": (None, 2.0),
    "UpsamplingBilinear2d": (3,), "UpsamplingNearest2d": (None, 2), "CrossMapLRN2d": (3,),
    "EmbeddingBag": (4, 3, 2.0), "Hardsigmoid": (), "TripletMarginLoss": (0.5,),
}  # fmt: skip
NESTED = {
    "DataParallel": lambda nn: nn.DataParallel(nn.ReLU()),
    "TransformerEncoder": lambda nn: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 4), 2, nn.LayerNorm(8)),
    "TransformerDecoder": lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 4), 2),
    "Sequential": lambda nn: nn.Sequential(*[nn.Linear(2, 2) for _ in range(3)], nn.ReLU(), nn.Sequential()),
    "ModuleDict": lambda nn: nn.ModuleDict({"a": nn.ModuleList([nn.ReLU(), nn.ReLU()]), "b": nn.Tanh()}),
    "weight_norm": lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(2, 3)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_repr_of_modules_that_the_database_lacks(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert repr(getattr(rushlight.nn, name)(*PLAIN[name])) == repr(getattr(torch.nn, name)(*PLAIN[name]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build", NESTED.values(), ids=NESTED)
def test_repr_of_modules_with_children(build):
    assert repr(build(rushlight.nn)) == repr(build(torch.nn))


def test_every_layer_is_compared():
    covered = {info.module_cls.__name__ for info in common_modules.module_db} | set(PLAIN)
    others = {"Module", "Container", "ModuleList", "ParameterList", "ParameterDict", "RNNBase", "RNNCellBase",
              "NLLLoss2d", "LinearCrossEntropyOptions"}  # fmt: skip
    layers = {name for name in rushlight.nn.modules.__all__ if not name.startswith("Lazy")}
    assert layers - covered - set(NESTED) == others
