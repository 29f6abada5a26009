"""Activations that torch shows at its root. (relu, tanh, selu, celu, softmax... are rows of the core.)"""

from rushlight import _core
from rushlight.ops.composition import composition

Tensor = _core.Tensor


@composition
def prelu(input, weight):
    """input where positive, weight * input elsewhere; weight: one number, or one for each channel of input [N, C, *].

    >>> torch.prelu(torch.tensor([-1.0, 2.0]), torch.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.numel() != channels:
            raise RuntimeError(
                f"[prelu] weight must have one element or one for each of the {channels} channels. "
                f"Received shape {tuple(weight.shape)}."
            )
        weight = weight.reshape([-1] + [1] * (input.ndim - 2))
    elif weight.ndim:
        weight = weight.reshape(())
    return _core.prelu_kernel(input, weight)


@composition(method=False, inplace=True)
def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """input where positive; elsewhere times a number drawn from [lower, upper) in training, their mean otherwise.

    >>> torch.rrelu(torch.tensor([-2.0, 2.0]), 0.25, 0.75)
    tensor([-1.,  2.])
    """
    if lower > upper:
        raise RuntimeError(
            f"[rrelu] Lower bound should be less than or equal to the upper bound. Received {lower}, {upper}."
        )
    if not training:
        return _core.leaky_relu(input, (lower + upper) / 2)
    slope = _core.empty_like(input).uniform_(lower, upper, generator=generator)
    return _core.where(input <= 0, input * slope, input)


del Tensor.rrelu_  # the in-place form is a function only
