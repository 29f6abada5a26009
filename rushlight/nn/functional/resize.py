"""Images of other sizes and other places: interpolation, and sampling at given points."""

import math
import warnings

import rushlight
from rushlight.nn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
_CUBIC = -0.75  # the free constant of the cubic kernel (Keys, 1981), as in PyTorch and OpenCV


def interpolate(
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """`input` at another size.

    Args:
        input: [N, C, L...] with one to three dimensions L.
        size: the new sizes, or one for all.
        scale_factor: instead of `size`, factors of the sizes.
        mode: "nearest", "nearest-exact", "linear" ([N, C, L]), "bilinear" and "bicubic" ([N, C, H, W]), "trilinear"
            ([N, C, D, H, W]) or "area".
        align_corners: the centres of the corner elements stay where they are, instead of the corners.
        recompute_scale_factor: compute with the ratio of the sizes, not with the given factor.
        antialias: widen the kernel when making an image smaller ("bilinear" and "bicubic").

    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    spatial = input.ndim - 2
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: "
                "linear | bilinear | bicubic | trilinear"
            )
    elif mode not in _DIMS or spatial not in (1, 2, 3):
        raise NotImplementedError(
            "[interpolate] input must be 3-D, 4-D or 5-D and mode one of nearest, nearest-exact, area, linear, "
            f"bilinear, bicubic, trilinear. Received {input.ndim}-D and {mode!r}."
        )
    elif _DIMS[mode] != spatial:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {_DIMS[mode] + 2}D input")
    if (size is None) == (scale_factor is None):
        which = "either" if size is None else "only one of"
        raise ValueError(f"{which} size or scale_factor should be defined")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )

    old = input.shape[2:]
    scales = [None] * spatial
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        new = _for_each(size, spatial, "output")
    else:
        factors = _for_each(scale_factor, spatial, "scale_factor")
        new = [math.floor(n * f) for n, f in zip(old, factors, strict=True)]
        if not recompute_scale_factor:
            scales = factors
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[spatial - 1](input, new)
    if not all(n > 0 for n in (*old, *new)):
        raise RuntimeError(
            f"[interpolate] Input and output sizes should be greater than 0. Received {list(old)} and {list(new)}."
        )
    for dim, (n, scale) in enumerate(zip(new, scales, strict=True), 2):
        if mode in ("nearest", "nearest-exact"):
            input = input.index_select(dim, _nearest(old[dim - 2], n, scale, mode, input.device))
        elif n != old[dim - 2] or scale is not None or antialias:
            input = _resample(input, dim, n, scale, mode == "bicubic", bool(align_corners), antialias)
    return input


def _for_each(value, count, what):
    if not isinstance(value, (tuple, list)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with {count} and "
            f"{what} of {list(value)}."
        )
    return list(value)


def _nearest(old, new, scale, mode, device):
    step = old / new if scale is None else 1.0 / scale
    position = rushlight.arange(new, dtype=rushlight.float32, device=device)
    if mode == "nearest-exact":
        position = position + 0.5
    return (position * step).floor().long().clamp(max=old - 1)


def _cubic(x):
    """The weights of the four neighbours of a point at the fraction x behind the second."""
    a = _CUBIC

    def near(t):  # |t| <= 1
        return ((a + 2) * t - (a + 3)) * t * t + 1

    def far(t):  # 1 < |t| < 2
        return ((t - 5) * t + 8) * t * a - 4 * a

    return [far(x + 1), near(x), near(1 - x), far(2 - x)]


def _resample(input, dim, new, scale, cubic, align_corners, antialias):
    """Linear or cubic interpolation along one dimension."""
    old = input.shape[dim]
    dtype = input.dtype if input.dtype == rushlight.float64 else rushlight.float32
    if antialias:
        return _filtered(input, dim, new, scale, cubic, align_corners, dtype)
    index = rushlight.arange(new, dtype=dtype, device=input.device)
    if align_corners:
        place = index * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        place = (index + 0.5) * (old / new if scale is None else 1.0 / scale) - 0.5
        if not cubic:
            place = place.clamp(min=0)
    left = place.floor()
    fraction = place - left
    left = left.long()
    if cubic:
        taps = zip(range(-1, 3), _cubic(fraction), strict=True)
    else:
        taps = zip((0, 1), (1 - fraction, fraction), strict=True)
    shape = [-1] + [1] * (input.ndim - dim - 1)
    total = None
    for offset, weight in taps:
        part = input.index_select(dim, (left + offset).clamp(0, old - 1)) * weight.to(input.dtype).reshape(shape)
        total = part if total is None else total + part
    return total


def _filtered(input, dim, new, scale, cubic, align_corners, dtype):
    """Interpolation with a kernel as wide as the elements of the new size, as a product with a matrix [new, old]."""
    old = input.shape[dim]
    if align_corners:
        step = (old - 1) / (new - 1) if new > 1 else 0.0
    else:
        step = old / new if scale is None else 1.0 / scale
    width = max(step, 1.0)
    centre = (rushlight.arange(new, dtype=dtype, device=input.device) + 0.5) * step
    place = rushlight.arange(old, dtype=dtype, device=input.device) + 0.5
    x = ((place.unsqueeze(0) - centre.unsqueeze(1)) / width).abs()
    if cubic:
        a = -0.5
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = (((x - 5) * x + 8) * x - 4) * a
        weight = rushlight.where(x < 1, near, rushlight.where(x < 2, far, 0.0))
    else:
        weight = (1 - x).clamp(min=0)
    weight = (weight / weight.sum(1, keepdim=True)).to(input.dtype)
    return (input.movedim(dim, -1) @ weight.t()).movedim(-1, dim)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The old name of `interpolate`."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """The old name of `interpolate(mode="nearest")`."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """The old name of `interpolate(mode="bilinear", align_corners=True)`."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


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
    dims = input.ndim - 2
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(f"[grid_sample] mode must be 'bilinear', 'nearest' or 'bicubic'. Received {mode!r}.")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            f"[grid_sample] padding_mode must be 'zeros', 'border' or 'reflection'. Received {padding_mode!r}."
        )
    wanted = (input.shape[0], dims) if input.ndim in (4, 5) else None
    if wanted is None or grid.ndim != input.ndim or (grid.shape[0], grid.shape[-1]) != wanted:
        raise RuntimeError(
            "[grid_sample] input must be [N, C, H, W] with grid [N, h, w, 2], or [N, C, D, H, W] with [N, d, h, w, 3]. "
            f"Received {list(input.shape)} with {list(grid.shape)}."
        )
    if mode == "bicubic" and dims != 2:
        raise RuntimeError("[grid_sample] bicubic interpolation only supports 4D input. Use 'bilinear'.")
    if align_corners is None:
        _warn_of_corners("grid_sample")
    sizes = input.shape[2:]
    places = []  # of the points along each dimension of the image, in elements
    for dim, n in enumerate(sizes):
        at = grid[..., dims - 1 - dim]
        at = (at + 1) / 2 * (n - 1) if align_corners else ((at + 1) * n - 1) / 2
        places.append(at if mode == "bicubic" else _inside(at, n, padding_mode, align_corners))

    if mode == "nearest":
        neighbours = [[(place.round(), None)] for place in places]
    elif mode == "bilinear":
        neighbours = []
        for place in places:
            left = place.detach().floor()
            neighbours.append([(left, 1 - (place - left)), (left + 1, place - left)])
    else:
        neighbours = []
        for place in places:
            left = place.detach().floor()
            neighbours.append([(left + k, w) for k, w in zip(range(-1, 3), _cubic(place - left), strict=True)])
    return _gathered(input, sizes, neighbours, mode, padding_mode, align_corners)


