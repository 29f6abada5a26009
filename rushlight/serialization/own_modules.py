"""Rushlight's modules in files: written under PyTorch's names, and rebuilt from their attributes, which runs no code
but ours."""

from __future__ import annotations

import warnings
from typing import Any

import rushlight
from rushlight.serialization.user_globals import public_module
from rushlight.type_info import defining_module

# Where PyTorch has classes that we have in another file.
_HOMES = {
    "ChannelShuffle": "channelshuffle",
    "LinearCrossEntropyLoss": "loss",
    "MultiheadAttention": "activation",
    "NonDynamicallyQuantizableLinear": "linear",
}
_LAZY_HOMES = {
    "LazyBatchNorm": "batchnorm",
    "LazyConv": "conv",
    "LazyInstanceNorm": "instancenorm",
    "LazyLinear": "linear",
}


def torch_home(value: Any, module: str, name: str) -> str:
    """The module in which PyTorch has a class or function of ours."""
    if module.startswith(("rushlight._core", "rushlight.ops")):
        return "torch.nn.functional" if getattr(rushlight.nn.functional, name, None) is value else "torch"
    if module.startswith("rushlight.nn.functional"):
        return "torch.nn.functional"
    home = _HOMES.get(name) or _LAZY_HOMES.get(name.rstrip("d123").removesuffix("Transpose"))
    if module.startswith("rushlight.nn.modules.") and home:
        return f"torch.nn.modules.{home}"
    return public_module(module)


def find(path: str) -> Any:
    """A class of `torch.nn`, or a function of tensors; None for everything else."""
    module, _, name = path.rpartition(".")
    if module.startswith("torch.nn.modules."):
        found = getattr(rushlight.nn, name, None) or getattr(rushlight.nn.modules.attention, name, None)
        return found if is_module_class(found) else None
    if module in ("torch.nn.functional", "torch._C._nn") and not name.startswith("_"):
        found = getattr(rushlight.nn.functional, name, None)
        home = defining_module(found)
        is_function = callable(found) and not isinstance(found, type)
        return (
            found
            if is_function and home.startswith(("rushlight.nn.functional", "rushlight.ops", "rushlight._core"))
            else None
        )
    if module == "torch":  # an operator; nothing else of that module
        found = getattr(rushlight._core, name, None)
        return found if type(found) is type(rushlight._core.relu) else None
    return None


def is_module_class(value: Any) -> bool:
    """Whether this is a class of modules of ours, whose objects are made of their attributes alone."""
    return (
        isinstance(value, type)
        and issubclass(value, rushlight.nn.Module)
        and defining_module(value).startswith("rushlight.nn.modules.")
    )


def checked_state(state: Any) -> dict[str, Any]:
    """The attributes of a module, without hooks that stayed inert, of which a warning tells.

    Raises TypeError for what cannot be the attributes of a module.
    """
    if not isinstance(state, dict) or not all(type(name) is str for name in state):
        raise TypeError("the state of a module must be a dict of attributes")
    for registry, kind in (("_parameters", rushlight.Tensor), ("_buffers", rushlight.Tensor), ("_modules", object)):
        members = state.get(registry, {})
        if not isinstance(members, dict) or not all(type(name) is str for name in members):
            raise TypeError(f"{registry} must be a dict of names")
        if not all(value is None or isinstance(value, kind) for value in members.values()):
            raise TypeError(f"{registry} must hold tensors")
    for name, hooks in state.items():
        if name.endswith("_hooks") and isinstance(hooks, dict):
            inert = {key: hook for key, hook in hooks.items() if not callable(hook)}
            if inert:
                warnings.warn(
                    f"[load] hooks are code and stay out: {name} was {inert!r:.200}. Register them again.", stacklevel=2
                )
                state = {**state, name: type(hooks)((key, hook) for key, hook in hooks.items() if key not in inert)}
    return state


def reduce(module: Any, protocol: int) -> Any:
    """A module's reduction without the second mention of parameters, buffers and children among its attributes."""
    function, arguments, *rest = module.__reduce_ex__(protocol)
    state = rest[0] if rest else None
    if isinstance(state, dict) and "_parameters" in state:
        registries = {name: dict(state[name]) for name in ("_parameters", "_buffers", "_modules")}
        twice = {name for registry in registries.values() for name in registry}
        rest[0] = {name: value for name, value in state.items() if name not in twice} | registries
    return function, arguments, *rest
