"""Operators along dimensions, views and joins: dimensions are counted from the one behind the batch."""

import math

from rushlight import _core
from rushlight.func.batched import front, is_at, wrap_dim
from rushlight.func.rules.registry import by_loop, rule

DIMENSIONS = ("dim", "dims", "dim0", "dim1", "dim2", "dimension")


def along_dimensions(level, plan, *values):
    """Any operator on one tensor that says which dimensions it means: reductions, scans, sorts, views."""
    values = list(values)
    input = values[0]
    rank, x = input.ndim, input.value
    reduces = "keepdim" in plan.names or plan.name == "count_nonzero"
    kept = None  # the dimensions to put back after a reduction over a flattened example
    if rank == 0:
        x = x.unsqueeze(1)
    for k, p in enumerate(plan.parameters):
        if p["name"] not in DIMENSIONS:
            continue
        dim = values[k]
        if dim is None or (reduces and dim == ()):
            if p["type"] == "ints":
                values[k] = tuple(range(1, max(rank, 1) + 1))
            else:
                kept = (level.size, *[1] * rank)
                x, values[k] = x.reshape(level.size, math.prod(input.shape)), 1
        elif isinstance(dim, (tuple, list)):
            values[k] = tuple(wrap_dim(plan.name, d, rank) + 1 for d in dim)
        else:
            values[k] = wrap_dim(plan.name, dim, rank) + 1
    values[0] = x
    result = plan.call(values)
    if rank == 0:
        return _each(result, lambda r: r.squeeze(1) if r.ndim > 1 else r)
    if kept and "keepdim" in plan.names and values[plan.names.index("keepdim")]:
        return _each(result, lambda r: r.reshape(kept))
    return result


def _each(result, function):
    return type(result)([function(r) for r in result]) if isinstance(result, tuple) else function(result)


# --- the whole example
@rule("median_all", "nanmedian_all")
def over_all(level, plan, input):
    by_dim = getattr(_core, plan.name.replace("_all", "_dim"))
    return by_dim(input.value.reshape(level.size, -1), 1)[0]


@rule("tril", "triu")
def triangle(level, plan, input, diagonal):
    return plan.call([input.value, diagonal]) if input.ndim > 1 else by_loop(level, plan, input, diagonal)


@rule("view_as_real", "view_as_complex", "view_dtype")
def other_elements(level, plan, input, *rest):
    if input.ndim == 0 and plan.name != "view_as_real":
        return by_loop(level, plan, input, *rest)
    return plan.call([input.value.contiguous(), *rest])


@rule("constant_pad_nd")
def pad(level, plan, input, pad, value):
    fits = isinstance(pad, (tuple, list)) and len(pad) <= 2 * input.ndim and not isinstance(value, _core.Tensor)
    return plan.call([input.value, pad, value]) if fits else by_loop(level, plan, input, pad, value)


# --- views
@rule("permute")
def permute(level, plan, input, dims):
    if len(dims) != input.ndim:
        return by_loop(level, plan, input, dims)
    return input.value.permute(0, *(wrap_dim("permute", d, input.ndim) + 1 for d in dims))


@rule("t")
def t(level, plan, input):
    if input.ndim > 2:
        return by_loop(level, plan, input)
    return input.value.transpose(1, 2) if input.ndim == 2 else input.value


