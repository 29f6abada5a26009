"""`ThroughputBenchmark`: how many calls per second a module answers, called from several threads."""

import contextlib
import random
import threading
import time
from typing import NamedTuple

__all__ = ["ExecutionStats", "ThroughputBenchmark", "format_time"]


def format_time(time_us=None, time_ms=None, time_s=None):
    """A time, given in one of three units, in the unit that suits it."""
    given = [(time_us, 1.0), (time_ms, 1e3), (time_s, 1e6)]
    if sum(value is not None for value, _ in given) != 1:
        raise AssertionError("[format_time] one of time_us, time_ms and time_s must be given.")
    microseconds = next(value * scale for value, scale in given if value is not None)
    for unit, scale in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= scale:
            return f"{microseconds / scale:.3f}{unit}"
    return f"{microseconds:.3f}us"


class ExecutionStats(NamedTuple):
    """What ThroughputBenchmark.benchmark measured."""

    latency_avg_ms: float
    num_iters: int
    num_calling_threads: int

    @property
    def iters_per_second(self):
        """Calls per second, of all threads together."""
        return self.num_iters / self.total_time_seconds

    @property
    def total_time_seconds(self):
        """Seconds that all the calls took."""
        return self.num_iters * (self.latency_avg_ms / 1000) / self.num_calling_threads

    def __str__(self):
        return "\n".join(
            [
                "Average latency per example: " + format_time(time_ms=self.latency_avg_ms),
                f"Total number of iterations: {self.num_iters}",
                f"Total number of iterations per second (across all threads): {self.iters_per_second:.2f}",
                "Total time: " + format_time(time_s=self.total_time_seconds),
            ]
        )


class ThroughputBenchmark:
    """Calls a module from several threads, with inputs drawn from those that were added.

    The threads share Python's lock: they overlap only while operators compute.

    >>> bench = torch.utils.ThroughputBenchmark(torch.nn.Linear(4, 4))
    >>> bench.add_input(torch.ones(2, 4))
    >>> bench.benchmark(num_calling_threads=2, num_warmup_iters=1, num_iters=20).num_iters
    20
    """

    def __init__(self, module):
        self.module = module
        self.inputs = []

    def run_once(self, *args, **kwargs):
        """Calls the module once and returns its result."""
        return self.module(*args, **kwargs)

    def add_input(self, *args, **kwargs):
        """Adds the arguments of one call."""
        self.inputs.append((args, kwargs))

    def benchmark(self, num_calling_threads=1, num_warmup_iters=10, num_iters=100, profiler_output_path=""):
        """Calls the module `num_iters` times, shared among the threads, after a warm-up of each.

        Args:
            num_calling_threads (int): the threads.
            num_warmup_iters (int): calls of each thread that are not counted.
            num_iters (int): calls of all threads together.
            profiler_output_path (str): must be empty; a profile cannot be written.

        Raises:
            RuntimeError: no input was added.
            Exception: what the module raised in one of the threads.
        """
        if not self.inputs:
            raise RuntimeError("[ThroughputBenchmark] there must be an input. Call add_input first.")
        if profiler_output_path:
            raise NotImplementedError(
                "[ThroughputBenchmark] profiler_output_path must be empty: no profile is written."
            )
        shares = [len(range(k, num_iters, num_calling_threads)) for k in range(num_calling_threads)]
        ready = threading.Barrier(num_calling_threads + 1)
        errors = []

        def work(count):
            draw = random.Random(count)
            try:
                for _ in range(num_warmup_iters):
                    self._call(draw)
                ready.wait()
                for _ in range(count):
                    self._call(draw)
            except threading.BrokenBarrierError:  # another thread has failed
                pass
            except Exception as error:
                errors.append(error)
                ready.abort()

        threads = [threading.Thread(target=work, args=(share,), daemon=True) for share in shares]
        for thread in threads:
            thread.start()
        with contextlib.suppress(threading.BrokenBarrierError):
            ready.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
        if errors:
            raise errors[0]
        return ExecutionStats(seconds * 1000 * num_calling_threads / num_iters, num_iters, num_calling_threads)

    def _call(self, draw):
        args, kwargs = draw.choice(self.inputs)
        self.module(*args, **kwargs)
