"""Activation functions: a tensor of any shape gives one of the same shape, unless it is said otherwise."""

import rushlight
from rushlight import _core

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

gelu = _core.gelu
hardshrink = _core.hardshrink
logsigmoid = _core.logsigmoid
softplus = _core.softplus


def _apply(formula, input, inplace):
    """`formula(input)`; in place, the formula works on a copy, so that the derivative finds the old values."""
    return input.copy_(formula(input.clone())) if inplace else formula(input)


def relu(input, inplace=False):
    """max(input, 0).

    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return input.relu_() if inplace else input.relu()


def relu_(input):
    """In-place form of `relu`."""
    return input.relu_()


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """`input` kept between `min_val` and `max_val`; the gradient is zero at the bounds.

    >>> torch.nn.functional.hardtanh(torch.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(
            f"[hardtanh] min_val must not exceed max_val. Received min_val={min_val}, max_val={max_val}. Swap them."
        )
    return (_core.hardtanh_ if inplace else _core.hardtanh)(input, min_val, max_val)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """In-place form of `hardtanh`."""
    return hardtanh(input, min_val, max_val, True)


def relu6(input, inplace=False):
    """min(max(input, 0), 6).

    >>> torch.nn.functional.relu6(torch.tensor([-1.0, 7.0]))
    tensor([0., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """`input` where positive, `negative_slope * input` elsewhere.

    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.5000,  2.0000])
    """
    return (_core.leaky_relu_ if inplace else _core.leaky_relu)(input, negative_slope)


def leaky_relu_(input, negative_slope=0.01):
    """In-place form of `leaky_relu`."""
    return leaky_relu(input, negative_slope, True)


def elu(input, alpha=1.0, inplace=False):
    """`input` where positive, `alpha * (exp(input) - 1)` elsewhere (Clevert et al., 2015).

    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return (_core.elu_ if inplace else _core.elu)(input, alpha)


