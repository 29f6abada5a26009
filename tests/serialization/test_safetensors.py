"""Safetensors files: round trips, the format as others see it, damaged files."""

import io
import json
import math
import os
import pickle
import random
import struct
from collections import OrderedDict

import pytest

import rushlight
from rushlight import load
from rushlight.serialization.safetensors import write as save

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


def round_trip(value):
    file = io.BytesIO()
    save(value, file)
    file.seek(0)
    return load(file)


def make_file(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(struct.pack("<Q", len(text)) + text + data)


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_every_dtype_survives(name, shape):
    count = math.prod(shape)
    tensor = rushlight.tensor([i % 2 for i in range(count)], dtype=getattr(rushlight, name)).reshape(shape)
    result = round_trip({"t": tensor})["t"]
    assert result.dtype == tensor.dtype
    assert tuple(result.shape) == shape
    assert result.tolist() == tensor.tolist()


def test_views_are_stored_alone():
    base = rushlight.arange(1_000_000)
    file = io.BytesIO()
    save({"column": base.reshape(1000, 1000)[:, 3], "flipped": rushlight.arange(6).reshape(2, 3).t()}, file)
    assert len(file.getvalue()) < 20_000
    file.seek(0)
    result = load(file)
    assert result["column"].tolist() == list(range(3, 1_000_000, 1000))
    assert result["flipped"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_nested_structures_survive():
    w = rushlight.ones(2, 2)
    value = OrderedDict(
        epoch=3,
        lr=0.1,
        best=math.inf,
        worst=-math.inf,
        name="größe \u2603",
        none=None,
        flags=[True, False],
        betas=(0.9, 0.999),
        state={0: {"step": rushlight.tensor(5.0), "exp_avg": w}, 1: {"exp_avg": w}},
        size=rushlight.Size([2, 3]),
        dtype=rushlight.float16,
        z=1 + 2j,
        big=2**100,
        empty={},
    )
    result = round_trip(value)
    assert type(result) is OrderedDict and list(result) == list(value)
    for key in ("epoch", "lr", "best", "worst", "name", "none", "flags", "betas", "size", "dtype", "z", "big", "empty"):
        assert result[key] == value[key] and type(result[key]) is type(value[key])
    assert list(result["state"]) == [0, 1]
    assert result["state"][0]["step"].item() == 5.0
    assert result["state"][0]["exp_avg"] is result["state"][1]["exp_avg"], "a tensor stored once is loaded once"
    assert math.isnan(round_trip(math.nan))


def test_paths_that_look_alike_are_kept_apart():
    result = round_trip(
        {"a": {"b": rushlight.tensor(1)}, "a.b": rushlight.tensor(2), "__metadata__": rushlight.tensor(3)}
    )
    assert [result["a"]["b"].item(), result["a.b"].item(), result["__metadata__"].item()] == [1, 2, 3]


def test_a_tensor_alone_and_requires_grad():
    result = round_trip(rushlight.ones(2, requires_grad=True))
    assert result.requires_grad and result.is_leaf
    assert not round_trip(rushlight.ones(2)).requires_grad


def test_files_are_read_by_safetensors_rules():
    file = io.BytesIO()
    save({"w": rushlight.tensor([1.0, 2.0]), "b": rushlight.tensor(7, dtype=rushlight.uint8)}, file)
    content = file.getvalue()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    assert all(isinstance(value, str) for value in header.pop("__metadata__").values())
    assert header == {"w": entry("F32", (2,), (0, 8)), "b": entry("U8", (), (8, 9))}
    assert content[8 + length :] == struct.pack("<ffB", 1.0, 2.0, 7)


def test_foreign_safetensors_files_load_as_a_dict():
    header = {"x": entry("F32", (2,), (1, 9)), "flag": entry("BOOL", (1,), (0, 1)), "__metadata__": {"who": "else"}}
    result = load(make_file(header, b"\x01" + struct.pack("<ff", 1.5, -2.0)))
    assert list(result) == ["x", "flag"]
    assert result["x"].tolist() == [1.5, -2.0] and result["flag"].tolist() == [True]


def test_paths_are_written_atomically(tmp_path):
    path = tmp_path / "model.safetensors"
    rushlight.save({"x": rushlight.ones(3)}, path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        rushlight.save({"x": rushlight.ones(3), "y": object()}, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]
    assert load(str(path))["x"].tolist() == [1.0, 1.0, 1.0]


def test_headers_of_any_length():
    # Lengths such as 640 begin with the bytes that begin a pickle.
    for length in range(1200):
        assert round_trip({"x" * length: 1}) == {"x" * length: 1}


def test_the_same_data_gives_the_same_bytes():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        save({"b": rushlight.ones(2), "a": rushlight.zeros(3, dtype=rushlight.int64)}, file)
    assert files[0].getvalue() == files[1].getvalue()


def test_streams_that_cannot_seek():
    file = io.BytesIO()
    save({"x": rushlight.ones(3)}, file)

    class Pipe(io.RawIOBase):
        def __init__(self, content):
            self.rest = io.BytesIO(content)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.rest.readinto(memoryview(buffer)[:7])

    assert load(Pipe(file.getvalue()))["x"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, [b"bytes"], {(1, 2): 3}, {"m": print}], ids=repr)
def test_what_is_no_data_is_refused(value):
    with pytest.raises(TypeError, match=r"^\[save\]"):
        save(value, io.BytesIO())


HUGE = 2**62


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' * 5_000,
        {"x": 1},
        {"x": {}},
        {"x": entry("F33")},
        {"x": entry(7)},
        {"x": entry(shape=("1",))},
        {"x": entry(shape=(True,))},
        {"x": entry(shape=(-1,), offsets=(0, 4))},
        {"x": entry(shape=(1.0,))},
        {"x": entry(shape=(2,))},
        {"x": entry(shape=(HUGE, HUGE, 4), offsets=(0, 4))},
        {"x": entry(shape=(HUGE,), offsets=(0, HUGE * 4))},
        {"x": entry(offsets=(-4, 0))},
        {"x": entry(offsets=(4, 8))},
        {"x": entry(offsets=(4, 0))},
        {"x": entry(offsets=(0, 4, 8))},
        {"x": entry(offsets=(False, 4))},
        {"x": entry(offsets=(0.0, 4.0))},
        {"x": {**entry(), "more": 1}},
        {"x": entry(), "y": entry()},
        {"x": entry("F16", (1,), (0, 2)), "y": entry("U8", (1,), (3, 4))},
        {"x": entry("BOOL", (4,))},
        b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "x": 1}',
        {"__metadata__": 3, "x": entry()},
        {"__metadata__": {"a": 1}, "x": entry()},
        {"__metadata__": {"rushlight": "{"}, "x": entry()},
        {"__metadata__": {"rushlight": '{"tensor": "y"}'}, "x": entry()},
        {"__metadata__": {"rushlight": '{"tensor": ["x"]}'}, "x": entry()},
        {"__metadata__": {"rushlight": '{"exec": "1"}'}, "x": entry()},
        {"__metadata__": {"rushlight": "{}"}, "x": entry()},
        {"__metadata__": {"rushlight": '{"dict": [1]}'}, "x": entry()},
        {"__metadata__": {"rushlight": '{"dict": [[[], 1]]}'}, "x": entry()},
        {"__metadata__": {"rushlight": '{"size": ["1"]}'}, "x": entry()},
        {"__metadata__": {"rushlight": '{"complex": ["a", "b"]}'}, "x": entry()},
        {"__metadata__": {"rushlight": '{"dtype": "__loader__"}'}, "x": entry()},
        {"__metadata__": {"rushlight": "[" * 100_000}, "x": entry()},
    ],
    ids=lambda header: repr(header)[:60],
)
def test_damaged_headers_are_refused(header):
    with pytest.raises(RuntimeError, match=r"^\[load\]"):
        load(make_file(header, b"\x02\x00\x80\x3f"))


