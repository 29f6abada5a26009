"""Settings of all data pipes that a data pipe reads."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from rushlight.utils.data.datapipes.iter import SHARDING_PRIORITIES
from rushlight.utils.data.graph import traverse_dps
from rushlight.utils.data.sampler import _draw_seed

__all__ = [
    "apply_random_seed", "apply_sharding", "apply_shuffle_seed", "apply_shuffle_settings", "get_all_graph_pipes",
]  # fmt: skip


def get_all_graph_pipes(graph: dict) -> list:
    """The pipes of a graph, each once, from the end to the sources."""
    found: dict = {}
    for number, (pipe, below) in graph.items():
        found.setdefault(number, pipe)
        for other in get_all_graph_pipes(below):
            found.setdefault(id(other), other)
    return list(found.values())


def _having(datapipe: Any, *methods: str) -> list:
    pipes = get_all_graph_pipes(traverse_dps(datapipe))
    return [pipe for pipe in pipes if all(inspect.ismethod(getattr(pipe, name, None)) for name in methods)]


def apply_sharding(
    datapipe: Any,
    num_of_instances: int,
    instance_id: int,
    sharding_group: SHARDING_PRIORITIES = SHARDING_PRIORITIES.DEFAULT,
) -> Any:
    """Tells every pipe with ``apply_sharding`` its share.

    Raises:
      RuntimeError: if one of them reads another: the shares would be shared out again.
    """

    def visit(graph: dict, above: Any) -> None:
        for pipe, below in graph.values():
            shares = inspect.ismethod(getattr(pipe, "apply_sharding", None))
            if shares and above is not None:
                raise RuntimeError(
                    f"[apply_sharding] Sharding twice on a single pipeline loses data: {pipe!r} is read by {above!r}. "
                    "Leave one of them out."
                )
            if shares:
                takes_group = len(inspect.signature(pipe.apply_sharding).parameters) > 2
                group = {"sharding_group": sharding_group} if takes_group else {}
                pipe.apply_sharding(num_of_instances, instance_id, **group)
            visit(below, pipe if shares else above)

    visit(traverse_dps(datapipe), None)
    return datapipe


def apply_shuffle_settings(datapipe: Any, shuffle: bool | None = None) -> Any:
    """Turns every shuffling pipe on or off; adds one, with a warning, where there is none to turn on."""
    if shuffle is None:
        return datapipe
    shufflers = _having(datapipe, "set_shuffle", "set_seed")
    if not shufflers and shuffle:
        warnings.warn(
            "[DataLoader] shuffle=True, and no pipe shuffles: one is added at the end, with a buffer of 10000 items. "
            "Call shuffle() where it should be.",
            stacklevel=2,
        )
        datapipe = datapipe.shuffle()
        shufflers = [datapipe]
    for pipe in shufflers:
        pipe.set_shuffle(shuffle)
    return datapipe


def apply_random_seed(datapipe: Any, rng: Any) -> Any:
    """Gives every pipe with ``set_seed`` a seed drawn from a generator."""
    for pipe in _having(datapipe, "set_seed"):
        pipe.set_seed(_draw_seed(rng))
    return datapipe


def apply_shuffle_seed(datapipe: Any, rng: Any) -> Any:
    """The former name of :func:`apply_random_seed`; warns."""
    warnings.warn("[apply_shuffle_seed] is deprecated. Use apply_random_seed.", FutureWarning, stacklevel=2)
    return apply_random_seed(datapipe, rng)
