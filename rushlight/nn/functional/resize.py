"""Images of other sizes."""

import functools
import math
import warnings

import rushlight
from rushlight.nn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

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
    if spatial not in (1, 2, 3):
        raise NotImplementedError(f"[interpolate] input must be 3-D, 4-D or 5-D. Received {list(input.shape)}.")
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: "
                "linear | bilinear | bicubic | trilinear"
            )
    elif mode not in _DIMS:
        raise NotImplementedError(
            "[interpolate] mode must be one of nearest, nearest-exact, area, linear, bilinear, bicubic, trilinear. "
            f"Received {mode!r}."
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
    if mode in ("nearest", "nearest-exact"):
        return _nearest_resized(input, new, scales, mode)
    dtype = input.dtype
    if not (dtype.is_floating_point or (dtype == rushlight.uint8 and spatial == 2)):
        raise NotImplementedError(f"[interpolate] {mode!r} is not implemented for {dtype}. Use .float().")
    if dtype not in (rushlight.float32, rushlight.float64):
        input = input.float()
    for dim in reversed(range(2, input.ndim)):
        n, scale = new[dim - 2], scales[dim - 2]
        if n != old[dim - 2] or scale is not None or antialias:
            input = _resample(input, dim, n, scale, mode == "bicubic", bool(align_corners), antialias)
        if dtype == rushlight.uint8:  # bytes are rounded after each dimension, the last one first
            input = input.round().clamp(0, 255)
    return input.to(dtype)


def _for_each(value, count, what):
    if not isinstance(value, (tuple, list)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with {count} and "
            f"{what} of {list(value)}."
        )
    return list(value)


def _nearest_resized(input, new, scales, mode):
    lead, sizes = list(input.shape[:2]), []
    repeats = []  # of the elements along each dimension: all those are one copy
    for dim, (n, scale) in enumerate(zip(new, scales, strict=True), 2):
        old = input.shape[dim]
        repeat = _repeat(old, n, scale, mode)
        if not repeat:
            input, old, repeat = input.index_select(dim, _nearest(old, n, scale, mode)), n, 1
        sizes += [old, 1]
        repeats += [old, repeat]
    if sizes == repeats:
        return input
    return input.reshape(lead + sizes).expand(lead + repeats).reshape(lead + list(new))


@functools.lru_cache(maxsize=1024)
def _repeat(old, new, scale, mode):
    """How often each element of a row follows itself in the new row; 0 if that is not the same for all."""
    repeat, rest = divmod(new, old)
    same = not rest and rushlight.equal(_nearest(old, new, scale, mode), rushlight.arange(new) // repeat)
    return repeat if same else 0


def _nearest(old, new, scale, mode):
    step = old / new if scale is None else 1.0 / scale
    position = rushlight.arange(new, dtype=rushlight.float32)
    if mode == "nearest-exact":
        position = position + 0.5
    return (position * step).floor().long().clamp(max=old - 1)


def cubic_weights(x):
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
    shape = [-1] + [1] * (input.ndim - dim - 1)

    def neighbour(offset):
        return input.index_select(dim, (left + offset).clamp(0, old - 1))

    if not cubic:
        return rushlight.lerp(neighbour(0), neighbour(1), fraction.reshape(shape))
    return sum(neighbour(k) * w.reshape(shape) for k, w in zip(range(-1, 3), cubic_weights(fraction), strict=True))


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
