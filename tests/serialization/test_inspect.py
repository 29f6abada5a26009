"""The command `rushlight inspect`."""

import json

import pytest

import rushlight
from rushlight.cli import main
from tests.serialization import building, hostile
from tests.serialization.building import items, name, stop, text


@pytest.fixture
def inspect(tmp_path, capsys):
    def run(content, *options):
        path = tmp_path / "file.pt"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            rushlight.save(content, path, **(options[0] if options and isinstance(options[0], dict) else {}))
        status = main(["inspect", str(path), *(option for option in options if isinstance(option, str))])
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


MODEL = {
    "epoch": 3,
    "model": rushlight.nn.Linear(2, 3).state_dict(),
    "long": list(range(100)),
    "sparse": rushlight.eye(3).to_sparse(),
    "nested": [{"a": (rushlight.ones(2, dtype=rushlight.int64), "x")}],
}


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=["zip", "before 1.6"])
def test_a_checkpoint(inspect, options):
    status, text, errors = inspect(MODEL, options)
    assert status == 0 and errors == ""
    for line in (
        "PyTorch",
        "4 tensors, 64 B",
        "epoch: 3",
        "model: OrderedDict of 2",
        "  weight: float32 [3, 2], 24 B",
        "long: list of 100",
        "sparse: float32 [3, 3] sparse_coo, 12 B",
        "a: tuple of",
        "0: int64 [2], 16 B",
        "torch._utils._rebuild_tensor_v2: plain data",
    )[:7]:
        assert line in text
    assert (
        "int64 [2], 16 B" in text and "torch._utils._rebuild_tensor_v2: plain data" in text and "NOT DATA" not in text
    )


def test_json(inspect):
    status, text, _ = inspect(MODEL, "--json")
    found = json.loads(text)
    assert status == 0 and found["format"] == "PyTorch (zip)"
    assert {"name": "model.weight", "dtype": "float32", "shape": [3, 2], "bytes": 24} in found["tensors"]
    assert {"name": "nested.0.a.0", "dtype": "int64", "shape": [2], "bytes": 16} in found["tensors"]
    assert all(entry["plain_data"] for entry in found["names"])


def test_what_would_have_run(inspect):
    content = building.archive(stop(name("os.system"), items(text("touch x")), b"R"))
    status, output, _ = inspect(content)
    assert status == 0
    assert "os.system: NOT DATA: unpickling would import it" in output and "and call os.system('touch x')" in output
    found = json.loads(inspect(content, "--json")[1])
    assert found["names"] == [
        {
            "name": "os.system",
            "plain_data": False,
            "verdict": "NOT DATA: unpickling would import it",
            "calls": ["os.system('touch x')"],
        }
    ]


def test_a_whole_module(inspect):
    status, output, _ = inspect(rushlight.nn.Sequential(rushlight.nn.Linear(2, 3)))
    assert status == 0
    assert (
        "module Sequential" in output
        and "weight: float32 [3, 2]" in output
        and "torch.nn.modules.linear.Linear" in output
    )
    assert "_forward_hooks" not in output


def test_a_class_that_is_not_ours(inspect):
    state = b"}" + text("rate") + b"K\x05s"
    _, output, _ = inspect(building.archive(stop(name("my.Settings"), b")\x81", state, b"b")))
    assert "inert my.Settings\n  rate: 5" in output and "and call my.Settings()" in output


def test_safetensors(tmp_path, capsys):
    path = tmp_path / "x.safetensors"
    rushlight.save({"w": rushlight.ones(2)}, path)
    assert main(["inspect", str(path)]) == 0
    assert "safetensors" in capsys.readouterr().out


def test_many_calls_are_counted(inspect):
    call = name("a.b") + b")R"
    _, output, _ = inspect(building.archive(stop(b"(", call * 50, b"l")))
    assert output.count("and call a.b()") == 20 and "and 30 calls more" in output


@pytest.mark.parametrize("content", [b"", b"x" * 100, building.GOOD[:-30], building.GOOD_LEGACY[:-3]])
def test_damaged_files(inspect, content):
    status, output, errors = inspect(content)
    assert status == 1 and output == "" and "[load]" in errors
    status, output, _ = inspect(content, "--json")
    assert status == 1 and "[load]" in json.loads(output)["error"]


def test_a_wrong_byte_in_a_tensor_is_found(inspect):
    at = building.GOOD.index(b"\x00\x00\x80\x3f")
    status, _, errors = inspect(building.GOOD[:at] + b"\x01" + building.GOOD[at + 1 :])
    assert status == 1 and "checksum" in errors


def test_cyclic_and_deep_values(inspect):
    cycle = []
    cycle.append([cycle])
    assert inspect(cycle)[0] == 0
    assert inspect(building.archive(stop(b"]" * 5000, b"a" * 4999)))[0] == 0


def test_texts_of_the_file_do_not_reach_the_terminal_raw(inspect):
    status, output, errors = inspect(
        {
            "\x1b[31mred": 1,
            "\ud800": "\x1b[2J",
            "k" * 10_000: 3,
            2**20_000: [2**20_000, None],
            (1, "\x07"): rushlight.ones(1),
        }
    )
    assert status == 0 and "\x1b" not in output + errors and "\x07" not in output and "\ud800" not in output
    assert max(map(len, output.splitlines())) < 700
    _, output, errors = inspect(building.archive(stop(name("os\x1b[31m.system"), b")R")))
    assert "\x1b" not in output + errors


def test_values_that_double_at_every_level(inspect):
    laughs = b")" + b"2\x86" * 60
    ordered = name("collections.OrderedDict") + items(b"]" + items(text("a"), laughs) + b"a") + b"R"
    for value in (laughs, ordered, name("a.b") + items(ordered, laughs) + b"R"):
        status, output, _ = inspect(building.archive(stop(value)))
        assert status == 0 and len(output) < 100_000


def test_usage(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["inspect"])
    assert stopped.value.code == 2
    assert main(["inspect", str(tmp_path / "no")]) == 1


def test_every_hostile_file_can_be_inspected(inspect):
    for what, content, expected in hostile.table():
        if len(content) < 3000 and expected != hostile.REFUSED:
            assert inspect(content)[0] == 0, what
