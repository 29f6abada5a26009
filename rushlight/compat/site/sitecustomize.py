"""Python runs this at its start where `rushlight run` has put this folder on PYTHONPATH: `torch` is Rushlight then."""

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader


def _install(version):
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "finder.py")
    loader = SourceFileLoader("rushlight.compat.finder", path)
    finder = sys.modules[loader.name] = type(sys)(loader.name)
    finder.__spec__, finder.__file__ = ModuleSpec(loader.name, loader, origin=path), path
    loader.exec_module(finder)
    finder.install(finder.DEFAULT_VERSION if version == "1" else version)


def _run_the_next():
    """The sitecustomize that would have run without this one."""
    own = sys.modules.pop(__name__, None)
    try:
        import sitecustomize  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != __name__:
            raise
    finally:
        sys.modules.setdefault(__name__, own)


sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != os.path.dirname(os.path.abspath(__file__))]
if os.environ.get("RUSHLIGHT_AS_TORCH", "0") not in ("", "0"):
    _install(os.environ["RUSHLIGHT_AS_TORCH"])
_run_the_next()
