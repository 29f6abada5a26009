"""`Timer`: how long a statement takes."""

import enum
import statistics
import textwrap
import timeit

import rushlight
from rushlight.utils.benchmark.utils.common import Measurement, TaskSpec, set_torch_threads
from rushlight.utils.benchmark.utils.valgrind_wrapper.timer_interface import CopyIfCallgrind, collect_callgrind

__all__ = ["Language", "Timer", "timer"]


def timer():
    """The time in seconds; where there is an accelerator, once it has finished its work."""
    if rushlight.accelerator.is_available():
        rushlight.accelerator.synchronize()
    return timeit.default_timer()


class Language(enum.Enum):
    """The language of a statement. Only Python can be timed."""

    PYTHON = 0
    CPP = 1


class Timer:
    """Times a statement: warmed up, on a fixed number of threads, often enough to tell how far to trust it.

    Args:
        stmt (str): what is timed; it may have several lines. `torch` is known in it.
        setup (str): run once before.
        global_setup (str): for C++ only.
        timer (callable): gives the time in seconds.
        globals (dict): names that `stmt` and `setup` know.
        label, sub_label, description, env (str): what Compare sorts by: the table, the row, the column, and the
            environment, whose measurements are never merged with another's.
        num_threads (int): threads that operators use meanwhile.
        language (Language or str): Python.

    Raises:
        ValueError: `stmt` is no text, or the language is unknown.
        NotImplementedError: the language is C++.

    >>> from rushlight.utils.benchmark import Timer
    >>> m = Timer("x @ x", globals={"x": torch.ones(4, 4)}, label="product").blocked_autorange(min_run_time=0.01)
    >>> m.label, m.median < 1
    ('product', True)
    """

    def __init__(
        self,
        stmt="pass",
        setup="pass",
        global_setup="",
        timer=timer,
        globals=None,
        label=None,
        sub_label=None,
        description=None,
        env=None,
        num_threads=1,
        language=Language.PYTHON,
    ):
        if not isinstance(stmt, str):
            raise ValueError(
                f"[Timer] stmt must be a str. Received {type(stmt).__name__}. Pass objects by globals={{...}}."
            )
        if language in (Language.CPP, "cpp", "c++"):
            raise NotImplementedError(
                "[Timer] language must be Python: no C++ compiler is part of the library. Received C++. Time the C++ "
                "function from Python, or use a benchmark library of that language."
            )
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"[Timer] language must be 'python'. Received {language!r}.")
        if global_setup:
            raise ValueError("[Timer] global_setup is for C++ only. Received one for Python. Move it to setup.")
        stmt, setup = _dedented(stmt), _dedented(setup)
        self._globals = {"torch": rushlight, **(globals or {})}
        self._timer = timeit.Timer(stmt, setup, timer, CopyIfCallgrind.unwrap_all(self._globals))
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)

    def _timeit(self, number):
        return max(self._timer.timeit(number), 1e-9)  # a coarse clock may see no time pass

    def _measurement(self, number, times):
        return Measurement(number, times, self._task_spec)

    def timeit(self, number=1000000):
        """Runs the statement `number` times, after a hundredth as many to warm up, and measures once."""
        with set_torch_threads(self._task_spec.num_threads):
            self._timeit(max(int(number // 100), 2))
            return self._measurement(number, [self._timeit(number)])

    def repeat(self, repeat=-1, number=-1):
        """Raises NotImplementedError: `blocked_autorange` repeats by itself."""
        raise NotImplementedError("[Timer.repeat] is left out. Use blocked_autorange, which repeats by itself.")

    def autorange(self, callback=None):
        """Raises NotImplementedError: `blocked_autorange` finds its number of runs by itself."""
        raise NotImplementedError("[Timer.autorange] is left out. Use blocked_autorange.")

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """Measures for at least `min_run_time` seconds, in blocks large enough to hide the clock's own time.

        Args:
            callback: called as `callback(runs per block, seconds)` after each block.
        """
        return self._measure(min_run_time, min_run_time, lambda times: True, None, callback)

    def adaptive_autorange(self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None):
        """Measures until the spread between the quartiles is below `threshold` times the median, or time is up.

        Args:
            threshold (float): of the spread, relative to the median.
            min_run_time, max_run_time (float): seconds.
            callback: as for `blocked_autorange`.
        """

        def settled(times):
            return len(times) > 3 and self._measurement(1, times).meets_confidence(threshold)

        return self._measure(0.05, min_run_time, settled, max_run_time, callback)

    def _measure(self, block_time, min_run_time, settled, max_run_time, callback):
        times = []
        with set_torch_threads(self._task_spec.num_threads):
            number = self._block_size(block_time)
            while True:
                times.append(self._timeit(number))
                if callback is not None:
                    callback(number, times[-1])
                total = sum(times)
                if (total >= min_run_time and settled(times)) or (max_run_time and total > max_run_time):
                    return self._measurement(number, times)

    def _block_size(self, min_run_time):
        """The power of ten from which the clock takes less than a ten thousandth of the time."""
        overhead = statistics.median(self._timeit(0) for _ in range(5))
        number = 1
        while number * 10 < 2**31:
            taken = self._timeit(number)
            if taken > min_run_time or (overhead / taken <= 1e-4 and taken >= min_run_time / 1000):
                break
            number *= 10
        return number

    def collect_callgrind(self, number=100, *, repeats=None, collect_baseline=True, retain_out_file=False):
        """Counts instructions instead of seconds: the same number each time, whatever else the machine does.

        The statement runs in a process of its own, under Valgrind, whose programs `valgrind` and `callgrind_annotate`
        must be installed. Globals reach it as copies; they must be wrapped in `CopyIfCallgrind`.

        Args:
            number (int): executions.
            repeats (int): how many counts. Default: one, which is returned by itself.
            collect_baseline (bool): also count an empty statement.
            retain_out_file (bool): keep Callgrind's own file, as text, in the result.

        Returns:
            CallgrindStats, or with `repeats` a tuple of them.

        Raises:
            OSError: Valgrind is missing or the statement fails under it.
            ValueError: `repeats` is below one, or a global is not wrapped.
        """
        if repeats is not None and repeats < 1:
            raise ValueError(f"[collect_callgrind] repeats must be at least 1. Received {repeats}.")
        self._timeit(1)  # what is wrong with the statement is best said in this process
        stats = collect_callgrind(
            self._task_spec, self._globals, number, repeats or 1, collect_baseline, retain_out_file
        )
        return stats[0] if repeats is None else stats


def _dedented(source):
    source = textwrap.dedent(source)
    return source.removeprefix("\n").rstrip()
