"""``rushlight doctor``: what is installed, what the machine gives, and what `torch` is."""

import importlib.metadata
import importlib.util
import os
import pathlib
import platform
import subprocess
import sys

import rushlight
from rushlight.compat import finder

# The distribution's name: what it is for.
_LIBRARIES = {
    "numpy": "arrays, Fourier transforms, linear algebra",
    "scipy": "special solvers and quasi-random points",
    "tqdm": "progress",
    "tensorboard": "torch.utils.tensorboard",
    "graphviz": "drawn graphs",
    "matplotlib": "plots",
    "safetensors": "files of other programs",
    "onnx": "exported models",
}


def add_arguments(parser):
    """No arguments."""


def run(options):
    """Prints the report."""
    for subject, lines in report():
        print(subject)
        for name, value in lines:
            print(f"  {name:<18}{value}")
    return 0


def report():
    """[(subject, [(name, value)])]."""
    folder = pathlib.Path(rushlight.__file__).parent
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    yield (
        "Rushlight",
        [
            ("version", rushlight.version.__version__),
            ("follows PyTorch", rushlight.version.follows),
            ("folder", folder),
            ("size", f"{size / 2**20:.1f} MiB"),
            ("import", f"{_import_time() * 1000:.0f} ms"),
        ],
    )
    yield (
        "Machine",
        [
            ("Python", f"{platform.python_version()} ({sys.executable})"),
            ("system", platform.platform()),
            ("processors", f"{os.cpu_count()}, of which this process may use {len(os.sched_getaffinity(0))}"),
            ("cpu quota", _quota()),
            ("threads", rushlight.get_num_threads()),
            ("instructions", rushlight.backends.cpu.get_cpu_capability()),
        ],
    )
    onednn = folder / "lib" / "libdnnl.so.3"
    libraries = [("oneDNN", f"{onednn.stat().st_size / 2**20:.1f} MiB" if onednn.exists() else "missing: make build")]
    for name, purpose in _LIBRARIES.items():
        libraries.append((name, _version(name) or f"not installed ({purpose})"))
    yield "Libraries", libraries
    yield "torch", [("import torch", _torch()), ("processes", _inherited())]


def _import_time():
    """Seconds that a fresh interpreter takes to import the package, the least of three."""
    code = "import time; t = time.perf_counter(); import rushlight; print(time.perf_counter() - t)"
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(finder.PACKAGE), *sys.path])}
    command = [sys.executable, "-c", code]
    return min(float(subprocess.run(command, env=settings, capture_output=True, text=True).stdout) for _ in range(3))


def _quota():
    """The processors that the control group grants, where it limits them."""
    try:
        limit, period = pathlib.Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return "none found"
    return "none" if limit == "max" else f"{int(limit) / int(period):.1f} processors"


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _torch():
    """Whose module `import torch` gives."""
    at_work = finder.installed()
    if at_work is not None:
        return f"Rushlight, shown as {at_work.version}"
    if importlib.util.find_spec("torch") is None:
        return "no module (rushlight run SCRIPT makes it Rushlight)"
    return f"PyTorch {_version('torch')} (rushlight run SCRIPT makes it Rushlight)"


def _inherited():
    """What new processes get."""
    value = os.environ.get("RUSHLIGHT_AS_TORCH", "0")
    return "torch is Rushlight, by RUSHLIGHT_AS_TORCH" if value not in ("", "0") else "as they are"
