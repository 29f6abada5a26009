"""What surrounds training: data loading (:mod:`rushlight.utils.data`) and its kin, each loaded when first used."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        path = f"{__name__}.{name}"
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