@pytest.mark.parametrize("content", [b"1234567", struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 3) + b"{}"])
def test_short_files_are_refused(content):
    with pytest.raises(RuntimeError, match=r"^\[load\]"):
        load(io.BytesIO(content))


def test_any_single_damage_is_either_refused_or_harmless():
    file = io.BytesIO()
    save({"epoch": 1, "w": rushlight.arange(4), "flags": rushlight.tensor([True, False])}, file)
    content = file.getvalue()
    rng = random.Random(0)
    for _ in range(1500):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        try:
            load(io.BytesIO(bytes(damaged)))
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            assert str(error).startswith("[load]")


def test_a_file_that_ends_early_while_being_read():
    file = io.BytesIO()
    save({"w": rushlight.ones(100)}, file)

    class Shrinking(io.BytesIO):
        def readinto(self, buffer):
            return 0

    with pytest.raises(RuntimeError, match="ends 400 bytes too early"):
        load(Shrinking(file.getvalue()))


@pytest.mark.parametrize("padding", ["", "x"])
def test_mapped(tmp_path, padding):
    path = tmp_path / "model.safetensors"
    rushlight.save({"w": rushlight.arange(5.0), "name": padding}, path)
    loaded = load(path, mmap=True)
    loaded["w"][0] = 9
    assert loaded["w"].tolist() == [9, 1, 2, 3, 4] and load(path)["w"].tolist() == [0, 1, 2, 3, 4]


def test_a_header_cannot_ask_for_much_memory():
    with pytest.raises(pickle.UnpicklingError, match="memory"):
        load(make_file(b'{"a": [' + b"[]," * 2_000_000 + b"[]]}"))
