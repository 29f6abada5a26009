"""Files of PyTorch's formats, written and read by ourselves: values, storages, devices, mapping, options."""

import io
import mmap
import os
import pickle
import signal
import subprocess
import sys
import zipfile
from collections import Counter, OrderedDict, defaultdict, deque

import numpy as np
import pytest

import rushlight
from rushlight import serialization
from rushlight.serialization import archive
from tests.serialization import building

DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
FORMATS = {"zip": {}, "protocol 4": {"pickle_protocol": 4}, "before 1.6": {"_use_new_zipfile_serialization": False}}


def saved(value, **options):
    file = io.BytesIO()
    rushlight.save(value, file, **options)
    file.seek(0)
    return file


@pytest.fixture(params=FORMATS)
def round_trip(request):
    return lambda value, **options: rushlight.load(saved(value, **FORMATS[request.param]), **options)


# ---- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_and_shapes(round_trip, dtype, shape):
    tensor = (rushlight.arange(24)[: rushlight.Size(shape).numel()] % 5).to(getattr(rushlight, dtype)).reshape(shape)
    loaded = round_trip(tensor)
    assert loaded.dtype == tensor.dtype and loaded.shape == tensor.shape and loaded.tolist() == tensor.tolist()
    assert loaded.is_leaf and not loaded.requires_grad and loaded._base is None


def test_views_share_storages_and_keep_strides_and_offsets(round_trip):
    base = rushlight.arange(24.0)
    views = [
        base,
        base[3:],
        base.view(4, 6).t(),
        base.view(2, 12)[:, ::2],
        base.view(rushlight.int32),
        base.expand(2, 24),
    ]
    loaded = round_trip(views)
    for before, after in zip(views, loaded, strict=True):
        assert after.tolist() == before.tolist()
        assert (after.stride(), after.storage_offset()) == (before.stride(), before.storage_offset())
        assert after.untyped_storage() == loaded[0].untyped_storage()
    loaded[0].zero_()
    assert all(not view.any() for view in loaded)
    assert loaded[0].untyped_storage().nbytes() == 96


def test_what_occurs_twice_is_loaded_once(round_trip):
    tensor, values = rushlight.ones(2), [1]
    loaded = round_trip({"a": tensor, "b": [tensor, values, values]})
    assert loaded["a"] is loaded["b"][0] and loaded["b"][1] is loaded["b"][2]


def test_equal_memory_of_different_extent_is_kept_apart(round_trip):
    array = np.arange(4.0)
    long, short = round_trip([rushlight.from_numpy(array), rushlight.from_numpy(array[:2])])
    assert long.tolist() == [0, 1, 2, 3] and short.tolist() == [0, 1]


PLAIN = [
    None,
    True,
    False,
    0,
    -1,
    255,
    2**31,
    -(2**31) - 1,
    2**100,
    0.1,
    float("inf"),
    1 - 2j,
    "",
    "größe \u2603 \U0001f56f \ud800",
    "a\nb'\"",
    b"",
    b"\0\xff" * 300,
    bytearray(b"abc"),
    (),
    (1,),
    (1, (2, [3])),
    [],
    [[]] * 3,
    {},
    {1: "a", (1, 2): None, None: 2.5, b"k": 1},
    set(),
    {1, "a"},
    frozenset(),
    frozenset((1, (2, 3))),
    slice(1, None, 2),
    range(2, 9, 3),
    OrderedDict(b=1, a=2),
    Counter("abca"),
    defaultdict(list, a=[1]),
    defaultdict(None),
    deque([1, 2], 3),
    rushlight.Size([2, 3]),
    rushlight.float16,
    rushlight.device("cpu"),
    rushlight.strided,
    rushlight.sparse_coo,
    list,
    dict,
]


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_plain_values(protocol):
    loaded = rushlight.load(saved(PLAIN, pickle_protocol=protocol))
    for before, after in zip(PLAIN, loaded, strict=True):
        assert type(after) is type(before) and after == before
    assert next(x for x in loaded if isinstance(x, deque)).maxlen == 3
    assert next(x for x in loaded if isinstance(x, defaultdict)).default_factory is list


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_protocol_are_read_as_pickle_reads_them(protocol):
    value = [x for x in PLAIN if not type(x).__module__.startswith("rushlight")]
    content = pickle.dumps(value, protocol)
    assert rushlight.load(io.BytesIO(building.archive(content))) == value


def test_cycles_and_depth(round_trip):
    cycle = []
    cycle.append({"self": cycle})
    loaded = round_trip(cycle)
    assert loaded[0]["self"] is loaded


