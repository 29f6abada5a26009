"""Extensions in C++ or CUDA written for PyTorch cannot be built: what would build one says so when it is called.

What only looks around (compilers, ninja) answers.
"""

import os
import shutil
import subprocess
import tempfile

from rushlight.unsupported import refusal

__all__ = [
    "BuildExtension",
    "CUDAExtension",
    "CppExtension",
    "SyclExtension",
    "check_compiler_is_gcc",
    "check_compiler_ok_for_platform",
    "get_compiler_abi_compatibility_and_version",
    "get_cxx_compiler",
    "get_default_build_root",
    "include_paths",
    "is_ninja_available",
    "library_paths",
    "load",
    "load_inline",
    "remove_extension_h_precompiler_headers",
    "verify_ninja_availability",
]

CUDA_HOME = ROCM_HOME = SYCL_HOME = None
IS_WINDOWS = os.name == "nt"

_REASON = (
    "PyTorch's C++ interface does not exist here, so its extensions cannot be built. Write the function in Python, or "
    "pass memory to your own library by data_ptr() or DLPack."
)
CppExtension = refusal("CppExtension", _REASON)
CUDAExtension = refusal("CUDAExtension", _REASON)
SyclExtension = refusal("SyclExtension", _REASON)
load = refusal("load", _REASON)
load_inline = refusal("load_inline", _REASON)
include_paths = refusal("include_paths", _REASON)
library_paths = refusal("library_paths", _REASON)


class BuildExtension:
    """Raises NotImplementedError, as the command of setuptools that it stands for would build an extension."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError(f"[BuildExtension] must not be used: {_REASON}")

    @classmethod
    def with_options(cls, **options):
        """The class itself: options change nothing."""
        return cls


def get_cxx_compiler():
    """The C++ compiler: $CXX, or else c++ (cl on Windows)."""
    return os.environ.get("CXX", "cl" if IS_WINDOWS else "c++")


def check_compiler_is_gcc(compiler):
    """Whether a compiler is GCC."""
    if shutil.which(compiler) is None:
        return False
    text = subprocess.run([compiler, "-v"], capture_output=True, text=True, errors="replace", check=False)
    return "gcc version" in text.stderr


def check_compiler_ok_for_platform(compiler):
    """Whether a compiler is there."""
    return shutil.which(compiler) is not None


def get_compiler_abi_compatibility_and_version(compiler):
    """(False, version "0.0.0"): no compiler builds what fits."""
    from rushlight.torch_version import TorchVersion

    return False, TorchVersion("0.0.0")


def get_default_build_root():
    """The folder below which extensions would be built."""
    return os.path.join(tempfile.gettempdir(), "rushlight_extensions")


def is_ninja_available():
    """Whether the program ninja is there."""
    return shutil.which("ninja") is not None


def verify_ninja_availability():
    """Raises RuntimeError unless the program ninja is there."""
    if not is_ninja_available():
        raise RuntimeError("[cpp_extension] Ninja is required to load C++ extensions (pip install ninja to get it).")


def remove_extension_h_precompiler_headers():
    """Does nothing: no headers have been compiled."""
