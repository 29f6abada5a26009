"""The formulas of all rows compile as CUDA: their text, after the prelude, with NVRTC. No GPU is needed."""

import ctypes
import glob
import site
import sys

import pytest

import rushlight
from rushlight import _core

INFO = {name: _core.op_info(name) for name in _core.op_names()}
FORMULAS = [(name, -1) for name, info in INFO.items() if info["formula"]]
FORMULAS += [
    (name, k)
    for name, info in INFO.items()
    for k, p in enumerate(info["parameters"])
    if info["formula"] and p["name"] in info["gradients"]
]
PER_PROGRAM = 40


def library():
    """NVRTC, from the wheel nvidia-cuda-nvrtc or the system, or None."""
    folders = [*site.getsitepackages(), *sys.path]
    patterns = [f"{folder}/nvidia/*/lib/libnvrtc.so.*" for folder in folders]
    for path in [p for pattern in patterns for p in glob.glob(pattern)] + ["libnvrtc.so"]:
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    return None


NVRTC = library()
pytestmark = pytest.mark.skipif(NVRTC is None, reason="libnvrtc was not found: pip install nvidia-cuda-nvrtc")


def compiled(source, architecture):
    """The compiled program's size in bytes; fails with the compiler's log."""
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    assert NVRTC.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"formulas.cu", 0, None, None) == 0
    options = [f"--gpu-architecture=sm_{architecture}", "--std=c++20", "--device-as-default-execution-space"]
    options.append("--Ofast-compile=max")  # a quarter of the time: whether it compiles is all that is asked
    given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
    status = NVRTC.nvrtcCompileProgram(program, len(options), given)
    if status:
        NVRTC.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        NVRTC.nvrtcGetProgramLog(program, log)
        lines = [line for line in log.value.decode().splitlines() if "error" in line]
        pytest.fail("\n".join(lines[:30]))
    NVRTC.nvrtcGetCUBINSize(program, ctypes.byref(size))
    NVRTC.nvrtcDestroyProgram(ctypes.byref(program))
    return size.value


def sources(dtype):
    """The kernels of all formulas that compute in dtype."""
    return [_core.cuda_source(name, k, dtype) for name, k in FORMULAS if dtype in INFO[name]["dtypes"]]


def programs(dtype):
    kernels = sources(dtype)
    for start in range(0, len(kernels), PER_PROGRAM):
        yield _core.cuda_prelude() + "".join(kernels[start : start + PER_PROGRAM])


@pytest.mark.parametrize("architecture", [80, 90])
@pytest.mark.parametrize("dtype", [rushlight.float32, rushlight.float64], ids=str)
def test_formulas_compile(dtype, architecture):
    for program in programs(dtype):
        assert compiled(program, architecture) > 1000


@pytest.mark.parametrize("dtype", [rushlight.float16, rushlight.bfloat16, rushlight.int64], ids=str)
def test_other_storage_compiles(dtype):
    """16-bit floats are loaded as float; integers have formulas of their own."""
    names = (
        "add",
        "lerp",
        "lt",
        "where",
        "gelu_erf",
        "bitwise_and",
        "gcd",
        "pow_formula",
        "floor_divide_formula",
        "abs",
    )
    kernels = [_core.cuda_source(name, -1, dtype) for name in names if dtype in INFO[name]["dtypes"]]
    assert len(kernels) > 3
    assert compiled(_core.cuda_prelude() + "".join(kernels), 80) > 1000


def test_kernels_are_named_after_row_argument_and_dtype():
    assert "void mul_value_float32(" in _core.cuda_source("mul")
    assert "void mul_other_float64(" in _core.cuda_source("mul", 1, rushlight.float64)


def test_what_has_no_formula_is_refused():
    with pytest.raises(ValueError, match=r"\[cuda_source\] the operator must have a formula"):
        _core.cuda_source("sort")
    with pytest.raises(ValueError, match=r"\[cuda_source\] floor must have a gradient"):
        _core.cuda_source("floor", 0)
    with pytest.raises(NotImplementedError, match=r"\[cuda_source\] there are no CUDA formulas for complex64"):
        _core.cuda_source("mul", -1, rushlight.complex64)
