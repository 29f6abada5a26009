"""torch.cuda where there is no GPU: programs that ask are told so, and go on with the cpu.

>>> torch.cuda.is_available()
False
"""

import importlib


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


def manual_seed(seed):
    """Accepted: there is no GPU generator to seed, as in PyTorch without one."""


def manual_seed_all(seed):
    """Accepted: there is no GPU generator to seed, as in PyTorch without one."""


def empty_cache():
    """Accepted: no memory of a GPU is cached."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "amp":
        return importlib.import_module("rushlight.cuda.amp")
    if name.endswith("Tensor"):
        return importlib.import_module("rushlight.tensor_types").make(name, __name__, _no_tensor, is_cuda=True)

    def missing(*args, **kwargs):
        raise RuntimeError(
            f"[cuda.{name}] a GPU must be available: no CUDA device is supported by this build. Stay on the cpu, "
            "or ask torch.cuda.is_available() first."
        )

    missing.__name__ = name
    return missing


def _no_tensor(dtype, *args, **kwargs):
    raise TypeError(f"[cuda] tensors of {dtype} on a GPU cannot be made: no CUDA device is supported. Stay on the cpu.")