def _reflected(at, low, high):
    """`at` mirrored at `low` and `high` until it is between them."""
    if high <= low:
        return rushlight.zeros_like(at)
    span = high - low
    away = (at - low).abs()
    turns = (away.detach() / span).floor()
    rest = away - turns * span
    return rushlight.where(turns % 2 == 0, rest + low, span - rest + low)


def _inside(at, n, padding_mode, align_corners):
    if padding_mode == "reflection":
        at = _reflected(at, 0.0, n - 1.0) if align_corners else _reflected(at, -0.5, n - 0.5)
    return at if padding_mode == "zeros" else at.clamp(0, n - 1)


def _gathered(input, sizes, neighbours, mode, padding_mode, align_corners):
    """The weighted sum of the elements at all combinations of the neighbours along each dimension."""
    batch, channels = input.shape[:2]
    flat = input.reshape(batch, channels, -1)
    combinations = [(None, None, None)]
    for n, choices in zip(sizes, neighbours, strict=True):
        longer = []
        for place, share in choices:
            if mode == "bicubic":
                place = _inside(place, n, padding_mode, align_corners)
            there = (place >= 0) & (place < n)
            row = place.clamp(0, n - 1).long()
            for index, weight, visible in combinations:
                longer.append(
                    (
                        row if index is None else index * n + row,
                        share if weight is None else weight if share is None else weight * share,
                        there if visible is None else visible & there,
                    )
                )
        combinations = longer
    total = None
    for index, weight, visible in combinations:
        points = index.reshape(batch, 1, -1).expand(-1, channels, -1)
        part = flat.gather(2, points).reshape(batch, channels, *index.shape[1:])
        part = part if weight is None else part * weight.unsqueeze(1)
        part = part.masked_fill(visible.logical_not().unsqueeze(1), 0.0)
        total = part if total is None else total + part
    return total
