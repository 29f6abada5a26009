"""Worker threads: they share the data set with the program, and nothing is pickled."""

from __future__ import annotations

import collections
import queue
import threading
from typing import Any

import rushlight
from rushlight.utils.data.fetch import Pass
from rushlight.utils.data.seeding import give_thread_its_own
from rushlight.utils.data.worker import Crew, Task, Worker, describe

_GRACE = 5.0  # seconds that a thread has to finish its sample


class ThreadPool:
    """Threads that load, and the queues to them."""

    def __init__(self, crew: Crew):
        self._tasks: list = [queue.SimpleQueue() for _ in range(crew.count)]
        self._answers: queue.SimpleQueue = queue.SimpleQueue()
        self._open: list = [collections.deque() for _ in range(crew.count)]  # tasks that are not answered
        self._places = [0] * crew.count  # what each worker is at: the place of a sample in its batch
        self._threads = [
            threading.Thread(target=_main, args=(crew, k, self._tasks[k], self._answers, self._places), daemon=True)
            for k in range(crew.count)
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, worker: int, reading: Pass) -> None:
        """Starts a pass in a worker."""
        self._tasks[worker].put(reading)

    def submit(self, worker: int, task: Task) -> None:
        """Gives a worker something to do."""
        self._open[worker].append(task)
        self._tasks[worker].put(task)

    def receive(self, timeout: float | None) -> tuple[int, Any] | None:
        """The number of a task and its answer; None when the time is up first."""
        try:
            worker, answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            return None
        return self._open[worker].popleft().number, answer

    def describe(self, worker: int) -> str:
        """Who a worker is, and what it does."""
        doing = describe(self._open[worker][0], self._places[worker]) if self._open[worker] else ""
        return f"worker {worker} (a thread). {doing}"

    def close(self) -> None:
        """Ends the threads. One that is busy ends after its sample."""
        for tasks in self._tasks:
            tasks.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_GRACE / len(self._threads))

    __del__ = close


def _main(crew: Crew, number: int, tasks: queue.SimpleQueue, answers: queue.SimpleQueue, places: list) -> None:
    rushlight._core.set_serial(True)
    give_thread_its_own()

    def note(place: int) -> None:
        places[number] = place

    worker = Worker(crew, number, note, in_thread=True)
    while (message := tasks.get()) is not None:
        if isinstance(message, Pass):
            worker.begin(message)
        else:
            answers.put((number, worker.answer(message)))
        del message
