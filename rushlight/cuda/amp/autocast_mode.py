"""torch.amp.autocast and its decorators with "cuda" as the device."""

import warnings

import rushlight

__all__ = ["autocast", "custom_fwd", "custom_bwd"]


def _deprecated(name):
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}` with device type 'cuda' "
        "instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(rushlight.amp.autocast):
    """torch.autocast("cuda"): it warns, and changes nothing without a GPU."""

    def __init__(self, enabled=True, dtype=rushlight.float16, cache_enabled=True):
        _deprecated("autocast")
        super().__init__("cuda", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)


def custom_fwd(fwd=None, *, cast_inputs=None):
    """torch.amp.custom_fwd of the device "cuda"."""
    _deprecated("custom_fwd")
    return rushlight.amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd=None):
    """torch.amp.custom_bwd of the device "cuda"."""
    _deprecated("custom_bwd")
    return rushlight.amp.custom_bwd(bwd, device_type="cuda")
