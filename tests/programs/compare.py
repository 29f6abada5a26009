"""Runs public programs under PyTorch and under Rushlight, and compares what they print.

    python tests/programs/compare.py --checkouts FOLDER [--only REGEX] [--write docs/programs.md]

FOLDER holds checkouts of the repositories that table.py names, by the name of each; the extra "programs" has what they
import. A program runs in a copy of its folder, unchanged, with the same seeds on both sides; pictures come from
`stand_in/`. The exit status is 1 if a program of the table disagrees.
"""

import argparse
import ast
import dataclasses
import difflib
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import typing

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from table import Program, programs  # noqa: E402

from rushlight.compat.run import environment  # noqa: E402

_MAGIC = re.compile(r"^(?:#@tab|\s*[%!]).*", re.M)
_TAB = """
class tab:  # the book's choice of a framework
    interact_select = lambda names: None
    selected = lambda *names: "pytorch" in names
"""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\b(?:nan|inf)\b")
_CLOCK = re.compile(
    r"id\(\w+\): \d+|\d+(?:\.\d+)? ?(?:sec|seconds?|examples/sec|s/it|it/s|ms|Tokens / Sec)\b|Tokens / Sec: *[\d.]+"
)


class Row(typing.NamedTuple):
    """A program's row of the page: seconds on each side, and what is to be said of the outputs."""

    name: str
    theirs: float
    ours: float
    agrees: bool
    said: str


@dataclasses.dataclass
class Outcome:
    """What a run printed, how it ended, and how long it took in seconds."""

    status: int
    output: str
    errors: str
    seconds: float


def source(path):
    """The program text of a script, of a notebook's cells, or of a chapter's blocks for PyTorch."""
    text = path.read_text()
    if path.suffix == ".ipynb":
        cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n\n".join("".join(cell) for cell in cells)
    elif path.suffix == ".md":
        blocks = re.findall(r"^```\{\.python \.input[^}]*\}\n(.*?)^```", text, re.M | re.S)
        text = _TAB + "\n\n".join(_shown(_MAGIC.sub("", block)) for block in blocks if _for_pytorch(block))
    return _MAGIC.sub("", text)


def _for_pytorch(block):
    tabs = re.search(r"^(?:#@tab|%%tab) (.*)", block, re.M)
    return "%load_ext" not in block and tabs is not None and bool({"pytorch", "all"} & set(re.split(r"[, ]+", tabs[1])))


def _shown(block):
    """A block whose last expression is printed, as a notebook shows it."""
    tree = ast.parse(block)
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        last.value = ast.Call(ast.Name("print", ast.Load()), [last.value], [])
        return ast.unparse(ast.fix_missing_locations(tree))
    return block


def run(program: Program, root, side, repeat=1):
    """Runs a program `repeat` times in fresh copies of its folder; the outcome with the shortest time."""
    found = None
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as scratch:
            outcome = _run_once(program, root, side, pathlib.Path(scratch))
        found = outcome if found is None or outcome.seconds < found.seconds else found
    return found


def _run_once(program, root, side, scratch):
    original = root / program.path
    folder = scratch / "a" / "b" / original.parent.name  # programs write to ../../data
    if original.suffix == ".py":
        shutil.copytree(original.parent, folder)
    else:
        folder.mkdir(parents=True)
        (folder / "program.py").write_text(source(original))
        if (root / "d2l-en/d2l").exists():
            shutil.copytree(root / "d2l-en/d2l", folder / "d2l")
    for name in ("models", "images", "data"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "names.txt").write_text("\n".join(_names()))
    script = folder / (original.name if original.suffix == ".py" else "program.py")
    changed = {
        "PYTHONPATH": str(HERE / "stand_in"), "MPLBACKEND": "Agg", "STAND_IN_PICTURES": str(program.pictures),
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "RUSHLIGHT_AS_TORCH": "0",
        "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
    }  # fmt: skip
    settings = {**os.environ, **changed}
    if side == "rushlight":
        settings = environment(base=settings)
    command = [sys.executable, str(HERE / "seeded.py"), *program.options, str(script), *program.arguments]
    begin = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=program.limit)
    except subprocess.TimeoutExpired as late:
        return Outcome(124, _text(late.stdout), f"stopped after {program.limit} s", program.limit)
    return Outcome(done.returncode, done.stdout, done.stderr, time.perf_counter() - begin)


def _text(captured):
    return captured.decode() if isinstance(captured, bytes) else captured or ""


def _names():
    """Made-up words in the place of a list of names."""
    heads, tails = ("ka", "lo", "mi", "ne", "ra", "so", "ti", "vu", "el", "an"), ("ra", "na", "lin", "to", "s", "mia")
    return [a + b + c for a in heads for b in ("", "bri", "do", "he", "sa") for c in tails]


