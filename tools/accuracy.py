"""Measures the largest float32 error of every elementwise function that approximates, and writes docs/accuracy.md.

    python tools/accuracy.py             every 97th float, some minutes
    python tools/accuracy.py --every 1   all floats

The reference is SciPy's or NumPy's function in float64, of the same float32 argument. Errors are in units of the last
place (ulp) of the result. The page's first table, of the vector functions, is kept by hand, and
tests/kernels/test_simd.py holds it to what simd_accuracy.cpp allows; the second, of all others, is written here: the
largest error found, a tenth more, rounded up.
"""

import argparse
import math
import pathlib
import sys

import numpy as np

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "accuracy.md"
HEADING = "## Functions made of these, and functions that go lane by lane, in float32"
BESSEL = 100  # beyond it the reference itself is no better than float32
SAME_NAME = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh",
             "tanh"]  # fmt: skip
INTRODUCTION = f"""{HEADING}

`tools/accuracy.py` writes this table, from one float32 in {{every}} and a dense sample between -8 and 8;
`tests/kernels/test_accuracy.py` checks it. Bessel functions of the first and second kind and Airy's are measured up to
{BESSEL:g}.

| function | bound in ulp |
|---|---|
"""


def _sinc(x):
    turns = np.rint(x)
    sine = np.sin(np.pi * (x - turns)) * np.where(turns % 2 == 0, 1, -1)
    return np.where(x == 0, 1, sine / (np.pi * np.where(x == 0, 1, x)))


def _logit(x):
    return np.where(np.abs(x - 0.5) < 0.25, 2 * np.arctanh(2 * x - 1), np.log(x) - np.log1p(-x))


def functions():
    """name -> (reference in float64, the largest magnitude of an argument that is measured)"""
    from scipy import special as s

    everywhere = {
        **{n: getattr(np, n) for n in SAME_NAME},
        **{f"a{n}": getattr(np, f"arc{n}") for n in ["sin", "cos", "tan", "sinh", "cosh", "tanh"]},
        "rsqrt": lambda x: 1 / np.sqrt(x),
        "reciprocal": np.reciprocal,
        "erf": s.erf,
        "erfc": s.erfc,
        "sigmoid": s.expit,
        "special.logit": _logit,
        "sinc": _sinc,
        "nn.functional.logsigmoid": s.log_expit,
        **{f"special.{n}": getattr(s, n) for n in ["erfcx", "erfinv", "ndtr", "ndtri", "log_ndtr"]},
        **{f"special.{n}": getattr(s, n) for n in ["i0", "i0e", "i1", "i1e", "digamma", "gammaln", "entr"]},
        "special.modified_bessel_k0": s.k0,
        "special.modified_bessel_k1": s.k1,
        "special.scaled_modified_bessel_k0": s.k0e,
        "special.scaled_modified_bessel_k1": s.k1e,
        "special.spherical_bessel_j0": lambda x: np.where(x == 0, 1, np.sin(x) / np.where(x == 0, 1, x)),
    }
    oscillating = {f"special.bessel_{n}": getattr(s, n) for n in ["j0", "j1", "y0", "y1"]}
    oscillating["special.airy_ai"] = lambda x: s.airy(x)[0]
    return {**{n: (f, math.inf) for n, f in everywhere.items()}, **{n: (f, BESSEL) for n, f in oscillating.items()}}


def ulp_errors(got, expected):
    """|got - expected| in units of the last place of float32; infinite where only one of the two is NaN or infinite."""
    with np.errstate(all="ignore"):
        nearest = expected.astype(np.float32)
        exponent = np.maximum(np.frexp(expected)[1] - 24, -149)
        error = np.abs(np.ldexp(got.astype(np.float64) - expected, -exponent))
    same = (got == nearest) | (np.isnan(got) & np.isnan(nearest))
    border = np.isinf(got) ^ np.isinf(nearest)  # next to the overflow threshold
    near = border & (np.abs(np.where(np.isinf(got), nearest, got)) >= np.finfo(np.float32).max * (1 - 2**-22))
    error = np.where(near, 1, np.where(border | (np.isnan(got) ^ np.isnan(nearest)), np.inf, error))
    return np.where(same & ~np.isfinite(nearest), 0, error)


def measure(name, every, start=0):
    """(largest error, its argument) over every every-th float32, and densely from -8 to 8."""
    import rushlight

    reference, limit = functions()[name]
    function = rushlight
    for part in name.split("."):
        function = getattr(function, part)
    worst, at = 0.0, 0.0
    block = 1 << 20
    patterns = range(start, 1 << 32, every * block)
    dense = np.linspace(-8, 8, max(1000, (1 << 27) // every), dtype=np.float32)
    for x in (*(np.arange(p, min(p + every * block, 1 << 32), every, dtype=np.uint64) for p in patterns), dense):
        if x.dtype == np.uint64:
            x = x.astype(np.uint32).view(np.float32)
        with np.errstate(all="ignore"):
            x = x[np.abs(x) <= limit]
            error = ulp_errors(function(rushlight.from_numpy(x)).numpy(), reference(x.astype(np.float64)))
        if len(x) and error.max() > worst:
            worst, at = float(error.max()), float(x[error.argmax()])
    return worst, at


def bounds(text):
    """name -> the bound for float32 that the rows of the page give"""
    rows = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in text.splitlines() if row[:3] == "| `"]
    return {name: float(bound) for name, bound, *_ in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=97, metavar="N", help="measure one float in N (default: 97)")
    every = parser.parse_args().every
    by_hand = PAGE.read_text().partition(HEADING)[0]
    rows = []
    for name in sorted(functions().keys() - bounds(by_hand).keys()):
        worst, at = measure(name, every)
        print(f"{name:36} {worst:8.3f} ulp at {at!r}", file=sys.stderr)
        rows.append(f"| `{name}` | {math.ceil(worst * 11) / 10:g} |")
    PAGE.write_text(by_hand + INTRODUCTION.format(every=every) + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
