"""torch.amp.GradScaler with "cuda" as the device."""

import warnings

import rushlight

__all__ = ["GradScaler"]


class GradScaler(rushlight.amp.GradScaler):
    """torch.amp.GradScaler("cuda"): it warns, and scales nothing without a GPU."""

    def __init__(self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True):
        warnings.warn(
            "`torch.cuda.amp.GradScaler(args...)` is deprecated. Please use `torch.amp.GradScaler('cuda', args...)` "
            "instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
