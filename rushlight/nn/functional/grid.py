"""Images sampled at given points."""

import itertools
import math
import warnings

import rushlight
from rushlight.nn.functional.padding import pad
from rushlight.nn.functional.resize import cubic_weights

__all__ = ["affine_grid", "grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")
_HALF = (rushlight.float16, rushlight.bfloat16)


def affine_grid(theta, size, align_corners=None):
    """The points of an image under affine maps, for `grid_sample` (Jaderberg et al., 2015).

    Args:
        theta: [N, 2, 3] or [N, 3, 4].
        size: [N, C, H, W] or [N, C, D, H, W] of the image.
        align_corners: -1 and 1 are the centres of the corner elements, not their outer edges.

    Returns:
        [N, H, W, 2] or [N, D, H, W, 3], coordinates (x, y[, z]) from -1 to 1.

    >>> torch.nn.functional.affine_grid(torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    dims = len(size) - 2
    if dims not in (2, 3) or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            "[affine_grid] theta must be [N, 2, 3] for a size [N, C, H, W], or [N, 3, 4] for [N, C, D, H, W]. "
            f"Received theta {list(theta.shape)} for size {list(size)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    if align_corners is None:
        _warn_of_corners("affine_grid")
    axes = []
    for position, n in enumerate(size[2:]):
        axis = rushlight.linspace(-1, 1, n, dtype=theta.dtype, device=theta.device) if n > 1 else theta.new_zeros(1)
        if not align_corners:
            axis = axis * (n - 1) / n
        shape = [1] * dims
        shape[position] = n
        axes.append(axis.reshape(shape).expand(*size[2:]))
    points = rushlight.stack([*reversed(axes), rushlight.ones_like(axes[0])], -1).reshape(1, -1, dims + 1)
    return (points @ theta.transpose(1, 2)).reshape(size[0], *size[2:], dims)


def _warn_of_corners(name):
    warnings.warn(
        f"Default {name} behavior has changed to align_corners=False since 1.3.0. "
        "Please specify align_corners=True if the old behavior is desired.",
        stacklevel=3,
    )


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The values of an image at given points.

    Args:
        input: [N, C, H, W] or [N, C, D, H, W].
        grid: [N, h, w, 2] or [N, d, h, w, 3]: coordinates (x, y[, z]); -1 and 1 are the image's edges.
        mode: "bilinear" (in volumes, trilinear), "nearest", or in images "bicubic".
        padding_mode: what is outside: "zeros", "border" or "reflection".
        align_corners: -1 and 1 are the centres of the corner elements, not their outer edges.

    Returns:
        [N, C, h, w] or [N, C, d, h, w].

    >>> image = torch.tensor([[[[1.0, 3.0]]]])
    >>> torch.nn.functional.grid_sample(image, torch.zeros(1, 1, 1, 2), align_corners=True)
    tensor([[[[2.]]]])
    """
    if mode not in _MODES:
        raise ValueError(f"[grid_sample] mode must be 'bilinear', 'nearest' or 'bicubic'. Received {mode!r}.")
    if padding_mode not in _PADDINGS:
        raise ValueError(
            f"[grid_sample] padding_mode must be 'zeros', 'border' or 'reflection'. Received {padding_mode!r}."
        )
    if align_corners is None:
        _warn_of_corners("grid_sample")
    return grid_sampler(input, grid, _MODES.index(mode), _PADDINGS.index(padding_mode), bool(align_corners))


def grid_sampler_2d(input, grid, interpolation_mode, padding_mode, align_corners):
    """`grid_sampler` of images."""
    return _sampled("grid_sampler_2d", input, grid, interpolation_mode, padding_mode, align_corners, (2,))


def grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners):
    """`grid_sampler` of volumes."""
    return _sampled("grid_sampler_3d", input, grid, interpolation_mode, padding_mode, align_corners, (3,))


def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """`grid_sample` with numbers for names: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros, 1 border, 2 reflection.

    >>> torch.grid_sampler(torch.tensor([[[[1.0, 3.0]]]]), torch.zeros(1, 1, 1, 2), 0, 0, True)
    tensor([[[[2.]]]])
    """
    return _sampled("grid_sampler", input, grid, interpolation_mode, padding_mode, align_corners, (2, 3))


