"""Settings of the whole process, and what the build can do.

Many of PyTorch's settings choose between kernels of which Rushlight has one: they are kept, so that a program reads
back what it wrote, and change nothing. What would have to change something and cannot raises.
"""

import os
import threading

import rushlight
from rushlight import _core

has_lapack = True  # NumPy's
has_mkl = False
has_openmp = True
has_spectral = True

_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")
_state = {"deterministic": 0, "precision": "highest", "warn_always": False}


# --- determinism and precision


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Kept: results are the same bits on any number of threads in every mode.

    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    _state["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled():
    """Whether use_deterministic_algorithms(True) was called. Algorithms are deterministic in any case."""
    return _state["deterministic"] > 0


def is_deterministic_algorithms_warn_only_enabled():
    """Whether use_deterministic_algorithms was called with warn_only."""
    return _state["deterministic"] == 1


def set_deterministic_debug_mode(debug_mode):
    """use_deterministic_algorithms by name or number: "default" (0), "warn" (1) or "error" (2).

    Raises TypeError for another type, RuntimeError for another mode.
    """
    if not isinstance(debug_mode, (str, int)):
        raise TypeError(
            f"[set_deterministic_debug_mode] debug_mode must be str or int. Received {type(debug_mode).__name__}."
        )
    number = _MODES.index(debug_mode) if debug_mode in _MODES else debug_mode
    if number not in (0, 1, 2):
        raise RuntimeError(
            f"[set_deterministic_debug_mode] debug_mode must be one of {', '.join(_MODES)}, or 0 to 2. "
            f"Received {debug_mode!r}."
        )
    _state["deterministic"] = int(number)


def get_deterministic_debug_mode():
    """0, 1 or 2: see set_deterministic_debug_mode."""
    return _state["deterministic"]


def set_float32_matmul_precision(precision):
    """Kept: products of float32 are computed in float32 at every precision.

    precision: "highest", "high" or "medium". Raises ValueError otherwise.
    """
    if precision not in _PRECISIONS:
        raise ValueError(
            f"[set_float32_matmul_precision] precision must be one of {', '.join(_PRECISIONS)}. Received {precision!r}."
        )
    _state["precision"] = precision


def get_float32_matmul_precision():
    """What set_float32_matmul_precision was given.

    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    return _state["precision"]


def set_flush_denormal(mode):
    """False: the processor keeps denormal numbers, and the setting has no effect.

    >>> torch.set_flush_denormal(True)
    False
    """
    return False


# --- warnings and defaults


def set_warn_always(b):
    """Kept: how often a warning is shown is for Python's warnings.filterwarnings. Raises TypeError for no bool."""
    if not isinstance(b, bool):
        raise TypeError(f"[set_warn_always] argument 'b' must be bool, not {type(b).__name__}.")
    _state["warn_always"] = b


def is_warn_always_enabled():
    """Whether set_warn_always(True) was called."""
    return _state["warn_always"]


def set_default_tensor_type(t):
    """set_default_dtype by the name or class of a legacy tensor type, such as "torch.DoubleTensor" (deprecated).

    Raises TypeError when it is not one of floating point numbers.
    """
    kind = getattr(rushlight, t.removeprefix("torch."), None) if isinstance(t, str) else t
    dtype = getattr(kind, "dtype", None)
    if not isinstance(dtype, _core.dtype) or not dtype.is_floating_point or kind.is_cuda:
        raise TypeError(
            f"[set_default_tensor_type] only floating-point types are supported as the default type. Received {t!r}. "
            "Use torch.set_default_dtype()."
        )
    _core.set_default_dtype(dtype)


def get_device_module(device=None):
    """The module of functions for a device's type: torch.cpu unless told otherwise. Raises RuntimeError for others.

    >>> torch.get_device_module("cpu").__name__
    'rushlight.cpu'
    """
    kind = "cpu" if device is None else rushlight.device(device).type
    if kind not in ("cpu", "cuda"):
        raise RuntimeError(f"[get_device_module] the device must be 'cpu' or 'cuda'. Received {kind!r}.")
    return getattr(rushlight, kind)


def is_vulkan_available():
    """False."""
    return False


def get_file_path(*path_components):
    """The path of a file of the package.

    >>> torch.get_file_path("version.py").endswith("version.py")
    True
    """
    return os.path.join(os.path.dirname(rushlight.__file__), *path_components)


def prepare_multiprocessing_environment(path):
    """Nothing to do: processes need no preparation."""


def init_num_threads():
    """Nothing to do: the pool of threads starts with the first operator that uses it."""


def set_num_interop_threads(num):
    """Accepted: there is one pool of threads."""


def get_num_interop_threads():
    """1: there is one pool of threads."""
    return 1


def compiled_with_cxx11_abi():
    """True: the C++ library's present ABI."""
    return True


def set_anomaly_enabled(mode, check_nan=True):
    """Turns the anomaly check of backward passes on or off: see torch.autograd.detect_anomaly."""
    _core.set_anomaly_(mode, check_nan)


# --- autocasting: the state of this thread. torch.autocast sets it for a block; the core reads that of the cpu.

AUTOCAST_DEVICES = ("cpu", "cuda", "hpu", "ipu", "maia", "mps", "mtia", "xla", "xpu")


class _OfThisThread(threading.local):
    def __init__(self):
        self.nesting = 0
        self.enabled = {}  # of devices other than the cpu, on which nothing runs
        self.dtype = dict.fromkeys(("cuda", "ipu", "mps", "mtia", "xpu"), _core.float16)


_autocast = _OfThisThread()


def _check_autocast_device(name, device_type):
    if not isinstance(device_type, str):
        raise TypeError(f"[{name}] device_type must be str, such as 'cpu'. Received {type(device_type).__name__}.")
    if device_type not in AUTOCAST_DEVICES:
        raise RuntimeError(f"[{name}] device_type must be one of {AUTOCAST_DEVICES}. Received {device_type!r}.")


def is_autocast_enabled(device_type="cuda"):
    """Whether this thread is in an enabled region of torch.autocast(device_type).

    >>> with torch.autocast("cpu"):
    ...     torch.is_autocast_enabled("cpu")
    True
    """
    _check_autocast_device("is_autocast_enabled", device_type)
    return _core.autocasting() if device_type == "cpu" else _autocast.enabled.get(device_type, False)


def is_autocast_cpu_enabled():
    """is_autocast_enabled("cpu")."""
    return _core.autocasting()


def set_autocast_enabled(device_type, enabled=None):
    """Turns autocasting on or off on this thread; alone, a bool is for "cuda". Regions do so: torch.autocast."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    _check_autocast_device("set_autocast_enabled", device_type)
    if device_type == "cpu":
        _core.set_autocasting_(enabled)
    else:
        _autocast.enabled[device_type] = enabled


def set_autocast_cpu_enabled(enabled):
    """set_autocast_enabled("cpu", enabled)."""
    _core.set_autocasting_(enabled)


def get_autocast_dtype(device_type):
    """The dtype of this thread's regions: bfloat16 on the cpu, unless it was set.

    >>> torch.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    _check_autocast_device("get_autocast_dtype", device_type)
    return _core.autocast_dtype() if device_type == "cpu" else _autocast.dtype.get(device_type, _core.bfloat16)


def set_autocast_dtype(device_type, dtype):
    """Sets what get_autocast_dtype gives on this thread."""
    _check_autocast_device("set_autocast_dtype", device_type)
    if device_type == "cpu":
        _core.set_autocast_dtype_(dtype)
    else:
        _autocast.dtype[device_type] = dtype


def get_autocast_cpu_dtype():
    """get_autocast_dtype("cpu")."""
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype):
    """set_autocast_dtype("cpu", dtype)."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype():
    """get_autocast_dtype("cuda")."""
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype):
    """set_autocast_dtype("cuda", dtype)."""
    set_autocast_dtype("cuda", dtype)


def is_autocast_cache_enabled():
    """Whether regions of this thread keep the weights that they converted."""
    return _core.autocast_keeps_weights()


def set_autocast_cache_enabled(enabled):
    """Sets what is_autocast_cache_enabled gives."""
    _core.set_autocast_keeps_weights_(enabled)


def clear_autocast_cache():
    """Drops the weights that regions of this thread converted."""
    _core.forget_cast_weights()


def autocast_increment_nesting():
    """Counts a region that is entered; returns in how many this thread is."""
    _autocast.nesting += 1
    return _autocast.nesting


def autocast_decrement_nesting():
    """Counts a region that is left; returns in how many this thread is."""
    _autocast.nesting -= 1
    return _autocast.nesting
