"""PyTorch's compiler of kernels, as far as programs set it up: nothing is compiled, and settings are kept."""

from rushlight.compat.torch._inductor import config

__all__ = ["config"]
