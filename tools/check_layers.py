"""Hold every file to its layer: csrc/ by its #include lines, rushlight/ by import-linter.

    python tools/check_layers.py

A C++ file may include from its own folder and from the folders below it; Python's and nanobind's headers belong to
csrc/bindings/ alone. The Python layers are the ones in .importlinter. Prints ``file:line: what is wrong`` for each
offence and exits with 1 if there is one.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
LAYERS = ["base", "device", "tensor", "schema", "kernels", "eager", "ops", "graph", "bindings"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
PYTHON_HEADERS = re.compile(r"(^|/)(Python|structmember|frameobject)\.h$|^(nanobind|cpython|internal)/")


def offences(csrc: pathlib.Path) -> list[str]:
    """One ``file:line: message`` for every include that reaches above its layer or does not name its layer."""
    found = []
    for path in sorted(csrc.rglob("*")):
        if path.suffix not in {".cpp", ".h", ".inc"}:
            continue
        layer = path.relative_to(csrc).parts[0]
        if layer not in LAYERS:
            found.append(f"{path}:1: csrc/{layer} is no layer. The layers are {' < '.join(LAYERS)}.")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            place = f"{path}:{number}:"
            if PYTHON_HEADERS.search(header):
                if layer != "bindings":
                    found.append(f"{place} {header} may be included in csrc/bindings/ only.")
            elif quote == '"':
                target = header.split("/")[0]
                if target not in LAYERS or not (csrc / header).is_file():
                    found.append(f'{place} "{header}" is not a file under csrc/. Write the path from csrc/.')
                elif LAYERS.index(target) > LAYERS.index(layer):
                    found.append(f"{place} {layer} may not include {header}: {target} lies above it.")
    return found


def main() -> int:
    found = offences(ROOT / "csrc")
    print("\n".join(found) or f"csrc: {' < '.join(LAYERS)} holds.")
    linter = pathlib.Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        print("import-linter is not installed. Cure: pip install import-linter", file=sys.stderr)
        return 1
    python = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT)
    return 1 if found or python.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
