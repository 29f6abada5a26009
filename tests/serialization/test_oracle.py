"""Files of PyTorch in Rushlight, and files of Rushlight in PyTorch: equal both ways."""

import collections
import io
import pickle
import warnings

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

FORMATS = {"zip": {}, "before 1.6": {"_use_new_zipfile_serialization": False}}


def saved(library, value, **options):
    file = io.BytesIO()
    library.save(value, file, **options)
    file.seek(0)
    return file


def assert_same(ours, theirs, path="value"):
    """The values agree in everything that a file keeps."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, rushlight.Tensor), path
        assert str(ours.dtype) == str(theirs.dtype) and tuple(ours.shape) == tuple(theirs.shape), path
        assert ours.requires_grad == theirs.requires_grad and str(ours.layout) == str(theirs.layout), path
        assert isinstance(ours, rushlight.nn.Parameter) == isinstance(theirs, torch.nn.Parameter), path
        if theirs.layout is torch.strided:
            assert (ours.stride(), ours.storage_offset()) == (theirs.stride(), theirs.storage_offset()), path
            assert ours.untyped_storage().nbytes() == theirs.untyped_storage().nbytes(), path
        else:
            ours, theirs = ours.to_dense(), theirs.to_dense()
        assert repr(ours.tolist()) == repr(theirs.tolist()), path
        assert ours.__dict__.keys() - {"_is_buffer"} == theirs.__dict__.keys() - {"_is_buffer"}, path
    elif isinstance(theirs, dict):
        assert type(ours).__name__ == type(theirs).__name__ and list(ours) == list(theirs), path
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{path}.{key}")
        assert_same(getattr(ours, "_metadata", None), getattr(theirs, "_metadata", None), f"{path}._metadata")
    elif isinstance(theirs, (list, tuple)):
        assert type(ours).__name__ == type(theirs).__name__ and len(ours) == len(theirs), path
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(mine, other, f"{path}[{index}]")
    elif isinstance(theirs, np.ndarray):
        assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype, path
    elif type(theirs).__module__.startswith("torch"):
        assert str(ours) == str(theirs), path
    else:
        assert type(ours) is type(theirs) and ours == theirs, path


def assert_both_ways(value, **options):
    """A value of PyTorch's comes to us, and back, unchanged."""
    loaded = rushlight.load(saved(torch, value, **options))
    assert_same(loaded, value)
    back = torch.load(saved(rushlight, loaded, **options), weights_only=True)
    assert_same(loaded, back)


