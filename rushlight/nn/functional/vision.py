"""Images: channels to pixels and back."""

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def pixel_shuffle(input, upscale_factor):
    """[..., C * r², H, W] to [..., C, H * r, W * r] (Shi et al., 2016).

    >>> torch.nn.functional.pixel_shuffle(torch.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(f"[pixel_shuffle] input must be [..., C, H, W]. Received {list(input.shape)}.")
    *lead, channels, height, width = input.shape
    if r <= 0 or channels % (r * r):
        raise RuntimeError(
            f"[pixel_shuffle] the channels must be divisible by upscale_factor squared. Received {channels} channels, "
            f"upscale_factor={r}."
        )
    blocks = input.reshape(*lead, channels // (r * r), r, r, height, width)
    n = len(lead)
    blocks = blocks.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return blocks.reshape(*lead, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input, downscale_factor):
    """[..., C, H * r, W * r] to [..., C * r², H, W]: undoes `pixel_shuffle`.

    >>> torch.nn.functional.pixel_unshuffle(torch.arange(4.0).reshape(1, 2, 2), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError(f"[pixel_unshuffle] input must be [..., C, H, W]. Received {list(input.shape)}.")
    *lead, channels, height, width = input.shape
    if r <= 0 or height % r or width % r:
        raise RuntimeError(
            f"[pixel_unshuffle] height and width must be divisible by downscale_factor. Received {height} x {width}, "
            f"downscale_factor={r}."
        )
    blocks = input.reshape(*lead, channels, height // r, r, width // r, r)
    n = len(lead)
    blocks = blocks.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return blocks.reshape(*lead, channels * r * r, height // r, width // r)


def channel_shuffle(input, groups):
    """The channels of [N, C, ...], dealt out from `groups` groups in turn (Zhang et al., 2017).

    >>> torch.nn.functional.channel_shuffle(torch.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    if input.ndim < 3:
        raise RuntimeError(f"[channel_shuffle] input must have at least 3 dimensions. Received {list(input.shape)}.")
    if groups <= 0 or input.shape[1] % groups:
        raise RuntimeError(
            f"[channel_shuffle] the channels must be divisible by groups. Received {input.shape[1]}, groups={groups}."
        )
    n, c, *rest = input.shape
    return input.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(input.shape)


def native_channel_shuffle(input, groups):
    """`channel_shuffle`."""
    return channel_shuffle(input, groups)
