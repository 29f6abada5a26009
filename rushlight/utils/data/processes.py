"""Worker processes: tensors come from them in shared memory, everything else through a socket.

What may go wrong is expected: a worker that dies or is stopped is noticed within two seconds, and neither processes nor
memory outlive the program, however it ends.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import itertools
import multiprocessing
import multiprocessing.util
import os
import pickle
import select
import signal
import socket
import threading
import time
import warnings
from typing import Any

import rushlight
from rushlight.multiprocessing.arena import Arena, Mirror
from rushlight.multiprocessing.channel import Channel
from rushlight.utils.data import collate
from rushlight.utils.data.fetch import Pass
from rushlight.utils.data.seeding import load_numpy
from rushlight.utils.data.worker import Crew, Task, Worker, describe

_CHECK = 0.5  # seconds between two looks at workers that do not answer
_GRACE = 5.0  # seconds that a worker has to finish its sample when the loader is done
_GONE = (BrokenPipeError, ConnectionResetError)  # found while sending; reported where an answer is waited for
_keys = itertools.count()


class ProcessPool:
    """Processes that load, and the sockets to them."""

    def __init__(self, crew: Crew, context: Any):
        load_numpy()  # once, before the workers are forked
        self._tasks: list = [collections.deque() for _ in range(crew.count)]  # sent, and not answered
        self._answers: collections.deque = collections.deque()
        # What each worker is at: the place of a sample in its batch.
        self._places = rushlight.zeros(crew.count, dtype=rushlight.int64).share_memory_()
        self._stopped: set = set()
        self._poll = select.poll()
        self._links: list[_Link] = []
        context = context or multiprocessing
        # Whatever happens from here on, workers that were started end. Before multiprocessing ends them at exit: it
        # would wait for ever for one that is stopped.
        self.close = multiprocessing.util.Finalize(self, _close, (self._links,), exitpriority=100)
        try:
            for number in range(crew.count):
                self._links.append(_Link(crew, number, context, self._places))
            self._by_file = {link.channel.fileno(): link for link in self._links}
            for file in self._by_file:
                self._poll.register(file, select.POLLIN)
        except BaseException:
            self.close()
            raise

    def begin(self, worker: int, reading: Pass) -> None:
        """Starts a pass in a worker."""
        self._send(worker, reading)

    def submit(self, worker: int, task: Task) -> None:
        """Gives a worker something to do."""
        self._tasks[worker].append(task)
        self._send(worker, task)

    def _send(self, worker: int, message: Any) -> None:
        link = self._links[worker]
        with contextlib.suppress(*_GONE):
            link.channel.send(pickle.dumps((link.mirror.returned(), message)))

    def _flush(self, link: _Link) -> bool:
        with contextlib.suppress(*_GONE):
            return link.channel.flush()
        return True

    def receive(self, timeout: float | None) -> tuple[int, Any] | None:
        """The number of a task and its answer; None when the time is up first.

        Raises RuntimeError if a worker has died or is stopped.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self._answers:
            wait = _CHECK if end is None else min(_CHECK, end - time.monotonic())
            if wait < 0:
                return None
            if False in {self._flush(link) for link in self._links}:
                wait = min(wait, 0.01)
            ready = self._poll.poll(wait * 1000)
            for file, _ in ready:
                self._read(self._by_file[file])
            if not ready:
                self._check()
        return self._answers.popleft()

    def _read(self, link: _Link) -> None:
        try:
            messages = link.channel.receive()
        except EOFError:
            link.process.join(_CHECK)
            self._fail(link.number, _ending(link.process))
        for message in messages:
            number, new, dropped, content = pickle.loads(message)
            for slab, size in new:
                link.mirror.add(slab, size, link.channel.descriptors.popleft())
            for slab in dropped:
                link.mirror.drop(slab)
            self._tasks[link.number].popleft()
            self._answers.append((number, pickle.loads(content)))

    def _check(self) -> None:
        stopped = {link.number for link in self._links if self._tasks[link.number] and link.is_stopped()}
        for link in self._links:
            if link.process.exitcode is not None:
                self._fail(link.number, _ending(link.process))
            if link.number in stopped & self._stopped:  # twice: all of a program may have been stopped, and go on
                self._fail(link.number, " is stopped (SIGSTOP). Let it go on with SIGCONT")
        self._stopped = stopped

    def describe(self, worker: int, how: str = "") -> str:
        """Who a worker is, how it fares, and what it does."""
        doing = describe(self._tasks[worker][0], int(self._places[worker])) if self._tasks[worker] else ""
        return f"worker {worker} (pid {self._links[worker].process.pid}){how}. {doing}"

    def _fail(self, worker: int, how: str) -> None:
        text = self.describe(worker, how)
        for link in self._links:
            link.process.kill()
        self.close()
        raise RuntimeError(f"[DataLoader] {text}") from None


