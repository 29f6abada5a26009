"""The resumable run of examples/ is killed over and over, and must end as if nothing had happened.

    python -m tests.resume --kills 50 --seed 0

One run is left alone. Then runs are killed with SIGKILL at random moments and started again, with another number of
workers each time; a run that comes to its end is followed by a fresh one. After every kill no process of the run may be
left, and every file must be whole; at every end the parameters must have the bits of the run that was left alone.
"""

import argparse
import itertools
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from tqdm import tqdm

import rushlight

ROOT = pathlib.Path(__file__).parent.parent
PATIENCE = 30  # seconds for the workers of a killed run to notice


def start(folder, workers, epochs):
    """The run as a process that leads a session, by which all that it starts is known."""
    program = [sys.executable, str(ROOT / "examples" / "resumable.py"), "--out", str(folder), "--every", "1"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [*program, "--epochs", str(epochs), "--workers", str(workers)],
        env={**os.environ, "PYTHONPATH": path, "TQDM_DISABLE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    """What a run prints last: its steps, and the sha256 of its parameters."""
    output, errors = process.communicate()
    assert process.returncode == 0, f"the run failed:\n{errors}"
    return output.splitlines()[-1]


def members(session):
    """Processes of a session that have not ended."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, owner = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it ended meanwhile
            continue
        if int(owner) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def kill(process):
    """Kills a run, its first process alone, and waits until nothing of it is left."""
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    deadline = time.monotonic() + PATIENCE
    while orphans := members(process.pid):
        assert time.monotonic() < deadline, f"processes of a killed run outlived it by {PATIENCE} s: {orphans}"
        time.sleep(0.02)


def check_files(folder):
    """Every file is whole. Returns the step of the checkpoint, 0 if there is none yet."""
    states = {path.name: rushlight.load(path) for path in folder.iterdir()}
    return states["resumable.pt"]["step"] if states else 0


def supervise(kills, seed, folder, epochs, progress=False):
    """Kills runs in a folder that many times. Returns the steps that the checkpoints were at, and the runs' last line.

    Raises:
        AssertionError: if anything is not as it must be.
    """
    draw = random.Random(seed)
    workers, steps, process = 2, [], None
    begin = time.monotonic()
    try:
        (folder / "alone").mkdir()
        process = start(folder / "alone", workers, epochs)
        expected = finish(process)
        duration = time.monotonic() - begin
        with tqdm(total=kills, unit="kill", disable=not progress) as bar:
            for number in itertools.count():
                (run := folder / f"run{number}").mkdir()
                while True:
                    workers = draw.choice([count for count in range(1, 5) if count != workers])
                    process = start(run, workers, epochs)
                    try:
                        process.wait(draw.uniform(0, duration) if len(steps) < kills else None)
                    except subprocess.TimeoutExpired:
                        kill(process)
                        steps.append(check_files(run))
                        bar.update()
                    else:
                        break
                assert finish(process) == expected, f"run {number} ended with other bits than the run left alone"
                if len(steps) == kills:
                    return steps, expected
    finally:
        if process is not None:
            for member in members(process.pid):
                os.kill(member, signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=4, help="length of a run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps, last = supervise(options.kills, options.seed, pathlib.Path(folder), options.epochs, progress=True)
    print(f"{len(steps)} kills; the checkpoints found were at the steps {steps}")
    print(f"every run ended as the one that was left alone: {last}")


if __name__ == "__main__":
    main()
