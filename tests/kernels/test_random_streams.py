"""csrc/kernels/random*: the generator and its fills against PyTorch's CPU streams, value for value.

The kernels are compiled alone into a small shared object, so these tests need a C++ compiler but no built package.
"""

import ctypes
import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

torch = pytest.importorskip("torch")
# PyTorch warns where a floating dtype has no room for every integer of the range, and draws all the same.
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:.*is out of bounds:UserWarning")]

CSRC = pathlib.Path(__file__).resolve().parents[2] / "csrc"
DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
    torch.complex128,
]
FLOATING = DTYPES[6:10]
REAL = DTYPES[:10]
SIZES = [0, 1, 5, 15, 16, 17, 31, 32, 100, 1000, 100003]
SEEDS = [0, 1, 42, 2**32 + 7, 67280421310721, 2**64 - 1]

# Each entry is compiled into `const char* rl_<name>(Generator*, <parameters>)`, which returns an error's text or null.
CALLS = {
    "manual_seed": ("std::uint64_t seed", "g->manual_seed(seed)"),
    "draw": ("std::uint32_t* out, i64 n", "for (i64 i = 0; i < n; ++i) out[i] = g->random()"),
    "draw_bulk": ("std::uint32_t* out, i64 n", "g->random(out, n)"),
    "draw64": ("std::uint64_t* out, i64 n", "for (i64 i = 0; i < n; ++i) out[i] = g->random64()"),
    "os_seed": ("std::uint64_t* out", "*out = g->seed()"),
    "initial_seed": ("std::uint64_t* out", "*out = g->initial_seed()"),
    "get_state": ("std::uint8_t* out", "auto s = g->get_state(); std::copy(s.begin(), s.end(), out)"),
    "set_state": ("const std::uint8_t* bytes, i64 n", "g->set_state(bytes, n)"),
    "default": ("std::uint32_t* out", "Generator copy = default_generator(); (void)g; *out = copy.random()"),
    "uniform": ("int d, void* out, i64 n, double a, double b", "fill_uniform(DType(d), out, n, a, b, *g)"),
    "normal": ("int d, void* out, i64 n, double a, double b", "fill_normal(DType(d), out, n, a, b, *g)"),
    "normal_serial": ("int d, void* out, i64 n, double a, double b", "fill_normal_serial(DType(d), out, n, a, b, *g)"),
    "exponential": ("int d, void* out, i64 n, double a", "fill_exponential(DType(d), out, n, a, *g)"),
    "cauchy": ("int d, void* out, i64 n, double a, double b", "fill_cauchy(DType(d), out, n, a, b, *g)"),
    "log_normal": ("int d, void* out, i64 n, double a, double b", "fill_log_normal(DType(d), out, n, a, b, *g)"),
    "geometric": ("int d, void* out, i64 n, double a", "fill_geometric(DType(d), out, n, a, *g)"),
    "bernoulli": ("int d, void* out, i64 n, double a", "fill_bernoulli(DType(d), out, n, a, *g)"),
    "bernoulli_tensor": (
        "int d, void* out, i64 n, int pd, void* p",
        "fill_bernoulli_tensor(DType(d), out, n, DType(pd), p, *g)",
    ),
    "random": ("int d, void* out, i64 n", "fill_random(DType(d), out, n, *g)"),
    "random_from": ("int d, void* out, i64 n, i64 a", "fill_random_from(DType(d), out, n, a, *g)"),
    "random_from_to": ("int d, void* out, i64 n, i64 a, i64 b", "fill_random_from_to(DType(d), out, n, a, b, *g)"),
    "randperm": ("int d, void* out, i64 n", "fill_randperm(DType(d), out, n, *g)"),
    "poisson": ("int d, void* out, i64 n, void* p", "fill_poisson(DType(d), out, n, p, *g)"),
    "binomial": ("int d, void* out, i64 n, void* c, void* p", "fill_binomial(DType(d), out, n, c, p, *g)"),
    "gamma": ("int d, void* out, i64 n, void* a", "fill_standard_gamma(DType(d), out, n, a, *g)"),
    "dirichlet": ("int d, void* out, i64 rows, i64 k, void* a", "fill_dirichlet(DType(d), out, rows, k, a, *g)"),
    "multinomial": (
        "i64* out, int d, void* w, i64 rows, i64 k, i64 n, int r",
        "fill_multinomial(out, DType(d), w, rows, k, n, r != 0, *g)",
    ),
    "mask": (
        "int d, void* out, i64 n, double p, std::uint64_t seed, std::uint64_t offset",
        "(void)g; fill_dropout_mask(DType(d), out, n, p, seed, offset)",
    ),
    "scale": (
        "int d, void* out, i64 n, double p, std::uint64_t seed, std::uint64_t offset",
        "(void)g; fill_dropout_scale(DType(d), out, n, p, seed, offset)",
    ),
    "philox_words": (
        "std::uint64_t seed, std::uint64_t offset, std::uint64_t block, std::uint32_t* out",
        "(void)g; philox_block(seed, offset, block, out)",
    ),
    "philox_portable": (
        "std::uint64_t seed, std::uint64_t offset, std::uint64_t block, std::uint32_t* out",
        "(void)g; philox_block_portable(seed, offset, block, out)",
    ),
    "threads": ("int n", "(void)g; set_num_threads(n)"),
}


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    compiler = os.environ.get("CXX") or shutil.which("g++")
    if not compiler:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("random")
    lines = [
        "#include <algorithm>",
        '#include "base/parallel.h"',
        '#include "kernels/random.h"',
        '#include "kernels/random_philox.h"',
        "#include <string>",
        "using namespace rl;",
        "static thread_local std::string message;",
        'extern "C" Generator* rl_new() { return new Generator; }',
        'extern "C" void rl_delete(Generator* g) { delete g; }',
    ]
    for name, (parameters, body) in CALLS.items():
        lines.append(f'extern "C" const char* rl_{name}(Generator* g, {parameters}) {{')
        lines.append(f"try {{ {body}; return nullptr; }}")
        lines.append("catch (const std::exception& e) { message = e.what(); return message.c_str(); } }")
    source = folder / "entry.cpp"
    source.write_text("\n".join(lines))
    shared = folder / "librandom.so"
    sources = [str(source), str(CSRC / "base/parallel.cpp"), *map(str, sorted((CSRC / "kernels").glob("random*.cpp")))]
    flags = [
        "-std=c++20",
        "-O3",
        "-march=x86-64-v3",
        "-fPIC",
        "-shared",
        "-fopenmp",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-Wall",
        "-Wextra",
        f"-I{CSRC}",
    ]
    subprocess.run([compiler, *flags, *sources, "-o", str(shared)], check=True)
    loaded = ctypes.CDLL(str(shared))
    loaded.rl_new.restype = ctypes.c_void_p
    for name in CALLS:
        getattr(loaded, f"rl_{name}").restype = ctypes.c_char_p
    return loaded


