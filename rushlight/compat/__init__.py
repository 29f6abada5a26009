"""Programs written for PyTorch, unchanged: after `install()`, `import torch` gives Rushlight.

`rushlight run SCRIPT` does so for a whole program and the processes that it starts. For programs that are started in
another way, `eval "$(rushlight run --environment)"` sets RUSHLIGHT_AS_TORCH and PYTHONPATH, which every Python that the
shell starts inherits. `install()` is for a notebook, a conftest.py, or a program's first line.

>>> rushlight.compat.install()    # doctest: +SKIP
>>> import torch                  # doctest: +SKIP
>>> torch is rushlight            # doctest: +SKIP
True
"""

import sys

from rushlight.compat import finder as _finder

__all__ = ["install", "uninstall"]


def install(version=_finder.DEFAULT_VERSION):
    """Makes `import torch` give Rushlight in this process, by every path: `torch.nn is rushlight.nn`.

    version: what `torch.__version__` and `importlib.metadata.version("torch")` say, for libraries that ask.
    A second call changes nothing. An installed PyTorch is not touched, and other processes import it as before.

    Raises RuntimeError if PyTorch itself is already loaded in this process.
    """
    if _finder.installed() is None and "torch" in sys.modules:
        raise RuntimeError(
            "[compat.install] torch must not be imported yet. Received a process in which PyTorch is loaded from "
            f"{getattr(sys.modules['torch'], '__file__', None)}. Call install() before the first import of torch."
        )
    _finder.install(version)


def uninstall():
    """Undoes install(): the next `import torch` looks for PyTorch."""
    _finder.uninstall()
