"""Data pipes: data sets that are chained, each made by a method of the one before. PyTorch keeps them for old programs.

>>> from rushlight.utils.data.datapipes.iter import IterableWrapper
>>> pipe = IterableWrapper(range(8)).filter(lambda x: x % 2 == 0).map(lambda x: x * 10).batch(3)
>>> list(pipe)
[[0, 20, 40], [60]]
"""

import importlib

__all__ = ["iter", "map"]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
