"""The command ``rushlight``: a table of its commands.

A command is a module with `add_arguments(parser)` and `run(options)`, which returns the exit status; only the module
of the command that was called is imported.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import rushlight

_COMMANDS = {
    "check": ("rushlight.compat.check", "list what a program needs of PyTorch that is missing here"),
    "demo": ("rushlight.demo.command", "train a small network on handwritten digits, in seconds"),
    "doctor": ("rushlight.compat.doctor", "show versions, libraries, threads and what torch is"),
    "inspect": ("rushlight.serialization.inspect", "tell what a checkpoint holds, and what would have run in it"),
    "run": ("rushlight.compat.run", "run a program written for PyTorch, unchanged"),
}


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rushlight", description="A small deep learning framework with PyTorch's API."
    )
    parser.add_argument("--version", action="version", version=f"rushlight {rushlight.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if arguments and arguments[0] == name:
            implementation = importlib.import_module(module)
            implementation.add_arguments(command)
            command.set_defaults(run=implementation.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments).parse_args(arguments)
    try:
        return options.run(options)
    except OSError as error:
        print(f"rushlight: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
