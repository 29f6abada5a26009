"""One framework in a process of its own: two thread pools in one process would slow each other down.

Reads case names from standard input and answers with the seconds of one call, the median over several batches (of the
rows, of which there are hundreds, the least over a few); 0 for a case that this framework does not have.
"""

import importlib
import statistics
import sys
import time

from benchmarks import rows
from benchmarks.cases import CASES


def seconds_per_call(run, budget=0.25, of=statistics.median):
    for _ in range(3):
        run()
    start = time.perf_counter()
    run()
    one = max(time.perf_counter() - start, 1e-8)
    calls = max(1, int(0.02 / one))
    samples = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(samples) < 3:
        start = time.perf_counter()
        for _ in range(calls):
            run()
        samples.append((time.perf_counter() - start) / calls)
    return of(samples)


def main():
    torch = importlib.import_module(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    built, of_rows = {}, rows.cases() if "--rows" in sys.argv else {}
    for line in sys.stdin:
        name = line.strip()
        if name not in built:
            if name in of_rows:
                built.clear()  # each is large, and asked for once or a few times in succession
            built[name] = (of_rows | CASES)[name][1](torch)
        print(seconds_per_call(built[name], *((0.1, min) if of_rows else ())) if built[name] else 0.0, flush=True)


if __name__ == "__main__":
    main()
