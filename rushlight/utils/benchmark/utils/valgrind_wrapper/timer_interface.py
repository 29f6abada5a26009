"""Instruction counts: `CallgrindStats`, and how Timer has Callgrind count them."""

import collections
import dataclasses
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import NamedTuple

import rushlight
from rushlight.utils.benchmark.utils.common import TaskSpec
from rushlight.utils.benchmark.utils.valgrind_wrapper import client_requests

__all__ = ["CallgrindStats", "CopyIfCallgrind", "FunctionCount", "FunctionCounts"]


class FunctionCount(NamedTuple):
    """Instructions of one function."""

    count: int
    function: str


@dataclasses.dataclass(repr=False, eq=False, frozen=True)
class FunctionCounts:
    """Instructions by function, a sequence of FunctionCount; sums, differences and multiples of such.

    Args:
        inclusive (bool): the counts include what a function calls.
        truncate_rows (bool): when shown, leave out the middle of a long list.

    >>> from rushlight.utils.benchmark import FunctionCount, FunctionCounts
    >>> before = FunctionCounts((FunctionCount(9, "a.c:f"), FunctionCount(2, "b.c:g")), inclusive=False)
    >>> after = before.filter(lambda function: "f" in function) * 2
    >>> list(after - before)
    [FunctionCount(count=9, function='a.c:f'), FunctionCount(count=-2, function='b.c:g')]
    """

    _data: tuple[FunctionCount, ...]
    inclusive: bool
    truncate_rows: bool = True
    _linewidth: int | None = None

    def __iter__(self):
        return iter(self._data)

    def __len__(self):
        return len(self._data)

    def __getitem__(self, item):
        found = self._data[item]
        return FunctionCounts(found, self.inclusive, truncate_rows=False) if isinstance(item, slice) else found

    def __repr__(self):
        width = max((len(str(count)) + (count < 0) for count, _ in self), default=0)
        room = max((self._linewidth or rushlight.get_printoptions()["linewidth"]) - width - 4, 40)
        lines = [f"  {count:>{width}}  {_shortened(function, room)}" for count, function in self]
        if self.truncate_rows and len(lines) > 18:
            lines[9:-9] = ["...".rjust(width + 2)]
        if not self.inclusive:
            lines += ["", f"Total: {self.sum()}"]
        return "\n".join([object.__repr__(self), *lines])

    def __add__(self, other):
        return self._merged(other, 1)

    def __sub__(self, other):
        return self._merged(other, -1)

    def __mul__(self, other):
        return _counted(((int(count * other), function) for count, function in self), self.inclusive)

    def _merged(self, other, sign):
        if self.inclusive != other.inclusive:
            raise AssertionError("[FunctionCounts] Cannot merge inclusive and exclusive counts: both must be the same.")
        negated = ((sign * count, function) for count, function in other)
        return _counted([*self, *negated], self.inclusive)

    def transform(self, map_fn):
        """Renames the functions by `map_fn(name)`; the counts of those that get the same name are summed."""
        return _counted(((count, map_fn(function)) for count, function in self), self.inclusive)

    def filter(self, filter_fn):
        """Keeps the functions for whose names `filter_fn` holds."""
        return FunctionCounts(tuple(entry for entry in self if filter_fn(entry.function)), self.inclusive)

    def sum(self):
        """All instructions. Of inclusive counts it has no meaning."""
        return sum(count for count, _ in self)

    def denoise(self):
        """Leaves out CPython's look-up of names, whose count changes from run to run with the hashes of texts."""
        return self.filter(lambda function: "dictobject.c:lookdict_unicode" not in function)


def _counted(pairs, inclusive):
    counts = collections.defaultdict(int)
    for count, function in pairs:
        counts[function] += count
    entries = (FunctionCount(count, function) for function, count in counts.items() if count)
    return FunctionCounts(tuple(sorted(entries, reverse=True)), inclusive)


def _shortened(text, room):
    if len(text) <= room:
        return text
    left = (room - 5) // 2
    return f"{text[:left]} ... {text[len(text) - (room - left - 5) :]}"


