"""Mixed precision: regions in which products run in bfloat16 or float16, and the scale that keeps small gradients.

>>> linear = torch.nn.Linear(4, 2)
>>> with torch.autocast("cpu"):
...     y = linear(torch.ones(3, 4))
>>> y.dtype
torch.bfloat16
"""

from rushlight.amp import autocast_mode, grad_scaler  # noqa: F401  (submodules that PyTorch shows)
from rushlight.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from rushlight.amp.grad_scaler import GradScaler

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available", "GradScaler"]