def test_arrays_and_scalars_of_numpy(round_trip):
    values = {
        "floats": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big endian": np.arange(3, dtype=">i4"),
        "text": np.array(["a", "żółw"]),
        "bytes": np.array([b"ab"]),
        "objects": np.array([None, "x", 1], dtype=object),
        "empty": np.zeros((0, 3), np.float16),
        "bool": np.array([True, False]),
        "scalar": np.float32(1.5),
        "integer": np.int64(-3),
        "dtype": np.dtype("float64"),
        "0-d": np.array(3),
    }
    loaded = round_trip(values)
    for name, before in values.items():
        after = loaded[name]
        assert type(after) is type(before)
        assert np.array_equal(after, before), name
        if name not in ("dtype", "big endian"):  # the bytes of which NumPy swaps, in some protocols
            assert after.dtype == before.dtype, name
    assert loaded["floats"].flags.writeable and loaded["fortran"].flags.f_contiguous


def test_kinds_of_tensors(round_trip):
    attributed = rushlight.ones(2)
    attributed.name_of_mine = "x"
    loaded = round_trip(
        {
            "leaf": rushlight.ones(2, requires_grad=True),
            "history": rushlight.ones(2, requires_grad=True) * 2,
            "attributed": attributed,
            "parameter": rushlight.nn.Parameter(rushlight.ones(2)),
            "frozen": rushlight.nn.Parameter(rushlight.ones(2), requires_grad=False),
            "buffer": rushlight.nn.Buffer(rushlight.ones(2), persistent=False),
            "uninitialized": rushlight.nn.UninitializedParameter(),
            "storage": rushlight.ones(2).storage(),
            "bytes": rushlight.ones(2).untyped_storage(),
        }
    )
    assert loaded["leaf"].requires_grad and loaded["history"].requires_grad and loaded["history"].is_leaf
    assert loaded["attributed"].name_of_mine == "x"
    assert type(loaded["parameter"]) is rushlight.nn.Parameter and loaded["parameter"].requires_grad
    assert not loaded["frozen"].requires_grad
    assert type(loaded["buffer"]) is rushlight.nn.Buffer and loaded["buffer"].persistent is False
    assert rushlight.nn.parameter.is_lazy(loaded["uninitialized"])
    assert loaded["storage"].tolist() == [1, 1] and loaded["bytes"].nbytes() == 8


def test_parameters_with_attributes(round_trip):
    parameter = rushlight.nn.Parameter(rushlight.ones(2))
    parameter.role = "weight"
    assert round_trip(parameter).role == "weight"


@pytest.mark.parametrize("layout", ["coo", "csr", "csc"])
def test_sparse_tensors(round_trip, layout):
    dense = rushlight.tensor([[0, 1.5, 0], [2, 0, 0]])
    sparse = getattr(dense, f"to_sparse_{layout}")()
    loaded = round_trip(sparse)
    assert loaded.layout is sparse.layout and loaded.to_dense().tolist() == dense.tolist()
    if layout == "coo":
        assert loaded.is_coalesced() == sparse.is_coalesced()


def test_random_state(round_trip):
    rushlight.manual_seed(3)
    state = round_trip(rushlight.get_rng_state())
    before = rushlight.randn(3).tolist()
    rushlight.set_rng_state(state)
    assert rushlight.randn(3).tolist() == before


def test_state_dicts_keep_their_metadata(round_trip):
    model = rushlight.nn.Sequential(rushlight.nn.Linear(2, 2), rushlight.nn.BatchNorm1d(2))
    optimizer = rushlight.optim.Adam(model.parameters(), lr=0.1)
    model(rushlight.ones(3, 2)).sum().backward()
    optimizer.step()
    loaded = round_trip({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3})
    assert loaded["model"]._metadata == model.state_dict()._metadata
    other = rushlight.nn.Sequential(rushlight.nn.Linear(2, 2), rushlight.nn.BatchNorm1d(2))
    assert str(other.load_state_dict(loaded["model"])) == "<All keys matched successfully>"
    again = rushlight.optim.Adam(other.parameters())
    again.load_state_dict(loaded["optimizer"])
    assert str(again.state_dict()) == str(optimizer.state_dict())