@dataclasses.dataclass(repr=False, eq=False, frozen=True)
class CallgrindStats:
    """What Timer.collect_callgrind counted: the statement's instructions, and those of an empty one, by function."""

    task_spec: TaskSpec
    number_per_run: int
    built_with_debug_symbols: bool
    baseline_inclusive_stats: FunctionCounts
    baseline_exclusive_stats: FunctionCounts
    stmt_inclusive_stats: FunctionCounts
    stmt_exclusive_stats: FunctionCounts
    stmt_callgrind_out: str | None

    def __repr__(self):
        base, threads = self.baseline_exclusive_stats, self.task_spec.num_threads
        return "\n".join(
            [
                object.__repr__(self),
                self.task_spec.summarize(),
                f"{'All':>30}{'Noisy symbols removed':>31}",
                f"    Instructions: {self.counts():>12}{self.counts(denoise=True):>27}",
                f"    Baseline:     {base.sum():>12}{base.denoise().sum():>27}",
                f"{self.number_per_run} runs per measurement, {threads} thread{'s' * (threads > 1)}",
            ]
        )

    def stats(self, inclusive=False):
        """The counts by function; inclusive ones count what a function calls as well."""
        return self.stmt_inclusive_stats if inclusive else self.stmt_exclusive_stats

    def counts(self, *, denoise=False):
        """All instructions."""
        stats = self.stmt_exclusive_stats
        return (stats.denoise() if denoise else stats).sum()

    def delta(self, other, inclusive=False):
        """By function, how many more instructions there are than in `other`."""
        return self.stats(inclusive) - other.stats(inclusive)

    def as_standardized(self):
        """The same without the folders and libraries in the names, which differ from machine to machine."""

        def strip(stats):
            for pattern, replacement in (
                (r"\s\[.+\]$", ""),
                (r"^.+/(?=(csrc|rushlight|Python|Objects|Modules|Include)/)", ""),
            ):
                stats = stats.transform(lambda name, p=pattern, r=replacement: re.sub(p, r, name))
            return stats

        return dataclasses.replace(
            self,
            baseline_inclusive_stats=strip(self.baseline_inclusive_stats),
            baseline_exclusive_stats=strip(self.baseline_exclusive_stats),
            stmt_inclusive_stats=strip(self.stmt_inclusive_stats),
            stmt_exclusive_stats=strip(self.stmt_exclusive_stats),
            stmt_callgrind_out=None,
        )


class CopyIfCallgrind:
    """Marks a global of a Timer of which Callgrind's process may get a copy.

    Args:
        value: str, bytes, bool, int, float, complex or Module. A Module's class must be importable there.
        setup (str): run there before the copy is loaded, to import the class.

    Raises:
        ValueError: a value of another type.
    """

    def __init__(self, value, *, setup=None):
        if not isinstance(value, (str, bytes, bool, int, float, complex, rushlight.nn.Module)):
            raise ValueError(
                "[CopyIfCallgrind] value must be str, bytes, bool, int, float, complex or Module. "
                f"Received {type(value).__name__}. Unsupported type: make it in the Timer's setup instead."
            )
        self.value = value
        self.setup = setup

    @staticmethod
    def unwrap_all(globals):
        """The dict with the values themselves."""
        return {name: x.value if isinstance(x, CopyIfCallgrind) else x for name, x in globals.items()}


