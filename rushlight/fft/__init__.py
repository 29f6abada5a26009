"""Discrete Fourier transforms: torch.fft. Computed by SciPy or NumPy; every transform has derivatives of all orders.

A convolution is a product of transforms:

>>> a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
>>> torch.fft.irfft(torch.fft.rfft(a, 3) * torch.fft.rfft(b, 3), 3)
tensor([ 3., 10.,  8.])
"""

from rushlight import Tensor
from rushlight.fft.frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from rushlight.fft.transforms import (
    fft,
    fft2,
    fftn,
    hfft,
    hfft2,
    hfftn,
    ifft,
    ifft2,
    ifftn,
    ihfft,
    ihfft2,
    ihfftn,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)
from rushlight.ops import offer as _offer

__all__ = [
    "Tensor", "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn",
    "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

globals().update(_offer({name: globals()[name] for name in __all__}, "rushlight.fft:"))
