"""The profiler's old address. The profiler is `rushlight.profiler`; the old names say so when they are used."""

_NAMES = ("profile", "record_function", "emit_nvtx", "emit_itt", "load_nvprof")


def __getattr__(name):
    if name in _NAMES:
        raise AttributeError(
            f"[autograd.profiler] {name} must be taken from the profiler's present home. "
            "Use rushlight.profiler.profile and rushlight.profiler.record_function."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
