"""Measure Rushlight against PyTorch and hold it to a floor: its operators against PyTorch's own operator database, and
its public names against PyTorch's.

    python tools/conformance.py                     # run, print a summary, compare with the floor
    python tools/conformance.py --raise-floor       # write the shares just measured as the new floor
    python tools/conformance.py --only '^linalg\\.'  # look at some operators; no names, no floor

The harness lies beside the checkout, in ../shared/conformance/, or where RUSHLIGHT_CONFORMANCE says. Without it this
script says so and succeeds: the tests in tests/ do not depend on it. With it, the script fails when a share is below
tests/conformance_floor.json, or when a check crashes or hangs. The shares are of operators whose forward checks all
pass, and of names that exist.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
FLOOR = ROOT / "tests" / "conformance_floor.json"
REPORT = ROOT / "build" / "conformance.json"
NAMES_REPORT = ROOT / "build" / "names.json"
NAMESPACES = ("torch", "torch.Tensor") + tuple(
    f"torch.{part}" for part in ("nn.functional", "linalg", "fft", "special", "func", "distributions")
)


def harness(script: str = "opinfo_conformance.py") -> pathlib.Path:
    folder = os.environ.get("RUSHLIGHT_CONFORMANCE", ROOT.parent / "shared" / "conformance")
    return pathlib.Path(folder) / script


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


def names_summary(report: dict) -> float:
    """Print how many of PyTorch's names exist, by namespace; the percentage of all."""
    spaces = report["namespaces"]
    total, present = (sum(space[key] for space in spaces) for key in ("names", "present"))
    percent = 100.0 * present / max(1, total)
    print(f"names: {present} of {total} exist ({percent:.2f} %)")
    print("  " + ", ".join(f"{space['namespace']} {space['present']}/{space['names']}" for space in spaces))
    agree = sum(space["signatures_agree"] for space in spaces)
    differ = sum(len(space["signatures_differ"]) for space in spaces)
    print(f"  parameters: {agree} agree, {differ} differ")
    return percent


def run(command: list, report: pathlib.Path, show: bool) -> dict | None:
    """What a script of the harness wrote to `report`, or None when it wrote nothing."""
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *command, "--candidate", "rushlight", "--json", report]
    output = None if show else subprocess.DEVNULL
    finished = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output)
    if report.is_file():
        return json.loads(report.read_text())
    print(f"conformance: {command[1].name} ended with {finished.returncode} and wrote no report", file=sys.stderr)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", metavar="REGEX", help="only operators that match; the floor is not looked at")
    parser.add_argument("--show-failures", type=int, default=0, metavar="K")
    parser.add_argument("--raise-floor", action="store_true", help="write the measured shares as the new floor")
    arguments = parser.parse_args()

    if not harness().is_file():
        print(f"conformance: left out, there is no {harness()}")
        return 0
    command = [harness(), "--kind", "ops", "--jobs", str(arguments.jobs), "--quiet"]
    if arguments.only:
        command += ["--only", arguments.only]
    if arguments.show_failures:
        command += ["--show-failures", str(arguments.show_failures)]
    report = run(command, REPORT, bool(arguments.show_failures))
    if report is None:
        return 1
    operators, deaths = summary(report)
    print("\n".join(deaths[:20]), end="\n" if deaths else "")
    if arguments.only:
        return 1 if deaths else 0

    pattern = "^(" + "|".join(map(re.escape, NAMESPACES)) + ")$"
    report = run([harness("api_coverage.py"), "--namespace", pattern], NAMES_REPORT, False)
    if report is None:
        return 1
    measured = {"operators_pass_percent": operators, "names_present_percent": names_summary(report)}
    if arguments.raise_floor:
        FLOOR.write_text(json.dumps({key: math.floor(share * 10) / 10 for key, share in measured.items()}) + "\n")
        print(f"conformance: {FLOOR.relative_to(ROOT)} now says {FLOOR.read_text().strip()}")
    below = False
    for key, floor in json.loads(FLOOR.read_text()).items():
        if measured[key] < floor:
            print(f"conformance: {key} is {measured[key]:.2f}, below {floor} in {FLOOR.relative_to(ROOT)}")
            below = True
    return 1 if deaths or below else 0


if __name__ == "__main__":
    sys.exit(main())
