"""rushlight check and rushlight doctor."""

import json
import textwrap

import pytest

from rushlight.cli import main
from rushlight.compat.check import findings

PROGRAM = """
    import torch, torchvision
    import torch.nn as nn
    import torch.nn.functional as F
    from torch import optim, jit
    from torch.nn import Linear, Linaer
    from torch.distributed.fsdp import FullyShardedDataParallel as FSDP

    def forward(x):
        y = torch.zeros(3).view(-1)
        z = y if x else torch.ones(2)
        y.transpsoe(0, 1)
        z.anything()
        for y2 in range(3):
            y2.nothing()
        return F.relu6000(x), nn.Linear(1, 2), optim.Adam, torch.compile(forward)

    def other(F):
        return torch.randn(2, 3).cpuu(), torch.cuda.synchronize()

    class Net:
        nn = nn
    """


def test_what_is_missing_is_found_with_its_line(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))
    found = {(one.line, one.name, one.verdict) for one in findings(path)}
    assert found == {
        (2, "torchvision", "missing"),
        (5, "torch.jit", "accepted"),
        (6, "torch.nn.Linaer", "missing"),
        (7, "torch.distributed.fsdp.FullyShardedDataParallel", "refused"),
        (12, "torch.Tensor.transpsoe", "missing"),
        (16, "torch.compile", "accepted"),
        (19, "torch.Tensor.cpuu", "missing"),
        (19, "torch.cuda.synchronize", "refused"),
    }  # F and nn are bound to something else as well, so that nothing is said of them


def test_the_command_says_and_counts(tmp_path, capsys):
    (tmp_path / "good.py").write_text("import torch\ntorch.ones(1).sum()\n")
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "1 files: every name exists.\n"
    (tmp_path / "bad.py").write_text("import torch\ntorch.solve(1)\n")
    assert main(["check", str(tmp_path)]) == 1
    assert "bad.py:2: torch.solve is missing: The nearest is torch.linalg.solve." in capsys.readouterr().out
    assert main(["check", "--json", str(tmp_path / "bad.py")]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["line"] == 2 and found["name"] == "torch.solve" and found["verdict"] == "missing"


@pytest.mark.parametrize("content", ["def f(:\n", "\0", None])
def test_what_is_no_program_is_told(tmp_path, capsys, content):
    path = tmp_path / "program.py"
    if content is not None:
        path.write_text(content)
    assert main(["check", str(path)]) == 2
    assert "program.py" in capsys.readouterr().err


@pytest.mark.multiprocess
def test_the_doctor_reports(capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in ("version", "import", "threads", "instructions", "oneDNN", "numpy", "import torch"):
        assert word in shown
