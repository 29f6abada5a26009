"""`Compare`: many measurements as tables."""

import enum
import math

from rushlight.utils.benchmark.utils.common import (
    Measurement,
    ordered_unique,
    select_unit,
    trim_sigfig,
    unit_to_english,
)

__all__ = ["Colorize", "Compare"]

_BEST, _GOOD, _BAD, _VERY_BAD = "\033[92m\033[1m", "\033[34m\033[1m", "\033[2m\033[91m", "\033[31m\033[1m"
_END = "\033[0m\033[0m"


class Colorize(enum.Enum):
    """What the colours of a table compare."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """Measurements as tables: one per label, a row per sub-label (or statement), a column per description.

    Rows are grouped by the number of threads. Measurements of the same task are merged.

    Args:
        results (list of Measurement): more can be added by `extend_results`.

    >>> from rushlight.utils.benchmark import Compare, Measurement, TaskSpec
    >>> times = {("float", "n=1"): 2e-6, ("float", "n=8"): 9e-6, ("int", "n=1"): 3e-6, ("int", "n=8"): 8e-6}
    >>> Compare([
    ...     Measurement(1, [time], TaskSpec("f(x)", "pass", label="f", sub_label=row, description=column))
    ...     for (row, column), time in times.items()
    ... ]).print()
    [----------- f -----------]
                 |  n=1  |  n=8
    1 threads: ----------------
          float  |  2.0  |  9.0
          int    |  3.0  |  8.0
    <BLANKLINE>
    Times are in microseconds (us).
    <BLANKLINE>
    """

    def __init__(self, results):
        self._results = []
        self._trim = False
        self._colors = Colorize.NONE
        self._highlight = False
        self.extend_results(results)

    def extend_results(self, results):
        """Adds measurements.

        Raises:
            ValueError: something is none.
        """
        for result in results:
            if not isinstance(result, Measurement):
                raise ValueError(f"[Compare] results must be Measurements. Received {type(result).__name__}.")
        self._results.extend(results)

    def trim_significant_figures(self):
        """From now on, numbers are shown with the digits that mean something."""
        self._trim = True

    def colorize(self, rowwise=False):
        """From now on, times are coloured: by how they compare within their column, or within their row."""
        self._colors = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self):
        """From now on, times that spread too far are marked with how far, in percent of the median."""
        self._highlight = True

    def print(self):
        """Prints the tables."""
        print(self)

    def __str__(self):
        groups = {}
        for result in Measurement.merge(self._results):
            groups.setdefault(result.label, []).append(result)
        return "\n".join(self._table(results) for results in groups.values())

    def _table(self, results):
        unit, scale = select_unit(min(r.median for r in results))
        columns = ordered_unique(r.description for r in results)
        rows = sorted(ordered_unique(map(_row_of, results)), key=lambda row: (row[0], row[1] or ""))
        at = {(_row_of(r), r.description): r for r in results}
        formats = [_Format([at.get((row, c)) for row in rows], scale, self._trim, self._highlight) for c in columns]

        cells = [["", *(c or "" for c in columns)]]
        for name, row in zip(_row_names(rows), rows, strict=True):
            cells.append([name, *(f.text(at.get((row, c))) for c, f in zip(columns, formats, strict=True))])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

        header = _SEPARATOR.join(text.center(width) for text, width in zip(cells[0], widths, strict=True))
        title = f" {results[0].label or ''} "
        lines = [f"[{title.center(len(header) - 2, '-')}]", header]
        for k, row in enumerate(rows):
            if k == 0 or row[0] != rows[k - 1][0]:
                lines.append(f"{row[0]} threads: ".ljust(len(header), "-"))
            lines.append(_SEPARATOR.join(self._colored_row(row, rows, columns, at, cells[k + 1], widths)))
        lines += ["", f"Times are in {unit_to_english(unit)}s ({unit}).", ""]
        if self._highlight and any(r.has_warnings for r in results):
            lines[-1:] = ["(! XX%) Measurement has high variance, where XX is the IQR / median * 100.", ""]
        return "\n".join(lines)

    def _colored_row(self, row, rows, columns, at, cells, widths):
        yield cells[0].ljust(widths[0])
        for column, cell, width in zip(columns, cells[1:], widths[1:], strict=True):
            cell, result = cell.center(width), at.get((row, column))
            if result is None or self._colors == Colorize.NONE:
                yield cell
                continue
            if self._colors == Colorize.ROWWISE:
                rivals = [(row, c) for c in columns]
            else:  # of the same number of threads
                rivals = [(other, column) for other in rows if other[0] == row[0]]
            yield _colored(cell, result.median, min(at[place].median for place in rivals if place in at))


_SEPARATOR = "  |  "


def _row_of(result):
    return result.num_threads, result.env, result.as_row_name


def _row_names(rows):
    """Where there are several environments, the first row of each begins with its name."""
    shown = len({env for _, env, _ in rows}) > 1
    room = 4 + max(len(env or "") for _, env, _ in rows) if shown else 4
    before = None
    for threads, env, name in rows:
        first, before = (threads, env) != before, (threads, env)
        yield "  " + (f"({env})" if shown and first and env else "").ljust(room) + name


class _Format:
    """How the numbers of one column are written."""

    def __init__(self, results, scale, trim, highlight):
        results = [r for r in results if r is not None]
        digits = [math.ceil(math.log10(r.median / scale)) for r in results]
        decimals = 1
        if trim:
            decimals = min(max(r.significant_figures - d, 0) for r, d in zip(results, digits, strict=True))
        self.scale, self.trim, self.decimals = scale, trim, decimals
        self.width = max(digits) + decimals + (decimals > 0)
        self.remark = 7 if highlight and any(r.has_warnings for r in results) else 0

    def text(self, result):
        if result is None:
            return " " * len(self._write(1, ""))
        value = result.median / self.scale
        value = trim_sigfig(value, result.significant_figures) if self.trim else value
        return self._write(value, f" (! {result.iqr / result.median:.0%})" if result.has_warnings else "")

    def _write(self, value, remark):
        return f"{value:>{max(self.width, 0)}.{self.decimals}f}{remark if self.remark else '':>{self.remark}}"


def _colored(text, value, best):
    """Green within a hundredth or 100 ns of the best, blue within a tenth; red from twice, and from five times on."""
    if value <= best * 1.01 or value <= best + 100e-9:
        color = _BEST
    elif value <= best * 1.1:
        color = _GOOD
    elif value >= best * 5:
        color = _VERY_BAD
    elif value >= best * 2:
        color = _BAD
    else:
        return text
    return f"{color}{text}{_END}"
