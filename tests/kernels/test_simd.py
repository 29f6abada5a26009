"""The vector functions of the CPU kernels: error bounds, special values, integer lanes and masks.

The measuring is done by simd_accuracy.cpp, compiled here; special functions are compared with SciPy and PyTorch.
"""

import os
import pathlib
import platform
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "kernels" / "simd_accuracy.cpp"


def _has_avx2():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return " avx2 " in text and " fma " in text


def _compile(target, *flags):
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        pytest.skip("no C++ compiler found (g++, clang++ or $CXX)")
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the reference needs the 80-bit long double of x86")
    command = [*compiler.split(), "-std=c++20", "-O2", *flags, "-fno-math-errno", "-fno-trapping-math"]
    command += ["-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'csrc'}", str(SOURCE), "-o", str(target)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-4000:]
    return target


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    if not _has_avx2():
        pytest.skip("this machine has no AVX2 and FMA")
    return _compile(tmp_path_factory.mktemp("simd") / "fused", "-march=x86-64-v3")


@pytest.fixture(scope="module")
def report(fused):
    return subprocess.run([fused], capture_output=True, text=True)


def test_bounds(report):
    print(report.stdout)
    assert report.returncode == 0, report.stdout


def test_bounds_are_the_documented_ones(report):
    measured = {}
    for line in report.stdout.splitlines():
        word = line.split()
        if word[0] in ("float32", "float64"):
            measured[word[1], word[0]] = float(word[2])
    documented = {}
    for line in (ROOT / "docs" / "accuracy.md").read_text().splitlines():
        cell = [c.strip() for c in line.strip("|").split("|")]
        if len(cell) == 3 and cell[0].startswith("`"):
            names, single, double = cell
            for name in names.split(","):
                documented[name.strip(" `"), "float32"] = float(single)
                documented[name.strip(" `"), "float64"] = float(double)
    assert documented == measured


@pytest.mark.slow
def test_without_fused_multiply_add(tmp_path):
    result = subprocess.run([_compile(tmp_path / "portable", "-march=x86-64")], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def _spread(low, high, count=400):
    return [low + (high - low) * (i + 0.5) / count for i in range(count)]


WIDE = [1e-300, 1e-20, 1e-5, 1e3, 1e6]
INF, NAN = float("inf"), float("nan")


def _evaluate(program, name, pairs):
    text = "\n".join(f"{x!r} {y!r}" for x, y in pairs)
    out = subprocess.run([program, "--evaluate", name], input=text, capture_output=True, text=True, check=True).stdout
    values = [float(v) for v in out.split()]
    assert len(values) == len(pairs)
    return values


# name: (SciPy's name, arguments, relative tolerance). PyTorch's own Bessel functions keep only about 1e-5.
SPECIAL = {
    "lgamma": ("gammaln", [_spread(-20, 100) + WIDE + [0.0, -1.0, INF, NAN]], 1e-13),
    "digamma": ("digamma", [_spread(-8, 100) + WIDE + [0.0, -0.0, -1.0, INF, NAN]], 1e-13),
    "trigamma": ("polygamma", [[1.0], _spread(-8, 100) + [1e3, 0.0, -1.0]], 1e-13),
    "polygamma": ("polygamma", [[0.0, 1.0, 2.0, 3.0, 6.0], _spread(0.1, 30, 60)], 1e-13),
    "zeta": ("zeta", [[1.0, 1.5, 2.0, 3.5, 20.0, 60.0], _spread(0.1, 30, 60)], 1e-14),
    "erfinv": ("erfinv", [_spread(-1, 1) + [1 - 1e-12, 1e-20, 1.0, -1.0, 2.0, INF, NAN]], 1e-14),
    "ndtri": ("ndtri", [_spread(0, 1) + [1e-300, 1e-20, 1e-5, 0.0, 1.0, -1.0, 2.0, NAN]], 1e-14),
    "i0": ("i0", [_spread(-60, 60) + [0.0, 700.0, NAN]], 1e-14),
    "i0e": ("i0e", [_spread(-60, 60) + [0.0, 1e3, 1e6, INF]], 1e-14),
    "i1": ("i1", [_spread(-60, 60) + [0.0, 700.0, NAN]], 1e-14),
    "i1e": ("i1e", [_spread(-60, 60) + [0.0, 1e3, 1e6]], 1e-14),
    "bessel_j0": ("j0", [_spread(-30, 30)], 1e-11),
    "bessel_j1": ("j1", [_spread(-30, 30)], 1e-11),
    "bessel_y0": ("y0", [_spread(0, 30) + [0.0, -1.0]], 1e-11),
    "bessel_y1": ("y1", [_spread(0, 30) + [0.0, -1.0]], 1e-11),
    "sinc": ("sinc", [_spread(-5, 5) + [0.0]], 1e-13),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_function(fused, name):
    numpy = pytest.importorskip("numpy")
    scipy_special = pytest.importorskip("scipy.special")
    scipy_name, arguments, tolerance = SPECIAL[name]
    first, second = arguments if len(arguments) == 2 else (arguments[0], [0.0])
    pairs = [(x, y) for x in first for y in second]
    x, y = numpy.array(pairs).T
    with numpy.errstate(all="ignore"):
        if name == "sinc":
            expected = numpy.sinc(x)
        elif scipy_name == "polygamma":
            expected = scipy_special.polygamma(x.astype(int), y)
        else:
            expected = getattr(scipy_special, scipy_name)(*((x, y) if len(arguments) == 2 else (x,)))
    if name == "trigamma":
        pairs = [(v, 0.0) for v in second]
    got = _evaluate(fused, name, pairs)
    numpy.testing.assert_allclose(got, expected, rtol=tolerance, atol=1e-300)


NUMBERS = [1.0, -7.5, 0.0, -0.0, INF, -INF, NAN, 1e300]
BINARY = {  # name: (arguments, relative tolerance)
    "xlogy": ([0.0, 1.0, -2.5, NAN], [0.0, 1e-300, 0.5, 3.0, -1.0, NAN, INF], 1e-14),
    "xlog1py": ([0.0, 1.0, -2.5, NAN], [-1.0, 1e-300, 0.5, 3.0, -2.0, NAN, INF], 1e-14),
    "logaddexp": (NUMBERS, [0.5, -3.0, 800.0, *NUMBERS], 1e-14),
    "logaddexp2": (NUMBERS, [0.5, -3.0, 800.0, *NUMBERS], 1e-14),
    "floor_divide": (NUMBERS, [0.1, -2.0, 1e-5, *NUMBERS], 0),
    "remainder": (NUMBERS, [0.1, -2.0, 1e-5, *NUMBERS], 0),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", BINARY)
def test_binary_function(fused, name):
    torch = pytest.importorskip("torch")
    first, second, tolerance = BINARY[name]
    pairs = [(x, y) for x in first for y in second]
    got = torch.tensor(_evaluate(fused, name, pairs), dtype=torch.float64)
    function = getattr(torch, name, None) or getattr(torch.special, name)
    expected = function(*torch.tensor(pairs, dtype=torch.float64).unbind(1))
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=0, equal_nan=True)
    zero = got == 0
    assert torch.equal(torch.signbit(got[zero]), torch.signbit(expected[zero]))
