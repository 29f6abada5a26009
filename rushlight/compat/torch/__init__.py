"""Modules that only programs written for PyTorch look for, at PyTorch's paths; each is loaded when it is first used."""

import importlib


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"torch.{name}")