@pytest.mark.parametrize("value", [lambda: 1, sys.stdout.buffer, (x for x in ())], ids=["lambda", "file", "generator"])
def test_what_cannot_be_pickled(value, tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(b"before")
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        rushlight.save([value], path)
    assert path.read_bytes() == b"before" and os.listdir(tmp_path) == ["x.pt"]


def test_depth_beyond_pickle():
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(RecursionError, match=r"^\[save\]"):
        saved(deep)


def test_python_pickles_and_copies_still_work():
    tensor = rushlight.nn.Parameter(rushlight.ones(2))
    assert pickle.loads(pickle.dumps(tensor)).tolist() == [1, 1]


# ---- the archive ---------------------------------------------------------------------------------------------------


def test_the_archive_is_one_of_zip_with_aligned_records_and_checksums(tmp_path):
    path = tmp_path / "model.pt"
    rushlight.save(
        {"a": rushlight.ones(5), "b": rushlight.ones(7, dtype=rushlight.uint8), "c": rushlight.empty(0)}, path
    )
    with zipfile.ZipFile(path) as found:
        assert found.testzip() is None
        assert {info.compress_type for info in found.infolist()} == {zipfile.ZIP_STORED}
        assert [name.removeprefix("model/") for name in found.namelist()] == [
            "data.pkl",
            ".format_version",
            ".storage_alignment",
            "byteorder",
            "data/0",
            "data/1",
            "data/2",
            "version",
            ".data/serialization_id",
        ]
        assert found.read("model/byteorder") == sys.byteorder.encode() and found.read("model/version") == b"3\n"
        assert len(found.read("model/.data/serialization_id")) == 40
    with open(path, "rb") as file:
        reader = archive.ArchiveReader(file)
        assert all(reader.find(name).start % 64 == 0 for name in reader.names())


def test_an_archive_of_more_than_4_gigabytes(tmp_path):
    path = tmp_path / "large"
    size = 2**32 + 100
    with open(path, "wb") as file:

        class Holes:
            """Leaves zeros out."""

            def write(self, data):
                if len(data) > 5000 and not any(memoryview(data)[:64]):
                    file.seek(len(data), os.SEEK_CUR)
                else:
                    file.write(data)

        writer = archive.ArchiveWriter(Holes(), "a", checksums=False)
        writer.write("data.pkl", building.stop(building.tensor()))
        writer.write("data/0", np.arange(1, 5, dtype=np.float32).tobytes())
        writer.write_zeros("data/1", size)
        writer.write("data/2", b"end")
        writer.close()
    with open(path, "rb") as file:
        reader = archive.ArchiveReader(file)
        assert reader.find("data/1").size == size and reader.read("data/2") == b"end"
    assert rushlight.load(path).tolist() == [1, 2, 3, 4]
    with zipfile.ZipFile(path) as found:
        assert found.getinfo("a/data/1").file_size == size and found.getinfo("a/data/2").header_offset > size


def test_many_records():
    file = io.BytesIO()
    writer = archive.ArchiveWriter(file, "a")
    for i in range(70_000):
        writer.write(str(i), b"x")
    writer.close()
    file.seek(0)
    assert len(archive.ArchiveReader(file).names()) == 70_000


def test_checksums():
    content = saved({"a": rushlight.ones(100)}).getvalue()
    at = content.index(b"_rebuild_tensor_v2")
    with pytest.raises(RuntimeError, match="checksum"):
        rushlight.load(io.BytesIO(content[:at] + b"X" + content[at + 1 :]))
    before = serialization.get_crc32_options()
    serialization.set_crc32_options(False)
    try:
        assert rushlight.load(saved(rushlight.ones(2))).tolist() == [1, 1]
    finally:
        serialization.set_crc32_options(before)


# ---- files ---------------------------------------------------------------------------------------------------------


def test_paths_file_objects_and_streams(tmp_path):
    path = tmp_path / "x.pt"
    for target in (path, str(path)):
        rushlight.save(rushlight.ones(2), target)
        assert rushlight.load(target).tolist() == [1, 1]
    with open(path, "wb") as file:
        file.write(b"before")
        rushlight.save(rushlight.zeros(2), file)
    with open(path, "rb") as file:
        file.seek(6)
        assert rushlight.load(file).tolist() == [0, 0]

    class Stream(io.RawIOBase):
        def __init__(self, content=b""):
            self.content = io.BytesIO(content)

        readable = writable = lambda self: True

        def write(self, data):
            return self.content.write(data)

        def readinto(self, memory):
            return self.content.readinto(memoryview(memory)[:100])

    stream = Stream()
    rushlight.save(rushlight.ones(3), stream)
    assert rushlight.load(Stream(stream.content.getvalue())).tolist() == [1, 1, 1]

    class Reader:
        """No more than read, seek and tell."""

        def __init__(self, content):
            file = io.BytesIO(content)
            self.read, self.seek, self.tell = file.read, file.seek, file.tell

    assert rushlight.load(Reader(stream.content.getvalue())).tolist() == [1, 1, 1]


def test_values_one_after_the_other_in_the_old_format():
    file = io.BytesIO()
    for i in range(3):
        rushlight.save(rushlight.full((2,), i), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert [rushlight.load(file).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]


def test_the_name_chooses_safetensors(tmp_path):
    path = tmp_path / "x.safetensors"
    rushlight.save({"a": rushlight.ones(1)}, path)
    assert path.read_bytes()[8:9] == b"{"
    with open(path, "wb") as file:
        rushlight.save({"a": rushlight.ones(1)}, file)
    assert path.read_bytes()[8:9] == b"{" and rushlight.load(path)["a"].tolist() == [1]


def test_wrong_arguments_of_save(tmp_path):
    with pytest.raises(RuntimeError, match="Parent directory"):
        rushlight.save(1, tmp_path / "no" / "x.pt")
    with pytest.raises(AttributeError, match="write"):
        rushlight.save(1, 5)
    with pytest.raises(ValueError, match="pickle_module"):
        rushlight.save(1, io.BytesIO(), pickle_module=io)
    for protocol in (-1, 0, 6):
        with pytest.raises(ValueError, match="pickle_protocol"):
            rushlight.save(1, io.BytesIO(), pickle_protocol=protocol)


def test_wrong_arguments_of_load(tmp_path):
    good = saved(1)
    with pytest.raises(AttributeError, match="read"):
        rushlight.load(5)
    with pytest.raises(FileNotFoundError):
        rushlight.load(tmp_path / "no.pt")
    with pytest.raises(EOFError, match="Ran out of input"):
        rushlight.load(io.BytesIO())
    with pytest.raises(ValueError, match="file path"):
        rushlight.load(good, mmap=True)
    with pytest.raises(RuntimeError, match="pickle_module"):
        rushlight.load(good, pickle_module=pickle, weights_only=True)
    with pytest.raises(TypeError, match="map_location"):
        rushlight.load(good, map_location=3)
    with pytest.raises(TypeError, match="arguments of pickle"):
        rushlight.load(good, buffers=())
    with pytest.raises(LookupError):
        rushlight.load(good, encoding="no such")
    with pytest.raises(TypeError, match="binary"):
        rushlight.load(io.StringIO("x"))


def test_special_files_are_written_in_place():
    rushlight.save(rushlight.ones(2), "/dev/null")
    assert not os.path.isfile("/dev/null")


@pytest.mark.multiprocess
def test_a_kill_leaves_the_old_file_or_the_new(tmp_path):
    path = tmp_path / "x.pt"
    program = f"""
import rushlight, itertools
for i in itertools.count(1):
    rushlight.save({{"i": i, "w": rushlight.full((20_000,), i)}}, {str(path)!r})
    print(i, flush=True)
"""
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            for _ in range(5):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        loaded = rushlight.load(path)
        assert loaded["i"] >= 5 and (loaded["w"] == loaded["i"]).all()


def test_saving_needs_no_second_copy():
    class Counting:
        largest = 0

        def write(self, data):
            self.largest = max(self.largest, memoryview(data).nbytes)

    file = Counting()
    rushlight.save(rushlight.zeros(10_000_000), file)
    assert file.largest <= 1 << 20


# ---- devices, mapping, options -------------------------------------------------------------------------------------


def from_device(location):
    return io.BytesIO(building.archive(building.stop(building.tensor(building.storage(location=location)))))


@pytest.mark.parametrize(
    "map_location",
    [
        "cpu",
        b"cpu",
        "cpu:0",
        rushlight.device("cpu"),
        {"cuda:1": "cpu"},
        lambda storage, location: storage,
        lambda storage, location: storage.clone(),
    ],
)
def test_map_location(map_location):
    assert rushlight.load(from_device("cuda:1"), map_location).tolist() == [1, 2, 3, 4]


def test_devices_that_are_not_there():
    for map_location in (None, {"cuda:0": "cpu"}, "cuda", lambda storage, location: None):
        with pytest.raises(RuntimeError, match="map_location"):
            rushlight.load(from_device("cuda:1"), map_location)
    for validate in (serialization.validate_cuda_device, serialization.validate_hpu_device):
        with pytest.raises(RuntimeError, match="deserialize"):
            validate("cuda:0")


def test_registered_packages(monkeypatch):
    monkeypatch.setattr(serialization.locations, "_packages", list(serialization.locations._packages))
    serialization.register_package(
        5, lambda storage: "moon:0", lambda storage, location: storage if location == "moon:0" else None
    )
    file = saved(rushlight.ones(2))
    assert b"moon:0" in file.getvalue()
    assert rushlight.load(file).tolist() == [1, 1]
    assert serialization.location_tag(rushlight.ones(1).untyped_storage()) == "moon:0"


def test_mapped_files(tmp_path):
    path = tmp_path / "x.pt"
    base = rushlight.arange(1000.0)
    rushlight.save({"a": base, "b": base[10:], "empty": rushlight.empty(0, 3)}, path)
    before = path.read_bytes()
    loaded = rushlight.load(path, mmap=True)
    loaded["a"][10] = -1
    assert loaded["b"][0] == -1 and loaded["a"].sum() == base.sum() - 11 and loaded["empty"].shape == (0, 3)
    assert path.read_bytes() == before
    with serialization.set_default_mmap_options(mmap.MAP_SHARED):
        rushlight.load(path, mmap=True)["a"][10] = -1
    assert serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    assert rushlight.load(path)["a"][10] == -1
    with pytest.raises(ValueError, match="flags"):
        serialization.set_default_mmap_options(17)
    rushlight.save(base, path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap"):
        rushlight.load(path, mmap=True)


def test_skip_data():
    with serialization.skip_data():
        file = saved(rushlight.ones(1000))
        with pytest.raises(RuntimeError, match="skip_data"):
            saved(1, _use_new_zipfile_serialization=False)
    assert rushlight.load(file).tolist() == [0] * 1000
    with serialization.skip_data():
        assert rushlight.load(saved(rushlight.ones(10))).tolist() == [0] * 10


def test_byte_order():
    swapped = np.arange(4, dtype=">f4").tobytes()
    content = building.archive(building.stop(building.tensor()), {"0": swapped}, byteorder=b"big")
    assert rushlight.load(io.BytesIO(content)).tolist() == [0, 1, 2, 3]
    unmarked = building.Zip().add("a/data.pkl", building.stop(building.tensor())).add("a/data/0", swapped).close()
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    try:
        assert rushlight.load(io.BytesIO(unmarked)).tolist() == [0, 1, 2, 3]
    finally:
        serialization.set_default_load_endianness(None)
    assert serialization.get_default_load_endianness() is None
    with pytest.raises(TypeError, match="LoadEndianness"):
        serialization.set_default_load_endianness("big")
    old = {"little_endian": False}
    content = building.legacy(
        building.stop(building.tensor(building.legacy_storage())), storages=((4, swapped),), system=pickle.dumps(old, 2)
    )
    assert rushlight.load(io.BytesIO(content)).tolist() == [0, 1, 2, 3]


def test_strings_of_python_2():
    file = building.archive(b"\x80\x02}U\x03\xe9\xe8aU\x01bs.")
    assert rushlight.load(io.BytesIO(file), encoding="latin1") == {"éèa": "b"}
    assert rushlight.load(io.BytesIO(file), encoding="bytes") == {b"\xe9\xe8a": b"b"}
    with pytest.raises(pickle.UnpicklingError, match="latin1"):
        rushlight.load(io.BytesIO(file))


def test_the_memory_limit_can_be_raised():
    content = building.archive(b"\x80\x02(" + b"]" * 1_000_000 + b"l.")
    with pytest.raises(pickle.UnpicklingError, match="memory_limit"):
        rushlight.load(io.BytesIO(content))
    with serialization.memory_limit(2**30):
        assert len(rushlight.load(io.BytesIO(content))) == 1_000_000


def test_small_names():
    assert serialization.StorageType("FloatStorage").dtype == rushlight.float32
    assert "float32" in str(serialization.StorageType("FloatStorage"))
    assert serialization.normalize_storage_type(rushlight.FloatStorage) is rushlight.FloatStorage
    assert serialization.storage_to_tensor_type(rushlight.ones(2).storage()) is rushlight.FloatTensor
    with serialization.mkdtemp() as folder:
        assert os.path.isdir(folder)
    assert not os.path.exists(folder)
    check = serialization.check_module_version_greater_or_equal
    assert check(np, (1, 0)) and not check(np, (99, 0))
    with pytest.raises(RuntimeError, match="numbers"):
        check(type("m", (), {"__version__": "x", "__name__": "m"}), (1,))
    assert issubclass(serialization.SourceChangeWarning, Warning)
