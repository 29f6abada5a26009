"""Passes over a data set: which batch is read by whom, which is handed out next, where an interrupted pass stands."""

from __future__ import annotations

import collections
import contextlib
import itertools
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rushlight.utils.data.datapipes.datapipe import IterDataPipe
from rushlight.utils.data.dataset import IterableDataset
from rushlight.utils.data.fetch import Batch, Fetcher, Pass
from rushlight.utils.data.sampler import _draw_seed
from rushlight.utils.data.seeding import Streams, load_numpy
from rushlight.utils.data.worker import Crew, End, Failure, Task, share_pipes

if TYPE_CHECKING:
    from rushlight.utils.data.dataloader import DataLoader


class Progress:
    """Where a pass stands. Batches drawn and not handed out are `pending`; `state` is that of an interrupted pass."""

    def __init__(self, loader: DataLoader, epoch: int, base_seed: int | None, state: dict | None):
        self.is_resumed = state is not None
        state = state or {}
        self._order = loader._resumable
        self._exhausted: bool = state.get("exhausted", False)
        self.pipes_seed: int | None = state.get("pipes_seed")
        if isinstance(loader.dataset, IterDataPipe) and not state:
            self.pipes_seed = _draw_seed(loader.generator)
        self._indices = iter(()) if self._exhausted else iter(self._order)
        # Drawn in every pass, even without workers, and after the sampler's iterator is made: as PyTorch does.
        self.base_seed = _draw_seed(loader.generator) if base_seed is None else base_seed
        self.epoch = epoch
        self.handed: int = state.get("handed", 0)
        self._position: int = state.get("position", 0)
        self._redrawn = collections.deque(state.get("pending", ()))
        self.turn: int = state.get("turn", 0)  # the worker that a stream's next batch comes from
        self.streams: list = list(state.get("streams") or [None] * max(1, loader.num_workers))
        self.pending: dict[int, Task] = {}
        self.done = False
        self._is_stream = isinstance(loader.dataset, IterableDataset)
        self._batched = loader._auto_collation

    def draw(self, number: int) -> Task | None:
        """The next batch to read, under a number of its own; None at the end."""
        if self._redrawn:
            position, index = self._redrawn.popleft()
        elif self._exhausted:
            return None
        else:
            try:
                index = next(self._indices)
            except StopIteration:
                self._exhausted = True
                return None
            if self._batched and not hasattr(index, "__len__"):
                index = list(index)
            position = self._position
            self._position += len(index) if self._batched else 1
        task = self.pending[number] = Task(number, index, position)
        return task

    def hand_out(self, number: int, worker: int, batch: Batch) -> None:
        """Notes that a batch was given to the program."""
        del self.pending[number]
        self.handed += 1
        if batch.stream is not None:
            self.streams[worker] = batch.stream
            self.turn = (worker + 1) % len(self.streams)

    def reading(self, worker: int) -> Pass:
        """What a worker is told at the beginning."""
        return Pass(self.base_seed, self.epoch, self.pipes_seed, self.streams[worker])

    def state_dict(self) -> dict:
        """Plain data: see DataLoader.state_dict."""
        is_stream = self._is_stream
        pending = [[t.position, t.index] for t in self.pending.values()] + list(self._redrawn)
        return {
            "under_way": not self.done,
            "epoch": self.epoch,
            "base_seed": self.base_seed,
            "pipes_seed": self.pipes_seed,
            "handed": self.handed,
            "position": self._position,
            "exhausted": self._exhausted,
            "pending": [] if is_stream else pending,
            "turn": self.turn,
            "streams": list(self.streams) if is_stream else None,
            "sampler": None if is_stream else self._order.state_dict(),
        }


_FAILED = Batch(None, True, [], None)  # what stands for a batch that raised: the pass goes on behind it


class LoaderIterator(Iterator):
    """One pass over the data; with persistent workers, one after the other."""

    def __init__(self, loader: DataLoader):
        self._loader = loader
        self._numbers = itertools.count()  # of the batches, over all passes
        self._base_seed: int | None = None
        if loader.pin_memory:
            warnings.warn("[DataLoader] pin_memory has no effect: no accelerator is in use.", stacklevel=3)
        self.start()

    def start(self) -> None:
        """Begins a pass."""
        self.progress = self._loader._begin_pass(self._base_seed)
        self._base_seed = self.progress.base_seed
        self._length: int | None = None
        self._steps = self.progress.handed
        self._loader.skipped.clear()

    def __iter__(self) -> LoaderIterator:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        while True:
            batch = None if self.progress.done else self._next_batch()
            if batch is None:
                self._end()
                raise StopIteration
            self._loader.skipped.extend(batch.skipped)
            if not batch.empty:
                break
        self._steps += 1
        self._warn_if_too_long()
        return batch.value

    def _next_batch(self) -> Batch | None:
        raise NotImplementedError

    def _end(self) -> None:
        if self.progress.done:
            return
        self.progress.done = True
        if skipped := self._loader.skipped:
            sample, cause = skipped[0]
            warnings.warn(
                f"[DataLoader] {len(skipped)} samples could not be read and were left out; the first was {sample!r}: "
                f"{cause}. All are in loader.skipped.",
                stacklevel=3,
            )

    def _warn_if_too_long(self) -> None:
        """An IterableDataset whose __len__ is below what it yields would spoil epoch counts unnoticed."""
        if not isinstance(self._loader.dataset, IterableDataset):
            return
        if self._length is None:
            try:
                # Every worker may end with a batch that is not full.
                self._length = len(self._loader) + max(0, self._loader.num_workers - 1)
            except (TypeError, NotImplementedError):
                self._length = -1
        if 0 <= self._length < self._steps:
            warnings.warn(
                f"[DataLoader] the data set said it has {self._length} batches, but batch {self._steps} was read. "
                "Correct its __len__; in workers, let each read its own share: see get_worker_info().",
                stacklevel=3,
            )

    def __getstate__(self) -> Any:
        raise NotImplementedError("[DataLoader] an iterator cannot be pickled. Pickle the DataLoader's state_dict().")


