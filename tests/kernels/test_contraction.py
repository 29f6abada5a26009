"""csrc/kernels/cpu: matrix products, convolution and pooling against PyTorch.

The kernels are compiled alone into a small shared object, so these tests need a C++ compiler but no built package.
"""

import ctypes
import hashlib
import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

CSRC = pathlib.Path(__file__).resolve().parents[2] / "csrc"
SOURCES = [
    "base/parallel.cpp",
    "device/allocator.cpp",
    "kernels/cpu/gemm.cpp",
    "kernels/cpu/conv.cpp",
    "kernels/cpu/pool.cpp",
    "kernels/cpu/onednn.cpp",
]
FLAGS = [
    "-std=c++20",
    "-O2",
    "-march=x86-64-v3",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-fopenmp",
    "-fno-math-errno",
    "-fno-trapping-math",
]
CALLS = {
    "gemm": ("const GemmArgs* g", "gemm(*g)"),
    "conv_forward": (
        "const ConvArgs* c, void* x, void* w, void* b, void* y, int act",
        "conv_forward(*c, x, w, b, y, Activation(act))",
    ),
    "conv_backward_data": ("const ConvArgs* c, void* gy, void* w, void* gx", "conv_backward_data(*c, gy, w, gx)"),
    "conv_backward_weights": (
        "const ConvArgs* c, void* x, void* gy, void* gw, void* gb",
        "conv_backward_weights(*c, x, gy, gw, gb)",
    ),
    "max_pool": ("const PoolArgs* p, void* x, void* y, i64* at", "max_pool(*p, x, y, at)"),
    "adaptive_max_pool": ("const PoolArgs* p, void* x, void* y, i64* at", "adaptive_max_pool(*p, x, y, at)"),
    "max_pool_backward": ("const PoolArgs* p, void* gy, i64* at, void* gx", "max_pool_backward(*p, gy, at, gx)"),
    "avg_pool": ("const PoolArgs* p, void* x, void* y", "avg_pool(*p, x, y)"),
    "adaptive_avg_pool": ("const PoolArgs* p, void* x, void* y", "adaptive_avg_pool(*p, x, y)"),
    "avg_pool_backward": ("const PoolArgs* p, void* gy, void* gx", "avg_pool_backward(*p, gy, gx)"),
    "adaptive_avg_pool_backward": ("const PoolArgs* p, void* gy, void* gx", "adaptive_avg_pool_backward(*p, gy, gx)"),
    "set_threads": ("int n", "set_num_threads(n)"),
    "available": ("int* yes", "*yes = onednn_available()"),
}
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
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 1e-1, torch.float32: 1e-4, torch.complex64: 1e-4}
ACTIVATIONS = [None, F.relu, F.gelu, lambda x: F.gelu(x, approximate="tanh")]

i64, pointer, u8 = ctypes.c_int64, ctypes.c_void_p, ctypes.c_uint8


class GemmArgs(ctypes.Structure):
    _fields_ = [
        ("dtype", u8),
        ("batch", i64),
        ("m", i64),
        ("n", i64),
        ("k", i64),
        ("a", pointer),
        ("a_batch", i64),
        ("a_row", i64),
        ("a_col", i64),
        ("b", pointer),
        ("b_batch", i64),
        ("b_row", i64),
        ("b_col", i64),
        ("c", pointer),
        ("c_batch", i64),
        ("c_row", i64),
        ("bias", pointer),
        ("activation", u8),
        ("accumulate", ctypes.c_bool),
    ]


class ConvArgs(ctypes.Structure):
    _fields_ = [
        ("dtype", u8),
        ("spatial", ctypes.c_int),
        ("batch", i64),
        ("groups", i64),
        ("in_channels", i64),
        ("out_channels", i64),
        *[(name, i64 * 3) for name in ("in_", "out", "kernel", "stride", "pad_low", "pad_high", "dilation")],
    ]


