"""Modules that only programs written for PyTorch look for, at PyTorch's paths; each is loaded when it is first used."""

import importlib

from rushlight.compat.aliases import module_path


def __getattr__(name):
    path = None if name.startswith("__") else module_path(f"torch.{name}")
    if path is None:
        raise AttributeError(f"module 'torch' has no attribute {name!r}")
    return importlib.import_module(path)
