"""Arguments of calls by the names of their parameters."""

import inspect
from typing import NamedTuple

__all__ = ["ArgsKwargsPair", "normalize_function", "normalize_module"]


class ArgsKwargsPair(NamedTuple):
    """Positional and keyword arguments."""

    args: tuple
    kwargs: dict


def normalize_function(target, args, kwargs=None, arg_types=None, kwarg_types=None, normalize_to_only_use_kwargs=False):
    """The arguments of a call of `target` with their defaults: by position, or by name where that is asked for; None
    if its signature is not known or does not fit.

    >>> torch.fx.operator_schemas.normalize_function(torch.nn.functional.relu, (1,), {}, None, None, True).kwargs
    {'input': 1, 'inplace': False}
    """
    try:
        signature = inspect.signature(target)
        bound = signature.bind(*args, **(kwargs or {}))
    except (TypeError, ValueError):
        return None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in signature.parameters.values()):
        return None
    bound.apply_defaults()
    if normalize_to_only_use_kwargs:
        return ArgsKwargsPair((), dict(bound.arguments))
    return ArgsKwargsPair(bound.args, bound.kwargs)


def normalize_module(root, target, args, kwargs=None, normalize_to_only_use_kwargs=False):
    """normalize_function(), of the forward of the submodule `target` of `root`."""
    forward = root.get_submodule(target).forward
    return normalize_function(forward, args, kwargs, None, None, normalize_to_only_use_kwargs)