def _sampled(name, input, grid, interpolation_mode, padding_mode, align_corners, allowed_dims):
    dims = input.ndim - 2
    if (
        dims not in allowed_dims
        or grid.ndim != input.ndim
        or grid.shape[0] != input.shape[0]
        or grid.shape[-1] != dims
        or 0 in input.shape[2:]
    ):
        raise RuntimeError(
            f"[{name}] input must be [N, C, H, W] with grid [N, h, w, 2], or [N, C, D, H, W] with [N, d, h, w, 3]. "
            f"Received {list(input.shape)} with {list(grid.shape)}."
        )
    if grid.dtype != input.dtype:
        raise RuntimeError(f"[{name}] input and grid must have one dtype. Received {input.dtype} and {grid.dtype}.")
    if not (0 <= interpolation_mode < len(_MODES) and 0 <= padding_mode < len(_PADDINGS)):
        raise RuntimeError(f"[{name}] modes are 0, 1 and 2. Received {interpolation_mode} and {padding_mode}.")
    mode, padding = _MODES[interpolation_mode], _PADDINGS[padding_mode]
    if mode == "bicubic" and dims != 2:
        raise RuntimeError(f"[{name}] bicubic interpolation only supports 4D input. Use 'bilinear'.")
    if input.dtype in _HALF:
        return _interpolated(input.float(), grid.float(), mode, padding, align_corners).to(input.dtype)
    return _interpolated(input, grid, mode, padding, align_corners)


def _interpolated(input, grid, mode, padding, align_corners):
    dims, sizes = input.ndim - 2, input.shape[2:]
    neighbours = []  # along each dimension of the image: (places, their shares) of the elements around each point
    for dim, n in enumerate(sizes):
        at = grid[..., dims - 1 - dim]
        at = (at + 1) / 2 * (n - 1) if align_corners else ((at + 1) * n - 1) / 2
        if mode != "bicubic":
            at = _inside(at, n, padding, align_corners)
        if mode == "nearest":
            # the share is 1, with a gradient of zero for the grid
            neighbours.append([(at.detach().round(), at.clamp(0, n) * 0 + 1 if grid.requires_grad else None)])
            continue
        left = at.detach().floor()
        fraction = at - left
        if mode == "bilinear":
            neighbours.append([(left, 1 - fraction), (left + 1, fraction)])
        else:
            places = [_inside(left + k, n, padding, align_corners) for k in range(-1, 3)]
            neighbours.append(list(zip(places, cubic_weights(fraction), strict=True)))
    return _gathered(input, sizes, neighbours)


def _reflected(at, low, high):
    """`at` mirrored at `low` and `high` until it is between them."""
    if high <= low:
        return rushlight.zeros_like(at)
    span = high - low
    away = (at - low).abs()
    turns = (away.detach() / span).floor()
    rest = away - turns * span
    return rushlight.where(turns % 2 == 0, rest + low, span - rest + low)


def _inside(at, n, padding, align_corners):
    if padding == "reflection":
        at = _reflected(at, 0.0, n - 1.0) if align_corners else _reflected(at, -0.5, n - 0.5)
    return at if padding == "zeros" else at.clamp(0, n - 1)


def _gathered(input, sizes, neighbours):
    """The weighted sum of the elements at all combinations of the neighbours along each dimension.

    An element is a row of all channels, so that one look-up reads memory that lies together.
    """
    batch, channels = input.shape[:2]
    places = math.prod(sizes)
    rows = input.reshape(batch, channels, places).transpose(1, 2).reshape(batch * places, channels)
    rows = pad(rows, (0, 0, 0, 1))  # the zeros at the end stand for all that is outside
    shape = neighbours[0][0][0].shape
    samples = (rushlight.arange(batch) * places).reshape([-1] + [1] * len(sizes))
    choices = []
    stride = places
    for around, n in zip(neighbours, sizes, strict=True):
        stride //= n
        choices.append([(_offsets(place, n, stride, batch * places), share) for place, share in around])
    total = None
    for combination in itertools.product(*choices):
        index = sum((offsets for offsets, _ in combination), samples).clamp(max=batch * places)
        part = rows.index_select(0, index.reshape(-1))
        shares = [share for _, share in combination if share is not None]
        if shares:
            part = part * math.prod(shares[1:], start=shares[0]).reshape(-1, 1)
        total = part if total is None else total + part
    points = math.prod(shape[1:])
    return total.reshape(batch, points, channels).transpose(1, 2).reshape(batch, channels, *shape[1:])


def _offsets(place, n, stride, end):
    """place * stride as whole numbers, at least `end` where the place is not one of n."""
    far = 1 << (end // stride).bit_length()  # a power of two is exact in every dtype
    outside = place != place.clamp(0, n - 1)  # nan, too
    return place.detach().masked_fill(outside, far).long() * stride
