"""Reductions over segments of a dimension."""

from rushlight import _core
from rushlight.ops.composition import composition

_START = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -float("inf"), "min": float("inf")}


def _lengths(data, lengths, offsets, axis):
    if lengths is None and offsets is None:
        raise RuntimeError("[segment_reduce] Either lengths or offsets must be defined. Received neither.")
    if lengths is None:
        lengths = _core.slice(offsets, -1, 1, None, 1) - _core.slice(offsets, -1, 0, -1, 1)
    if axis != lengths.ndim - 1:
        raise RuntimeError(
            f"[segment_reduce] axis must be the last dimension of lengths. Received {axis} for "
            f"{lengths.ndim} dimensions."
        )
    total = data.shape[axis]
    if lengths.shape[:-1] != data.shape[:axis] or bool((lengths < 0).any()) or bool((lengths.sum(-1) != total).any()):
        raise RuntimeError(
            f"[segment_reduce] Expected all rows of lengths along axis to sum to {total}, the size of data there. "
            f"Received {lengths.tolist()}."
        )
    return lengths.long()


@composition(method=False)
def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """The reduction of each segment of a dimension: data [*B, N, *R] and lengths [*B, S] give [*B, S, *R].

    reduce: sum, mean, prod, max or min. lengths: of the segments, N in all; or offsets [*B, S + 1], where they begin
    and end. initial: what every reduction starts from, and the value of an empty one. Raises RuntimeError when the
    segments do not fit.

    >>> torch.segment_reduce(torch.tensor([1.0, 2.0, 3.0]), "sum", lengths=torch.tensor([1, 2]))
    tensor([1., 5.])
    """
    if reduce not in _START:
        raise RuntimeError(f"[segment_reduce] reduce must be one of {', '.join(_START)}. Received {reduce!r}.")
    if indices is not None:
        raise RuntimeError("[segment_reduce] indices must be None. Give lengths or offsets.")
    axis = axis + data.ndim if axis < 0 else axis
    lengths = _lengths(data, lengths, offsets, axis)
    counts, rest = lengths.reshape(-1), data.shape[axis + 1 :]
    flat = data.reshape(-1, *rest)
    segment = _core.arange(0, counts.numel(), 1, _core.int64).repeat_interleave(counts)
    start = _core.full((counts.numel(), *rest), _START[reduce] if initial is None else initial, dtype=data.dtype)
    if reduce in ("sum", "mean"):
        made = start.index_add(0, segment, flat)
    else:
        made = start.index_reduce(0, segment, flat, {"max": "amax", "min": "amin"}.get(reduce, reduce))
    if reduce == "mean":
        number = counts.reshape(-1, *(1,) * len(rest)).to(data.dtype)
        made = made / (number if initial is None else number.clamp(min=1))
    return made.reshape(*lengths.shape, *rest)
