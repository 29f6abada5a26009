"""The older names of torch.amp for the cpu. They warn, as PyTorch's do."""

from rushlight.cpu.amp import autocast_mode, grad_scaler  # noqa: F401  (submodules that PyTorch shows)
from rushlight.cpu.amp.autocast_mode import autocast
from rushlight.cpu.amp.grad_scaler import GradScaler

__all__ = ["autocast", "GradScaler"]