class Ours:
    """One generator of the compiled kernels; a call's arguments are tensors, arrays, ints and floats."""

    def __init__(self, library, seed=None):
        self.library = library
        self.handle = ctypes.c_void_p(library.rl_new())
        if seed is not None:
            self.call("manual_seed", np.uint64(seed))

    def __del__(self):
        self.library.rl_delete(self.handle)

    def call(self, name, *arguments):
        types = [part.rsplit(" ", 1)[0].strip() for part in CALLS[name][0].split(",")]
        as_c = {"int": ctypes.c_int, "i64": ctypes.c_int64, "double": ctypes.c_double, "std::uint64_t": ctypes.c_uint64}

        def convert(kind, value):
            if isinstance(value, torch.dtype):
                return ctypes.c_int(DTYPES.index(value))
            if isinstance(value, torch.Tensor):
                return ctypes.c_void_p(value.data_ptr())
            if isinstance(value, np.ndarray):
                return ctypes.c_void_p(value.ctypes.data)
            return as_c[kind](float(value) if kind == "double" else int(value))

        error = getattr(self.library, f"rl_{name}")(self.handle, *map(convert, types, arguments))
        if error is not None:
            raise RuntimeError(error.decode())

    def fill(self, name, dtype, n, *arguments):
        out = torch.empty(n, dtype=dtype)
        self.call(name, dtype, out, n, *arguments)
        return out

    def state(self):
        out = np.empty(5056, np.uint8)
        self.call("get_state", out)
        return out


