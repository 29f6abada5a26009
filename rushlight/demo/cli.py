"""The command ``rushlight``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import rushlight


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rushlight", description="A small deep learning framework with PyTorch's API."
    )
    parser.add_argument("--version", action="version", version=f"rushlight {rushlight.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="train a small network on handwritten digits, in seconds")
    demo.add_argument("--seed", type=int, default=0, help="the same seed gives the same bits (default: %(default)s)")
    demo.add_argument("--epochs", type=_positive, default=25, help="passes over the images (default: %(default)s)")
    demo.add_argument("--out", type=Path, default=Path("."), help="folder for what it makes (default: this folder)")
    demo.add_argument("--no-progress", action="store_true", help="show no progress bar")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = _parser().parse_args(arguments)
    from rushlight.demo import terminal, training

    try:
        terminal.print_title(rushlight.__version__, options.seed)
        report = training.run(options.seed, options.epochs, options.out, progress=not options.no_progress)
        terminal.print_report(report, options.out)
    except OSError as error:
        print(f"rushlight: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
