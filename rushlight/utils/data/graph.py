"""Which data pipes a data pipe reads."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe

__all__ = ["traverse", "traverse_dps"]


def traverse_dps(datapipe: Any) -> dict:
    """The graph that ends in a pipe: id of the pipe -> (the pipe, the graphs of those that it reads).

    Raises:
      RuntimeError: if it is no pipe.

    Example::

      >>> from rushlight.utils.data.datapipes.iter import IterableWrapper
      >>> source = IterableWrapper(range(3))
      >>> pipe = source.map(abs)
      >>> graph = torch.utils.data.graph.traverse_dps(pipe)
      >>> graph[id(pipe)][1] == {id(source): (source, {})}
      True
    """
    return _graph(datapipe, frozenset())


def traverse(datapipe: Any, only_datapipe: bool | None = None) -> dict:
    """The former name of :func:`traverse_dps`; warns."""
    warnings.warn("[traverse] is deprecated. Use traverse_dps.", FutureWarning, stacklevel=2)
    return traverse_dps(datapipe)


def _graph(pipe: Any, above: frozenset) -> dict:
    if not isinstance(pipe, (IterDataPipe, MapDataPipe)):
        raise RuntimeError(f"[traverse_dps] Expected `IterDataPipe` or `MapDataPipe`, but {type(pipe)} is found.")
    if id(pipe) in above:
        return {}
    below: dict = {}
    for value in vars(pipe).values():
        for source in _pipes(value):
            below.update(_graph(source, above | {id(pipe)}))
    return {id(pipe): (pipe, below)}


def _pipes(value: Any) -> Any:
    if isinstance(value, (IterDataPipe, MapDataPipe)):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _pipes(item)