def agreement(program: Program, theirs, ours):
    """(whether they agree as the table asks, what to say of it)."""
    if ours.status != theirs.status:
        return False, f"ends with {ours.status}, PyTorch's with {theirs.status}: {_last_line(ours.errors)}"
    if theirs.status:
        return False, f"fails on both sides: {_last_line(theirs.errors)}"
    left, right = (_CLOCK.sub("", outcome.output) for outcome in (theirs, ours))
    if left == right:
        return True, "the same text"
    numbers = [[float(n) for n in _NUMBER.findall(text)] for text in (left, right)]
    if program.agree == "last":
        last = [found[-1:] for found in numbers]
        return _difference(*last) <= program.tolerance, f"ends at {last[1]}, PyTorch at {last[0]} ({program.why})"
    words = [re.sub(r"\s+", " ", _NUMBER.sub("#", text)) for text in (left, right)]
    if words[0] != words[1] or len(numbers[0]) != len(numbers[1]):
        return False, "another text"
    worst = _difference(*numbers)
    return worst <= program.tolerance, f"numbers within {worst:.0e}"


def _difference(left, right):
    """The largest relative difference between numbers; those below 1e-4 are compared with 1e-4."""
    if len(left) != len(right) or not left:
        return math.inf
    return max(map(_relative, left, right))


def _relative(a, b):
    if a == b or (a != a and b != b):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 1e-4) if math.isfinite(a - b) else math.inf


def _last_line(text):
    lines = [line for line in text.strip().splitlines() if not line.startswith("rushlight:")]
    return lines[-1][:200] if lines else ""


_LINE = re.compile(r"\| (.+?) \| ([\d.]+) \| ([\d.]+) \| [\d.]+x \| (\*\*differs\*\*: )?(.*) \|")


def merged(page, rows, table):
    """The rows of a page that was written before, with the new ones in their places, in the order of the table."""
    found = {}
    for line in page.read_text().splitlines() if page.exists() else ():
        if match := _LINE.fullmatch(line):
            name, theirs, ours, differs, said = match.groups()
            found[name] = Row(name, float(theirs), float(ours), not differs, said.replace("\\|", "|"))
    found.update((row.name, row) for row in rows)
    return [found[program.name] for program in table if program.name in found]


def report(rows):
    """The table as a page."""
    agreed = sum(row.agrees for row in rows)
    lines = [
        "# Public programs",
        "",
        "Programs written for PyTorch, unchanged, under PyTorch and under `rushlight run`, with the same seeds. The",
        "times are of whole processes in seconds, on one thread each, the shortest of the runs. Pictures are made up,",
        "in the formats of MNIST and CIFAR-10. This page is written by",
        "",
        "```sh",
        "python tests/programs/compare.py --checkouts FOLDER --write docs/programs.md",
        "```",
        "",
        f"Last run: PyTorch {importlib.metadata.version('torch')}, Python {platform.python_version()},",
        f"{os.cpu_count()} processors with a load of {os.getloadavg()[2]:.0f} from all that ran on them.",
        "",
        f"{agreed} of {len(rows)} programs agree as the table of `tests/programs/table.py` asks.",
        "",
        "| program | PyTorch | Rushlight | ratio | what they print |",
        "|---|---:|---:|---:|---|",
    ]
    for row in rows:
        mark = "" if row.agrees else "**differs**: "
        said = row.said.replace("|", "\\|")
        ratio = f"{row.theirs / row.ours:.1f}x"
        lines.append(f"| {row.name} | {row.theirs:.1f} | {row.ours:.1f} | {ratio} | {mark}{said} |")
    return "\n".join(lines) + "\n"


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkouts", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="", help="a regular expression for paths")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each program and side")
    parser.add_argument("--write", type=pathlib.Path, help="the page to write; rows of programs that do not run stay")
    parser.add_argument("--show", action="store_true", help="print what disagreeing programs said")
    options = parser.parse_args()
    rows, table = [], programs(options.checkouts)
    for program in table:
        if re.search(options.only, program.path):
            theirs, ours = (run(program, options.checkouts, side, options.repeat) for side in ("torch", "rushlight"))
            agrees, said = agreement(program, theirs, ours)
            rows.append(Row(program.name, theirs.seconds, ours.seconds, agrees, said))
            verdict = "agrees" if agrees else "DIFFERS"
            print(f"{verdict:8}{theirs.seconds:7.1f} s {ours.seconds:7.1f} s  {program.name}: {said}", flush=True)
            if options.show and not agrees:
                lines = (outcome.output.splitlines() for outcome in (theirs, ours))
                print("\n".join(list(difflib.unified_diff(*lines, "PyTorch", "Rushlight", lineterm="", n=1))[:60]))
                print(theirs.errors[-1000:] if theirs.status else "", ours.errors[-3000:] if ours.status else "")
    if options.write:
        options.write.write_text(report(merged(options.write, rows, table)))
    return int(not all(row.agrees for row in rows))


if __name__ == "__main__":
    sys.exit(main())
