"""Good files with damage: `python -m tests.serialization.mutate --count 100000` loads that many in this process.

Every one must give a value or an error of the documented classes, import nothing, open nothing and start nothing.
Prints how many of each there were; the exit status is 1 if any did otherwise.
"""

import argparse
import collections
import io
import random
import sys

import numpy as np

import rushlight
from tests.serialization.hostile import _SILENT, outcome


def good_files():
    """One of every format and kind of content."""
    base = rushlight.arange(24.0)
    state = {
        "model": rushlight.nn.Sequential(rushlight.nn.Linear(3, 2), rushlight.nn.BatchNorm1d(2)).state_dict(),
        "views": [base[2:].view(2, 11), base.view(4, 6).t(), base.view(rushlight.int32)],
        "kinds": [rushlight.zeros(2, dtype=dtype) for dtype in (rushlight.bool, rushlight.int8, rushlight.complex64)],
        "numbers": (1, 2**40, 1.5, True, None, 1 + 2j, "text", b"bytes", slice(1, 2), {1, 2}, frozenset((3,))),
        "size": rushlight.Size([1, 2]),
        "dtype": rushlight.float16,
        "device": rushlight.device("cpu"),
        "parameter": rushlight.nn.Parameter(rushlight.ones(2)),
        "cycle": (cycle := []),
    }
    cycle.append(cycle)
    arrays = {"array": np.arange(6.0).reshape(2, 3), "scalar": np.float32(1.5), "dtype": np.dtype("int16")}
    sparse = rushlight.sparse_coo_tensor(rushlight.tensor([[0, 2]]), rushlight.ones(2), (4,))
    module = rushlight.nn.Sequential(rushlight.nn.Conv2d(1, 2, 3), rushlight.nn.ReLU())
    for value, options in (
        (state, {}),
        (state, {"pickle_protocol": 4}),
        (state, {"_use_new_zipfile_serialization": False}),
        (arrays, {}),
        (sparse, {}),
        (module, {}),
        (module, {"_use_new_zipfile_serialization": False}),
    ):
        file = io.BytesIO()
        rushlight.save(value, file, **options)
        yield file.getvalue()
    from rushlight.serialization import safetensors

    file = io.BytesIO()
    safetensors.write({"a": rushlight.arange(6), "b": {"c": [1, 2.5, sparse]}}, file)
    yield file.getvalue()


def damaged(content, others, random):
    """The file with one to four changes of the kinds that disks, networks and people make."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(data) + 1)
        length = random.choice((1, 2, 4, 8, random.randrange(1, 200)))
        match random.randrange(9):
            case 0 | 1 if at < len(data):
                data[at] = random.randrange(256)
            case 2 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = random.randbytes(length)
            case 5:
                data[at : at + length] = random.choice((b"\0", b"\xff", b"\x7f", b"(", b".")) * min(length, 8)
            case 6:
                source = random.choice(others)
                start = random.randrange(len(source))
                data[at : at + length] = source[start : start + length]
            case 7:
                data[at:at] = data[at : at + length]
            case _ if random.random() < 0.3:
                del data[at:]
    return bytes(data)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    files = list(good_files())
    for content in files:
        assert outcome(content, False) == "result"
    b"x".decode("raw-unicode-escape")  # Python imports its codecs when they are first used
    events, counts, bad = set(), collections.Counter(), 0
    sys.addaudithook(lambda event, values: events.add(event))
    for number in range(options.count):
        source = random.Random(f"{options.seed}.{number}")
        content = damaged(source.choice(files), files, source)
        weights_only = source.random() < 0.3
        events.clear()
        found = outcome(content, weights_only)
        done = events - _SILENT
        counts[found if found in ("result", "error") else "wrong"] += 1
        if found not in ("result", "error") or done:
            bad += 1
            print(f"number {number}: {found[:300]}; {sorted(done)}", file=sys.stderr)
    print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