@rule("squeeze")
def squeeze(level, plan, input, dim):
    rank = input.ndim
    if dim is None:
        dims = range(rank)
    else:
        dims = [wrap_dim("squeeze", d, rank) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    dims = tuple(d + 1 for d in dims if rank and input.shape[d] == 1)
    return input.value.squeeze(dims) if dims else input.value


@rule("unsqueeze")
def unsqueeze(level, plan, input, dim):
    return input.value.unsqueeze(wrap_dim("unsqueeze", dim, input.ndim + 1) + 1)


@rule("expand")
def expand(level, plan, input, size):
    size = _as_sizes(size)
    new = len(size) - input.ndim
    if new < 0 or any(n < 0 for n in size[:new]):
        return by_loop(level, plan, input, size)
    x = input.value
    for _ in range(new):
        x = x.unsqueeze(1)
    return x.expand(level.size, *size)


@rule("view", "reshape")
def reshape(level, plan, input, size):
    size = _as_sizes(size)
    known = math.prod(n for n in size if n != -1)
    if size.count(-1) == 1 and known > 0:  # settled here: an empty batch could not
        size = tuple(input.numel() // known if n == -1 else n for n in size)
    if math.prod(size) != input.numel() or any(n < 0 for n in size):
        return by_loop(level, plan, input, size)
    return plan.plain(input.value, (level.size, *size))


@rule("repeat")
def repeat(level, plan, input, repeats):
    repeats = _as_sizes(repeats)
    new = len(repeats) - input.ndim
    if new < 0:
        return by_loop(level, plan, input, repeats)
    x = input.value
    for _ in range(new):
        x = x.unsqueeze(1)
    return x.repeat(1, *repeats)


@rule("sum_to_size")
def sum_to_size(level, plan, input, size):
    size = _as_sizes(size)
    x = input.value
    if len(size) > input.ndim:
        return by_loop(level, plan, input, size)
    if len(size) < input.ndim:
        x = x.sum(tuple(range(1, 1 + input.ndim - len(size))))
    return x.sum_to_size(level.size, *size)


def _as_sizes(size):
    return tuple(size) if isinstance(size, (tuple, list)) else (size,)


# --- parts of a tensor
@rule(
    "as_strided", "as_strided_scatter", "part_scatter", "part_view", "strided_add", "strided_scatter", "strided_view",
)  # fmt: skip
def by_address(level, plan, *values):
    raise RuntimeError(
        f"[vmap] {plan.name} must not be used under vmap: it reads memory by address, and that of a batch is laid out "
        "otherwise. Use slices, narrow() or permute()."
    )


@rule("roll")
def roll(level, plan, input, shifts, dims):
    if dims is None or dims == ():
        flat = input.value.reshape(level.size, math.prod(input.shape))
        return flat.roll(shifts, 1).reshape(input.value.shape)
    dims = _as_sizes(dims)
    return input.value.roll(shifts, tuple(wrap_dim("roll", d, input.ndim) + 1 for d in dims))


# --- joins
@rule("stack")
def stack(level, plan, tensors, dim):
    return _core.stack([front(x, level) for x in tensors], wrap_dim("stack", dim, tensors[0].ndim + 1) + 1)


@rule("cat")
def cat(level, plan, tensors, dim):
    if any(x.ndim == 0 for x in tensors):
        return by_loop(level, plan, tensors, dim)
    full = [x for x in tensors if x.shape != (0,)] or tensors  # an empty vector fits anywhere
    return _core.cat([front(x, level) for x in full], wrap_dim("cat", dim, full[0].ndim) + 1)


@rule("repeat_interleave")
def repeat_interleave(level, plan, input, repeats, dim, output_size):
    if is_at(repeats, level) or repeats is None:
        raise RuntimeError(
            "[vmap] repeat_interleave must have the same repeats for all examples: the size of its result depends on "
            "them (dynamic shape)."
        )
    x = input.value.reshape(level.size, math.prod(input.shape)) if dim is None or input.ndim == 0 else input.value
    dim = 1 if dim is None or input.ndim == 0 else wrap_dim("repeat_interleave", dim, input.ndim) + 1
    return _core.repeat_interleave(x, repeats, dim, output_size=output_size)


# --- results whose size depends on the data
@rule(
    "nonzero",
    "masked_select",
    "unique_sorted",
    "unique_dim",
    "unique_consecutive_flat",
    "unique_consecutive_dim",
    "bincount",
)
def dynamic(level, plan, *values):
    raise RuntimeError(
        f"[vmap] {plan.name} must not be used under vmap: the size of its result depends on the data (dynamic shape), "
        "so the examples' results do not stack. Use torch.where(condition, a, b), or a mask."
    )