class InlineIterator(LoaderIterator):
    """A pass that is read in the program itself."""

    def start(self) -> None:
        super().start()
        recipe = self._loader._recipe()
        self._streams = None
        if recipe.keyed:
            load_numpy()
            self._streams = Streams()
        share_pipes(recipe.dataset, 1, 0)
        with self._kept():
            self._fetcher = Fetcher(recipe, self.progress.reading(0), 0, self._streams)

    def _kept(self) -> Any:
        """Keyed random numbers are not the program's: its streams go on as if nothing had been drawn."""
        return self._streams.kept() if self._streams else contextlib.nullcontext()

    def _next_batch(self) -> Batch | None:
        task = self.progress.draw(next(self._numbers))
        if task is None:
            return None
        batch = None
        try:
            with self._kept():
                batch = self._fetcher.fetch(task.index, task.position)
        except StopIteration:
            if not self._fetcher.is_stream:
                raise
        finally:
            self.progress.hand_out(task.number, 0, batch or _FAILED)
        return batch


class WorkerIterator(LoaderIterator):
    """A pass that is read by workers."""

    def __init__(self, loader: DataLoader):
        self._pool: Any = None
        self.broken = False
        super().__init__(loader)

    def start(self) -> None:
        super().start()
        loader = self._loader
        self._count, self._in_order = loader.num_workers, loader.in_order
        if self._pool is None:
            if isinstance(loader.dataset, IterDataPipe) and not self.progress.is_resumed:
                _draw_seed(loader.generator)  # PyTorch draws one that it does not use
            self._pool = loader._make_pool(Crew(loader._recipe(), self._count, self._base_seed, loader.worker_init_fn))
        self._workers: dict[int, int] = {}  # number of a batch that is not handed out -> its worker
        self._answers: dict[int, Any] = {}
        self._load = [0] * self._count  # batches that each has to make
        self._active = [True] * self._count
        self._turn = self.progress.turn
        for worker in range(self._count):
            self._pool.begin(worker, self.progress.reading(worker))
        for _ in range(self._count * loader.prefetch_factor):
            self._submit()

    def _submit(self) -> None:
        """Gives the next batch to the next worker; out of order, to one of those with the least to do."""
        turns = [(self._turn + k) % self._count for k in range(self._count)]
        able = [worker for worker in turns if self._active[worker]]
        task = self.progress.draw(next(self._numbers)) if able else None
        if task is None:
            return
        worker = able[0] if self._in_order else min(able, key=self._load.__getitem__)
        self._turn = (worker + 1) % self._count
        self._workers[task.number] = worker
        self._load[worker] += 1
        self._pool.submit(worker, task)

    def _next_batch(self) -> Batch | None:
        if self.broken:
            raise RuntimeError("[DataLoader] a worker has failed before. Begin a new pass: iter(loader).")
        while self._workers:
            number = next(iter(self._workers if self._in_order else self._answers), None)
            if number not in self._answers:
                self._receive()
                continue
            worker, answer = self._workers.pop(number), self._answers.pop(number)
            self._load[worker] -= 1
            if answer is End:
                self._active[worker] = False
                del self.progress.pending[number]
                self._submit()
                continue
            self._submit()
            if isinstance(answer, Failure):
                self.progress.hand_out(number, worker, _FAILED)
                answer.raise_again()
            self.progress.hand_out(number, worker, answer)
            return answer
        return None

    def _receive(self) -> None:
        timeout = self._loader.timeout or None
        try:
            received = self._pool.receive(timeout)
        except RuntimeError:
            self.broken = True
            raise
        if received is None:
            worker = next(iter(self._workers.values()))
            raise RuntimeError(
                f"[DataLoader] timed out after {timeout} seconds: {self._pool.describe(worker)} "
                "Give it more time with timeout, or find what it waits for."
            )
        number, answer = received
        if number in self._workers:  # else it belongs to a pass that was given up
            self._answers[number] = answer

    def _end(self) -> None:
        super()._end()
        if not self._loader.persistent_workers:
            self._pool.close()