@pytest.fixture
def ours(library):
    return lambda seed=None: Ours(library, seed)


def theirs(seed):
    return torch.Generator().manual_seed(seed)


def bits(tensor):
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    return tensor.contiguous().view(width)


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype
    a, b = bits(actual.reshape(-1)), bits(expected.reshape(-1))
    wrong = (a != b).nonzero().flatten()
    assert wrong.numel() == 0, (
        f"{wrong.numel()} of {a.numel()} differ, first at {wrong[0].item()}: "
        f"{actual.reshape(-1)[wrong[:4]]} != {expected.reshape(-1)[wrong[:4]]}"
    )


def compare(ours, name, dtype, arguments, fill, seeds=SEEDS, sizes=SIZES):
    """Both fill every size in a row from one generator: values and, at the end, states agree."""
    for seed in seeds:
        mine, reference = ours(seed), theirs(seed)
        for n in sizes:
            expected = fill(torch.empty(n, dtype=dtype), reference)
            assert_same(mine.fill(name, dtype, n, *arguments), expected)
        assert (mine.state() == reference.get_state().numpy()).all()


# --- the generator


@pytest.mark.parametrize("seed", SEEDS)
def test_words(ours, seed):
    expected = np.random.RandomState(seed & 0xFFFFFFFF).randint(0, 2**32, 3000, np.uint32)
    one, bulk, wide = np.empty(3000, np.uint32), np.empty(3000, np.uint32), np.empty(1500, np.uint64)
    ours(seed).call("draw", one, 3000)
    generator = ours(seed)
    for begin, end in [(0, 1), (1, 623), (623, 624), (624, 625), (625, 2000), (2000, 3000)]:
        generator.call("draw_bulk", bulk[begin:end], end - begin)
    ours(seed).call("draw64", wide, 1500)
    assert (one == expected).all() and (bulk == expected).all()
    assert (wide == (expected[0::2].astype(np.uint64) << np.uint64(32) | expected[1::2])).all()


def test_seeds(ours):
    default, seed, word = ours(), np.zeros(1, np.uint64), np.zeros(1, np.uint32)
    default.call("initial_seed", seed)
    assert seed[0] == 67280421310721 == torch.Generator().initial_seed()
    assert (default.state() == torch.Generator().get_state().numpy()).all()
    default.call("default", word)
    assert word[0] == np.random.RandomState(67280421310721 & 0xFFFFFFFF).randint(0, 2**32, 1, np.uint32)[0]
    drawn = set()
    for _ in range(4):
        generator = ours()
        generator.call("os_seed", seed)
        assert seed[0] < 2**53
        assert (generator.state() == theirs(int(seed[0])).get_state().numpy()).all()
        drawn.add(int(seed[0]))
    assert len(drawn) > 1


