"""torch.amp with the device type "cuda", by the names that it had before it served all devices."""

import functools

import rushlight


def _autocast():
    class autocast(rushlight.amp.autocast):
        """torch.amp.autocast("cuda", ...)."""

        def __init__(self, enabled=True, dtype=rushlight.float16, cache_enabled=True):
            super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)

    return autocast


def _grad_scaler():
    class GradScaler(rushlight.amp.GradScaler):
        """torch.amp.GradScaler("cuda", ...)."""

        def __init__(
            self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True
        ):
            super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)

    return GradScaler


_MADE = {
    "GradScaler": _grad_scaler,
    "autocast": _autocast,
    "custom_bwd": lambda: functools.partial(rushlight.amp.custom_bwd, device_type="cuda"),
    "custom_fwd": lambda: functools.partial(rushlight.amp.custom_fwd, device_type="cuda"),
}


def __getattr__(name):
    if name not in _MADE:
        raise AttributeError(f"module 'rushlight.cuda.amp' has no attribute {name!r}")
    made = globals()[name] = _MADE[name]()
    return made


def __dir__():
    return sorted({*globals(), *_MADE})
