"""A run that is killed and started again ends with the same bits: see tests/resume.py, which kills without end."""

import pytest

from tests import resume


@pytest.mark.multiprocess
def test_a_killed_run_ends_with_the_same_bits(tmp_path):
    steps, last = resume.supervise(kills=3, seed=0, folder=tmp_path, epochs=1)
    assert len(steps) == 3
    assert last.startswith("29 steps, parameters ")
