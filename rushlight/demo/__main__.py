"""``python -m rushlight.demo`` is ``rushlight demo``."""

import sys

from rushlight.demo.cli import main

sys.exit(main(["demo", *sys.argv[1:]]))
