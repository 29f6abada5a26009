"""Names that programs, and tensor classes of their own, import from PyTorch's extension module."""

import rushlight
from rushlight import _core
from rushlight._core import Generator, Size, _disabled_torch_function_impl, device, dtype, layout, memory_format
from rushlight._core import Tensor as TensorBase
from rushlight._core import has_torch_function as _has_torch_function
from rushlight.overrides import DisableTorchFunction, DisableTorchFunctionSubclass
from rushlight.overrides import has_torch_function_unary as _has_torch_function_unary
from rushlight.overrides import has_torch_function_variadic as _has_torch_function_variadic

_TensorMeta = type(TensorBase)
_GLIBCXX_USE_CXX11_ABI = True
_has_cuda = has_cuda = _has_cudnn = has_cudnn = _has_mkl = has_mkl = _has_mps = False
_has_mkldnn = has_mkldnn = has_openmp = has_lapack = True

__all__ = [
    "DisableTorchFunction", "DisableTorchFunctionSubclass", "Generator", "Size", "TensorBase",
    "_disabled_torch_dispatch_impl", "_disabled_torch_function_impl", "_has_torch_function",
    "_has_torch_function_unary", "_has_torch_function_variadic", "device", "dtype", "layout", "memory_format",
]  # fmt: skip

_TensorBase = TensorBase
_disabled_torch_dispatch_impl = TensorBase.__torch_dispatch__


def _log_api_usage_once(event):
    """Accepted: uses are not counted."""


def _get_tracing_state():
    """None: nothing is traced."""
    return None


def _is_tracing():
    """False."""
    return False


def _cuda_getDeviceCount():
    """0."""
    return 0


def _cuda_clearCublasWorkspaces():
    """Accepted: there are none."""


def _set_grad_enabled(mode):
    """Turns recording on or off for what follows."""
    return _core.set_grad_enabled_(mode)


def _jit_accepted(*arguments):
    """Accepted: programs are not compiled."""


def __getattr__(name):
    if name.startswith(("_jit_set_", "_jit_override_", "_jit_can_")):
        return _jit_accepted
    if name in ("LinAlgError", "_LinAlgError"):
        return rushlight.linalg.LinAlgError
    raise AttributeError(f"module 'rushlight._C' has no attribute {name!r}")