def collect_callgrind(task_spec, globals, number, repeats, collect_baseline, retain_out_file):
    """Runs the task under Callgrind and returns a tuple of `repeats` CallgrindStats."""
    if not client_requests.is_supported():
        raise OSError("[collect_callgrind] Valgrind is not supported on this platform: it must be x86-64.")
    missing = [name for name in ("valgrind", "callgrind_annotate") if shutil.which(name) is None]
    if missing:
        raise OSError(
            f"[collect_callgrind] Valgrind must be installed. Missing: {', '.join(missing)}. "
            "Install it (Debian and Ubuntu: apt install valgrind)."
        )
    with tempfile.TemporaryDirectory(prefix="callgrind_") as folder:
        out = _run(Path(folder), task_spec, globals, number, repeats, collect_baseline)
        baseline = [FunctionCounts((), inclusive) for inclusive in (True, False)]
        if collect_baseline:
            baseline = [_annotated(f"{out}.{repeats + 1}", inclusive) for inclusive in (True, False)]
        return tuple(
            CallgrindStats(
                task_spec,
                number,
                False,
                *baseline,
                _annotated(f"{out}.{k}", inclusive=True),
                _annotated(f"{out}.{k}", inclusive=False),
                Path(f"{out}.{k}").read_text() if retain_out_file else None,
            )
            for k in range(1, repeats + 1)
        )


def _run(folder, task_spec, globals, number, repeats, collect_baseline):
    """Runs the script under Valgrind, which writes one file per count: the path returned, then .1, .2 and so on."""
    script, out = folder / "statement.py", folder / "callgrind.out"
    script.write_text(_script(task_spec, _loads(globals, folder), number, repeats, collect_baseline))
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--dump-line=yes", "--dump-instr=yes"]
    command += ["--instr-atstart=no", "--collect-atstart=no", sys.executable, str(script)]
    here = str(Path(rushlight.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    if done.returncode:
        raise OSError(f"[collect_callgrind] Failed to collect callgrind profile:\n{done.stdout}")
    return out


def _loads(globals, folder):
    """Lines that load the globals in the other process, from files written here."""
    lines = []
    for name, value in globals.items():
        if name == "torch" and value is rushlight:
            continue
        if not isinstance(value, CopyIfCallgrind):
            raise ValueError(
                f"[collect_callgrind] globals must be wrapped in CopyIfCallgrind: the statement runs in another "
                f"process. Received {name!r}, {type(value).__name__}. Wrap it, or make it in setup."
            )
        path = folder / f"{name}.pickle"
        path.write_bytes(pickle.dumps(value.value))
        lines += [textwrap.dedent(value.setup or ""), f"with open({str(path)!r}, 'rb') as _file:"]
        lines += [f"    {name} = _pickle.load(_file)"]
    return lines


def _script(task_spec, loads, number, repeats, collect_baseline):
    def counted(statement):
        block, rest = divmod(number, 100)  # a loop costs instructions as well
        lines = []
        if block:
            lines += [f"for _ in range({block}):", *[textwrap.indent(statement, "    ")] * 100]
        return ["_gc.collect()", "_toggle()", *lines, *[statement] * rest, "_toggle()", "_dump()"]

    lines = [
        "import gc as _gc",
        "import pickle as _pickle",
        "import rushlight as torch",
        "from rushlight.utils.benchmark.utils.valgrind_wrapper import client_requests as _requests",
        f"torch.set_num_threads({task_spec.num_threads})",
        *loads,
        task_spec.setup,
        "_start, _toggle, _dump = _requests.callgrind()",
        "_start()",
        f"for _ in range({min(number, 10)}):",
        textwrap.indent(task_spec.stmt, "    "),
        f"for _ in range({repeats}):",
        *(textwrap.indent(line, "    ") for line in counted(task_spec.stmt)),
        *(counted("pass") if collect_baseline else ()),
    ]
    return "\n".join(lines) + "\n"


_ENTRY = re.compile(r"^\s*([0-9,]+)\s+(.+:.+)$")


def _annotated(path, inclusive):
    """The FunctionCounts in one of Callgrind's files."""
    command = ["callgrind_annotate", f"--inclusive={'yes' if inclusive else 'no'}", "--threshold=100"]
    command += ["--show-percs=no", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout
    _, _, entries = text.partition("file:function\n")
    found = []
    for line in entries.splitlines():
        match = _ENTRY.match(line)
        if match:
            found.append(FunctionCount(int(match[1].replace(",", "")), match[2]))
        elif found:  # the list ends with a blank line
            break
    return FunctionCounts(tuple(sorted(found, reverse=True)), inclusive)