class PoolArgs(ctypes.Structure):
    _fields_ = [
        ("dtype", u8),
        ("spatial", ctypes.c_int),
        ("planes", i64),
        *[(name, i64 * 3) for name in ("in_", "out", "kernel", "stride", "pad", "dilation")],
        ("count_include_pad", ctypes.c_bool),
        ("divisor_override", i64),
    ]


def build():
    """Compiles the shared object once per state of the sources; returns its path."""
    compiler, prefix = shutil.which("g++"), pathlib.Path(sys.prefix)
    if not compiler or not (prefix / "include/oneapi/dnnl/dnnl.h").exists():
        pytest.skip("needs g++ and oneDNN's headers")
    code = "".join(f'#include "{h}.h"\n' for h in ("kernels/cpu/onednn", "kernels/cpu/pool", "base/parallel"))
    code += "using namespace rl;\n"
    code += "static thread_local std::string text;\n"
    for name, (parameters, call) in CALLS.items():
        code += (
            f'extern "C" __attribute__((visibility("default"))) const char* rl_{name}({parameters}) {{\n'
            f"  try {{ {call}; return nullptr; }}"
            " catch (const std::exception& e) { text = e.what(); return text.c_str(); }\n}\n"
        )
    digest = hashlib.sha256(code.encode())
    for header in sorted(CSRC.glob("*/*.h")) + sorted(CSRC.glob("kernels/cpu/*.h")) + [CSRC / s for s in SOURCES]:
        digest.update(header.read_bytes())
    folder = pathlib.Path(tempfile.gettempdir()) / f"rushlight-contraction-{os.getuid()}-{digest.hexdigest()[:16]}"
    target = folder / "contraction.so"
    if not target.exists():
        (folder / "lib").mkdir(parents=True, exist_ok=True)
        (folder / "calls.cpp").write_text(code)
        made = folder / f"{os.getpid()}.so"
        subprocess.run(
            [
                compiler,
                *FLAGS,
                f"-I{CSRC}",
                f"-I{prefix}/include",
                str(folder / "calls.cpp"),
                *[str(CSRC / s) for s in SOURCES],
                "-o",
                str(made),
                "-ldl",
            ],
            check=True,
        )
        library = folder / "lib/libdnnl.so.3"
        if not library.exists() and (prefix / "lib/libdnnl.so.3").exists():
            library.symlink_to(prefix / "lib/libdnnl.so.3")
        made.rename(target)
    return target


class Kernels:
    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))

    def __getattr__(self, name):
        function = getattr(self.library, f"rl_{name}")
        function.restype = ctypes.c_char_p

        def call(*args):
            args = [
                pointer(a.data_ptr())
                if isinstance(a, torch.Tensor)
                else ctypes.byref(a)
                if isinstance(a, ctypes.Structure)
                else pointer(None)
                if a is None
                else a
                for a in args
            ]
            error = function(*args)
            if error:
                raise RuntimeError(error.decode())

        return call


@pytest.fixture(scope="module")
def kernels():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # PyTorch brings a thread pool of its own, which would fight ours for the cores
    yield Kernels(build())
    torch.set_num_threads(threads)


def make(shape, dtype, seed=0):
    g, shape = torch.Generator().manual_seed(seed), tuple_of(shape, 1)
    if dtype.is_floating_point or dtype.is_complex:
        return torch.randn(shape, dtype=torch.complex128 if dtype.is_complex else torch.float64, generator=g).to(dtype)
    return torch.randint(0 if dtype == torch.uint8 else -9, 9, shape, dtype=dtype, generator=g)


def close(ours, expected, dtype, terms=1):
    if not (dtype.is_floating_point or dtype.is_complex):
        return torch.testing.assert_close(ours, expected)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    error = (ours.to(wide) - expected.to(wide)).abs().max().item() if ours.numel() else 0.0
    limit = TOLERANCE.get(dtype, 1e-11) * max(1.0, terms**0.5) / 2
    assert error <= limit, f"largest error {error:g}, allowed {limit:g}"


