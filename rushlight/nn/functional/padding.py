"""Padding."""

import rushlight
from rushlight import _core

__all__ = ["pad"]


def pad(input, pad, mode="constant", value=None):
    """`input` made larger (or, with negative numbers, smaller) at the ends of its last dimensions.

    Args:
        input: any shape for "constant"; else [N, C, L...] or [C, L...], of which the dimensions L are padded.
        pad: numbers of elements (left, right) of the last dimension, then of the one before, and so on.
        mode: "constant", "reflect" (mirrored at the edge), "replicate" (the edge repeated) or "circular".
        value: what "constant" puts there, 0 by default.

    Raises:
        NotImplementedError: for an unknown mode, or numbers that the mode does not know what to do with.

    >>> torch.nn.functional.pad(torch.tensor([1.0, 2.0]), (1, 1))
    tensor([0., 1., 2., 0.])
    >>> torch.nn.functional.pad(torch.tensor([[1.0, 2.0, 3.0]]), (2, 0), mode="reflect")
    tensor([[3., 2., 1., 2., 3.]])
    """
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "[pad] pad must hold two numbers per dimension, for at most all dimensions. "
            f"Received {len(pad)} numbers for {input.ndim} dimensions."
        )
    if mode == "constant":
        return _core.constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f"[pad] value belongs to mode 'constant'. Received value={value} with mode={mode!r}.")
    if mode not in _SOURCES:
        raise NotImplementedError(f"[pad] mode must be constant, reflect, replicate or circular. Received {mode!r}.")
    padded_dims = len(pad) // 2
    if padded_dims > 3 or input.ndim not in (padded_dims + 1, padded_dims + 2):
        raise NotImplementedError(
            f"[pad] mode {mode!r} pads the last n of n + 1 or n + 2 dimensions, n at most 3. "
            f"Received {len(pad)} numbers for {input.ndim} dimensions."
        )
    # The one function whose autocasting depends on more than its name.
    in_full = mode == "replicate" or (mode == "reflect" and padded_dims < 3)
    if in_full and input.is_floating_point() and _core.autocasting():
        input = input.to(rushlight.promote_types(input.dtype, rushlight.float32))
    for k in range(padded_dims):
        left, right = pad[2 * k], pad[2 * k + 1]
        if left or right:
            if mode == "circular":  # what is cut off is not repeated
                input, left, right = _cropped(input, input.ndim - 1 - k, left, right)
            input = _pad_dim(input, input.ndim - 1 - k, left, right, mode)
    return input


def _reflect(position, size):
    position = position.abs()
    return size - 1 - (size - 1 - position).abs()


# where the element at a position outside comes from
_SOURCES = {
    "reflect": _reflect,
    "replicate": lambda position, size: position.clamp(0, size - 1),
    "circular": lambda position, size: position % size,
}


def _cropped(input, dim, left, right):
    """`input` without what negative numbers take away, and the numbers that remain."""
    cut = input.shape[dim] + min(left, 0) + min(right, 0)
    if (left < 0 or right < 0) and cut > 0:
        input = input.narrow(dim, max(-left, 0), cut)
        left, right = max(left, 0), max(right, 0)
    return input, left, right


def _pad_dim(input, dim, left, right, mode):
    size = input.shape[dim]
    most = {"reflect": size - 1, "circular": size}.get(mode)
    if most is not None and max(left, right) > most:
        raise RuntimeError(
            f"[pad] mode {mode!r} can pad a dimension of size {size} by at most {most}. "
            f"Received {left} and {right} for dimension {dim} of input {list(input.shape)}."
        )
    if size + left + right <= 0:
        raise RuntimeError(f"[pad] nothing would be left of dimension {dim} of input {list(input.shape)}.")
    position = rushlight.arange(-left, size + right, device=input.device)
    return input.index_select(dim, _SOURCES[mode](position, size))
