"""Times Rushlight against PyTorch: `python -m benchmarks [--only NAME ...] [--rows REGEX] [--rounds N] [--threads N]`.

The two run in turn, each in its own process; a row is the median of the ratios of neighbouring measurements, so that it
holds although the machine's speed drifts. Ratios are torch / rushlight: above 1, Rushlight is ahead. With --rows, every
operator of the registry is timed on about a million elements, and the slowest are listed at the end.
"""

import argparse
import importlib.util
import os
import re
import resource
import statistics
import subprocess
import sys
import time

from benchmarks import rows
from benchmarks.cases import CASES

IMPORT = "import sys, time; s = time.perf_counter(); import {}; print(time.perf_counter() - s)"
PEAK = (
    "import resource, sys, {0} as torch; torch.set_num_threads({1})\n"
    "from benchmarks.cases import mlp_large\n"
    "run = mlp_large(torch)\n"
    "for _ in range(50): run()\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)
FRAMEWORKS = ("rushlight", "torch")


class Worker:
    def __init__(self, framework, threads, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", framework, str(threads), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{name}: the worker ended with {self.process.wait()}")
        time.sleep(0.05)  # the other's threads go to sleep
        return float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def printed(code):
    # Bytecode is kept, as where a package is installed.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def unit(seconds):
    for scale, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {name}"
    return f"{seconds / 1e-9:.3g} ns"


def row(description, ours, theirs, goal, show=unit):
    ratio = statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    verdict = "" if goal is None else f">= {goal:g}  {'yes' if ratio >= goal else 'NO'}"
    middle = [show(statistics.median(times)) for times in (ours, theirs)]
    print(f"{description:46} {middle[0]:>10} {middle[1]:>10} {ratio:8.2f}  {verdict}", flush=True)
    return ratio


def time_rows(pattern, rounds, threads):
    """Every operator whose name matches; the ten slowest against torch last."""
    workers = [Worker(f, threads, "--rows") for f in FRAMEWORKS]
    ratios, left_out = {}, []
    for name, (description, _, _) in rows.cases().items():
        if not re.search(pattern, description):
            continue
        times = [[worker.seconds(name)] for worker in workers]
        if not (times[0][0] and times[1][0]):
            left_out.append(description)
            continue
        for _ in range(rounds - 1):
            for k, worker in enumerate(workers):
                times[k].append(worker.seconds(name))
        ratios[description] = row(description, *times, None)
    for worker in workers:
        worker.close()
    worst = sorted(ratios, key=ratios.get)[:10]
    print("slowest: " + ", ".join(f"{name} {ratios[name]:.2f}" for name in worst))
    print(f"not timed, for want of a large sample or of a like function in torch: {', '.join(left_out)}")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", help="names of cases: " + ", ".join([*CASES, "import", "memory"]))
    parser.add_argument("--rows", metavar="REGEX", help="time the operators of the registry that match instead")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each framework (default 9)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("PyTorch is needed for comparison. Cure: pip install torch==2.13.0")
    wanted = options.only or [*CASES, "import", "memory"]
    print(f"{'work':46} {'rushlight':>10} {'torch':>10} {'ratio':>8}  goal")
    if options.rows is not None:
        return time_rows(options.rows, options.rounds, options.threads)
    names = [n for n in CASES if n in wanted]
    if names:
        workers = [Worker(f, options.threads) for f in FRAMEWORKS]
        for name in names:
            times = [[], []]
            for _ in range(options.rounds):
                for k, worker in enumerate(workers):
                    times[k].append(worker.seconds(name))
            row(CASES[name][0], *times, CASES[name][2])
        for worker in workers:
            worker.close()
    if "import" in wanted:
        times = [[printed(IMPORT.format(f)) for _ in range(options.rounds + 1)][1:] for f in FRAMEWORKS]
        row("import in a fresh process", *times, 20)
    if "memory" in wanted:
        peaks = [[printed(PEAK.format(f, options.threads)) * 1024] for f in FRAMEWORKS]
        row("peak resident memory of the large MLP step", *peaks, 3, lambda b: f"{b / 2**20:.0f} MiB")
    print(
        f"(seconds per call; {options.threads} threads; peak of this process: "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB)"
    )


if __name__ == "__main__":
    main()
