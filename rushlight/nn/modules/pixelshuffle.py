"""Channels to pixels and back, as layers."""

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """[..., C * r², H, W] to [..., C, H * r, W * r] (Shi et al., 2016).

    >>> torch.nn.PixelShuffle(2)(torch.randn(1, 8, 4, 4)).shape
    torch.Size([1, 2, 8, 8])
    """

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input):
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self):
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """[..., C, H * r, W * r] to [..., C * r², H, W]: undoes `PixelShuffle`.

    >>> torch.nn.PixelUnshuffle(2)(torch.randn(1, 2, 8, 8)).shape
    torch.Size([1, 8, 4, 4])
    """

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input):
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self):
        return f"downscale_factor={self.downscale_factor}"
