"""Files that wish to do harm: nothing runs, nothing crashes, little memory is asked for."""

import io
import json
import os
import subprocess
import sys

import pytest

import rushlight
from tests.serialization import building, hostile, mutate

EXPECTED = {  # by expectation and weights_only
    (hostile.REFUSED, True): "error",
    (hostile.REFUSED, False): "error",
    (hostile.INERT, True): "error",
    (hostile.INERT, False): "result",
    (hostile.FINE, True): "result",
    (hostile.FINE, False): "result",
}
SLACK = 64 << 20
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.mark.multiprocess
def test_hostile_files(tmp_path):
    """In a process of its own, so that a crash would be seen, and the memory is known."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.serialization.hostile"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(reports) == len(list(hostile.cases())) and len({report["name"] for report in reports}) > 400
    assert os.listdir(tmp_path) == [], "code of a file was run"
    for report in reports:
        assert report["outcome"] == EXPECTED[report["expected"], report["weights_only"]], report
        assert report["events"] == [], report
        assert report["memory"] <= 2 * report["size"] + SLACK, report


def test_the_table_is_of_distinct_files():
    files = {name: content for name, content, _ in hostile.table()}
    assert len(set(files.values())) == len(files) == len(list(hostile.table()))


@pytest.mark.multiprocess
def test_damaged_files():
    """A sample; `python -m tests.serialization.mutate --count 100000` is the whole."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.serialization.mutate", "--count", "3000", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout


@pytest.mark.parametrize("content", [building.GOOD, building.GOOD_LEGACY])
def test_the_builders_make_good_files(content):
    assert rushlight.load(io.BytesIO(content)).tolist() == [1, 2, 3, 4]


def test_every_cut_of_good_files():
    for content in mutate.good_files():
        for end in range(0, len(content), 7):
            assert hostile.outcome(content[:end], True) == "error"