@pytest.mark.parametrize("normals", [0, 1, 2])
@pytest.mark.parametrize("draws", [0, 1, 300, 623, 624, 625, 1500])
def test_state_both_ways(ours, draws, normals):
    mine, reference = ours(9), theirs(9)
    mine.call("draw_bulk", np.empty(draws, np.uint32), draws)
    torch.empty(draws).uniform_(generator=reference)
    mine.fill("normal", torch.float64, normals, 0, 1)
    torch.empty(normals, dtype=torch.float64).normal_(generator=reference)
    assert (mine.state() == reference.get_state().numpy()).all()

    there, here = torch.Generator(), ours()
    there.set_state(torch.from_numpy(mine.state()))
    state = reference.get_state().numpy()
    here.call("set_state", state, state.size)
    follow = torch.empty(5, dtype=torch.float64).normal_(generator=there), torch.empty(2000).uniform_(generator=there)
    for generator in (mine, here):
        assert_same(generator.fill("normal", torch.float64, 5, 0, 1), follow[0])
        assert_same(generator.fill("uniform", torch.float32, 2000, 0, 1), follow[1])


def test_state_refuses_foreign_bytes(ours):
    generator = ours(3)
    before = generator.state()

    def refused(state, text):
        with pytest.raises(RuntimeError, match=text):
            generator.call("set_state", state, state.size)
        assert (generator.state() == before).all()

    refused(before[:-1].copy(), "5056 bytes. Received 5055")
    refused(np.zeros(5056, np.uint8), "seeded=0")
    for offset, kind, value, text in [
        (8, np.int32, 0, "left=0"),
        (8, np.int32, 625, "left=625"),
        (8, np.int32, -5, "left=-5"),
        (16, np.uint64, 625, "next=625"),
        (16, np.uint64, 2**63, "next=9223372036854775808"),
        (24, np.uint64, 2**32, "words below"),
        (8, np.int32, 624, None),
    ]:
        state = before.copy()
        state[offset : offset + np.dtype(kind).itemsize] = np.frombuffer(kind(value).tobytes(), np.uint8)
        if text is None:  # left=624 with next=2 would read past the words
            state[16:24] = np.frombuffer(np.uint64(2).tobytes(), np.uint8)
            text = "left=624, next=2"
        refused(state, text)


# --- continuous distributions


def test_known_value(ours):
    assert ours(42).fill("normal", torch.float32, 10, 0, 1)[0].item() == 0.33669036626815796


@pytest.mark.parametrize("bounds", [(0, 1), (-1, 1), (0.1, 0.3), (-1000.7, 3.3), (2, 2), (1, 1.01), (1000, 1000.001)])
@pytest.mark.parametrize("dtype", FLOATING)
def test_uniform(ours, dtype, bounds):
    compare(ours, "uniform", dtype, bounds, lambda t, g: t.uniform_(*bounds, generator=g))


@pytest.mark.parametrize("parameters", [(0, 1), (2.5, 0.02), (-0.1, 3.3), (1, 0)])
@pytest.mark.parametrize("dtype", FLOATING)
def test_normal(ours, dtype, parameters):
    compare(ours, "normal", dtype, parameters, lambda t, g: t.normal_(*parameters, generator=g))


@pytest.mark.parametrize("dtype", DTYPES[10:])
def test_complex_parts(ours, dtype):
    compare(ours, "normal", dtype, (0.5, 2), lambda t, g: t.normal_(0.5, 2, generator=g))
    compare(ours, "uniform", dtype, (-1, 2), lambda t, g: t.uniform_(-1, 2, generator=g))


@pytest.mark.parametrize("dtype", FLOATING)
def test_normal_of_a_strided_tensor(ours, dtype):
    def fill(tensor, generator):
        return torch.empty(2 * len(tensor), dtype=dtype)[::2].normal_(0.3, 1.7, generator=generator)

    compare(ours, "normal_serial", dtype, (0.3, 1.7), fill)


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize(
    "name, arguments",
    [
        ("exponential", (1,)),
        ("exponential", (0.37,)),
        ("cauchy", (0, 1)),
        ("cauchy", (1.3, 2.7)),
        ("log_normal", (1, 2)),
        ("log_normal", (-0.3, 0.4)),
    ],
)
def test_continuous(ours, name, arguments, dtype):
    compare(ours, name, dtype, arguments, lambda t, g: getattr(t, name + "_")(*arguments, generator=g))


# --- integers


