"""What programs ask of PyTorch's extension module."""

from rushlight import Generator, Size, Tensor, _core
from rushlight.linalg import LinAlgError

_LinAlgError = LinAlgError
_TensorBase = TensorBase = Tensor
_TensorMeta = type(Tensor)
_GLIBCXX_USE_CXX11_ABI = True
_has_cuda = has_cuda = _has_cudnn = has_cudnn = _has_mkl = has_mkl = _has_mps = False
_has_mkldnn = has_mkldnn = has_openmp = has_lapack = True

__all__ = ["Generator", "LinAlgError", "Size", "TensorBase"]


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
    return getattr(_core, name)
