"""Print requirements from pyproject.toml, one a line, so that the Makefile repeats none of them.

    python tools/requirements.py build run test dev

``build`` is what the build needs, ``run`` what the package needs at run time; every other name is an extra.
"""

import pathlib
import sys

try:
    import tomllib
except ImportError:  # Python 3.10: pip carries its own reader
    from pip._vendor import tomli as tomllib


def requirements(names: list[str]) -> list[str]:
    """The requirements of the named groups, in order, each once."""
    project = tomllib.loads((pathlib.Path(__file__).parent.parent / "pyproject.toml").read_text())
    groups = {
        "build": project["build-system"]["requires"],
        "run": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
    }
    unknown = [name for name in names if name not in groups]
    if unknown:
        sys.exit(f"No such group of requirements: {', '.join(unknown)}. There are {', '.join(groups)}.")
    return list(dict.fromkeys(line for name in names for line in groups[name]))


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