@pytest.mark.parametrize("dtype", REAL)
def test_random(ours, dtype):
    compare(ours, "random", dtype, (), lambda t, g: t.random_(generator=g))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    "bounds",
    [
        (0, 1),
        (0, 2),
        (-3, 100),
        (0, 127),
        (10, 1000),
        (0, 2**20),
        (0, 2**24),
        (0, 2**24 + 1),
        (0, 2**28 - 1),
        (0, 2**28),
        (-(2**31), 2**31),
        (5, 2**32 - 1),
        (0, 2**40),
        (2**53 + 1, 2**53 + 100),
        (-(2**53) - 3, 2**60),
        (-(2**63), 2**63 - 1),
        (-65504, 65505),
        (2**24 + 1, 2**24 + 9),
        (2049, 4099),
        (257, 1003),
        (-5001, -259),
    ],
)
def test_random_from_to(ours, dtype, bounds):
    def fill(tensor, generator):
        return tensor.random_(*bounds, generator=generator)

    try:
        fill(torch.empty(3, dtype=dtype), theirs(0))
    except RuntimeError:
        with pytest.raises(RuntimeError, match=r"\[random_\]"):
            ours(0).fill("random_from_to", dtype, 3, *bounds)
        return
    compare(ours, "random_from_to", dtype, bounds, fill, seeds=SEEDS[:3])


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("start", [0, 1, -100, 300, 2**20, 2**24 - 3, 2**40, -(2**53) - 1, -(2**63), 2**63 - 2])
def test_random_from(ours, dtype, start):
    def fill(tensor, generator):
        return tensor.random_(start, None, generator=generator)

    try:
        fill(torch.empty(3, dtype=dtype), theirs(0))
    except RuntimeError:
        with pytest.raises(RuntimeError, match=r"\[random_\]"):
            ours(0).fill("random_from", dtype, 3, start)
        return
    compare(ours, "random_from", dtype, (start,), fill, seeds=SEEDS[:3])


@pytest.mark.parametrize("dtype", REAL[1:])
def test_randperm(ours, dtype):
    sizes = [n for n in SIZES if dtype.is_floating_point or n <= torch.iinfo(dtype).max]
    sizes = [n for n in sizes if dtype != torch.float16 or n <= 2049]
    sizes = [n for n in sizes if dtype != torch.bfloat16 or n <= 257]
    compare(ours, "randperm", dtype, (), lambda t, g: torch.randperm(len(t), dtype=dtype, generator=g), sizes=sizes)


@pytest.mark.parametrize("dtype", REAL)
def test_geometric(ours, dtype):
    if dtype == torch.bool:
        pytest.skip("PyTorch has no geometric_ of bool")
    for p in (0.2, 0.35, 0.9):
        compare(ours, "geometric", dtype, (p,), lambda t, g, p=p: t.geometric_(p, generator=g), seeds=SEEDS[:3])


@pytest.mark.parametrize("dtype", REAL)
def test_bernoulli(ours, dtype):
    for p in (0.0, 0.3, 0.5, 1.0):
        compare(ours, "bernoulli", dtype, (p,), lambda t, g, p=p: t.bernoulli_(p, generator=g))


@pytest.mark.parametrize("p_dtype", FLOATING)
@pytest.mark.parametrize("dtype", REAL)
def test_bernoulli_tensor(ours, dtype, p_dtype):
    for seed in SEEDS[:3]:
        mine, reference = ours(seed), theirs(seed)
        for n in SIZES:
            p = torch.rand(n, dtype=torch.float64).to(p_dtype)
            expected = torch.empty(n, dtype=dtype).bernoulli_(p, generator=reference)
            assert_same(mine.fill("bernoulli_tensor", dtype, n, p_dtype, p), expected)
        assert (mine.state() == reference.get_state().numpy()).all()


# --- rejection


def spread(seed, n, dtype, low, high):
    return (torch.rand(n, dtype=torch.float64, generator=theirs(seed)) * (high - low) + low).to(dtype)


