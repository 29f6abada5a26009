"""``rushlight demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

import rushlight
from rushlight.demo import terminal, training


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the demo."""
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same bits (default: %(default)s)")
    parser.add_argument("--epochs", type=_positive, default=25, help="passes over the images (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for what it makes (default: this folder)")
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")


def run(options: argparse.Namespace) -> int:
    """Trains, and prints what was made and where."""
    terminal.print_title(rushlight.__version__, options.seed)
    report = training.run(options.seed, options.epochs, options.out, progress=not options.no_progress)
    terminal.print_report(report, options.out)
    return 0
