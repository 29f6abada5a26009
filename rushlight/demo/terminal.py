"""The demo's words and pictures in a terminal."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from rushlight.demo.training import Report

SHADES, PLAIN_SHADES = " ░▒▓█", " .:*#"
SHOWN = 4


def _styled(text: str, code: str) -> str:
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return f"\033[{code}m{text}\033[0m" if wanted else text


def _bold(text: str) -> str:
    return _styled(text, "1")


def _shades() -> str:
    try:
        SHADES.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return PLAIN_SHADES
    return SHADES


def print_title(version: str, seed: int) -> None:
    print(_bold(f"Rushlight {version}") + f": a network learns to read handwritten digits (seed {seed})", flush=True)


def print_report(report: Report, out: Path) -> None:
    """Prints how well the network reads, some digits, its mistakes, and what was written."""
    total = len(report.labels)
    depths = ", ".join(f"{depth}: {count}" for depth, count in sorted(report.depths.items()))
    print()
    print(f"  learned from    {report.trained_on:,} images in {report.seconds:.1f} s, {report.parameters:,} parameters")
    score = _styled(f"{report.accuracy:.1%}", "1;32")
    print(f"  test accuracy   {score} ({report.correct} of {total} images it had never seen)")
    print(f"  blocks used     {depths} (blocks: batches; the network decides in every batch)")
    print()
    _print_digits(report)
    print()
    rows = [
        ("computation_graph.svg", f"the graph of one training step, {report.boxes} boxes"),
        ("digits.safetensors", f"the trained parameters, sha256 {report.digest[:16]}"),
    ]
    width = max(len(str(out / name)) for name, _ in rows)
    for name, what in rows:
        print(f"  {_bold(str(out / name).ljust(width))}  {what}")


def _print_digits(report: Report) -> None:
    pairs = list(zip(report.labels, report.answers, strict=True))
    wrong = [i for i, (label, answer) in enumerate(pairs) if label != answer]
    right = [i for i, (label, answer) in enumerate(pairs) if label == answer]
    chosen = [*wrong[:2], *right][:SHOWN]
    shades = _shades()
    pictures = [report.images[i].tolist() for i in chosen]
    for row in range(8):
        cells = ("".join(shades[round(ink * (len(shades) - 1))] * 2 for ink in picture[row]) for picture in pictures)
        print(("  " + "    ".join(cells)).rstrip())
    captions = []
    for i in chosen:
        label, answer = pairs[i]
        text = f"{label}, read as {answer}".center(16)
        captions.append(text if label == answer else _styled(text, "31"))
    print(("  " + "    ".join(captions)).rstrip())
    if wrong:
        counts = Counter(pairs[i] for i in wrong)
        mistakes = (
            f"{label} as {answer}" + (f" ({n} times)" if n > 1 else "") for (label, answer), n in counts.items()
        )
        print(f"\n  misread: {', '.join(sorted(mistakes))}")