def product(kernels, a, b, bias=None, activation=0, c=None, out_row=None):
    """a [batch, m, k] @ b [batch, k, n] with whatever strides they have; c is added to when given."""
    batch, m, k = a.shape
    n = b.shape[2]
    row = out_row or n
    out = torch.full((batch, m, row), 7, dtype=a.dtype)
    if c is not None:
        out[:, :, :n] = c
    g = GemmArgs(
        DTYPES.index(a.dtype),
        batch,
        m,
        n,
        k,
        a.data_ptr(),
        *a.stride(),
        b.data_ptr(),
        *b.stride(),
        out.data_ptr(),
        m * row,
        row,
        bias.data_ptr() if bias is not None else None,
        activation,
        c is not None,
    )
    kernels.gemm(g)
    assert (out[:, :, n:] == 7).all(), "wrote beside c"
    return out[:, :, :n]


def exact(a, b, bias=None, activation=0, c=None):
    real = a.dtype.is_floating_point
    wide = torch.float64 if real else torch.complex128 if a.dtype.is_complex else a.dtype
    y = torch.matmul(a.to(wide), b.to(wide))
    y = y + c.to(wide) if c is not None else y
    y = y + bias.to(wide) if bias is not None else y
    return ACTIVATIONS[activation](y) if activation else y


def strided(shape, dtype, how, seed):
    """A [batch, rows, columns] view: contiguous, transposed, every second element, one batch or one row for all."""
    b, r, c = shape
    if how == "t":
        return make((b, c, r), dtype, seed).mT
    if how == "2":
        return make((b, r, 2 * c), dtype, seed)[:, :, ::2]
    if how == "b":
        return make((1, r, c), dtype, seed).expand(b, r, c)
    if how == "0":
        return make((b, 1, c), dtype, seed).expand(b, r, c)
    return make(shape, dtype, seed)