@pytest.fixture(scope="module")
def modules():
    """Up to three instances of every module that PyTorch tests, with an input of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_modules import module_db

        found = []
        for info in module_db:
            inputs = info.module_inputs_func(
                info, device="cpu", dtype=torch.float32, requires_grad=False, training=False
            )
            for number, sample in zip(range(3), inputs, strict=False):
                torch.manual_seed(number)
                arguments = sample.constructor_input
                module = info.module_cls(*arguments.args, **arguments.kwargs).eval()
                if not any(torch.nn.parameter.is_lazy(p) for p in module.parameters()):
                    found.append((f"{info.name} {number}", module, sample.forward_input))
    assert len(found) > 250
    return found


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_state_dicts_of_all_modules(modules, options):
    assert_both_ways({name: module.state_dict() for name, module, _ in modules}, **options)


def tensors_in(value):
    if isinstance(value, (list, tuple)):
        return [tensor for part in value for tensor in tensors_in(part)]
    return [value.detach()] if hasattr(value, "detach") else []


def to_ours(value):
    if isinstance(value, torch.Tensor):
        return rushlight.load(saved(torch, value.detach()))
    if isinstance(value, (list, tuple)):
        return type(value)(to_ours(part) for part in value)
    return {key: to_ours(part) for key, part in value.items()} if isinstance(value, dict) else value


# FractionalMaxPool refuses its own sample; in files ours goes by PyTorch's name, so it is seen above.
_NOT_CALLED = ("nn.FractionalMaxPool",)


@pytest.mark.filterwarnings("ignore")  # PyTorch's, of its samples
def test_whole_modules(modules):
    """Modules pickled whole compute the same on the other side, in both directions."""
    for name, module, sample in modules:
        ours = rushlight.load(saved(torch, module), weights_only=False)
        assert type(ours).__name__ == type(module).__name__, name
        assert_same(ours.state_dict(), module.state_dict(), name)
        back = torch.load(saved(rushlight, ours), weights_only=False)
        assert type(back) is type(module) and back.__dict__.keys() >= module.__dict__.keys(), name
        if name.startswith(_NOT_CALLED):
            continue
        with torch.no_grad(), rushlight.no_grad():
            expected = tensors_in(module(*sample.args, **sample.kwargs))
            received = tensors_in(ours(*to_ours(sample.args), **to_ours(sample.kwargs)))
            returned = tensors_in(back(*sample.args, **sample.kwargs))
        for theirs, mine, again in zip(expected, received, returned, strict=True):
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
            assert torch.equal(theirs.nan_to_num(), again.nan_to_num()), name


OPTIMIZERS = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Adagrad": {},
    "Adadelta": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Rprop": {},
    "ASGD": {},
    "LBFGS": {},
    "SparseAdam": {},
    "Adafactor": {},
    "Muon": {},
}


def stepped(library, name, options):
    """An optimizer after two steps, and its parameters."""
    parameters = [library.nn.Parameter(library.ones(3, 2)), library.nn.Parameter(library.full((2, 4), 0.5))]
    optimizer = getattr(library.optim, name)(parameters, **options)

    def closure():
        optimizer.zero_grad()
        loss = sum((p * p).sum() for p in parameters)
        loss.backward()
        if name == "SparseAdam":
            for p in parameters:
                p.grad = p.grad.to_sparse()
        return loss

    for _ in range(2):
        closure()
        optimizer.step(closure) if name == "LBFGS" else optimizer.step()
    return optimizer, parameters, closure


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    """The state goes both ways, and a step from it is the same."""
    theirs, their_parameters, their_closure = stepped(torch, name, OPTIMIZERS[name])
    assert_both_ways(theirs.state_dict())
    ours, our_parameters, our_closure = stepped(rushlight, name, OPTIMIZERS[name])
    ours.load_state_dict(rushlight.load(saved(torch, theirs.state_dict())))
    theirs.load_state_dict(torch.load(saved(rushlight, ours.state_dict()), weights_only=True))
    for optimizer, closure in ((ours, our_closure), (theirs, their_closure)):
        closure()
        optimizer.step(closure) if name == "LBFGS" else optimizer.step()
    for mine, other in zip(our_parameters, their_parameters, strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), rtol=1e-5)


def checkpoint():
    base = torch.arange(24.0)
    attributed = torch.ones(2)
    attributed.name_of_mine = "x"
    return {
        "views": [base, base[3:], base.view(4, 6).t(), base.expand(2, 24)],
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(3),
        "dtypes": [
            torch.arange(4).to(dtype)
            for dtype in (
                torch.bool,
                torch.uint8,
                torch.int8,
                torch.int16,
                torch.int32,
                torch.int64,
                torch.float16,
                torch.bfloat16,
                torch.float64,
                torch.complex64,
                torch.complex128,
            )
        ],
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "leaf": torch.ones(2, requires_grad=True),
        "attributed": attributed,
        "history": torch.ones(2, requires_grad=True) * 2,
        "buffer": torch.nn.Buffer(torch.ones(1)),
        "sparse": torch.eye(3).to_sparse(),
        "csr": torch.eye(3).to_sparse_csr(),
        "size": torch.Size([1, 2]),
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
        "rng": torch.get_rng_state(),
        "plain": (
            1,
            2**40,
            2**80,
            -1.5,
            True,
            None,
            1 + 2j,
            "ä",
            b"b\xff",
            bytearray(b"x"),
            {1, 2},
            [(1, {2: "x"})],
            collections.Counter("aab"),
        ),
        "ordered": collections.OrderedDict(a=1),
    }


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_everything_that_weights_only_allows(options):
    assert_both_ways(checkpoint(), **options)


def test_protocols():
    for protocol in (2, 3, 4, 5):
        file = saved(torch, {"a": torch.ones(2), "b": b"bytes", "c": frozenset((1,))}, pickle_protocol=protocol)
        assert rushlight.load(file)["a"].tolist() == [1, 1]
        file = saved(rushlight, {"a": rushlight.ones(2)}, pickle_protocol=protocol)
        assert torch.load(file, weights_only=False)["a"].tolist() == [1, 1]


def test_views_under_two_dtypes_which_pytorch_cannot_save_but_load():
    base = rushlight.arange(4.0)
    for options in FORMATS.values():
        floats, ints = torch.load(saved(rushlight, [base, base.view(rushlight.int32)], **options), weights_only=True)
        assert floats.data_ptr() == ints.data_ptr() and ints.dtype == torch.int32 and floats.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", "float8_e4m3fn"])
def test_dtypes_that_we_do_not_have_are_named(dtype):
    file = saved(torch, torch.zeros(2, dtype=getattr(torch, dtype)))
    with pytest.raises(pickle.UnpicklingError, match=dtype):
        rushlight.load(file)


def test_mapped_both_ways(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"a": torch.arange(1000.0), "b": torch.ones(3)}, path)
    assert rushlight.load(path, mmap=True)["a"].tolist() == list(range(1000))
    rushlight.save({"a": rushlight.arange(1000.0), "b": rushlight.ones(3)}, path)
    assert torch.load(path, mmap=True, weights_only=True)["a"].tolist() == list(range(1000))


def test_pytorch_computes_where_our_records_lie(tmp_path, monkeypatch):
    """It asserts so under this variable, which its own tests use."""
    monkeypatch.setenv("TORCH_SERIALIZATION_DEBUG", "1")
    from torch.utils.serialization import config

    path = tmp_path / "offsets.pt"
    sizes = (1, 0, 7, 1000, 0, 0, 64, 3)
    rushlight.save([rushlight.ones(size, dtype=rushlight.uint8) for size in sizes], path)
    config.load.calculate_storage_offsets = True
    try:
        for mmap in (False, True):
            loaded = torch.load(path, mmap=mmap, weights_only=True)
            assert [tuple(tensor.shape) for tensor in loaded] == [(size,) for size in sizes]
    finally:
        config.load.calculate_storage_offsets = False


def test_conjugate_and_negative_views():
    conjugate = torch.tensor([1 + 2j]).conj()
    assert rushlight.load(saved(torch, conjugate)).tolist() == [1 - 2j]
    assert rushlight.load(saved(torch, conjugate.imag)).tolist() == [-2]


def test_arrays_of_numpy():
    value = {"array": np.arange(6.0).reshape(2, 3), "scalar": np.float32(1.5), "dtype": np.dtype("int64")}
    loaded = rushlight.load(saved(torch, value))
    assert_same(loaded, value)
    assert_same(torch.load(saved(rushlight, loaded), weights_only=False), value)


def test_storages():
    assert rushlight.load(saved(torch, torch.ones(2).untyped_storage())).nbytes() == 8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert rushlight.load(saved(torch, torch.ones(2).storage())).tolist() == [1, 1]
        assert torch.load(saved(rushlight, rushlight.ones(2).storage()), weights_only=True).tolist() == [1, 1]


def test_what_pytorch_names_unsafe_we_name_unsafe(modules):
    value = {name: module for name, module, _ in modules[::20]}
    file = saved(torch, value)
    theirs = torch.serialization.get_unsafe_globals_in_checkpoint(file)
    file.seek(0)
    assert set(rushlight.serialization.get_unsafe_globals_in_checkpoint(file)) == set(theirs)


def test_the_same_errors_for_the_same_mistakes(tmp_path):
    for call in (
        lambda library: library.load(io.BytesIO(b"")),
        lambda library: library.load(saved(library, 1), mmap=True),
        lambda library: library.load(saved(library, 1), pickle_module=pickle, weights_only=True),
        lambda library: library.load(saved(library, library.nn.Linear(1, 1)), weights_only=True),
        lambda library: library.save(1, tmp_path / "no" / "x.pt"),
        lambda library: library.save(1, 3),
        lambda library: library.load(tmp_path / "no.pt"),
        lambda library: library.serialization.set_default_load_endianness("x"),
        lambda library: library.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(b"xxxxxxxxxxx")),
    ):
        with pytest.raises(Exception) as theirs:
            call(torch)
        with pytest.raises(theirs.type):
            call(rushlight)
