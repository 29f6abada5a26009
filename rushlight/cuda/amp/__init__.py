"""The older names of torch.amp for a GPU. They warn, as PyTorch's do."""

from rushlight.cuda.amp import autocast_mode, grad_scaler  # noqa: F401  (submodules that PyTorch shows)
from rushlight.cuda.amp.autocast_mode import autocast, custom_bwd, custom_fwd
from rushlight.cuda.amp.grad_scaler import GradScaler

__all__ = ["autocast", "custom_bwd", "custom_fwd", "GradScaler"]
