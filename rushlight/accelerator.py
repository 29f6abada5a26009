"""torch.accelerator where there is none: programs that ask are told so, and go on with the cpu.

>>> torch.accelerator.is_available()
False
>>> torch.accelerator.current_accelerator() is None
True
"""

_MISSING = "Cannot access accelerator device when none is available. Stay on the cpu, or ask is_available() first."


class AcceleratorError(RuntimeError):
    """An accelerator failed."""


class OutOfMemoryError(RuntimeError):
    """An accelerator's memory was too small. (The host's own shortage is Python's MemoryError.)"""


class Stream:
    """A queue of an accelerator's work. Raises RuntimeError: there is no accelerator."""

    def __init__(self, device=None, *, priority=0):
        raise RuntimeError(f"[Stream] {_MISSING}")


class Event:
    """A mark in an accelerator's work. Raises RuntimeError: there is no accelerator."""

    def __init__(self, device=None, *, enable_timing=False, blocking=False, interprocess=False):
        raise RuntimeError(f"[Event] {_MISSING}")


def is_available():
    """False: the core has no kernels for accelerators yet."""
    return False


def device_count():
    """0: there is no accelerator."""
    return 0


def current_accelerator(check_available=False):
    """None: there is no accelerator."""
    return None


def empty_cache():
    """Accepted: no memory of an accelerator is cached."""


_NEED_A_DEVICE = (
    "Graph", "current_device_idx", "current_device_index", "current_stream", "device_index", "empty_host_cache",
    "get_device_capability", "get_memory_info", "max_memory_allocated", "max_memory_reserved", "memory_allocated",
    "memory_reserved", "memory_stats", "reset_accumulated_memory_stats", "reset_peak_memory_stats", "set_device_idx",
    "set_device_index", "set_stream", "synchronize",
)  # fmt: skip


def __getattr__(name):
    if name not in _NEED_A_DEVICE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def missing(*args, **kwargs):
        raise RuntimeError(f"[accelerator.{name}] {_MISSING}")

    missing.__name__ = missing.__qualname__ = name
    return missing
