"""The default stream of random numbers: its seed and its state.

One seed gives the numbers that PyTorch gives on the CPU.
"""

import contextlib

from rushlight import _core
from rushlight._core import default_generator

__all__ = [
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
    "thread_safe_generator",
]


def manual_seed(seed):
    """Restarts the default stream. Returns its generator.

    seed: an int in [-2**63, 2**64). Raises ValueError outside.

    >>> generator = torch.manual_seed(42)
    >>> torch.rand(2)
    tensor([0.8823, 0.9150])
    """
    return default_generator.manual_seed(int(seed))


def thread_safe_generator():
    """None: threads that load data draw from the default stream, whose lock they share."""
    return None


def seed():
    """Seeds the default stream from the operating system. Returns the seed."""
    return default_generator.seed()


def initial_seed():
    """The seed that the default stream began with.

    >>> generator = torch.manual_seed(42)
    >>> torch.initial_seed()
    42
    """
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default stream, a uint8 tensor [5056] that PyTorch reads too.

    >>> state = torch.get_rng_state()
    >>> first = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(torch.rand(2), first)
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state):
    """Continues the default stream from a state. Raises TypeError or RuntimeError when it is none."""
    if not isinstance(new_state, _core.Tensor):
        raise TypeError(f"[set_rng_state] a torch.ByteTensor is wanted. Received {type(new_state).__name__}.")
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cuda"):
    """Inside, random numbers leave the default stream as it was outside.

    devices, device_type: of accelerators whose streams are kept as well. There are none: naming one is a RuntimeError.

    >>> generator = torch.manual_seed(42)
    >>> with torch.random.fork_rng():
    ...     x = torch.rand(100)
    >>> torch.rand(2)
    tensor([0.8823, 0.9150])
    """
    if not enabled:
        yield
        return
    if device_type not in ("cpu", "cuda", "meta", "mps", "mtia", "xpu") or [*(devices or ())]:
        raise RuntimeError(
            f"[fork_rng] there is no accelerator to keep the stream of. Received device_type {device_type!r}, devices "
            f"{devices}. Leave both out."
        )
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
