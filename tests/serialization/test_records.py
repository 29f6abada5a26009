"""What a file names and nobody runs: inert records, the classes that the user registers, and modules of our own."""

import io
import os
import pickle
import sys

import pytest

import rushlight
from rushlight import nn, serialization
from tests.serialization import building
from tests.serialization.building import items, name, number, stop, text


def from_pickle(content, **options):
    return rushlight.load(io.BytesIO(building.archive(content)), **options)


def saved(value):
    file = io.BytesIO()
    rushlight.save(value, file)
    file.seek(0)
    return file


class Settings:
    def __init__(self, rate):
        self.rate = rate


class Slotted:
    __slots__ = ("a", "b")


class WithState:
    def __setstate__(self, state):
        self.seen = state


class Table(dict):
    pass


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.more = nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3))
        self.register_buffer("scratch", rushlight.ones(1), persistent=False)

    def forward(self, x):
        return self.more(self.first(x))


class Tagged(rushlight.Tensor):
    pass


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """pytest imports this file under a name that is no module's; pickle wants to find the classes."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or type(sys)(__name__))
    for cls in (Settings, Slotted, WithState, Table, Net, Tagged, test_hooks_stay_out):
        monkeypatch.setattr(sys.modules[__name__], cls.__name__, cls, raising=False)
    yield
    serialization.clear_safe_globals()


# ---- records -------------------------------------------------------------------------------------------------------


def test_a_call_is_a_record():
    record = from_pickle(stop(name("os.system"), items(text("rm -rf /")), b"R"), weights_only=False)
    assert isinstance(record, serialization.Record)
    assert (record.module, record.qualname, record.arguments) == ("os", "system", ("rm -rf /",))
    assert repr(record) == "<inert os.system: 'rm -rf /'>"
    assert not callable(record)


def test_state_is_read_by_attribute():
    record = rushlight.load(saved(Settings(0.5)), weights_only=False)
    assert record.rate == 0.5 and record.state == {"rate": 0.5} and "rate" in dir(record)
    assert "Settings: rate=0.5" in repr(record)
    with pytest.raises(AttributeError, match="Settings has no attribute 'missing'"):
        record.missing  # noqa: B018
    slotted = Slotted()
    slotted.a = 1
    assert rushlight.load(saved(slotted), weights_only=False).a == 1


def test_records_of_lists_dicts_and_keywords():
    record = rushlight.load(saved(Table(a=1)), weights_only=False)
    assert record.items == [("a", 1)]
    record = from_pickle(stop(name("m.Many"), b")\x81", b"(", number(1), number(2), b"e"), weights_only=False)
    assert record.elements == [1, 2]
    record = from_pickle(stop(name("m.New"), b")}", text("k"), b"\x88s\x92", protocol=b"\x80\x04"), weights_only=False)
    assert record.keywords == {"k": True} and repr(record) == "<inert m.New: k=True>"


def test_a_name_alone_is_a_reference():
    reference = from_pickle(stop(name("some.module.Class")), weights_only=False)
    assert isinstance(reference, serialization.Reference)
    assert str(reference) == "some.module.Class" and "some.module.Class" in repr(reference)


def test_long_and_cyclic_records_have_short_texts():
    record = from_pickle(
        stop(name("m.C"), b")\x81q\x00}", text("me"), b"h\x00s", text("x"), text("y" * 999), b"sb"), weights_only=False
    )
    assert len(repr(record)) < 200
    many = from_pickle(stop(name("m.C"), items(*[b"N"] * 50), b"R"), weights_only=False)
    assert "42 more" in repr(many)


def test_records_cannot_be_saved():
    with pytest.raises(TypeError, match="inert record"):
        saved(from_pickle(stop(name("m.C"), b")R"), weights_only=False))


def test_a_module_of_an_unknown_class_gives_its_tensors():
    net = Net()
    record = rushlight.load(saved(net), weights_only=False)
    assert isinstance(record, serialization.Record) and isinstance(record._modules["first"], nn.Linear)
    other = Net()
    other.load_state_dict(record.state_dict())
    x = rushlight.randn(4, 2)
    assert (other.eval()(x) == net.eval()(x)).all()
    assert list(record.state_dict()) == list(net.state_dict())
    wrapped = rushlight.load(saved(nn.Sequential(net)), weights_only=False)
    assert list(wrapped.state_dict()) == [f"0.{key}" for key in net.state_dict()]
    with pytest.raises(TypeError, match="module"):
        serialization.Record("a", "b").state_dict()


def test_modules_that_contain_themselves():
    state = (
        b"}" + text("_parameters") + b"}s" + text("_buffers") + b"}s" + text("_modules") + b"}" + text("x") + b"h\x00ss"
    )
    record = from_pickle(stop(name("m.C"), b")\x81q\x00", state, b"b"), weights_only=False)
    with pytest.raises(RuntimeError, match="without end"):
        record.state_dict()


# ---- weights_only --------------------------------------------------------------------------------------------------


def test_weights_only_names_the_global_and_the_cure():
    for content in (stop(name("os.system")), stop(name("os.system"), b")R")):
        with pytest.raises(pickle.UnpicklingError, match=r"GLOBAL os\.system.*weights_only=False.*add_safe_globals"):
            from_pickle(content)


@pytest.mark.parametrize(
    "environment, wanted, refused",
    [
        ({}, None, True),
        ({}, False, False),
        ({"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}, False, True),
        ({"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "y"}, None, False),
        ({"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}, True, True),
    ],
)
def test_the_environment_speaks_too(monkeypatch, environment, wanted, refused):
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    content = stop(name("os.system"))
    if refused:
        with pytest.raises(pickle.UnpicklingError):
            from_pickle(content, weights_only=wanted)
    elif wanted is None:
        with pytest.warns(UserWarning, match="TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
            from_pickle(content, weights_only=wanted)
    else:
        from_pickle(content, weights_only=wanted)


def test_the_environment_cannot_say_both(monkeypatch):
    for variable in ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        monkeypatch.setenv(variable, "1")
    with pytest.raises(RuntimeError, match="not both"):
        from_pickle(stop(b"N"))


def test_unsafe_globals_in_a_checkpoint(tmp_path):
    path = tmp_path / "x.pt"
    rushlight.save([Settings(1), nn.Linear(1, 1), rushlight.ones(1)], path)
    settings = f"{Settings.__module__}.Settings"
    assert serialization.get_unsafe_globals_in_checkpoint(path) == [settings, "torch.nn.modules.linear.Linear"]
    with serialization.safe_globals([Settings, nn.Linear]):
        assert serialization.get_unsafe_globals_in_checkpoint(path) == []
    with pytest.raises(ValueError, match=r"torch\.save"):
        serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(building.GOOD_LEGACY))


# ---- registered classes --------------------------------------------------------------------------------------------


def test_registered_classes_are_rebuilt():
    slotted = Slotted()
    slotted.b = 2
    file = saved([Settings(0.5), slotted, WithState(), Table(a=1)])
    with serialization.safe_globals([Settings, Slotted, WithState, Table]):
        settings, slots, stated, table = rushlight.load(file)
        assert len(serialization.get_safe_globals()) == 4
    assert type(settings) is Settings and settings.rate == 0.5
    assert type(slots) is Slotted and slots.b == 2 and type(stated) is WithState
    assert type(table) is Table and table == {"a": 1}
    assert serialization.get_safe_globals() == []
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        rushlight.load(file)


def test_registered_under_another_name():
    content = stop(name("old.place.Name"), b")\x81}", text("rate"), number(3), b"sb")
    with serialization.safe_globals([(Settings, "old.place.Name")]):
        assert from_pickle(content).rate == 3


def test_registered_functions_are_called():
    content = stop(name("my.join"), items(text("a"), text("b")), b"R")
    with serialization.safe_globals([(os.path.join, "my.join")]):
        assert from_pickle(content) == os.path.join("a", "b")
        with pytest.raises(pickle.UnpicklingError, match="refused"):
            from_pickle(stop(name("my.join"), b")R"))


def test_registered_tensor_classes():
    tagged = rushlight.ones(2).as_subclass(Tagged)
    tagged.tag = "x"
    file = saved(tagged)
    with serialization.safe_globals([Tagged]):
        loaded = rushlight.load(file)
    assert type(loaded) is Tagged and loaded.tag == "x" and loaded.tolist() == [1, 1]
    file.seek(0)
    record = rushlight.load(file, weights_only=False)
    assert record.arguments[2].tolist() == [1, 1]


def test_registered_modules():
    net = Net()
    file = saved(net)
    with serialization.safe_globals([Net, nn.Linear, nn.Sequential, nn.ReLU, nn.BatchNorm1d]):
        loaded = rushlight.load(file)
    x = rushlight.randn(4, 2)
    assert type(loaded) is Net and (loaded.eval()(x) == net.eval()(x)).all()


def test_registering_twice_and_within():
    serialization.add_safe_globals([Settings])
    with serialization.safe_globals([Settings, Slotted]):
        serialization.add_safe_globals([Table])
    assert serialization.get_safe_globals() == [Settings, Table]


@pytest.mark.parametrize(
    "entry, error", [((Settings,), ValueError), ((Settings, 3), TypeError), (3, TypeError), ((1, 2, 3), ValueError)]
)
def test_what_cannot_be_registered(entry, error):
    with pytest.raises(error, match=r"\[add_safe_globals\]"):
        serialization.add_safe_globals([entry])


# ---- our own modules -----------------------------------------------------------------------------------------------


def test_our_modules_are_rebuilt_without_weights_only():
    encoder = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation=nn.functional.gelu)
    encoder.norm_first = True
    loaded = rushlight.load(saved(encoder), weights_only=False)
    x = rushlight.randn(3, 1, 4)
    assert type(loaded) is nn.TransformerEncoderLayer and (loaded(x) == encoder(x)).all()
    loaded.self_attn.out_proj.weight.data.zero_()
    assert (loaded.state_dict()["self_attn.out_proj.weight"] == 0).all()
    with pytest.raises(pickle.UnpicklingError, match="TransformerEncoderLayer"):
        rushlight.load(saved(encoder))


def test_hooks_stay_out():
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(test_hooks_stay_out)
    with pytest.warns(UserWarning, match="hooks are code"):
        loaded = rushlight.load(saved(layer), weights_only=False)
    assert loaded(rushlight.ones(1)).shape == (1,)


def test_shared_parameters_stay_shared():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    loaded = rushlight.load(saved(model), weights_only=False)
    assert loaded[1].weight is loaded[0].weight and len(list(loaded.parameters())) == 3


@pytest.mark.parametrize("path", ["torch.nn.functional.relu", "torch._C._nn.gelu", "torch.tanh"])
def test_functions_of_tensors_are_values(path):
    function = from_pickle(stop(name(path)), weights_only=False)
    assert function(rushlight.ones(1)).numel() == 1
    with pytest.raises(pickle.UnpicklingError):
        from_pickle(stop(name(path), b")R"), weights_only=False)


@pytest.mark.parametrize(
    "path",
    ["torch.load", "torch.nn.functional.importlib", "torch.nn.functional._private", "torch.nn.parallel.DataParallel"],
)
def test_other_names_stay_inert(path):
    assert isinstance(from_pickle(stop(name(path)), weights_only=False), serialization.Reference)
