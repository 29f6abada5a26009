"""What a data set may ask about the worker that it is read in."""

import dataclasses
import threading
from typing import Any


@dataclasses.dataclass(frozen=True)
class WorkerInfo:
    """The worker that asks: ``id`` from 0, ``num_workers``, its ``seed``, and its copy of the ``dataset``.

    ``worker_method`` is "multiprocessing" or "thread". ``rng`` is None: random numbers come from where they always do.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: None = None
    worker_method: str = "multiprocessing"


_of_thread = threading.local()  # a worker process loads in its main thread


def get_worker_info() -> WorkerInfo | None:
    """Describes the worker (process or thread) that calls it; None in the program itself.

    An :class:`IterableDataset` asks this to read its share, and no other worker's.

    Example::

      >>> torch.utils.data.get_worker_info() is None
      True
      >>> class Shard(torch.utils.data.IterableDataset):
      ...   def __iter__(self):
      ...     info = torch.utils.data.get_worker_info()
      ...     return iter(range(info.id, 6, info.num_workers))
      >>> loader = torch.utils.data.DataLoader(Shard(), batch_size=None, num_workers=2, workers="thread")
      >>> list(loader)
      [0, 1, 2, 3, 4, 5]
    """
    return getattr(_of_thread, "info", None)


def set_worker_info(info: WorkerInfo | None) -> None:
    """Says what get_worker_info() answers in this thread."""
    _of_thread.info = info
