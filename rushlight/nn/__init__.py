"""Neural networks: modules, their functions, initial values and work on gradients."""

import importlib as _importlib

from rushlight.nn.parameter import (  # isort: skip
    Buffer as Buffer,
    Parameter as Parameter,
    UninitializedBuffer as UninitializedBuffer,
    UninitializedParameter as UninitializedParameter,
)
from rushlight.nn import functional as functional
from rushlight.nn import init as init
from rushlight.nn import utils as utils
from rushlight.nn.modules import *  # noqa: F403
from rushlight.nn.modules import Module as Module

_QUANTIZED = ("intrinsic", "qat", "quantizable", "quantized")
_PARTS = ("attention", "common_types", "grad", "parallel")


def factory_kwargs(kwargs):
    """The keyword arguments for making a tensor among `kwargs`: device, dtype and memory_format, from both levels.

    Args:
        kwargs (dict): these three, and `factory_kwargs`, a dictionary with the others of them.

    Raises:
        TypeError: if there is something else, or one is given twice.

    >>> torch.nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"dtype": torch.float64}})
    {'dtype': torch.float64, 'device': 'cpu'}
    """
    if kwargs is None:
        return {}
    names = ("device", "dtype", "memory_format")
    unexpected = kwargs.keys() - {*names, "factory_kwargs"}
    if unexpected:
        raise TypeError(f"[factory_kwargs] unexpected kwargs {unexpected}. Expected {', '.join(names)}.")
    found = dict(kwargs.get("factory_kwargs", {}))
    for name in names:
        if name in kwargs:
            if name in found:
                raise TypeError(f"[factory_kwargs] {name} specified twice, in **kwargs and in factory_kwargs.")
            found[name] = kwargs[name]
    return found


def __getattr__(name):
    if name in _PARTS:  # loaded when they are first named
        return _importlib.import_module(f"rushlight.nn.{name}")
    if name in _QUANTIZED:
        raise AttributeError(
            f"[torch.nn.{name}] layers of whole numbers do not exist here. Use the layers of torch.nn, in bfloat16 or "
            "float16 to save memory."
        )
    if name == "DataParallel":
        return _importlib.import_module("rushlight.nn.parallel").DataParallel
    raise AttributeError(f"module 'rushlight.nn' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_PARTS, "DataParallel"})
