"""The operator that CONTRIBUTING.md shows is the one that is compiled."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent


def test_the_shown_operator_is_the_file():
    shown = re.search(r"```cpp\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert shown.group(1) == (ROOT / "csrc/ops/pointwise/softplus.cpp").read_text()
