"""Fourier transforms: the extension `fft`."""

import rushlight


def _one_axis(name):
    def call(x, /, *, n=None, axis=-1, norm="backward"):
        return getattr(rushlight.fft, name)(x, n=n, dim=axis, norm=norm)

    return _described(call, name)


def _several_axes(name):
    def call(x, /, *, s=None, axes=None, norm="backward"):
        return getattr(rushlight.fft, name)(x, s=s, dim=axes, norm=norm)

    return _described(call, name)


def _shift(name):
    def call(x, /, *, axes=None):
        return getattr(rushlight.fft, name)(x, dim=axes)

    return _described(call, name)


def _frequencies(name):
    def call(n, /, *, d=1.0, dtype=None, device=None):
        return getattr(rushlight.fft, name)(n, d=d, dtype=dtype, device=device)

    return _described(call, name)


def _described(function, name):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}, as the array API standard defines it."
    return function


globals().update((name, _one_axis(name)) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"))
globals().update((name, _several_axes(name)) for name in ("fftn", "ifftn", "rfftn", "irfftn"))
globals().update((name, _shift(name)) for name in ("fftshift", "ifftshift"))
globals().update((name, _frequencies(name)) for name in ("fftfreq", "rfftfreq"))
