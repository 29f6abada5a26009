"""``rushlight run``: a program written for PyTorch, with Rushlight as its `torch`.

The command sets the environment and becomes the interpreter, so that everything else (arguments, `__main__`, exit
statuses, signals, tracebacks) is Python's own, and processes that the program starts inherit it: Python reads
`site/sitecustomize.py` from PYTHONPATH, which installs the finder where RUSHLIGHT_AS_TORCH is set.
"""

import argparse
import os
import shlex
import subprocess
import sys

from rushlight.compat.finder import DEFAULT_VERSION, PACKAGE

_SITE = os.path.join(PACKAGE, "compat", "site")


def add_arguments(parser):
    """The command's arguments."""
    parser.usage = "rushlight run [--torch-version VERSION] (SCRIPT | -m MODULE | -c CODE | -) [ARGUMENTS ...]"
    parser.add_argument(
        "--torch-version",
        default=DEFAULT_VERSION,
        metavar="VERSION",
        help=f"what torch.__version__ says ({DEFAULT_VERSION})",
    )
    parser.add_argument(
        "--environment",
        action="store_true",
        help="print the settings for a shell instead, for programs started otherwise",
    )
    parser.add_argument(
        "-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE", help="run a module, as python -m"
    )
    parser.add_argument("-c", dest="code", nargs=argparse.REMAINDER, metavar="CODE", help="run a text, as python -c")
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="SCRIPT", help="a script, or - for standard input")


def environment(version=DEFAULT_VERSION, base=None):
    """A copy of the environment `base` (this process's) in which Python's processes find Rushlight as torch."""
    found = dict(os.environ if base is None else base)
    paths = [path for path in found.get("PYTHONPATH", "").split(os.pathsep) if path and path != _SITE]
    found.update(RUSHLIGHT_AS_TORCH=version, PYTHONPATH=os.pathsep.join([_SITE, *paths]))
    return found


def run(options):
    """Becomes the program; returns 2 when there is none to become."""
    changed = environment(options.torch_version)
    if options.environment:
        for name in ("RUSHLIGHT_AS_TORCH", "PYTHONPATH"):
            print(f"export {name}={shlex.quote(changed[name])}")
        return 0
    arguments = (
        ["-m", *options.module] if options.module else ["-c", *options.code] if options.code else options.program
    )
    if not arguments:
        print(
            "rushlight run: a script, -m MODULE, -c CODE or - must be given. See rushlight run --help.", file=sys.stderr
        )
        return 2
    if sys.flags.ignore_environment or sys.flags.no_site:
        print("rushlight run: Python must not be started with -E, -I or -S, which hide PYTHONPATH.", file=sys.stderr)
        return 2
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *subprocess._args_from_interpreter_flags(), *arguments], changed)