class _Link:
    """A worker process, seen from the program."""

    def __init__(self, crew: Crew, number: int, context: Any, places: Any):
        self.number = number
        key = next(_keys)
        self.mirror = Mirror(key)
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours, blocking=False)
        dies_with_us = threading.current_thread() is threading.main_thread()
        self.process = context.Process(
            target=_main, args=(crew, number, theirs, key, places, dies_with_us), daemon=True, name=f"loader-{number}"
        )
        try:
            with warnings.catch_warnings():
                # Python 3.12 warns of any fork beside threads; what of ours could be held meanwhile is made safe.
                warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
                self.process.start()
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            self.channel.close()
            raise type(error)(
                f"[DataLoader] what worker processes need must be picklable: {error}. Define the data set, collate_fn "
                "and worker_init_fn at the top of a module, use multiprocessing_context='fork', or workers='thread'."
            ) from error
        finally:
            theirs.close()

    def is_stopped(self) -> bool:
        """Whether a signal has stopped the process; a debugger's stop is none."""
        try:
            with open(f"/proc/{self.process.pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] == b"T"
        except OSError:
            return False


def _ending(process: Any) -> str:
    code = process.exitcode
    if code is None:
        return " has closed its connection"
    if code >= 0:
        return f" exited with code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    cure = " The system does so when memory is used up: use fewer workers, or smaller batches" if code == -9 else ""
    return f" was killed by {name}{'.' if cure else ''}{cure}"


def _close(links: list) -> None:
    for link in links:
        link.channel.close()  # the worker sees the end of its tasks
        if link.is_stopped():
            link.process.kill()
    end = time.monotonic() + _GRACE
    for link in links:
        link.process.join(max(0.0, end - time.monotonic()))
        if link.process.is_alive():
            link.process.kill()
            link.process.join()


# --- in the worker


def _main(crew: Crew, number: int, end: socket.socket, key: int, places: Any, dies_with_us: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program is interrupted too, and ends its workers
    _die_with_parent(dies_with_us)
    rushlight.set_num_threads(1)
    load_numpy()
    cells = memoryview(places)

    def note(place: int) -> None:
        cells[number] = place

    arena, channel = Arena(key), Channel(end)
    collate.place_batches(arena.empty)
    worker = Worker(crew, number, note)
    with contextlib.suppress(EOFError, *_GONE):
        while True:
            for message in channel.receive():
                returned, order = pickle.loads(message)
                arena.give_back(returned)
                if isinstance(order, Pass):
                    worker.begin(order)
                else:
                    _answer(worker, order, arena, channel)


def _answer(worker: Worker, task: Task, arena: Arena, channel: Channel) -> None:
    answer = worker.answer(task)
    try:
        content = arena.pickle(answer)
    except Exception:
        content = arena.pickle(worker.failure())
    fresh, dropped = arena.news()
    new = [(slab.number, slab.size) for slab in fresh]
    descriptors = [slab.memory.untyped_storage().shared_descriptor() for slab in fresh]
    channel.send(pickle.dumps((task.number, new, dropped, bytes(content))), descriptors)
    for slab in fresh:
        slab.memory.untyped_storage().close_descriptor()


def _die_with_parent(by_kernel: bool) -> None:
    """A worker ends with the program, even in the middle of a sample, even if it is stopped."""
    if by_kernel:  # which counts the death of the thread that forked as its parent's
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent, program = os.getppid(), multiprocessing.parent_process()

    def watch() -> None:
        # A program that was killed before the lines above were reached is known by its end of a pipe alone.
        while os.getppid() == parent and program.is_alive():
            time.sleep(_CHECK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
