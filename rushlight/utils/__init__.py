"""What surrounds training: data loading (:mod:`rushlight.utils.data`) and its kin, each loaded when first used."""

import copyreg
import importlib
import weakref
from typing import Any

_LAZY = {
    "ThroughputBenchmark": "throughput_benchmark",
    "generate_methods_for_privateuse1_backend": "backend_registration",
    "get_cpp_backtrace": "cpp_backtrace",
    "rename_privateuse1_backend": "backend_registration",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    if not name.startswith("__"):
        path = f"{__name__}.{name}"
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def set_module(obj, mod):
    """Makes `obj` show `mod` (str) as the module it comes from.

    >>> class Layer: ...
    >>> torch.utils.set_module(Layer, "torch.nn")
    >>> Layer
    <class 'torch.nn.Layer'>
    """
    if not isinstance(mod, str):
        raise TypeError(f"[set_module] mod must be a str. Received {type(mod).__name__}.")
    obj.__module__ = mod


def swap_tensors(t1, t2):
    """Two Tensor objects change contents: data, gradient, class and attributes; who holds `t1` then sees what t2 was.

    Raises:
        RuntimeError: one of them has weak references, is part of a graph, or the two have other slots.

    >>> a, b = torch.zeros(2), torch.ones(3, dtype=torch.int64)
    >>> torch.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([1, 1, 1]), tensor([0., 0.]))
    """
    from rushlight import _core

    for name, tensor in (("t1", t1), ("t2", t2)):
        if weakref.getweakrefs(tensor):
            raise RuntimeError(f"[swap_tensors] Cannot swap {name} because it has weakref associated with it.")
    slots = set(copyreg._slotnames(type(t1)))
    if slots != set(copyreg._slotnames(type(t2))):
        raise RuntimeError("[swap_tensors] Cannot swap t1 and t2 if they have different slots.")
    _core.swap_contents_(t1, t2)
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    for slot in slots:
        given = [(t, getattr(t, slot)) for t in (t1, t2) if hasattr(t, slot)]
        for t, _ in given:
            delattr(t, slot)
        for t, value in given:
            setattr(t2 if t is t1 else t1, slot, value)
