"""Python's multiprocessing, which sends tensors as shared memory. `spawn` runs a function in several processes.

>>> torch.multiprocessing.get_sharing_strategy()
'file_system'
"""

import multiprocessing
from multiprocessing import *  # noqa: F403

from rushlight.multiprocessing import sharing  # noqa: F401  teaches multiprocessing to send tensors
from rushlight.multiprocessing.spawn import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    *multiprocessing.__all__, "ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException",
    "SpawnContext", "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn",
    "start_processes",
]  # fmt: skip


def get_all_sharing_strategies():
    """The names that set_sharing_strategy accepts."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy():
    """What set_sharing_strategy was given."""
    return _strategy[0]


def set_sharing_strategy(new_strategy):
    """Kept: memory is shared in one way with every strategy. Raises AssertionError for an unknown one."""
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"[set_sharing_strategy] unknown strategy {new_strategy!r}. Use 'file_system'.")
    _strategy[0] = new_strategy


_strategy = ["file_system"]
