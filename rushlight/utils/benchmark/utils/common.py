"""`Measurement`, the times of one statement, and `TaskSpec`, what was timed."""

import contextlib
import dataclasses
import functools
import math
import statistics
import textwrap

import numpy as np

import rushlight

__all__ = [
    "Measurement",
    "TaskSpec",
    "ordered_unique",
    "select_unit",
    "set_torch_threads",
    "trim_sigfig",
    "unit_to_english",
]

# Spread between the quartiles, relative to the median, from which a measurement carries a warning.
_IQR_WARN_THRESHOLD = 0.1
_IQR_GROSS_WARN_THRESHOLD = 0.25


@dataclasses.dataclass(repr=False, frozen=True)
class TaskSpec:
    """What a Timer runs, and its labels. Equal ones are measurements of the same thing."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self):
        """The label, or else the statement, with the sub-label."""
        if self.label is None and "\n" in self.stmt:
            sub_label = f" ({self.sub_label})" if self.sub_label else ""
            return f"stmt:{sub_label}\n{textwrap.indent(self.stmt, '  ')}"
        title = self.stmt if self.label is None else self.label
        return f"{title}: {self.sub_label}" if self.sub_label else title

    def setup_str(self):
        """The setup as it is shown; nothing for one that does nothing."""
        if self.setup in ("", "pass"):
            return ""
        return "setup:\n" + textwrap.indent(self.setup, "  ") if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self):
        """Title, description and setup, for the beginning of a text about results."""
        sections = self.title, self.description, self.setup_str()
        return "\n".join(f"{section}\n" if "\n" in section else section for section in sections if section)


_LABELS = tuple(field.name for field in dataclasses.fields(TaskSpec))


@dataclasses.dataclass(repr=False)
class Measurement:
    """The times that a Timer measured. What the TaskSpec says (label, num_threads, ...) can be asked here too.

    Args:
        number_per_run (int): executions of the statement per time.
        raw_times (list of float): seconds for `number_per_run` executions each.
        task_spec (TaskSpec): what was timed.
        metadata (dict): anything of the user's.

    >>> from rushlight.utils.benchmark import Measurement, TaskSpec
    >>> m = Measurement(10, [2e-5, 3e-5, 4e-5, 9e-5], TaskSpec("f(x)", "pass"))
    >>> m
    <rushlight.utils.benchmark.utils.common.Measurement object at ...>
    f(x)
      Median: 3.50 us
      IQR:    2.50 us (2.75 to 5.25)
      4 measurements, 10 runs per measurement, 1 thread
      WARNING: Interquartile range is 71.4% of the median measurement.
               This suggests significant environmental influence.
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict | None = None

    def __getattr__(self, name):
        if name in _LABELS:
            return getattr(self.task_spec, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def times(self):
        """Seconds per execution, a list."""
        return [t / self.number_per_run for t in self.raw_times]

    @functools.cached_property
    def _quartiles(self):
        return np.quantile(self.times, [0.25, 0.5, 0.75]).tolist()

    @functools.cached_property
    def mean(self):
        """Seconds per execution, on average."""
        return statistics.fmean(self.times)

    @property
    def median(self):
        """Seconds per execution, the median."""
        return self._quartiles[1]

    @property
    def iqr(self):
        """Seconds between the quartiles."""
        return self._quartiles[2] - self._quartiles[0]

    @functools.cached_property
    def significant_figures(self):
        """About how many digits of the median mean something, from 1 to 4.

        The half width of a 90 % confidence interval (1.645 standard errors, of the times between the quartiles) is set
        against the median; it is taken as at least 25 ns.
        """
        count = len(self.times)
        inner = sorted(self.times)[count // 4 : math.ceil(3 * count / 4)]
        error = max(1.645 * statistics.pstdev(inner) / math.sqrt(len(inner)), 25e-9)
        return min(max(math.floor(math.log10(self.median / error)), 1), 4)

    def meets_confidence(self, threshold=_IQR_WARN_THRESHOLD):
        """Whether the spread between the quartiles is less than this share of the median."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self):
        """Whether the times spread so far that they should not be trusted."""
        return bool(self.raw_times) and not self.meets_confidence()

    @property
    def title(self):
        return self.task_spec.title

    @property
    def as_row_name(self):
        """What the row of a table is called."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self):
        unit, scale = select_unit(self.median)
        low, median, high = (f"{t / scale:.2f}" for t in self._quartiles)
        count = len(self.raw_times)
        lines = [
            object.__repr__(self),
            self.task_spec.summarize(),
            f"  {'Median: ' if count > 1 else ''}{median} {unit}",
        ]
        if count >= 4:
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low} to {high})")
        lines.append(
            f"  {count} measurement{'s' * (count > 1)}, {self.number_per_run} runs "
            f"{'per measurement,' if count > 1 else ','} {self.num_threads} thread{'s' * (self.num_threads > 1)}"
        )
        if self.has_warnings:
            gross = not self.meets_confidence(_IQR_GROSS_WARN_THRESHOLD)
            lines += [
                f"  WARNING: Interquartile range is {self.iqr / self.median:.1%} of the median measurement.",
                f"           {_GROSS_SPREAD if gross else _SPREAD}",
            ]
        return "\n".join(lines)

    @staticmethod
    def merge(measurements):
        """One Measurement, of single executions and without metadata, for all that have equal TaskSpecs."""
        groups = {}
        for measurement in measurements:
            groups.setdefault(measurement.task_spec, []).extend(measurement.times)
        return [Measurement(1, times, task_spec) for task_spec, times in groups.items()]


_SPREAD = "This could indicate system fluctuation."
_GROSS_SPREAD = "This suggests significant environmental influence."


def select_unit(t):
    """The unit in which to show a time in seconds, and that unit in seconds.

    >>> from rushlight.utils.benchmark import select_unit
    >>> select_unit(2.5e-5)
    ('us', 1e-06)
    """
    for unit, seconds in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if t >= seconds:
            return unit, seconds
    return "ns", 1e-9


def unit_to_english(u):
    """The unit in words."""
    return {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}[u]


def trim_sigfig(x, n):
    """x rounded to n significant figures.

    >>> from rushlight.utils.benchmark import trim_sigfig
    >>> trim_sigfig(3.14159, 2)
    3.1
    """
    if n != int(n):
        raise AssertionError(f"[trim_sigfig] n must be a whole number. Received {n}.")
    return round(x, n - math.ceil(math.log10(abs(x)))) if x else x


def ordered_unique(elements):
    """The elements without repetitions, in the order in which they first come."""
    return list(dict.fromkeys(elements))


@contextlib.contextmanager
def set_torch_threads(n):
    """In the block, operators use n threads."""
    before = rushlight.get_num_threads()
    rushlight.set_num_threads(n)
    try:
        yield
    finally:
        rushlight.set_num_threads(before)