@pytest.mark.parametrize("high", [3, 20, 2000])
@pytest.mark.parametrize("dtype", FLOATING)
def test_poisson(ours, dtype, high):
    for seed in SEEDS[:4]:
        mine, reference = ours(seed), theirs(seed)
        for n in SIZES:
            rates = spread(n, n, dtype, 0, high)
            rates[::7] = 0
            assert_same(mine.fill("poisson", dtype, n, rates), torch.poisson(rates, generator=reference))
        assert (mine.state() == reference.get_state().numpy()).all()


@pytest.mark.parametrize("high", [3, 30, 1000])
@pytest.mark.parametrize("dtype", FLOATING[2:])
def test_binomial(ours, dtype, high):
    for seed in SEEDS[:4]:
        mine, reference = ours(seed), theirs(seed)
        for n in SIZES:
            counts, p = spread(n, n, dtype, 0, high).floor(), spread(n + 1, n, dtype, 0, 1)
            p[::11], p[1::11] = 0, 1
            assert_same(mine.fill("binomial", dtype, n, counts, p), torch.binomial(counts, p, generator=reference))
        assert (mine.state() == reference.get_state().numpy()).all()


@pytest.mark.parametrize("high", [1, 30])
@pytest.mark.parametrize("dtype", FLOATING[2:])
def test_standard_gamma(ours, dtype, high):
    for seed in SEEDS[:4]:
        mine, reference = ours(seed), theirs(seed)
        for n in SIZES:
            alpha = spread(n, n, dtype, 0, high)
            alpha[::13] = 0
            assert_same(mine.fill("gamma", dtype, n, alpha), torch._standard_gamma(alpha, generator=reference))
        assert (mine.state() == reference.get_state().numpy()).all()


@pytest.mark.parametrize("dtype", FLOATING[:2])
def test_rejection_in_half_precision_rounds_float32(ours, dtype):
    """PyTorch has no gamma or binomial of the half types: ours draw in float32."""
    alpha, counts = spread(1, 1000, dtype, 0.1, 9), spread(2, 1000, dtype, 0, 99).floor()
    p = spread(3, 1000, dtype, 0, 1)
    expected = torch._standard_gamma(alpha.float(), generator=theirs(1)).clamp(min=torch.finfo(dtype).tiny)
    assert_same(ours(1).fill("gamma", dtype, 1000, alpha), expected.to(dtype))
    assert_same(
        ours(1).fill("binomial", dtype, 1000, counts, p),
        torch.binomial(counts.float(), p.float(), generator=theirs(1)).to(dtype),
    )


@pytest.mark.parametrize("categories", [1, 3, 10, 1000])
@pytest.mark.parametrize("dtype", FLOATING[2:])
def test_dirichlet(ours, dtype, categories):
    for seed in SEEDS[:4]:
        mine, reference = ours(seed), theirs(seed)
        alpha = spread(seed, 20 * categories, dtype, 0.1, 5)
        alpha[: 10 * categories] *= 1e-3  # whole rows underflow
        expected = torch._sample_dirichlet(alpha.reshape(20, categories), generator=reference)
        actual = torch.empty_like(expected)
        mine.call("dirichlet", dtype, actual, 20, categories, alpha)
        # The row sums add in another order than torch's: the last bits of a double may differ.
        torch.testing.assert_close(actual, expected, rtol=1e-14 if dtype == torch.float64 else 0, atol=0)
        assert (mine.state() == reference.get_state().numpy()).all()


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize(
    "rows, categories, samples, replacement",
    [
        (1, 1, 1, False),
        (1, 7, 1, False),
        (3, 7, 1, True),
        (3, 7, 5, False),
        (5, 100, 100, False),
        (3, 7, 20, True),
        (4, 1000, 300, True),
        (2, 1000, 30, False),
        (0, 4, 2, True),
    ],
)
def test_multinomial(ours, dtype, rows, categories, samples, replacement):
    for seed in SEEDS[:4]:
        mine, reference = ours(seed), theirs(seed)
        weights = spread(seed, rows * categories, dtype, 0.01, 1)
        if categories > 5 and (replacement or samples < 0.7 * categories):
            weights[::5] = 0
        expected = torch.multinomial(weights.reshape(rows, categories), samples, replacement, generator=reference)
        actual = torch.full((rows, samples), -1)
        mine.call("multinomial", actual, dtype, weights, rows, categories, samples, replacement)
        assert_same(actual, expected)
        assert (mine.state() == reference.get_state().numpy()).all()


