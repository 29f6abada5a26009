"""Modules made without first values."""

import inspect

from rushlight.nn import init
from rushlight.nn.modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """An instance of `module_cls` whose parameters have arbitrary values: for those that will be loaded.

    Nothing is drawn from the random generator by the functions of `torch.nn.init`.

    Args:
        module_cls: a module class that takes `device`; `args` and `kwargs` are its arguments.

    Raises:
        RuntimeError: if it is no module class, or takes no `device`.

    >>> torch.nn.utils.skip_init(torch.nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"[skip_init] Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("[skip_init] Module must support a 'device' arg to skip initialization")
    with init.skipped():
        return module_cls(*args, **kwargs)
