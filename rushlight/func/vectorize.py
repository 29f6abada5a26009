"""vmap: a function of one example becomes a function of a batch."""

import functools

import rushlight
from rushlight import _core
from rushlight.func.batched import Batched, Level, running
from rushlight.func.rules import draw
from rushlight.utils import _pytree as pytree

Tensor = _core.Tensor


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """Returns a function that maps `func` over a dimension of its tensor arguments, all examples at once.

    Inside `func` the tensors have the shape of one example. Operators run once, on the whole batch; the few without a
    rule run example by example. What decides control flow or needs a number (`if x > 0`, `.item()`) cannot be mapped.

    Args:
        func: takes tensors or nested containers of them; returns tensors or nested containers of them.
        in_dims (int or nested structure): the dimension to map, for each positional argument or each tensor in it;
            None: not mapped, like keyword arguments.
        out_dims (int or nested structure): where the results get that dimension; None: the result is the same for all.
        randomness (str): random operators are an "error", draw "different" numbers for each example, or the "same".
        chunk_size (int): at most so many examples at once, to save memory. Default: all.

    Raises:
        ValueError: in_dims or out_dims do not fit the arguments or results, or the mapped sizes differ.
        RuntimeError: `func` does what cannot be mapped.

    >>> x = torch.arange(6.0).reshape(3, 2)
    >>> torch.vmap(torch.dot)(x, x)
    tensor([ 1., 13., 41.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            f"[vmap] Only allowed values for randomness are 'error', 'different', or 'same'. Received {randomness!r}."
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"[vmap] chunk_size should be None or greater than 0. Received {chunk_size}.")

    @functools.wraps(func)
    def mapped(*args, **kwargs):
        leaves, spec = pytree.tree_flatten(args)
        dims = _in_dims(func, in_dims, args, leaves, spec)
        size = _batch_size(leaves, dims)

        def run(leaves, size):
            level = Level(len(running.levels) + 1, size, randomness)
            inputs = [x if d is None else Batched(x.movedim(d, 0), level) for x, d in zip(leaves, dims, strict=True)]
            return _run(func, level, pytree.tree_unflatten(inputs, spec), kwargs, out_dims)

        if chunk_size is None or chunk_size >= size:
            return run(leaves, size)
        return _in_chunks(run, leaves, dims, size, chunk_size, out_dims)

    return mapped


def _run(func, level, args, kwargs, out_dims):
    """func on arguments with their batch hidden at this level; the results with the batch in its place."""
    running.levels.append(level)
    before = _core._set_random_override(draw)
    try:
        result = func(*args, **kwargs)
    finally:
        running.levels.pop()
        level.running = False
        _core._set_random_override(before)
    outputs, out_spec = pytree.tree_flatten(result)
    found = _out_dims(func, out_dims, out_spec)
    finished = [_taken_out(func, y, d, level) for y, d in zip(outputs, found, strict=True)]
    return pytree.tree_unflatten(finished, out_spec)


def _taken_out(func, y, dim, level):
    if not isinstance(y, Tensor):
        if dim is None:
            return y
        raise ValueError(
            f"[vmap] vmap({_name(func)}, ...) must return only Tensors, got type {type(y).__name__}. Return it through "
            "out_dims=None if it is the same for all examples."
        )
    batched = type(y) is Batched and y.level is level
    if dim is None:
        if batched:
            raise ValueError(
                f"[vmap] vmap({_name(func)}, ...) can not return a batched tensor through out_dims=None: the examples "
                "differ. Give the dimension."
            )
        return y
    value = y.value if batched else y.unsqueeze(0).expand(level.size, *y.shape)
    if not -value.ndim <= dim < value.ndim:
        raise IndexError(
            f"[vmap] out_dims must be in the range [{-value.ndim}, {value.ndim - 1}] of the result. Received {dim}."
        )
    return value.movedim(0, dim)


def _in_chunks(run, leaves, dims, size, chunk_size, out_dims):
    parts = []
    for start in range(0, size, chunk_size):
        length = min(chunk_size, size - start)
        some = [x if d is None else x.narrow(d, start, length) for x, d in zip(leaves, dims, strict=True)]
        parts.append(pytree.tree_flatten(run(some, length)))
    spec = parts[0][1]
    found = pytree._broadcast_to_and_flatten(out_dims, spec, _is_dim)
    joined = [
        column[0] if d is None else rushlight.cat(column, d)
        for column, d in zip(zip(*(part for part, _ in parts), strict=True), found, strict=True)
    ]
    return pytree.tree_unflatten(joined, spec)


# --- in_dims and out_dims
def _name(func):
    return getattr(func, "__name__", repr(func))


def _is_dim(x):
    return x is None or isinstance(x, int)


def _in_dims(func, in_dims, args, leaves, spec):
    """The dimension of every leaf of the arguments, counted from the front; None: not mapped."""
    call = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, dict, list, tuple)):
        raise ValueError(
            f"[vmap] {call}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of "
            f"inputs, got: {type(in_dims)}."
        )
    if not leaves:
        raise ValueError(
            f"[vmap] {call}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function "
            "with no inputs. The latter is unsupported."
        )
    if isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    dims = pytree._broadcast_to_and_flatten(in_dims, spec, lambda x: x is None)
    if dims is None:
        raise ValueError(
            f"[vmap] {call}: in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{pytree.tree_structure(in_dims)} but inputs has structure {spec}."
        )
    for k, (x, dim) in enumerate(zip(leaves, dims, strict=True)):
        if not _is_dim(dim):
            raise ValueError(
                f"[vmap] {call}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if dim is None:
            continue
        if not isinstance(x, Tensor):
            raise ValueError(
                f"[vmap] {call}: Got in_dim={dim} for an input but the input is of type {type(x)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim."
            )
        if not -x.ndim <= dim < x.ndim:
            raise ValueError(
                f"[vmap] {call}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
                f"{x.ndim} so expected in_dim to satisfy -{x.ndim} <= in_dim < {x.ndim}."
            )
        dims[k] = dim % x.ndim
    if all(dim is None for dim in dims):
        raise ValueError(
            f"[vmap] {call}: at least one input must be mapped: in_dims is None for all of them. Give a dimension."
        )
    return dims


def _batch_size(leaves, dims):
    sizes = [x.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            f"[vmap] Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension."
        )
    return sizes[0]


def _out_dims(func, out_dims, spec):
    found = pytree._broadcast_to_and_flatten(out_dims, spec, _is_dim)
    if found is None or not all(map(_is_dim, found)):
        raise ValueError(
            f"[vmap] vmap({_name(func)}, ..., out_dims={out_dims}): out_dims is not compatible with the structure of "
            f"`outputs`. It must be an int, None or a nested structure of them that matches. outputs has structure "
            f"{spec}."
        )
    return found
