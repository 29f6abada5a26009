"""The losses of the training programs in examples/, step by step, as they were when someone last looked at them.

python -m tests.golden.curves [NAME...]     train again, and write tests/golden/NAME.json
"""

import contextlib
import io
import json
import pathlib
import sys
import tempfile

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = FOLDER.parent.parent / "examples"

PROGRAMS = {
    "character_lstm": ["--steps", "20"],
    "digits_cnn": ["--epochs", "1"],
    "resumable": ["--epochs", "1"],
    "small_gpt": ["--steps", "20"],
    "tree_lstm": ["--steps", "20"],
    "vae": ["--epochs", "1"],
}


def train(name, framework="rushlight"):
    """The loss of every step of a short run, seed 0. The framework is what the program imports in rushlight's place."""
    path = EXAMPLES / f"{name}.py"
    source = path.read_text().replace("rushlight", framework)
    program = {"__name__": name}
    exec(compile(source, str(path), "exec"), program)
    quiet = io.StringIO()
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        return program["main"]([*PROGRAMS[name], "--out", out])


def golden(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def main():
    for name in sys.argv[1:] or PROGRAMS:
        losses = train(name)
        (FOLDER / f"{name}.json").write_text(json.dumps(losses, indent=1) + "\n")
        print(f"{name}: {len(losses)} steps, loss {losses[0]:.4f} to {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
