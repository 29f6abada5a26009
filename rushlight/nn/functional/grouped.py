"""Products of matrices in groups, and of matrices that are stored with scales."""

import enum
import math

import rushlight

__all__ = ["ScalingType", "SwizzleType", "grouped_mm", "scaled_grouped_mm", "scaled_mm"]


class ScalingType(enum.IntEnum):
    """What one scale belongs to: a tensor, a row, or a block of a row or of both dimensions."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(enum.IntEnum):
    """The order of scales in memory."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """A product of matrices for each group.

    Args:
        mat_a, mat_b: [G, M, K] and [G, K, N]. Or one or both without G: its groups lie one after the other, along the
            dimension M, K or N that the result or the other shares, and end where `offs` says.
        offs: [G], int32; rows and columns after the last end belong to no group.
        bias: added to each group's product.
        out_dtype: the dtype of the result.

    Returns:
        [G, M, N]; [M, N] if only one argument has G.

    >>> a, b = torch.ones(3, 2), torch.arange(2.0).reshape(2, 1, 1).expand(2, 2, 1)
    >>> torch.nn.functional.grouped_mm(a, b, offs=torch.tensor([1, 3], dtype=torch.int32)).flatten()
    tensor([0., 2., 2.])
    """
    name = "[grouped_mm]"
    if mat_a.ndim not in (2, 3) or mat_b.ndim not in (2, 3):
        raise RuntimeError(f"{name} mat_a and mat_b must be 2-d or 3-d. Received {mat_a.ndim}-d and {mat_b.ndim}-d.")
    jagged = mat_a.ndim == 2 or mat_b.ndim == 2
    if jagged != (offs is not None):
        raise RuntimeError(f"{name} offs must be given if an argument is 2-d, and only then. Received offs={offs}.")
    if (mat_a.ndim == 3 or mat_b.ndim == 3) and mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError(
            f"{name} the inner dimensions must agree. Received {list(mat_a.shape)} and {list(mat_b.shape)}."
        )
    dtype = mat_a.dtype if out_dtype is None else out_dtype
    if not jagged:
        result = rushlight.bmm(mat_a, mat_b)
        return (result if bias is None else result + bias).to(dtype)
    ends = offs.tolist()
    slices = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
    products = []
    for g, part in enumerate(slices):
        a = mat_a[g] if mat_a.ndim == 3 else mat_a[:, part] if mat_b.ndim == 2 else mat_a[part]
        b = mat_b[g] if mat_b.ndim == 3 else mat_b[part] if mat_a.ndim == 2 else mat_b[:, part]
        product = a @ b
        products.append((product if bias is None else product + bias).to(dtype))
    if mat_a.ndim == mat_b.ndim:
        return rushlight.stack(products)
    dim = 0 if mat_a.ndim == 2 else 1
    whole = mat_a.shape[0] if dim == 0 else mat_b.shape[1]
    rest = whole - (ends[-1] if ends else 0)
    if rest:
        shape = (rest, mat_b.shape[-1]) if dim == 0 else (mat_a.shape[-2], rest)
        products.append(rushlight.zeros(shape, dtype=dtype))
    return rushlight.cat(products, dim)


def scaled_mm(
    mat_a,
    mat_b,
    scale_a,
    scale_recipe_a,
    scale_b,
    scale_recipe_b,
    swizzle_a=None,
    swizzle_b=None,
    bias=None,
    output_dtype=rushlight.bfloat16,
    contraction_dim=(),
    use_fast_accum=False,
):
    """The product of two matrices [M, K] and [K, N], each of whose elements is multiplied by its scale.

    Args:
        scale_a, scale_b: one number; or one for each row of mat_a, each column of mat_b.
        scale_recipe_a, scale_recipe_b: `ScalingType.TensorWise` or `RowWise`.
        swizzle_a, swizzle_b: None or `SwizzleType.NO_SWIZZLE`.
        contraction_dim, use_fast_accum: accepted; sums are float32.

    Raises:
        NotImplementedError: for scales of blocks and swizzled ones, which are layouts of GPUs.

    >>> a, one, kind = torch.eye(2), torch.tensor(2.0), torch.nn.functional.ScalingType.TensorWise
    >>> torch.nn.functional.scaled_mm(a, a, one, kind, one, kind, output_dtype=torch.float32)
    tensor([[4., 0.],
            [0., 4.]])
    """
    a = _unscaled(mat_a, scale_a, scale_recipe_a, swizzle_a)
    b = _unscaled(mat_b.transpose(-1, -2), scale_b, scale_recipe_b, swizzle_b).transpose(-1, -2)
    result = a @ b
    result = result if bias is None else result + bias
    return result if output_dtype is None else result.to(output_dtype)


def scaled_grouped_mm(
    mat_a,
    mat_b,
    scale_a,
    scale_recipe_a,
    scale_b,
    scale_recipe_b,
    swizzle_a=None,
    swizzle_b=None,
    bias=None,
    offs=None,
    output_dtype=rushlight.bfloat16,
    contraction_dim=(),
    use_fast_accum=False,
):
    """`grouped_mm` of matrices with scales; arguments as for `scaled_mm`.

    >>> a, one, kind = torch.ones(1, 1, 2), torch.tensor(2.0), torch.nn.functional.ScalingType.TensorWise
    >>> torch.nn.functional.scaled_grouped_mm(a, a.mT, one, kind, one, kind, output_dtype=torch.float32)
    tensor([[[8.]]])
    """
    a = _unscaled(mat_a, scale_a, scale_recipe_a, swizzle_a)
    b = _unscaled(mat_b.transpose(-1, -2), scale_b, scale_recipe_b, swizzle_b).transpose(-1, -2)
    return grouped_mm(a, b, offs=offs, bias=bias, out_dtype=output_dtype)


def _unscaled(matrix, scale, recipe, swizzle):
    """[..., rows, K] in float32, times its scale."""
    scale, recipe, swizzle = (
        x[0] if isinstance(x, (tuple, list)) and len(x) == 1 else x for x in (scale, recipe, swizzle)
    )
    if recipe not in (ScalingType.TensorWise, ScalingType.RowWise) or swizzle not in (None, SwizzleType.NO_SWIZZLE):
        raise NotImplementedError(
            "[scaled_mm] scales are TensorWise or RowWise, and not swizzled. "
            f"Received {recipe!r} and {swizzle!r}. Multiply the matrix by its scales."
        )
    wanted = () if recipe == ScalingType.TensorWise else (*matrix.shape[:-1], 1)
    count = math.prod(wanted)
    if scale.numel() != count:
        raise ValueError(
            f"[scaled_mm] {recipe.name} wants {count} scales for {list(matrix.shape)}. Received {list(scale.shape)}."
        )
    return matrix.float() * scale.float().reshape(wanted)
