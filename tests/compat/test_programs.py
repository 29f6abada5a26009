"""The harness of tests/programs, on programs of a few lines."""

import importlib.util
import json
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "programs"


@pytest.fixture(scope="module")
def harness():
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("compare_programs", FOLDER / "compare.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_notebooks_and_chapters_become_programs(harness, tmp_path):
    notebook = tmp_path / "a.ipynb"
    cells = [("code", "%matplotlib inline\nx = 1"), ("markdown", "text"), ("code", "!ls\nprint(x)")]
    notebook.write_text(json.dumps({"cells": [{"cell_type": kind, "source": [text]} for kind, text in cells]}))
    assert harness.source(notebook).split() == ["x", "=", "1", "print(x)"]
    chapter = tmp_path / "a.md"
    blocks = ("%%tab pytorch\nx = 2\nx + 1", "%%tab jax\n1 / 0", "#@tab all\nprint(x)", "no_tab()")
    chapter.write_text("".join(f"```{{.python .input}}\n{block}\n```\n\ntext\n\n" for block in blocks))
    namespace, shown = {}, []
    exec(harness.source(chapter), {"print": lambda *values: shown.append(values)}, namespace)
    assert [value for value in shown if value != (None,)] == [(3,), (2,)]


@pytest.mark.parametrize(
    "theirs, ours, options, agrees, said",
    [
        ("loss 1.0", "loss 1.0", {}, True, "the same text"),
        ("loss 1.0 in 3 seconds", "loss 1.0001 in 4 seconds", {}, True, "numbers within 1e-04"),
        ("loss 1.0", "loss 1.1", {}, False, "numbers within 9e-02"),
        ("loss nan", "loss nan.", {}, False, "another text"),
        ("loss 1.0", "lost 1.0", {}, False, "another text"),
        ("loss 1.0 2.0", "loss 1.0", {}, False, "another text"),
        ("a 1 b 5.0", "a 9 b 5.1", {"agree": "last", "tolerance": 0.1, "why": "w"}, True, "ends at [5.1]"),
        ("5.0", "", {"agree": "last", "tolerance": 0.1}, False, "ends at []"),
        ("loss 1.0", "loss nan", {}, False, "numbers within inf"),
    ],
)
def test_outputs_agree_as_the_table_asks(harness, theirs, ours, options, agrees, said):
    from dataclasses import replace

    program = harness.Program("x/main.py", **options)
    left, right = (harness.Outcome(0, text, "", 1.0) for text in (theirs, ours))
    found = harness.agreement(program, left, right)
    assert found[0] == agrees and found[1].startswith(said)
    failed = replace(right, status=1, errors="Traceback\nValueError: lost\nrushlight: hint")
    assert harness.agreement(program, left, failed) == (False, "ends with 1, PyTorch's with 0: ValueError: lost")
    assert harness.agreement(program, failed, failed)[0] is False


def test_a_page_keeps_rows_of_programs_that_did_not_run(harness, tmp_path):
    page = tmp_path / "page.md"
    rows = [harness.Row("b", 2.0, 1.0, False, "a | b"), harness.Row("a", 1.0, 1.0, True, "the same text")]
    table = [harness.Program("a/main.py"), harness.Program("b/main.py"), harness.Program("c/main.py")]
    page.write_text(harness.report(rows))
    assert "1 of 2 programs agree" in page.read_text()
    assert harness.merged(page, [], table) == rows[::-1]
    new = harness.Row("b", 4.0, 1.0, True, "the same text")
    assert harness.merged(page, [new], table) == [rows[1], new]


@pytest.mark.multiprocess
def test_a_program_runs_in_a_copy_of_its_folder_with_seeds(harness, tmp_path):
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "main.py").write_text(
        "import torch, torchvision, random\n"
        "x, y = next(iter(torch.utils.data.DataLoader(torchvision.datasets.MNIST('data', transform="
        "torchvision.transforms.ToTensor()), batch_size=4)))\n"
        "open('written', 'w').close()\n"
        "print(torch.__name__, tuple(x.shape), torch.rand(1).item(), random.random())\n"
    )
    program = harness.Program("repository/main.py", options=("--call", "print(y.dtype)"))
    found = harness.run(program, tmp_path, "rushlight", repeat=2)
    assert found.status == 0, found.errors
    assert found.output == "rushlight (4, 1, 28, 28) 0.08847743272781372 0.8444218515250481\ntorch.int64\n"
    assert not (tmp_path / "repository" / "written").exists()
