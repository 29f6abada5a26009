"""Workers that die, stop or fail: the error comes within seconds, and nothing is left behind. More: `stress.py`."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

import rushlight
from rushlight.utils import data
from tests.utils.data import stress

pytestmark = pytest.mark.multiprocess


@pytest.mark.parametrize("fault", stress.FAULTS)
def test_a_fault_becomes_an_error(fault):
    stress.inject("raises", 0)  # what is loaded once is no leak
    assert stress.inject(fault, 21)[0] == []


@pytest.mark.parametrize("how", ["program killed, worker stopped", "program interrupted"])
def test_no_worker_outlives_the_program(how):
    assert stress.end_program(how)[0] == []


JUST_FORKED = """
import os, signal, time
from rushlight.utils.data import DataLoader, processes

die_with_parent, program = processes._die_with_parent, os.getpid()

def late(by_kernel):
    print(os.getpid(), flush=True)
    os.kill(program, signal.SIGKILL)
    time.sleep(0.5)
    die_with_parent(by_kernel)

processes._die_with_parent = late
list(DataLoader(range(8), num_workers=1, multiprocessing_context="fork"))
"""


def test_a_worker_that_was_just_forked_does_not_outlive_the_program():
    program = subprocess.Popen([sys.executable, "-c", JUST_FORKED], stdout=subprocess.PIPE, text=True)
    worker = int(program.stdout.readline())
    try:
        program.communicate(timeout=30)  # until the worker, too, has closed the pipe
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    assert program.returncode == -signal.SIGKILL


def test_an_idle_worker_that_dies_is_noticed():
    loader = data.DataLoader(range(8), num_workers=2, persistent_workers=True)
    batches = iter(loader)
    list(batches)
    os.kill(stress.worker_pids(batches)[1], signal.SIGKILL)
    with pytest.raises(RuntimeError, match=r"worker 1 \(pid \d+\) was killed by SIGKILL"):
        list(loader)
    assert len(list(loader)) == 8  # with new workers


class Own(Exception):
    """An exception whose class takes more than a message."""

    def __init__(self, a, b):
        super().__init__(a, b)


@pytest.mark.parametrize("workers", ["process", "thread"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("lost"), KeyError),
        (Own(1, 2), RuntimeError),
        (StopIteration(), RuntimeError),
        (OSError(2, "x"), OSError),
    ],
    ids=repr,
)
def test_exceptions_keep_their_class_and_say_where(error, kind, workers):
    class Failing(data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            if index == 3:
                raise error
            return index

    batches = iter(data.DataLoader(Failing(), 2, num_workers=2, workers=workers))
    next(batches)
    with pytest.raises(kind) as raised:
        next(batches)
    text = str(raised.value)
    for part in ("worker 1 failed on sample 3", type(error).__name__, "raise error"):
        assert part in text
    assert next(batches).tolist() == [4, 5]  # as in PyTorch, the rest can be read


@pytest.mark.parametrize(("workers", "text"), [("process", "exited with code 4"), ("thread", "SystemExit: 4")])
def test_a_worker_that_exits_ends_neither_the_program_nor_the_wait(workers, text):
    class Exiting(data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            sys.exit(4)

    with pytest.raises(RuntimeError, match=f"worker 0.*{text}"):
        list(data.DataLoader(Exiting(), num_workers=1, workers=workers))


def fail(*_):
    raise LookupError("no luck")


@pytest.mark.parametrize("workers", ["process", "thread"])
def test_failures_outside_of_samples(workers):
    options = {"num_workers": 2, "workers": workers}
    with pytest.raises(LookupError, match="failed in worker_init_fn"):
        list(data.DataLoader(range(4), worker_init_fn=fail, **options))
    with pytest.raises(LookupError, match="failed to put a batch together"):
        list(data.DataLoader(range(4), collate_fn=fail, **options))
    if workers == "process":
        with pytest.raises(Exception, match="failed to put a batch together"):
            list(data.DataLoader(range(4), collate_fn=lambda batch: lambda: batch, **options))
        with pytest.raises(RuntimeError, match=r"failed to put a batch together.*history"):
            list(data.DataLoader(range(4), collate_fn=lambda b: rushlight.ones(1, requires_grad=True) * 2, **options))


def test_what_cannot_be_pickled_is_named():
    with pytest.raises(Exception, match="workers='thread'"):
        list(data.DataLoader(range(4), collate_fn=lambda batch: batch, num_workers=1, multiprocessing_context="spawn"))


@pytest.mark.parametrize("workers", ["process", "thread"])
def test_timeout(workers):
    class Slow(data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            time.sleep(0.5)

    with pytest.raises(RuntimeError, match=r"timed out after 0.1 seconds: worker 0 .* sample 0"):
        list(data.DataLoader(Slow(), num_workers=1, workers=workers, timeout=0.1))


class Holes(data.Dataset):
    """Every third sample cannot be read."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        if index % 3 == 0:
            raise ValueError(f"hole {index}")
        return index


@pytest.mark.parametrize(
    "options",
    [{}, {"num_workers": 2}, {"num_workers": 2, "workers": "thread"}, {"persistent_workers": True, "num_workers": 1}],
)
@pytest.mark.parametrize("batch_size", [None, 1, 4])
def test_samples_that_fail_can_be_skipped(options, batch_size):
    loader = data.DataLoader(Holes(), batch_size, on_error="skip", **options)
    for _ in range(2):
        with pytest.warns(UserWarning, match="4 samples could not be read.*the first was 0: ValueError: hole 0"):
            batches = list(loader)
        assert [int(i) for batch in batches for i in (batch if batch_size else [batch])] == [1, 2, 4, 5, 7, 8]
        assert sorted(loader.skipped) == [(i, f"ValueError: hole {i}") for i in (0, 3, 6, 9)]


def test_streams_that_fail_can_be_skipped():
    class Stream(data.IterableDataset):
        def __init__(self, broken):
            self.broken = broken

        def __iter__(self):
            self.count = 0
            return self

        def __next__(self):
            self.count += 1
            if self.count > 9:
                raise StopIteration
            if self.count in self.broken:
                raise ValueError("torn")
            return self.count

    loader = data.DataLoader(Stream({2, 7}), 3, on_error="skip")
    with pytest.warns(UserWarning, match="2 samples"):
        assert [batch.tolist() for batch in loader] == [[1, 3], [4, 5, 6], [8, 9]]
    assert [sample for sample, _ in loader.skipped] == [1, 6]
    with pytest.raises(ValueError, match="torn"):
        list(data.DataLoader(Stream(range(9)), 3, on_error="skip"))


FORKS = """
import threading
import rushlight as torch
from rushlight.utils.data import DataLoader

large = torch.randn(400, 400)
stop = threading.Event()

def compute():
    while not stop.is_set():
        large @ large, torch.rand(100_000), torch.empty(3_000_000)

class Computing:
    def __len__(self):
        return 4
    def __getitem__(self, index):
        return (large @ large).sum() + torch.rand(100_000).sum() * 0 + torch.zeros(2_000_000).sum()

torch.set_num_threads(2)
expected = (large @ large).sum()
thread = threading.Thread(target=compute)
thread.start()
for _ in range(8):
    for value in DataLoader(Computing(), num_workers=2, timeout=60):
        assert torch.allclose(value, expected)
stop.set()
thread.join()
"""


def test_workers_are_forked_while_other_threads_compute():
    subprocess.run([sys.executable, "-W", "error", "-c", FORKS], check=True, timeout=120)
