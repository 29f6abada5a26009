"""What a worker does, be it a process or a thread: it answers every task with a batch, an end, or a failure."""

from __future__ import annotations

import dataclasses
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

from rushlight.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe
from rushlight.utils.data.fetch import Batch, Fetcher, Pass, Recipe
from rushlight.utils.data.seeding import Streams
from rushlight.utils.data.worker_info import WorkerInfo, set_worker_info


class _Text(str):
    """A message that KeyError, which shows the repr of its argument, shows as it is."""

    __repr__ = str.__str__


@dataclasses.dataclass
class Failure:
    """An exception in a worker, as text, with its class where the program can load it."""

    text: str
    kind: type[BaseException] | None
    cause: BaseException | None = None

    @classmethod
    def now(cls, worker: int, doing: str, shares_memory: bool) -> Failure:
        """The exception that is being handled."""
        error = sys.exc_info()[1]
        assert error is not None
        text = (
            f"[DataLoader] worker {worker} failed {doing}. It raised {type(error).__name__}: {error}\n\n"
            f"Traceback in the worker:\n{traceback.format_exc()}"
        )
        if shares_memory:
            return cls(text, type(error), error)
        try:
            pickle.dumps(type(error))
        except Exception:
            return cls(text, None)
        return cls(text, type(error))

    def raise_again(self) -> None:
        """Raises the exception's own class with the text, or RuntimeError where the class takes no message."""
        error: BaseException
        try:
            # A StopIteration would end the loop over the loader unnoticed, a SystemExit the program.
            if self.kind is None or issubclass(self.kind, StopIteration) or not issubclass(self.kind, Exception):
                raise TypeError
            error = self.kind(_Text(self.text))
        except Exception:
            error = RuntimeError(self.text)
        raise error from self.cause


@dataclasses.dataclass
class Crew:
    """What all workers of a loader have in common."""

    recipe: Recipe
    count: int
    base_seed: int
    init_fn: Callable[[int], None] | None


@dataclasses.dataclass
class Task:
    """The batch with a number: its indices, and the place of its first sample in the pass."""

    number: int
    index: Any
    position: int


def describe(task: Task, place: int) -> str:
    """What a worker does, for messages: the sample at a place in its task."""
    if isinstance(task.index, list) and 0 <= place < len(task.index):
        return f"It was reading sample {task.index[place]!r} of batch {task.number}."
    if task.index is None or isinstance(task.index, list):
        return f"It was reading batch {task.number}."
    return f"It was reading sample {task.index!r}."


class End:
    """The answer of a worker whose stream has ended."""


def share_pipes(dataset: Any, count: int, number: int) -> None:
    """Tells data pipes which share of their items is this worker's."""
    if isinstance(dataset, (IterDataPipe, MapDataPipe)):
        from rushlight.utils.data.graph_settings import apply_sharding

        apply_sharding(dataset, count, number)


class Worker:
    """One of a crew, in the process or thread that calls it."""

    def __init__(self, crew: Crew, number: int, note: Callable[[int], None] | None = None, in_thread: bool = False):
        self._crew, self._number, self._note, self._in_thread = crew, number, note, in_thread
        self._streams = Streams()
        self._streams.seed_worker(crew.base_seed, number)
        method = "thread" if in_thread else "multiprocessing"
        seed = crew.base_seed + number
        set_worker_info(WorkerInfo(number, crew.count, seed, crew.recipe.dataset, worker_method=method))
        self._fetcher: Fetcher | None = None
        self._failure: Failure | None = None
        # sys.exit() in a process ends it, which is noticed; a thread that ended would be waited for for ever.
        self._caught = BaseException if in_thread else Exception
        self._attempt(lambda: share_pipes(crew.recipe.dataset, crew.count, number), "to share data pipes out")
        if crew.init_fn is not None and self._failure is None:
            self._attempt(lambda: crew.init_fn(number), "in worker_init_fn")

    def _attempt(self, action: Callable[[], Any], doing: str) -> Any:
        """What an action gives; its failure is the answer to all tasks that follow."""
        try:
            return action()
        except self._caught:
            self._failure = Failure.now(self._number, doing, self._in_thread)

    def begin(self, reading: Pass) -> None:
        """Starts a pass."""
        streams = self._streams if self._crew.recipe.keyed else None
        self._fetcher = self._attempt(
            lambda: Fetcher(self._crew.recipe, reading, self._number, streams, self._note), "to open the data set"
        )

    def answer(self, task: Task) -> Batch | Failure | type:
        """Does a task."""
        if self._failure is not None or self._fetcher is None:
            assert self._failure is not None
            return self._failure
        try:
            return self._fetcher.fetch(task.index, task.position)
        except StopIteration:
            if self._fetcher.is_stream:
                return End
            return self.failure()
        except self._caught:
            return self.failure()

    def failure(self) -> Failure:
        """The exception that is being handled, and the sample that was under way."""
        sample = self._fetcher and self._fetcher.current
        doing = "to put a batch together" if sample is None else f"on sample {sample!r}"
        return Failure.now(self._number, doing, self._in_thread)