def elu_(input, alpha=1.0):
    """In-place form of `elu`."""
    return elu(input, alpha, True)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def selu(input, inplace=False):
    """`elu` scaled so that activations keep mean 0 and variance 1 (Klambauer et al., 2017).

    >>> torch.nn.functional.selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return (_core.elu_ if inplace else _core.elu)(input, _SELU_ALPHA, _SELU_SCALE)


def selu_(input):
    """In-place form of `selu`."""
    return selu(input, True)


def celu(input, alpha=1.0, inplace=False):
    """max(0, input) + min(0, alpha * (exp(input / alpha) - 1)) (Barron, 2017).

    >>> torch.nn.functional.celu(torch.tensor([-1.0, 2.0]), 2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: [celu] alpha must not be zero. Received 0. Use relu for the limit.")
    return (_core.elu_ if inplace else _core.elu)(input, alpha, 1.0, 1.0 / alpha)


def celu_(input, alpha=1.0):
    """In-place form of `celu`."""
    return celu(input, alpha, True)


def prelu(input, weight):
    """`input` where positive, `weight * input` elsewhere.

    Args:
        input: [N, C, ...], or any shape if `weight` has one element.
        weight: [C] or one element.

    >>> torch.nn.functional.prelu(torch.tensor([-1.0, 2.0]), torch.tensor(0.5))
    tensor([-0.5000,  2.0000])
    """
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.numel() != channels:
            raise RuntimeError(
                "[prelu] weight must have one element or one for each channel. "
                f"Received weight {list(weight.shape)} for input {list(input.shape)}."
            )
        weight = weight.reshape([1, -1] + [1] * (input.ndim - 2))
    elif weight.ndim > 1:
        raise RuntimeError(f"[prelu] weight must be 0-d or 1-d. Received {list(weight.shape)}.")
    elif weight.ndim > input.ndim:
        weight = weight.reshape([])
    return rushlight.where(input > 0, input, weight * input)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """`leaky_relu` with a slope drawn from [lower, upper) for each element; in evaluation, with their mean.

    >>> torch.nn.functional.rrelu(torch.tensor([-1.0, 2.0]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    if lower > upper:
        raise RuntimeError(
            f"[rrelu] Lower bound should be less than or equal to the upper bound. Received {lower} and {upper}."
        )
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)

    def formula(x):
        slope = rushlight.empty_like(x, requires_grad=False).uniform_(lower, upper)
        return rushlight.where(x > 0, x, slope * x)

    return _apply(formula, input, inplace)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """In-place form of `rrelu`."""
    return rrelu(input, lower, upper, training, True)


def threshold(input, threshold, value, inplace=False):
    """`input` where it exceeds `threshold`, `value` elsewhere.

    >>> torch.nn.functional.threshold(torch.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    return (_core.threshold_ if inplace else _core.threshold)(input, threshold, value)


_threshold = threshold  # a name that the arguments below do not hide


def threshold_(input, threshold, value):
    """In-place form of `threshold`."""
    return _threshold(input, threshold, value, True)


def glu(input, dim=-1):
    """`a * sigmoid(b)` of the two halves of `input` along `dim`, which must be even (Dauphin et al., 2016).

    >>> torch.nn.functional.glu(torch.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    if input.ndim == 0:
        raise RuntimeError("[glu] input must have a dimension to halve. Received a 0-d tensor.")
    if input.shape[dim] % 2:
        raise RuntimeError(f"[glu] the size of dim {dim} must be even. Received {list(input.shape)}.")
    a, b = input.chunk(2, dim)
    return a * b.sigmoid()


def sigmoid(input):
    """1 / (1 + exp(-input)).

    >>> torch.nn.functional.sigmoid(torch.tensor(0.0))
    tensor(0.5000)
    """
    return input.sigmoid()


def tanh(input):
    """The hyperbolic tangent.

    >>> torch.nn.functional.tanh(torch.tensor(1.0))
    tensor(0.7616)
    """
    return input.tanh()


def silu(input, inplace=False):
    """input * sigmoid(input), also called swish.

    >>> torch.nn.functional.silu(torch.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return (_core.silu_ if inplace else _core.silu)(input)


def mish(input, inplace=False):
    """input * tanh(softplus(input)) (Misra, 2019).

    >>> torch.nn.functional.mish(torch.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return _apply(lambda x: x * softplus(x).tanh(), input, inplace)


def hardsigmoid(input, inplace=False):
    """relu6(input + 3) / 6.

    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return (_core.hardsigmoid_ if inplace else _core.hardsigmoid)(input)


def hardswish(input, inplace=False):
    """input * relu6(input + 3) / 6 (Howard et al., 2019).

    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return (_core.hardswish_ if inplace else _core.hardswish)(input)


def softsign(input):
    """input / (1 + |input|).

    >>> torch.nn.functional.softsign(torch.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (1 + input.abs())


def softshrink(input, lambd=0.5, *, out=None):
    """`input` moved towards zero by `lambd`, and zero where it is not further away than that.

    Raises:
        RuntimeError: if `lambd` is negative.

    >>> torch.nn.functional.softshrink(torch.tensor([-2.0, 0.2, 2.0]))
    tensor([-1.5000,  0.0000,  1.5000])
    """
    if not lambd >= 0:
        raise RuntimeError(f"[softshrink] lambd must not be negative. Received {lambd}.")
    return _core.softshrink(input, lambd, out=out)


def tanhshrink(input):
    """input - tanh(input).

    >>> torch.nn.functional.tanhshrink(torch.tensor(1.0))
    tensor(0.2384)
    """
    return input - input.tanh()


def _implicit_dim(ndim):
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(input) divided by its sum along `dim`; computed in `dtype` if given.

    >>> torch.nn.functional.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _warned_dim("softmax", input)
    return _core.softmax(input, dim, dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """The logarithm of `softmax`, computed without overflow.

    >>> torch.nn.functional.log_softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    if dim is None:
        dim = _warned_dim("log_softmax", input)
    return _core.log_softmax(input, dim, dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """`softmax` of the negated input.

    >>> torch.nn.functional.softmin(torch.tensor([1.0, 1.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _warned_dim("softmin", input)
    return _core.softmax(-input, dim, dtype)


def _warned_dim(name, input):
    import warnings

    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return _implicit_dim(input.ndim)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample from the Gumbel-Softmax distribution (Jang et al., 2016), with a gradient.

    Args:
        logits: unnormalised log probabilities, [..., C].
        tau: the temperature, positive.
        hard: return one-hot samples; the gradient is that of the soft ones.

    >>> torch.nn.functional.gumbel_softmax(torch.zeros(3, 4), hard=True).sum(-1)
    tensor([1., 1., 1.])
    """
    gumbels = -rushlight.empty_like(logits, requires_grad=False).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    one_hot = rushlight.zeros_like(logits, requires_grad=False).scatter(dim, index, 1.0)
    return one_hot - soft.detach() + soft