SHAPES = [
    (1, 1, 1),
    (4, 4, 4),
    (1, 7, 300),
    (300, 1, 7),
    (5, 3, 700),
    (6, 16, 64),
    (7, 17, 9),
    (13, 40, 33),
    (64, 64, 64),
    (97, 61, 83),
    (129, 200, 300),
    (3, 1030, 65),
    (1, 1, 300000),
    (2100, 1, 90),
    (1, 2100, 90),
    (5, 9, 20000),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_gemm_floating(kernels, dtype, shape):
    m, n, k = shape
    for how_a, how_b in itertools.product("ct2b0", repeat=2):
        batch = 3 if "b" in how_a + how_b and m * n * k < 10**6 else 1
        a, b = strided((batch, m, k), dtype, how_a, 1), strided((batch, k, n), dtype, how_b, 2)
        close(product(kernels, a, b), exact(a, b), dtype, k)
    for activation, accumulate, biased in itertools.product(range(4), (False, True), (False, True)):
        a, b = strided((2, m, k), dtype, "c", 1), strided((2, k, n), dtype, "t", 2)
        bias, c = make(n, dtype, 3) if biased else None, make((2, m, n), dtype, 4) if accumulate else None
        close(product(kernels, a, b, bias, activation, c, n + 3), exact(a, b, bias, activation, c), dtype, k)


@pytest.mark.parametrize("dtype", [d for d in DTYPES[1:] if d not in (torch.float32, torch.float64)])
def test_gemm_other_dtypes(kernels, dtype):
    for (m, n, k), hows in itertools.product(
        [(4, 4, 4), (1, 9, 30), (33, 1, 40), (19, 45, 70), (130, 100, 90)], ["cc", "tc", "2t", "b0"]
    ):
        a, b = strided((3, m, k), dtype, hows[0], 1), strided((3, k, n), dtype, hows[1], 2)
        bias, c = make(n, dtype, 3), make((3, m, n), dtype, 4)
        close(product(kernels, a, b), exact(a, b), dtype, k)
        close(product(kernels, a, b, bias, 0, c), exact(a, b, bias, 0, c), dtype, k)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_gemm_empty(kernels, dtype):
    a, b, c, bias = make((2, 3, 0), dtype), make((2, 0, 5), dtype), make((2, 3, 5), dtype), make(5, dtype)
    assert (product(kernels, a, b) == 0).all()
    assert (product(kernels, a, b, c=c) == c).all()
    close(product(kernels, a, b, bias), bias.expand(2, 3, 5), dtype)
    assert product(kernels, make((2, 0, 3), dtype), make((2, 3, 5), dtype)).shape == (2, 0, 5)


def test_gemm_nan_and_infinity(kernels):
    for size, activation in itertools.product((5, 100), range(4)):
        a, b = make((1, size, size), torch.float32), make((1, size, size), torch.float32, 1)
        a[0, 2, 3], a[0, 4, 1] = float("nan"), float("inf")
        ours, sign = product(kernels, a, b, activation=activation), b[0, 1]
        assert ours[0, 2].isnan().all() and not ours[0, 0].isnan().any()
        if activation < 2:
            assert (ours[0, 4, sign > 0] == float("inf")).all()
            assert (ours[0, 4, sign < 0] == (0.0 if activation else float("-inf"))).all()


def test_gemm_rejects(kernels):
    with pytest.raises(RuntimeError, match="Received bool"):
        product(kernels, torch.ones(1, 2, 2, dtype=torch.bool), torch.ones(1, 2, 2, dtype=torch.bool))
    with pytest.raises(RuntimeError, match="Received int32"):
        product(kernels, make((1, 2, 2), torch.int32), make((1, 2, 2), torch.int32), activation=1)


def test_same_bits_for_any_number_of_threads(kernels):
    cases = [
        (torch.float64, 1, 130, 300, 700),
        (torch.float64, 5, 70, 90, 80),
        (torch.float64, 1, 1, 1, 500000),
        (torch.float64, 1, 3000, 1, 500),
        (torch.float32, 1, 1, 5000, 300),
        (torch.float32, 40, 30, 20, 50),
        (torch.complex128, 2, 70, 80, 90),
        (torch.float32, 1, 256, 256, 256),
        (torch.float32, 1, 64, 96, 20000),
        (torch.float32, 1, 10, 64, 20000),
        (torch.float64, 1, 3, 5, 70000),
        (torch.float32, 8, 128, 128, 64),
        (torch.float32, 1, 1000, 10, 300),
    ]
    for dtype, batch, m, n, k in cases:
        a, b = make((batch, m, k), dtype, 1), make((batch, k, n), dtype, 2)
        results = []
        for threads in (1, 2, 3):
            kernels.set_threads(threads)
            results.append(product(kernels, a, b))
        kernels.set_threads(2)
        assert all(torch.equal(r, results[0]) for r in results), (dtype, batch, m, n, k)


# x, w, stride, padding, dilation, groups, bias
CONVOLUTIONS = [
    ((2, 4, 9), (6, 4, 3), 1, 1, 1, 1, True),
    ((2, 4, 19), (6, 2, 4), 3, 2, 2, 2, False),
    ((3, 3, 11, 13), (5, 3, 3, 3), 1, 1, 1, 1, True),
    ((2, 16, 12, 10), (32, 16, 3, 3), 2, 1, 1, 1, True),
    ((2, 8, 9, 9), (8, 1, 3, 3), 1, 1, 1, 8, True),
    ((2, 8, 9, 9), (16, 1, 5, 3), 2, (2, 0), 1, 8, False),
    ((2, 8, 12, 12), (12, 4, 3, 3), (2, 1), (3, 1), (2, 3), 2, True),
    ((1, 7, 8, 8), (9, 7, 1, 1), 1, 0, 1, 1, True),
    ((1, 6, 8, 9), (9, 6, 1, 1), 2, 0, 1, 1, True),
    ((2, 3, 5, 6, 7), (4, 3, 2, 3, 3), (1, 2, 1), (1, 0, 2), 1, 1, True),
    ((1, 4, 6, 6, 6), (4, 2, 3, 3, 3), 1, 1, (1, 2, 1), 2, False),
    ((2, 64, 14, 14), (64, 64, 3, 3), 1, 1, 1, 1, True),
    ((1, 2, 3), (2, 2, 3), 1, 5, 1, 1, True),
    ((4, 3, 32, 32), (16, 3, 7, 7), 2, 3, 1, 1, False),
]


def tuple_of(v, n):
    return v if isinstance(v, tuple) else (v,) * n


def conv_args(x, w, out, stride, low, high, dilation, groups):
    s = x.dim() - 2

    def three(v):
        return (i64 * 3)(*v, *(1,) * (3 - s))

    return ConvArgs(
        DTYPES.index(x.dtype),
        s,
        x.shape[0],
        groups,
        x.shape[1],
        w.shape[0],
        three(x.shape[2:]),
        three(out),
        three(w.shape[2:]),
        three(tuple_of(stride, s)),
        three(tuple_of(low, s)),
        three(tuple_of(high, s)),
        three(tuple_of(dilation, s)),
    )


def check_convolution(kernels, dtype, case, high=None, activation=0):
    x_shape, w_shape, stride, pad, dilation, groups, biased = case
    s = len(x_shape) - 2
    pad, high = tuple_of(pad, s), tuple_of(pad if high is None else high, s)
    x, w = make(x_shape, dtype, 1), make(w_shape, dtype, 2)
    bias = make(w_shape[0], dtype, 3) if biased else None
    wide = torch.float64 if dtype.is_floating_point else torch.complex128 if dtype.is_complex else torch.int64
    wx, ww = x.to(wide), w.to(wide)
    wb = bias.to(wide) if biased else torch.zeros(w_shape[0], dtype=wide)
    widths = [p for pair in zip(reversed(pad), reversed(high), strict=True) for p in pair]
    convolve = [F.conv1d, F.conv2d, F.conv3d][s - 1]

    def forward(x, w, b):
        y = convolve(F.pad(x, widths), w, b, tuple_of(stride, s), 0, tuple_of(dilation, s), groups)
        return ACTIVATIONS[activation](y) if activation else y

    if not dtype.is_floating_point and not dtype.is_complex:
        expected = forward(wx.double(), ww.double(), wb.double()).to(wide)
    else:
        expected = forward(wx, ww, wb)
    y = torch.full(expected.shape, 7, dtype=dtype)
    args = conv_args(x, w, expected.shape[2:], stride, pad, high, dilation, groups)
    kernels.conv_forward(args, x, w, bias, y, activation)
    terms = w[0].numel()
    close(y, expected.to(dtype) if wide == torch.int64 else expected, dtype, terms)
    if activation or wide == torch.int64:
        return
    gy = make(expected.shape, dtype, 4)
    if dtype.is_complex:
        wx, ww = wx.conj().resolve_conj(), ww.conj().resolve_conj()  # autograd conjugates, the kernels do not
    leaves = [t.requires_grad_() for t in (wx, ww, wb)]
    gx_, gw_, gb_ = torch.autograd.grad(forward(*leaves), leaves, gy.to(wide))
    gx, gw, gb = torch.full_like(x, 7), torch.full_like(w, 7), torch.full((w_shape[0],), 7, dtype=dtype)
    kernels.conv_backward_data(args, gy, w, gx)
    kernels.conv_backward_weights(args, x, gy, gw, gb if biased else None)
    reach = gy[0, 0].numel() * gy.shape[0]
    close(gx, gx_, dtype, terms), close(gw, gw_, dtype, reach)
    if biased:
        close(gb, gb_, dtype, reach)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64, torch.int32, torch.int64]
)
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda c: "x".join(map(str, c[1])) + f"s{c[2]}p{c[3]}")
def test_convolution(kernels, dtype, case):
    check_convolution(kernels, dtype, case)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_convolution_padding_and_activation(kernels, dtype):
    check_convolution(kernels, dtype, ((2, 8, 9, 9), (8, 8, 4, 4), 1, 1, 1, 1, True), high=2)
    check_convolution(kernels, dtype, ((2, 8, 9, 9), (8, 4, 3, 3), 2, (2, 0), 1, 2, False), high=(0, 3))
    for activation in (1, 2, 3):
        check_convolution(kernels, dtype, ((2, 16, 9, 9), (16, 16, 3, 3), 1, 1, 1, 1, True), activation=activation)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_transposed_convolution(kernels, dtype):
    for stride, pad, extra, dilation, groups in [(1, 0, 0, 1, 1), (2, 1, 1, 1, 1), (3, 2, 2, 2, 2), (2, 0, 1, 1, 4)]:
        x, w = make((2, 4, 7, 6), dtype, 1), make((4, 8 // groups, 3, 3), dtype, 2)
        expected = F.conv_transpose2d(x.double(), w.double(), None, stride, pad, extra, groups, dilation)
        y = torch.empty(expected.shape, dtype=dtype)
        args = conv_args(y, w, x.shape[2:], stride, pad, pad, dilation, groups)
        kernels.conv_backward_data(args, x, w, y)
        close(y, expected, dtype, 64)


def test_convolution_of_nothing(kernels):
    w, b = make((4, 2, 3, 3), torch.float32), make(4, torch.float32)
    x, y = torch.empty(0, 2, 8, 8), torch.empty(0, 4, 6, 6)
    args = conv_args(x, w, (6, 6), 1, 0, 0, 1, 1)
    gw, gb = torch.full_like(w, 7), torch.full_like(b, 7)
    kernels.conv_forward(args, x, w, b, y, 0)
    kernels.conv_backward_data(args, y, w, x)
    kernels.conv_backward_weights(args, x, y, gw, gb)
    assert (gw == 0).all() and (gb == 0).all()


def pool_args(x, out, kernel=1, stride=1, pad=0, dilation=1, include=True, divisor=0):
    s = x.dim() - 2

    def three(v):
        return (i64 * 3)(*tuple_of(v, s), *(1,) * (3 - s))

    return PoolArgs(
        DTYPES.index(x.dtype),
        s,
        x.shape[0] * x.shape[1],
        three(tuple(x.shape[2:])),
        three(tuple(out)),
        three(kernel),
        three(stride),
        three(pad),
        three(dilation),
        include,
        divisor,
    )


POOLS = [
    ((2, 3, 20), 3, 2, 1, 1, False),
    ((2, 3, 21), 4, 3, 2, 2, True),
    ((2, 3, 12, 15), 2, 2, 0, 1, False),
    ((2, 3, 13, 15), (3, 2), (2, 3), (1, 1), (1, 2), True),
    ((2, 5, 12, 12), 3, 1, 1, 1, False),
    ((1, 2, 7, 8, 9), (2, 3, 3), 2, 1, 1, True),
    ((1, 2, 7, 8, 9), 2, 1, 0, (2, 1, 2), False),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64])
@pytest.mark.parametrize("case", POOLS, ids=lambda c: "x".join(map(str, c[0])))
def test_max_pool(kernels, dtype, case):
    shape, kernel, stride, pad, dilation, ceil = case
    x = make(shape, dtype, 1)
    x.view(-1)[::3] = x.view(-1)[0]  # ties
    if dtype.is_floating_point:
        x.view(-1)[17], x.view(-1)[18] = float("nan"), float("-inf")
    s = len(shape) - 2
    pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][s - 1]
    reference = x.double() if dtype == torch.int64 or s == 1 else x  # the same values where torch has no kernel
    expected, where = pool(reference, kernel, stride, pad, dilation, ceil_mode=ceil, return_indices=True)
    args = pool_args(x, expected.shape[2:], kernel, stride, pad, dilation)
    y, at = torch.empty(expected.shape, dtype=dtype), torch.empty(expected.shape, dtype=torch.int64)
    kernels.max_pool(args, x, y, at)
    torch.testing.assert_close(y, expected.to(dtype), rtol=0, atol=0, equal_nan=True)
    assert torch.equal(at, where)
    plain = torch.empty_like(y)
    kernels.max_pool(args, x, plain, None)
    torch.testing.assert_close(plain, y, rtol=0, atol=0, equal_nan=True)
    gy, gx = make(expected.shape, dtype, 2), torch.full_like(x, 7)
    kernels.max_pool_backward(args, gy, at, gx)
    sums = torch.zeros(shape[0], shape[1], x[0, 0].numel(), dtype=torch.float64).scatter_add_(
        2, where.flatten(2), gy.double().flatten(2)
    )
    close(gx.flatten(2), sums.to(dtype), dtype)
    at.view(-1)[0] = x[0, 0].numel()
    with pytest.raises(RuntimeError, match="indices must lie in"):
        kernels.max_pool_backward(args, gy, at, gx)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("case", POOLS, ids=lambda c: "x".join(map(str, c[0])))
