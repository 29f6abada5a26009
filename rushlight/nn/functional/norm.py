"""Normalisation."""

import math

import rushlight
from rushlight import _core

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "native_group_norm",
    "rms_norm",
]


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """(input - mean) / sqrt(var + eps) * weight + bias for each channel (Ioffe and Szegedy, 2015).

    Args:
        input: [N, C, ...].
        running_mean, running_var: [C]; what is subtracted and divided by unless `training`, which moves them by
            `momentum` towards the batch's mean and unbiased variance. May be None in training.
        weight, bias: [C].

    Raises:
        ValueError: in training, if there is one value per channel.

    >>> x = torch.tensor([[1.0], [3.0]])
    >>> torch.nn.functional.batch_norm(x, None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    if training and input.shape[0] * math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
    return _core.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):
    """`batch_norm` of each sample by itself (Ulyanov et al., 2016).

    Args:
        input: [N, C, L...].
        use_input_stats: use the mean and variance of the sample, not the running ones.

    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0]]]), eps=0.0)
    tensor([[[-1.,  1.]]])
    """
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    batch, channels = input.shape[:2]

    def repeated(t):
        return None if t is None else t.repeat(batch)

    mean, var = repeated(running_mean), repeated(running_var)
    rows = input.reshape(1, batch * channels, *input.shape[2:])
    result = _core.batch_norm(rows, mean, var, repeated(weight), repeated(bias), use_input_stats, momentum, eps)
    if use_input_stats:
        for running, moved in ((running_mean, mean), (running_var, var)):
            if running is not None:
                running.copy_(moved.reshape(batch, channels).mean(0))
    return result.reshape(input.shape)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """(input - mean) / sqrt(var + eps) * weight + bias over the last dimensions (Ba et al., 2016).

    Args:
        input: [..., *normalized_shape].
        weight, bias: `normalized_shape`.

    >>> torch.nn.functional.layer_norm(torch.tensor([[1.0, 3.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.]])
    """
    return _core.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """input / sqrt(mean of squares + eps) * weight over the last dimensions (Zhang and Sennrich, 2019).

    Args:
        input: [..., *normalized_shape].
        weight: `normalized_shape`.
        eps: by default the distance of 1 to the next number of the dtype.

    >>> torch.nn.functional.rms_norm(torch.tensor([[3.0, 3.0]]), (2,))
    tensor([[1., 1.]])
    """
    return _core.rms_norm(input, normalized_shape, weight, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """The normalisation of groups of channels of each sample (Wu and He, 2018).

    Args:
        input: [N, C, ...], C divisible by `num_groups`.
        weight, bias: [C].

    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0]]), 1, eps=0.0)
    tensor([[-1.,  1.]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"[group_norm] Expected at least 2 dimensions for input tensor but received {input.ndim}.")
    if input.shape[0] * input.shape[1] // num_groups * math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
    return _core.group_norm(input, num_groups, weight, bias, eps)


def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """`group_norm` of N samples of C channels of HxW elements, with the mean and 1 / sqrt(var + eps) of each group.

    Returns:
        The result, the shape of `input`, and twice [N, group].

    >>> result, mean, rstd = torch.native_group_norm(torch.tensor([[[1.0, 3.0]]]), None, None, 1, 1, 2, 1, 0.0)
    >>> result, mean
    (tensor([[[-1.,  1.]]]), tensor([[2.]]))
    """
    if input.numel() != N * C * HxW or group < 1 or C % group:
        raise RuntimeError(
            f"[native_group_norm] input must hold N * C * HxW elements, and group divide C. Received "
            f"{list(input.shape)} with N={N}, C={C}, HxW={HxW}, group={group}."
        )
    result = _core.group_norm(input.reshape(N, C, HxW), group, weight, bias, eps).reshape(input.shape)
    var, mean = rushlight.var_mean(input.reshape(N, group, C // group * HxW), 2, correction=0)
    return result, mean, (var + eps).rsqrt()


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """input / (k + alpha * mean of the squares of `size` neighbouring channels) ** beta (Krizhevsky et al., 2012).

    Args:
        input: [N, C, L...].

    >>> torch.nn.functional.local_response_norm(torch.ones(1, 1, 1), 1, alpha=1.0, beta=1.0)
    tensor([[[0.5000]]])
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if input.numel() == 0:
        return input
    around = [0, 0] * (input.ndim - 2) + [size // 2, (size - 1) // 2]
    windows = _core.constant_pad_nd(input.square(), around, 0.0).unfold(1, size, 1)
    mean = windows.mean(-1) if input.is_floating_point() else windows.sum(-1) // size
    return input / (mean * alpha + k).pow(beta)
