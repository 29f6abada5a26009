"""Initial values of parameters, written into a tensor in place. With the same seed they are PyTorch's numbers.

fan_in and fan_out are the numbers of inputs and outputs of one unit: the sizes of dimensions 1 and 0 of a weight,
each times the size of the receptive field (the product of the further dimensions).
"""

import contextlib
import math
import warnings

import rushlight
from rushlight.ops import offer as _offer

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 0.75,
}  # fmt: skip


def calculate_gain(nonlinearity, param=None):
    """The factor by which a weight is scaled so that the nonlinearity after it keeps the variance.

    Args:
        nonlinearity: a name such as "relu", "tanh", "linear" or "leaky_relu".
        param: the negative slope of "leaky_relu", 0.01 by default.

    >>> torch.nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        elif isinstance(param, bool) or not isinstance(param, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + param**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


_skipping = False


@contextlib.contextmanager
def skipped():
    """A context in which the functions of this module leave tensors as they are."""
    global _skipping
    before, _skipping = _skipping, True
    try:
        yield
    finally:
        _skipping = before


def _without_grad(fill):
    """A call of `fill` that autograd does not see."""

    def wrapped(*args, **kwargs):
        if _skipping:
            return args[0] if args else kwargs["tensor"]
        with rushlight.no_grad():
            return fill(*args, **kwargs)

    wrapped.__name__ = wrapped.__qualname__ = fill.__name__
    wrapped.__doc__ = fill.__doc__
    wrapped.__wrapped__ = fill
    wrapped.__module__ = fill.__module__
    return wrapped


@_without_grad
def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Draw from [a, b).

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.uniform_(torch.empty(2))
    tensor([0.8823, 0.9150])
    """
    return tensor.uniform_(a, b, generator=generator)


@_without_grad
def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Draw from the normal distribution.

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.normal_(torch.empty(2))
    tensor([0.3367, 0.1288])
    """
    return tensor.normal_(mean, std, generator=generator)


@_without_grad
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Draw from the normal distribution cut off at `a` and `b`, by rejection.

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.trunc_normal_(torch.empty(2))
    tensor([0.3367, 0.1288])
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=3,
        )

    def below(x):
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    if below((b - mean) / std) - below((a - mean) / std) > 0.3:  # most draws from the whole curve are inside
        a, b = (tensor.new_tensor(bound).item() for bound in (a, b))
        tensor.normal_(mean, std, generator=generator)
        while bool((outside := (tensor < a) | (tensor > b)).any()):
            fresh = rushlight.empty_like(tensor).normal_(mean, std, generator=generator)
            tensor.copy_(rushlight.where(outside, fresh, tensor))
        return tensor

    # a point under the curve: its place uniform in [a, b), its height uniform up to the curve's top there
    top = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    refused = None
    while refused is None or bool(refused.any()):
        place = rushlight.empty_like(tensor).uniform_(a, b, generator=generator)
        curve = ((place - mean) / std).square() * -0.5 - top
        above = rushlight.empty_like(tensor).uniform_(generator=generator).log() > curve
        tensor.copy_(place if refused is None else rushlight.where(refused, place, tensor))
        refused = above if refused is None else refused & above
    return tensor


@_without_grad
def constant_(tensor, val):
    """Fill with `val`.

    >>> torch.nn.init.constant_(torch.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return tensor.fill_(val)


@_without_grad
def ones_(tensor):
    """Fill with ones.

    >>> torch.nn.init.ones_(torch.empty(2))
    tensor([1., 1.])
    """
    return tensor.fill_(1.0)


@_without_grad
def zeros_(tensor):
    """Fill with zeros.

    >>> torch.nn.init.zeros_(torch.empty(2))
    tensor([0., 0.])
    """
    return tensor.zero_()


@_without_grad
def eye_(tensor):
    """Make a 2-d tensor the identity.

    >>> torch.nn.init.eye_(torch.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(rushlight.eye(*tensor.shape))


@_without_grad
def dirac_(tensor, groups=1):
    """Make a convolution's weight the identity for as many channels as there are.

    Args:
        tensor: [O, I, k...] with one to three dimensions k.
        groups: the number of groups of O; each becomes an identity.

    >>> torch.nn.init.dirac_(torch.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    outputs = tensor.shape[0] // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    tensor.zero_()
    for group in range(groups):
        for channel in range(min(outputs, tensor.shape[1])):
            tensor[(group * outputs + channel, channel, *centre)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor):
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _fan(tensor, mode):
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode.lower() == "fan_out"]


@_without_grad
def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Draw from (-b, b), b = gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.xavier_uniform_(torch.empty(1, 2))
    tensor([[1.0812, 1.1738]])
    """
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))
    return tensor.uniform_(-bound, bound, generator=generator)


@_without_grad
def xavier_normal_(tensor, gain=1.0, generator=None):
    """Draw from the normal distribution with std = gain * sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.xavier_normal_(torch.empty(1, 2))
    tensor([[0.2749, 0.1052]])
    """
    std = gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))
    return tensor.normal_(0.0, std, generator=generator)


@_without_grad
def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Draw from (-b, b), b = gain * sqrt(3 / fan) (He et al., 2015).

    Args:
        a: the negative slope of "leaky_relu".
        mode: "fan_in" keeps the variance forward, "fan_out" backward.

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.kaiming_uniform_(torch.empty(1, 3))
    tensor([[ 1.0812,  1.1738, -0.3313]])
    """
    if tensor.numel() == 0:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return tensor
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)))
    return tensor.uniform_(-bound, bound, generator=generator)


