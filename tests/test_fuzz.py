"""Random calls end in a readable result or an ordinary exception: see tests/fuzz.py, which also replays one of them."""

import sys

import pytest

from tests import fuzz

CALLS = 5000


@pytest.mark.multiprocess
def test_random_calls():
    completed, problems = fuzz.supervise(seed=0, calls=CALLS, jobs=1, limit=60)
    assert not problems, "\n\n".join(problems[:5])
    assert completed > CALLS / 4, "most calls were refused: they no longer fit the signatures"


def test_a_call_depends_on_its_number_alone():
    assert str(fuzz.Call(3, 14)) == str(fuzz.Call(3, 14))
    assert len({str(fuzz.Call(3, index)) for index in range(50)}) > 45


@pytest.mark.multiprocess
def test_a_crash_names_its_call(monkeypatch):
    """A worker that dies in every call: each is reported, and the next one is tried."""

    def command(part):
        program = f"import os; open({part.log!r} + '.current', 'w').write('{part.next} 0'); os.abort()"
        return [sys.executable, "-c", program]

    monkeypatch.setattr(fuzz.Part, "command", command)
    completed, problems = fuzz.supervise(seed=0, calls=2, jobs=1, limit=60)
    assert completed == 0
    assert [p.split()[0] for p in problems] == ["0:0", "0:1"]
    assert all("signal 6" in p for p in problems)
