"""Reading one data set from several processes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import rushlight
from rushlight.utils.data.sampler import ResumableSampler


class DistributedSampler(ResumableSampler[int]):
    """The share of one process: every ``num_replicas``-th index, starting at ``rank``.

    Args:
      dataset: anything with a length.
      num_replicas: number of processes. Must be given.
      rank: number of this process, from 0. Must be given.
      shuffle: True draws a new order for every epoch; call :meth:`set_epoch` before each.
      seed: must be the same in all processes.
      drop_last: True drops the samples that do not divide evenly; False repeats the first ones instead.

    Raises:
      ValueError: if ``rank`` is not in 0..num_replicas - 1.
      RuntimeError: if ``num_replicas`` or ``rank`` is left out.

    Example::

      >>> list(torch.utils.data.DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
      [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ):
        if num_replicas is None or rank is None:
            raise RuntimeError("[DistributedSampler] no process group is known here. Give num_replicas and rank.")
        if not 0 <= rank < num_replicas:
            raise ValueError(f"[DistributedSampler] rank must be in 0..{num_replicas - 1}. Received {rank}.")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def _draw(self) -> Iterator[int]:
        count = len(self.dataset)
        order = list(range(count))
        if self.shuffle:
            generator = rushlight.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = rushlight.randperm(count, generator=generator).tolist()
        if not self.drop_last and order:
            order *= math.ceil(self.total_size / count)
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def _save(self) -> Any:
        return self.epoch

    @contextlib.contextmanager
    def _as_saved(self, start: Any) -> Iterator[None]:
        now, self.epoch = self.epoch, start
        yield
        self.epoch = now

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which together with the seed decides the order."""
        self.epoch = epoch