@pytest.mark.parametrize(
    "name, arguments, text",
    [
        ("uniform", (1.0, 0.0), "from must be <= to"),
        ("normal", (0.0, -1.0), "std must be >= 0"),
        ("exponential", (0.0,), "lambd must be > 0"),
        ("geometric", (1.0,), "0 < p < 1"),
        ("bernoulli", (1.5,), "0 <= p <= 1"),
        ("bernoulli", (float("nan"),), "0 <= p <= 1"),
        ("random_from_to", (5, 5), "from must be below to"),
        ("log_normal", (0.0, 0.0), "std must be > 0"),
        ("cauchy", (0.0, 0.0), "sigma must be > 0"),
    ],
)
def test_parameters_outside_their_domain(ours, name, arguments, text):
    with pytest.raises(RuntimeError, match=text):
        ours(0).fill(name, torch.float32, 4, *arguments)


def test_multinomial_refuses_weights(ours):
    for weights in ([0.0, 0.0], [-1.0, 2.0], [float("nan"), 1.0], [float("inf"), 1.0]):
        with pytest.raises(RuntimeError, match=r"\[multinomial\]"):
            out = torch.empty(1, dtype=torch.int64)
            ours(0).call("multinomial", out, torch.float32, torch.tensor(weights), 1, 2, 1, 0)


# --- Philox


def philox_reference(seed, counter):
    """Philox4x32-10 in Python integers, after the paper."""
    c, k = [counter >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96)], [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def test_philox_words(ours):
    # Known answers of the paper's reference implementation.
    assert philox_reference(0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox_reference(2**64 - 1, 2**128 - 1) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    words = np.empty(32, np.uint32)
    for seed, offset, block in [(0, 0, 0), (42, 0, 1), (2**64 - 1, 2**64 - 1, 2**61 - 1), (2**40 + 3, 17, 2**35)]:
        for name in ("philox_words", "philox_portable"):
            ours().call(name, seed, offset, block, words)
            for lane in range(8):
                assert words[lane::8].tolist() == philox_reference(seed, offset << 64 | block * 8 + lane)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout(ours, p):
    generator = ours()
    for n in SIZES:
        generator.call("threads", 1)
        mask = generator.fill("mask", torch.bool, n, p, 77, 3)
        generator.call("threads", 4)
        assert_same(generator.fill("mask", torch.bool, n, p, 77, 3), mask)
        assert_same(generator.fill("mask", torch.uint8, n, p, 77, 3), mask.to(torch.uint8))
        for dtype in FLOATING:
            kept, dropped = torch.tensor(1 / (1 - p) if p < 1 else 0, dtype=dtype), torch.zeros((), dtype=dtype)
            assert_same(generator.fill("scale", dtype, n, p, 77, 3), torch.where(mask, kept, dropped))
    if 0 < p < 1:
        assert abs(mask.double().mean().item() - (1 - p)) < 5 * (p * (1 - p) / n) ** 0.5
        other = generator.fill("mask", torch.bool, n, p, 77, 4)
        assert abs((mask == other).double().mean().item() - (p * p + (1 - p) ** 2)) < 0.02
    else:
        assert mask.all() if p == 0 else not mask.any()
    with pytest.raises(RuntimeError, match="0 <= p <= 1"):
        generator.fill("mask", torch.bool, 4, 1.5, 0, 0)