@_without_grad
def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Draw from the normal distribution with std = gain / sqrt(fan) (He et al., 2015).

    >>> _ = torch.manual_seed(42)
    >>> torch.nn.init.kaiming_normal_(torch.empty(1, 2))
    tensor([[0.3367, 0.1288]])
    """
    if tensor.numel() == 0:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))
    return tensor.normal_(0, std, generator=generator)


@_without_grad
def orthogonal_(tensor, gain=1, generator=None):
    """Make the rows (or columns, if they are fewer) orthonormal times `gain` (Saxe et al., 2013).

    Args:
        tensor: at least 2-d; further dimensions count as columns.

    >>> weight = torch.nn.init.orthogonal_(torch.empty(2, 2))
    >>> torch.allclose(weight @ weight.T, torch.eye(2), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    flat = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
    if rows < columns:
        flat = flat.t()
    q, r = rushlight.linalg.qr(flat)
    q = q * r.diagonal().sign()  # makes the factorisation unique and the distribution uniform (Mezzadri, 2006)
    if rows < columns:
        q = q.t()
    return tensor.copy_(q.reshape(tensor.shape)).mul_(gain)


@_without_grad
def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Draw from the normal distribution, then set the share `sparsity` of each column to zero (Martens, 2010).

    Args:
        tensor: 2-d.

    >>> (torch.nn.init.sparse_(torch.empty(4, 3), 0.5) == 0).sum(0)
    tensor([2, 2, 2])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[rushlight.randperm(rows)[:zeros], column] = 0
    return tensor


def _deprecated(new):
    """The name of `new` without its underscore, kept for old programs."""
    old = new.__name__[:-1]

    def function(*args, **kwargs):
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{old}_`.", FutureWarning, stacklevel=2)
        return new(*args, **kwargs)

    function.__name__ = function.__qualname__ = old
    function.__doc__ = f"The old name of `{old}_`."
    return function


uniform, normal, constant, eye, dirac = map(_deprecated, (uniform_, normal_, constant_, eye_, dirac_))
xavier_uniform, xavier_normal = _deprecated(xavier_uniform_), _deprecated(xavier_normal_)
kaiming_uniform, kaiming_normal = _deprecated(kaiming_uniform_), _deprecated(kaiming_normal_)
orthogonal, sparse = _deprecated(orthogonal_), _deprecated(sparse_)
_overridable = {f.__name__: f for f in (uniform_, normal_, constant_, kaiming_uniform_)}
globals().update(_offer(_overridable, "rushlight.nn.init:"))