def test_avg_pool(kernels, dtype, case):
    shape, kernel, stride, pad, _, ceil = case
    s = len(shape) - 2
    for include, divisor in [(True, 0), (False, 0), (True, 5)]:
        if s == 1 and divisor:
            continue
        x = make(shape, dtype, 1)
        wide = x.double().requires_grad_()
        options = {} if s == 1 else {"divisor_override": divisor or None}
        expected = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][s - 1](
            wide, kernel, stride, pad, ceil, include, **options
        )
        args = pool_args(x, expected.shape[2:], kernel, stride, pad, 1, include, divisor)
        y, gy, gx = torch.empty(expected.shape, dtype=dtype), make(expected.shape, dtype, 2), torch.full_like(x, 7)
        kernels.avg_pool(args, x, y)
        close(y, expected.detach(), dtype)
        kernels.avg_pool_backward(args, gy, gx)
        close(gx, torch.autograd.grad(expected, wide, gy.double())[0], dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_adaptive_pool(kernels, dtype):
    for shape, out in [
        ((2, 3, 10), (4,)),
        ((2, 3, 10, 13), (1, 1)),
        ((2, 3, 10, 13), (3, 5)),
        ((1, 2, 4, 5), (7, 9)),
        ((1, 2, 6, 7, 8), (2, 3, 5)),
    ]:
        s = len(out)
        x = make(shape, dtype, 1)
        wide = x.double().requires_grad_()
        expected = [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d][s - 1](wide, out)
        args = pool_args(x, out)
        y, gy, gx = torch.empty(expected.shape, dtype=dtype), make(expected.shape, dtype, 2), torch.full_like(x, 7)
        kernels.adaptive_avg_pool(args, x, y)
        close(y, expected.detach(), dtype)
        kernels.adaptive_avg_pool_backward(args, gy, gx)
        close(gx, torch.autograd.grad(expected, wide, gy.double())[0], dtype)
        best, where = [F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d][s - 1](
            x.double(), out, return_indices=True
        )
        at = torch.empty(best.shape, dtype=torch.int64)
        kernels.adaptive_max_pool(args, x, y, at)
        assert torch.equal(y.double(), best) and torch.equal(at, where)


def test_without_onednn(kernels, tmp_path):
    """Everything runs on our own kernels where the library is absent (in a process that has none loaded)."""
    copy = tmp_path / "contraction.so"
    shutil.copy(build(), copy)
    code = f"""
import ctypes, sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import torch, test_contraction as t
torch.set_num_threads(1)
kernels = t.Kernels({str(copy)!r})
yes = ctypes.c_int(7); kernels.available(ctypes.byref(yes)); print(yes.value)
a, b = t.make((2, 150, 90), torch.float32, 1), t.make((2, 90, 200), torch.float32, 2)
bias = t.make(200, torch.float32, 3)
t.close(t.product(kernels, a, b, bias, 2), t.exact(a, b, bias, 2), torch.float32, 90)
for case in t.CONVOLUTIONS: t.check_convolution(kernels, torch.float32, case)
print("done")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() in (["0", "done"], ["1", "done"])  # 1: the system has a libdnnl of its own
