"""torch.cuda where there is no GPU: programs that ask are told so, and go on with the cpu.

Whatever needs a GPU raises AssertionError when it is called, as PyTorch's build for the cpu does.

>>> torch.cuda.is_available(), torch.cuda.device_count(), torch.cuda.memory_allocated()
(False, 0, 0)
"""

import collections
import contextlib
import importlib

from rushlight.accelerator import AcceleratorError, OutOfMemoryError
from rushlight.unsupported import refusal, refused_class

__all__ = ["AcceleratorError", "OutOfMemoryError"]

_REASON = "Torch not compiled with CUDA enabled. Stay on the cpu, or ask torch.cuda.is_available() first."
_MODULES = ("amp", "memory", "nvtx", "random")
_NEED_A_GPU = (
    "can_device_access_peer", "clock_rate", "cudart", "current_blas_handle", "current_device", "current_stream",
    "default_stream", "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state",
    "get_sync_debug_mode", "init", "initial_seed", "ipc_collect", "is_current_stream_capturing", "list_gpu_processes",
    "make_graphed_callables", "mem_get_info", "memory_snapshot", "memory_usage", "power_draw", "set_device",
    "set_per_process_memory_fraction", "set_sync_debug_mode", "synchronize", "temperature", "utilization",
)  # fmt: skip
_CLASSES = ("CUDAGraph", "Event", "ExternalStream", "MemPool", "Stream", "device", "device_of", "graph")
default_generators = ()
has_half = has_magma = False


def is_available():
    """False: the core has no GPU kernels yet."""
    return False


def device_count():
    """0: no GPU can be used."""
    return 0


def is_initialized():
    """False."""
    return False


def is_bf16_supported(including_emulation=True):
    """False: there is no GPU."""
    return False


def is_tf32_supported():
    """False: there is no GPU."""
    return False


def get_arch_list():
    """An empty list: there are no kernels for GPUs."""
    return []


def get_gencode_flags():
    """An empty string: there are no kernels for GPUs."""
    return ""


# --- random numbers: there are no generators to seed, as in PyTorch without a GPU


def manual_seed(seed):
    """Accepted: there is no GPU's generator to seed."""


def manual_seed_all(seed):
    """Accepted: there is no GPU's generator to seed."""


def seed():
    """Accepted: there is no GPU's generator to seed."""


def seed_all():
    """Accepted: there is no GPU's generator to seed."""


def get_rng_state_all():
    """An empty list: there are no GPU's generators."""
    return []


def set_rng_state_all(new_states):
    """Accepts the empty list that get_rng_state_all gives. Raises AssertionError for states."""
    for state in new_states:
        set_rng_state(state)


def set_rng_state(new_state, device="cuda"):
    """Raises AssertionError: there is no GPU's generator."""
    raise AssertionError(f"[cuda.set_rng_state] a GPU must be available: {_REASON}")


# --- memory: none is used


def empty_cache():
    """Accepted: no memory of a GPU is cached."""


def memory_allocated(device=None):
    """0: no memory of a GPU is used."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_cached = max_memory_cached = memory_allocated


def memory_stats(device=None):
    """An empty dictionary: no memory of a GPU is used."""
    return collections.OrderedDict()


def memory_summary(device=None, abbreviated=False):
    """A line that says so."""
    return "No memory of a GPU is used: there is none."


def reset_peak_memory_stats(device=None):
    """Accepted: there is no peak to forget."""


reset_max_memory_allocated = reset_max_memory_cached = reset_accumulated_memory_stats = reset_peak_memory_stats


# --- streams


def set_stream(stream):
    """Accepts None. Raises AssertionError for anything else: there are no streams."""
    if stream is not None:
        raise AssertionError(f"[cuda.set_stream] a GPU must be available: {_REASON}")


def stream(stream):
    """A context that changes nothing, for the stream None."""
    set_stream(stream)
    return contextlib.nullcontext()


def _no_tensor(dtype, *args, **kwargs):
    raise TypeError(f"[cuda] tensors of {dtype} on a GPU cannot be made: {_REASON}")


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"rushlight.cuda.{name}")
    if name in _NEED_A_GPU:
        found = refusal(f"cuda.{name}", _REASON, AssertionError)
    elif name in _CLASSES:
        found = refused_class(f"cuda.{name}", _REASON, RuntimeError)
    elif name.endswith("Tensor"):
        found = importlib.import_module("rushlight.tensor_types").make(name, __name__, _no_tensor, is_cuda=True)
    else:
        raise AttributeError(f"module 'rushlight.cuda' has no attribute {name!r}: there is no GPU")
    globals()[name] = found
    return found


def __dir__():
    return sorted({*globals(), *_MODULES, *_NEED_A_GPU, *_CLASSES})
