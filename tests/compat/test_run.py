"""`rushlight run` against the interpreter itself: the same program, the same arguments, the same ending."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest

import rushlight
from rushlight.compat.run import environment

ROOT = pathlib.Path(rushlight.__file__).parent.parent
pytestmark = pytest.mark.multiprocess


def python(*arguments, cwd, **options):
    settings = {name: value for name, value in os.environ.items() if name not in ("RUSHLIGHT_AS_TORCH", "PYTHONPATH")}
    settings.update(options.pop("env", {}))
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=settings, capture_output=True, text=True, timeout=120, **options
    )


def rushlight_run(*arguments, cwd, **options):
    """The command line: an interpreter that becomes another one."""
    options.setdefault("env", {"PYTHONPATH": str(ROOT)})
    return python("-m", "rushlight", "run", *arguments, cwd=cwd, **options)


def as_torch(*arguments, cwd, **options):
    """What the command line becomes."""
    changed = environment(base={})
    return python(*arguments, cwd=cwd, env=changed, **options)


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


# --- what torch is


def test_torch_is_rushlight_by_every_path(tmp_path):
    write(
        tmp_path,
        "program.py",
        """
        import pickle, sys
        assert "rushlight" not in sys.modules
        import importlib.metadata, importlib.util
        assert importlib.util.find_spec("torch").origin.endswith("__init__.py")

        assert "rushlight" not in sys.modules
        assert importlib.metadata.version("torch") == "2.8.0+rushlight"
        assert "torch" in importlib.metadata.packages_distributions()["torch"]
        import torch
        assert importlib.util.find_spec("torch.nothing") is None
        assert torch.__version__ == torch.version.__version__ == "2.8.0+rushlight" and torch.__version__ >= (2, 7)
        assert not {"rushlight.distributions", "rushlight.optim", "rushlight.linalg"} & set(sys.modules)
        import torch.nn as nn, torch.nn.functional as F, torch.backends.cudnn, torch.optim
        from torch.autograd.variable import Variable
        from torch.autograd.gradcheck import gradcheck
        from torch.nn.modules.activation import MultiheadAttention
        from torch.nn.modules.conv import Conv2d
        from torch.nn.modules.module import Module
        from torch.nn.modules.utils import _pair
        from torch.optim.lr_scheduler import _LRScheduler
        from torch.utils.data.dataloader import default_collate
        again = torch.utils.data._utils.collate.default_collate
        from torch.utils.data._utils.collate import default_collate
        from torch._tensor import Tensor
        from torch.types import Number
        from torch._utils import _flatten_dense_tensors
        import torch._C
        import rushlight
        assert torch is rushlight and nn is rushlight.nn and Conv2d is rushlight.nn.Conv2d and again is default_collate
        assert isinstance(nn.Linear(1, 1), rushlight.nn.Module) and Tensor is rushlight.Tensor
        assert callable(torch.autograd.gradcheck) and callable(torch.tensor)
        assert sys.modules["torch.nn"] is nn and nn.__spec__.name == "rushlight.nn"
        try:
            import torch.tensor
        except ModuleNotFoundError as error:
            print(error)
        for kind in (torch.Tensor, nn.Linear, nn.Parameter, torch.optim.Adam, torch.Size):
            assert kind.__module__.split(".")[0] == "torch", kind
        assert pickle.loads(pickle.dumps(nn.Linear(1, 1))).weight.shape == (1, 1)
        print(torch.tensor([1.0]))
        """,
    )
    done = as_torch("program.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No module named 'torch.tensor'\ntensor([1.])\n"


def test_another_version(tmp_path):
    done = rushlight_run("--torch-version", "1.13.1", "-c", "import torch; print(torch.__version__)", cwd=tmp_path)
    assert done.stdout == "1.13.1\n"


def test_children_and_workers_inherit_it(tmp_path):
    write(
        tmp_path,
        "program.py",
        """
        import multiprocessing, subprocess, sys

        def name(queue):
            import torch
            queue.put(torch.nn.__name__)

        if __name__ == "__main__":
            for method in ("spawn", "fork"):
                context = multiprocessing.get_context(method)
                queue = context.SimpleQueue()
                process = context.Process(target=name, args=(queue,))
                process.start()
                print(queue.get())
                process.join()
            command = [sys.executable, "-c", "import torch; print(torch.nn.__name__)"]
            print(subprocess.run(command, capture_output=True, text=True).stdout, end="")
        """,
    )
    done = rushlight_run("program.py", cwd=tmp_path)
    assert done.stdout == "rushlight.nn\n" * 3, done.stderr


def test_the_environment_serves_programs_that_one_starts_otherwise(tmp_path):
    shown = rushlight_run("--environment", cwd=tmp_path).stdout
    command = f"{shown}\n{sys.executable} -c 'import torch; print(torch.__version__)'"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "2.8.0+rushlight\n", done.stderr


def test_another_sitecustomize_still_runs(tmp_path):
    write(tmp_path, "own/sitecustomize.py", "print('own')")
    environment = {"PYTHONPATH": f"{tmp_path / 'own'}{os.pathsep}{ROOT}"}
    done = rushlight_run("-c", "import torch; print(torch.nn.__name__)", cwd=tmp_path, env=environment)
    assert done.stdout.endswith("own\nrushlight.nn\n"), done.stderr


# --- as under Python


@pytest.mark.parametrize(
    "arguments, text",
    [
        (("program.py", "-m", "--lr", "3"), None),
        (("-m", "package", "a"), None),
        (("-m", "package.part"), None),
        (("-c", "import sys; print(sys.argv, __name__, sys.path[0])", "-c"), None),
        (("-", "b"), "import sys; print(sys.argv, __name__)"),
        (("missing.py",), None),
        (("broken.py",), None),
        (("-m", "missing"), None),
        (("fails.py",), None),
        (("leaves.py",), None),
        (("says.py",), None),
    ],
)
def test_a_program_runs_as_under_python(tmp_path, arguments, text):
    shown = "import sys\nprint(sys.argv, __name__, __file__, sys.path[0], __package__, getattr(__spec__, 'name', None))"
    write(tmp_path, "program.py", shown)
    write(tmp_path, "package/__init__.py", "")
    write(tmp_path, "package/__main__.py", shown)
    write(tmp_path, "package/part.py", shown)
    write(tmp_path, "broken.py", "def f(:\n")
    write(tmp_path, "fails.py", "import json\njson.loads(None.x)\n")
    write(tmp_path, "leaves.py", "import sys\nsys.exit(7)\n")
    write(tmp_path, "says.py", "raise SystemExit('goodbye')\n")
    expected = python(*arguments, cwd=tmp_path, input=text)
    found = as_torch(*arguments, cwd=tmp_path, input=text)
    assert (found.returncode, found.stdout, found.stderr) == (expected.returncode, expected.stdout, expected.stderr)
    if arguments[0] in ("program.py", "leaves.py", "-"):
        again = rushlight_run(*arguments, cwd=tmp_path, input=text)
        assert (again.returncode, again.stdout, again.stderr) == (found.returncode, found.stdout, found.stderr)


def test_interrupts_end_it_as_they_end_python(tmp_path):
    program = write(tmp_path, "program.py", "import time, torch\nprint('ready', flush=True)\ntime.sleep(60)\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "rushlight", "run", str(program)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT and errors.startswith("Traceback") and str(program) in errors


@pytest.mark.parametrize("arguments, status", [((), 2), (("--no-such-option", "x.py"), 2)])
def test_wrong_use(tmp_path, arguments, status):
    done = rushlight_run(*arguments, cwd=tmp_path)
    assert done.returncode == status and done.stderr.strip()


# --- names that are missing


@pytest.mark.parametrize(
    "line, name, like",
    [
        ("torch.nn.Linera(1, 2)", "torch.nn.Linera", "torch.nn.Linear"),
        ("torch.solve(torch.ones(1, 1), torch.ones(1, 1))", "torch.solve", "torch.linalg.solve"),
        ("from torch.nn import Linaer", "torch.nn.Linaer", "torch.nn.Linear"),
        ("torch.ones(2).transpsoe(0, 1)", "torch.Tensor.transpsoe", "torch.Tensor.transpose"),
        ("from torch.optimm import Adam", "torch.optimm", "torch.optim"),
    ],
)
def test_a_missing_name_is_named_with_its_line(tmp_path, line, name, like):
    write(tmp_path, "program.py", f"import torch\n\n{line}\n")
    done = as_torch("program.py", cwd=tmp_path)
    assert done.returncode == 1
    *traceback, hint = done.stderr.strip().splitlines()
    assert traceback[0].startswith("Traceback") and "program.py" in traceback[1]
    assert hint.endswith(f"program.py, line 3: {name} does not exist here. The nearest is {like}.")


# --- install()


def test_install_in_a_program(tmp_path):
    text = """
        import rushlight.compat
        rushlight.compat.install("2.4.0")
        rushlight.compat.install("2.5.0")
        import torch, rushlight
        assert torch is rushlight and torch.__version__ == "2.4.0"
        assert str(torch.nn.Linear) == "<class 'torch.nn.modules.linear.Linear'>"
        rushlight.compat.uninstall()
        assert str(rushlight.nn.Linear) == "<class 'rushlight.nn.modules.linear.Linear'>"
        import sys, importlib.metadata
        assert not [name for name in sys.modules if name.split(".")[0] == "torch"]
        assert rushlight.__version__ == rushlight.version.__version__ != "2.4.0"
        """
    done = python("-c", textwrap.dedent(text), cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (0, "")


def test_install_comes_before_pytorch(tmp_path):
    write(tmp_path, "torch.py", "")
    text = "import torch, rushlight.compat\nrushlight.compat.install()"
    done = python("-c", text, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert "RuntimeError: [compat.install] torch must not be imported yet" in done.stderr


def test_a_saved_module_is_read_back(tmp_path):
    write(
        tmp_path,
        "program.py",
        """
        import torch
        torch.save(torch.nn.Sequential(torch.nn.MultiheadAttention(2, 1), torch.nn.ReLU()), "net.pt")
        print(torch.load("net.pt", weights_only=False)[1])
        """,
    )
    done = as_torch("program.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("ReLU()\n", "")


def test_layers_are_leaves_of_a_trace(tmp_path):
    write(
        tmp_path,
        "program.py",
        """
        import torch
        net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        traced = torch.fx.symbolic_trace(net)
        print([node.op for node in traced.graph.nodes])
        print(torch.equal(traced(torch.ones(1, 2)), net(torch.ones(1, 2))))
        """,
    )
    done = as_torch("program.py", cwd=tmp_path)
    expected = "['placeholder', 'call_module', 'call_module', 'output']\nTrue\n"
    assert (done.stdout, done.stderr) == (expected, "")


def test_custom_functions_of_ours_are_mapped(tmp_path):
    text = "import torch; print(torch.vmap(lambda x: torch.linalg.norm(x))(torch.ones(2, 4)).tolist())"
    assert as_torch("-c", text, cwd=tmp_path).stdout == "[2.0, 2.0]\n"
