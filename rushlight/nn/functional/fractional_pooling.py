"""Fractional max pooling (Graham, 2014): windows whose steps are drawn at random, so that any output size is possible.

Shapes: input [N, C, L...] or [C, L...] with two or three dimensions L.
"""

import math

import rushlight

__all__ = [
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]  # fmt: skip


def _numbers(value, count):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count


def _window_starts(sample, size, outputs, width):
    """Where the `outputs` windows of a dimension begin, [N, C, outputs]: a pseudorandom sequence of steps.

    With a = (size - width) / (outputs - 1) and u = `sample`, [N, C]: floor((i + u) a) - floor(u a); the last window
    ends where the dimension does.
    """
    if outputs == 1:
        return rushlight.full((*sample.shape, 1), size - width, dtype=rushlight.int64, device=sample.device)
    sample = sample.unsqueeze(-1)
    step = (size - width) / rushlight.tensor(outputs - 1, dtype=sample.dtype, device=sample.device)
    index = rushlight.arange(outputs, dtype=sample.dtype, device=sample.device)
    starts = ((index + sample) * step).long() - (sample * step).long()
    return starts.masked_fill(index == outputs - 1, size - width)


def _pooled(name, input, kernel_size, output_size, output_ratio, random_samples, dims):
    """(maxima, their positions in the flattened dimensions L)."""
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if input.ndim not in (dims + 1, dims + 2) or 0 in input.shape[-dims - 1 :]:
        raise RuntimeError(
            f"[{name}] input must have {dims + 1} or {dims + 2} dimensions, none of them empty but the first. "
            f"Received {list(input.shape)}."
        )
    sizes, kernel = input.shape[-dims:], _numbers(kernel_size, dims)
    if output_size is None:
        ratios = _numbers(output_ratio, dims)
        if len(ratios) != dims:
            raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
        output_size = [int(n * ratio) for n, ratio in zip(sizes, ratios, strict=True)]
    outputs = _numbers(output_size, dims)
    if not len(kernel) == len(outputs) == dims:
        raise RuntimeError(f"[{name}] kernel_size and output_size must be one number or {dims}.")
    for n, k, o in zip(sizes, kernel, outputs, strict=True):
        if k < 1 or o < 1 or o + k - 1 > n:
            raise RuntimeError(
                f"[{name}] {o} windows of {k} elements must be different places of the input, which has {n}. "
                f"Received kernel_size={kernel_size}, output_size={outputs} for {list(input.shape)}."
            )
    lead = input.shape[-dims - 2 : -dims] if input.ndim == dims + 2 else (1, input.shape[0])
    if random_samples is None:
        random_samples = rushlight.rand(*lead, dims, dtype=input.dtype, device=input.device)
    right = random_samples.ndim == 3 and random_samples.shape[1:] == (lead[1], dims)
    if not right or random_samples.shape[0] < lead[0] or random_samples.dtype != input.dtype:
        raise RuntimeError(
            f"[{name}] the random samples must be {input.dtype}{[*lead, dims]}. "
            f"Received {random_samples.dtype}{list(random_samples.shape)}."
        )
    random_samples = random_samples[: lead[0]]
    flat = input.reshape(*lead, math.prod(sizes))
    with rushlight.no_grad():
        places = _window_places(random_samples, sizes, outputs, kernel)  # [N, C, outputs, kernel elements]
        values = flat.gather(2, places.flatten(2)).reshape(places.shape)
        indices = places.gather(3, values.argmax(3, keepdim=True)).squeeze(3)
    shape = [*input.shape[:-dims], *outputs]
    return flat.gather(2, indices).reshape(shape), indices.reshape(shape)


def _window_places(samples, sizes, outputs, kernel):
    dims = len(sizes)
    # in images, PyTorch draws the sample of the last dimension first
    order = (1, 0) if dims == 2 else (0, 1, 2)
    places = None
    for d, (size, count, width) in enumerate(zip(sizes, outputs, kernel, strict=True)):
        starts = _window_starts(samples[..., order[d]], size, count, width)
        along = starts.unsqueeze(-1) + rushlight.arange(width, device=samples.device)
        shape = [*along.shape[:2]] + [1] * (2 * dims)
        shape[2 + d], shape[2 + dims + d] = count, width
        along = along.reshape(shape)
        places = along if places is None else places * size + along
    return places.flatten(2 + dims).flatten(2, 1 + dims)


def fractional_max_pool2d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """`fractional_max_pool2d`, and the positions of the maxima in the flattened image."""
    return _pooled("fractional_max_pool2d", input, kernel_size, output_size, output_ratio, _random_samples, 2)


def fractional_max_pool3d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """`fractional_max_pool3d`, and the positions of the maxima in the flattened volume."""
    return _pooled("fractional_max_pool3d", input, kernel_size, output_size, output_ratio, _random_samples, 3)


def fractional_max_pool2d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """The maxima under windows whose steps are random (Graham, 2014).

    Args:
        kernel_size: (KH, KW), or one number for both.
        output_size: (OH, OW), or one number for both.
        output_ratio: instead of `output_size`, its ratio to the input's.
        return_indices: return the positions of the maxima in the flattened image, too.
        _random_samples: [N, C, 2] numbers in [0, 1), instead of new ones.

    >>> torch.nn.functional.fractional_max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 3, output_size=1)
    tensor([[[15.]]])
    """
    result = fractional_max_pool2d_with_indices(
        input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )
    return result if return_indices else result[0]


def fractional_max_pool3d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """The maxima under windows whose steps are random; arguments as for `fractional_max_pool2d`.

    >>> torch.nn.functional.fractional_max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2, output_ratio=0.5)
    tensor([[[[7.]]]])
    """
    result = fractional_max_pool3d_with_indices(
        input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )
    return result if return_indices else result[0]
