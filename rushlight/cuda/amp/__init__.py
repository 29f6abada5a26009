"""The older names of torch.amp for a GPU. They warn, as PyTorch's do."""

import rushlight
from rushlight.cuda.amp import autocast_mode, grad_scaler  # noqa: F401  (submodules that PyTorch shows)
from rushlight.cuda.amp.autocast_mode import autocast, custom_bwd, custom_fwd
from rushlight.cuda.amp.grad_scaler import GradScaler

__all__ = ["amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd", "GradScaler"]


def amp_definitely_not_available():
    """True where there is no GPU."""
    return not rushlight.cuda.is_available()
