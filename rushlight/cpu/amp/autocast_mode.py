"""torch.amp.autocast with "cpu" as the device."""

import warnings

import rushlight

__all__ = ["autocast"]


class autocast(rushlight.amp.autocast):
    """torch.autocast("cpu")."""

    def __init__(self, enabled=True, dtype=rushlight.bfloat16, cache_enabled=True):
        warnings.warn(
            "`torch.cpu.amp.autocast(args...)` is deprecated. Please use `torch.amp.autocast('cpu', args...)` instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__("cpu", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)
