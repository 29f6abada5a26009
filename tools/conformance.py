"""Measure the operators against PyTorch's own operator database and hold them to a floor.

    python tools/conformance.py                     # run, print a summary, compare with the floor
    python tools/conformance.py --raise-floor       # write the share just measured as the new floor
    python tools/conformance.py --only '^linalg\\.'  # look at some operators; no floor

The harness lies beside the checkout, in ../shared/conformance/, or where RUSHLIGHT_CONFORMANCE says. Without it this
script says so and succeeds: the tests in tests/ do not depend on it. With it, the script fails when the share of
operators whose forward checks all pass is below tests/conformance_floor.json, or when a check crashes or hangs.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
FLOOR = ROOT / "tests" / "conformance_floor.json"
REPORT = ROOT / "build" / "conformance.json"


def harness() -> pathlib.Path:
    folder = os.environ.get("RUSHLIGHT_CONFORMANCE", ROOT.parent / "shared" / "conformance")
    return pathlib.Path(folder) / "opinfo_conformance.py"


def summary(report: dict) -> tuple[float, list[str]]:
    """Print what the report says; the percentage that passes and the checks that crashed or hung."""
    cases = [case for case in report["cases"] if case["status"] != "untested"]
    statuses = collections.Counter(case["status"] for case in cases)
    percent = 100.0 * statuses["pass"] / max(1, len(cases))
    print(f"conformance: {statuses['pass']} of {len(cases)} operators pass ({percent:.2f} %)")
    print("  operators: " + ", ".join(f"{status} {count}" for status, count in statuses.most_common()))
    checks = report["totals"]["ops"]["checks"]
    print("  checks: " + ", ".join(f"{kind} {passed}/{total}" for kind, (passed, total) in checks.items()))
    deaths = [
        f"{case['name']}: {failure['kind']}: {failure['outcome']}: {failure.get('message', '')}"
        for case in cases
        for failure in case["failures"]
        if failure["outcome"] in ("crash", "hang")
    ]
    return percent, deaths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", metavar="REGEX", help="only operators that match; the floor is not looked at")
    parser.add_argument("--show-failures", type=int, default=0, metavar="K")
    parser.add_argument("--raise-floor", action="store_true", help="write the measured share as the new floor")
    arguments = parser.parse_args()

    if not harness().is_file():
        print(f"conformance: left out, there is no {harness()}")
        return 0
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    command = [sys.executable, harness(), "--kind", "ops", "--candidate", "rushlight", "--jobs", str(arguments.jobs)]
    command += ["--quiet", "--json", REPORT]
    if arguments.only:
        command += ["--only", arguments.only]
    if arguments.show_failures:
        command += ["--show-failures", str(arguments.show_failures)]
    output = None if arguments.show_failures else subprocess.DEVNULL
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output)
    if not REPORT.is_file():
        print(f"conformance: the harness ended with {finished.returncode} and wrote no report", file=sys.stderr)
        return 1

    measured, deaths = summary(json.loads(REPORT.read_text()))
    print("\n".join(deaths[:20]), end="\n" if deaths else "")
    if arguments.only:
        return 1 if deaths else 0
    if arguments.raise_floor:
        FLOOR.write_text(json.dumps({"operators_pass_percent": math.floor(measured * 10) / 10}) + "\n")
        print(f"conformance: {FLOOR.relative_to(ROOT)} now says {FLOOR.read_text().strip()}")
    floor = json.loads(FLOOR.read_text())["operators_pass_percent"]
    if measured < floor:
        print(f"conformance: {measured:.2f} % is below the floor of {floor} % in {FLOOR.relative_to(ROOT)}")
    return 1 if deaths or measured < floor else 0


if __name__ == "__main__":
    sys.exit(main())
