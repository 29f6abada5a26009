"""Workers that die, stop, fail or use up their memory, and programs that are killed: what is left behind is counted.

    python -m tests.utils.data.stress --count 100
    python -m tests.utils.data.stress --samples 1000000

Every fault must become an error within five seconds, and leave no process, no file descriptor and no shared memory.
With --samples, a pass over so many small samples is read instead, and the program's resident memory printed at each
tenth.
"""

import argparse
import collections
import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import subprocess
import sys
import time
import uuid

import rushlight
from rushlight.utils.data import DataLoader, Dataset, get_worker_info

DEADLINE = 5.0  # seconds from fault to error
SAMPLES = 60


def use_up_memory():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    blocks = []
    while True:
        blocks.append(rushlight.empty(1 << 24))


def segfault():
    faulthandler.disable()  # it would report what is no surprise
    ctypes.string_at(0)


def raise_error():
    raise ValueError("a broken sample")


# What happens in the worker -> what the program is told.
FAULTS = {
    "killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), (RuntimeError, "SIGKILL")),
    "exits": (lambda: os._exit(3), (RuntimeError, "exited with code 3")),
    "segfaults": (segfault, (RuntimeError, "SIGSEGV")),
    "stopped": (lambda: os.kill(os.getpid(), signal.SIGSTOP), (RuntimeError, "is stopped")),
    "raises": (raise_error, (ValueError, "a broken sample")),
    "memory": (use_up_memory, ((RuntimeError, MemoryError), "memory")),
}


class Faulty(Dataset):
    """Samples of 40 KB; reading one of them in a worker goes wrong."""

    def __init__(self, fault=None, at=None):
        self.fault, self.at = fault, at
        self.happened = rushlight.zeros(1, dtype=rushlight.float64).share_memory_()

    def __len__(self):
        return SAMPLES

    def __getitem__(self, index):
        if index == self.at and get_worker_info():
            self.happened[0] = time.monotonic()
            FAULTS[self.fault][0]()
        return rushlight.full((10_000,), float(index)), index


def descriptors():
    return {f"{fd}:{os.readlink(f'/proc/self/fd/{fd}')}" for fd in os.listdir("/proc/self/fd") if is_open(fd)}


def is_open(fd):
    return os.path.lexists(f"/proc/self/fd/{fd}")


def shared_memory():
    """Mappings of our shared memory in this process, and files in /dev/shm."""
    with open("/proc/self/maps") as file:
        mapped = [line for line in file if "memfd:rushlight" in line]
    return len(mapped), sorted(os.listdir("/dev/shm"))


def started_by(tag):
    """Processes that were started with a tag in their environment: whoever holds shared memory is one of them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if tag.encode() in file.read() and is_alive(pid):
                found.append(int(pid))
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def worker_pids(iterator):
    return [link.process.pid for link in iterator._pool._links]


def inject(fault, at, batch_size=4, **options):
    """Reads until the fault; returns what went wrong with its report, and the seconds that it took."""
    kind, text = FAULTS[fault][1]
    dataset = Faulty(fault, at)
    before = descriptors(), shared_memory()
    batches = iter(DataLoader(dataset, batch_size, num_workers=2, **options))
    pids = worker_pids(batches)
    wrong, seconds = [], 0.0
    try:
        collections.deque(batches, maxlen=0)
        wrong.append("no error")
    except kind as error:
        seconds = time.monotonic() - dataset.happened.item()
        if text not in str(error) or f"sample {at}" not in str(error) or "worker" not in str(error):
            wrong.append(f"the message: {error}")
        if seconds > DEADLINE:
            wrong.append(f"{seconds:.1f} s")
        error.__traceback__ = None
    batches = None
    wrong += [f"process {pid} is left" for pid in pids if is_alive(pid)]
    after = descriptors(), shared_memory()
    if after[0] - before[0] or after[1] != before[1]:
        wrong.append(f"left open: {after[0] - before[0]}, {before[1]} -> {after[1]}")
    return wrong, seconds


PROGRAM = """
import os, time
from tests.utils.data import stress
from rushlight.utils.data import DataLoader

class Slow(stress.Faulty):
    def __getitem__(self, index):
        if index == 8:
            {way}
        return super().__getitem__(index)

batches = iter(DataLoader(Slow(), 4, num_workers=2))
next(batches)
print(*stress.worker_pids(batches), flush=True)
time.sleep(0.2)
{end}
"""
ENDS = {
    "program killed": ("time.sleep(60)", "os.kill(os.getpid(), 9)"),
    "program killed, worker stopped": ("os.kill(os.getpid(), 19)", "os.kill(os.getpid(), 9)"),
    "program interrupted": ("time.sleep(1)", "os.kill(os.getpid(), 2); time.sleep(60)"),
    "program exits": ("time.sleep(1)", "raise SystemExit(0)"),
}


def end_program(how):
    """Ends a program whose workers are in the middle of a sample; returns what is left, and the seconds it took."""
    way, end = ENDS[how]
    tag = f"RUSHLIGHT_STRESS_{uuid.uuid4()}"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(way=way, end=end)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, tag: "1"},
    ) as program:  # fmt: skip
        pids = [int(pid) for pid in program.stdout.readline().split()]
        program.wait()
    start = time.monotonic()
    while (left := started_by(tag)) and time.monotonic() < start + DEADLINE:
        time.sleep(0.02)
    wrong = [] if len(pids) == 2 else ["the program did not begin"]
    return wrong + [f"process {pid} is left" for pid in left], time.monotonic() - start


def cases(count):
    """Faults in turn, at samples all over the pass; every eighth ends a program instead."""
    faults, ends = list(FAULTS), list(ENDS)
    for k in range(count):
        if k % 8 == 7:
            yield ends[k // 8 % len(ends)], lambda k=k: end_program(ends[k // 8 % len(ends)])
        else:
            fault, at = faults[k % len(faults)], k * 7 % SAMPLES
            yield fault, lambda fault=fault, at=at: inject(fault, at)


class Small(Dataset):
    """Samples of 64 bytes."""

    def __init__(self, count):
        self.count, self.rows = count, rushlight.randn(8, 16)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.rows[index % 8], index


def resident():
    """MiB of memory that this process has in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def watch_memory(samples):
    """The resident memory at each tenth of a pass."""
    batch_size, seen = 16, []
    batches = max(10, samples // batch_size)
    for number, _ in enumerate(DataLoader(Small(batches * batch_size), batch_size, num_workers=2), 1):
        if number % (batches // 10) == 0:
            seen.append(resident())
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--samples", type=int)
    options = parser.parse_args()
    if options.samples:
        print(f"{options.samples} samples, MiB:", *(f"{mib:.1f}" for mib in watch_memory(options.samples)))
        return 0
    times, failed = collections.defaultdict(list), 0
    inject("raises", 0)  # what is loaded once is no leak
    for name, run in cases(options.count):
        wrong, seconds = run()
        times[name].append(seconds)
        if wrong:
            failed += 1
            print(f"{name}: {'; '.join(wrong)}", flush=True)
    for name, seconds in times.items():
        print(f"{name}: {len(seconds)} times, at most {max(seconds):.2f} s")
    print(f"{options.count} faults, {failed} with something wrong")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
