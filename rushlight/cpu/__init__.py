"""torch.cpu: the host as a device, so that programs can treat all devices alike.

>>> torch.cpu.device_count()
1
"""

import contextlib
import importlib


class Stream:
    """The host's only queue: work is done when the call that asked for it returns."""

    def __init__(self, priority=-1):
        self.priority = priority

    def wait_stream(self, stream):
        """Nothing to wait for."""

    def synchronize(self):
        """Nothing to wait for."""

    def record_event(self, event=None):
        """An event that has happened."""
        return event or Event()

    def wait_event(self, event):
        """Nothing to wait for."""


class Event:
    """A mark in the host's work, which is always reached."""

    def query(self):
        """True: the work before it is done."""
        return True

    def record(self, stream=None):
        """Nothing to mark."""

    def synchronize(self):
        """Nothing to wait for."""

    def wait(self, stream=None):
        """Nothing to wait for."""


_default = Stream()


def is_available():
    """True."""
    return True


def is_initialized():
    """True."""
    return True


def device_count():
    """1."""
    return 1


def current_device():
    """The device's name: "cpu"."""
    return "cpu"


def set_device(device):
    """Accepted: there is one host."""


def synchronize(device=None):
    """Accepted: work is done when its call returns."""


def current_stream(device=None):
    """The host's only queue."""
    return _default


def stream(stream):
    """A context in which `stream` would be current: the host has one queue."""
    return contextlib.nullcontext(stream)


StreamContext = contextlib.nullcontext


def get_capabilities():
    """The instruction sets that the processor reports, by name; empty where the system does not tell.

    >>> isinstance(torch.cpu.get_capabilities(), dict)
    True
    """
    try:
        with open("/proc/cpuinfo") as f:
            flags = next((line for line in f if line.startswith(("flags", "Features"))), "")
    except OSError:
        return {}
    return dict.fromkeys(flags.partition(":")[2].split(), True)


def __getattr__(name):
    if name != "amp":
        raise AttributeError(f"module 'rushlight.cpu' has no attribute {name!r}")
    return importlib.import_module("rushlight.cpu.amp")
