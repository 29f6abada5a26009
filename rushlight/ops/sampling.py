"""Random functions beside the rows of the core (rand, bernoulli...): normal with all its arguments, the kinds of
dropout.
"""

from rushlight import _core
from rushlight.ops.composition import FUNCTIONS, composition, write_out

Tensor = _core.Tensor


@composition(method=False)
def normal(
    mean, std=1.0, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None, pin_memory=False,
    requires_grad=False,
):  # fmt: skip
    """Normally distributed numbers: one for each element of mean and std, which broadcast, or [*size] when both are
    numbers.

    Raises RuntimeError when a std is negative.

    >>> torch.normal(torch.zeros(2, 1), torch.ones(3)).shape
    torch.Size([2, 3])
    """
    if device is not None:
        _core.check_device(device)
    given = {"size": size} if size is not None else {}
    made = _core.normal(mean, std, **given, generator=generator, dtype=dtype)
    if out is not None:
        return write_out("normal", made, out)
    return made.requires_grad_() if requires_grad else made


def _checked_probability(name, p):
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"[{name}] dropout probability has to be between 0 and 1. Received {p}.")


def _kept(input, shape, p):
    """1 with probability 1 - p, 0 otherwise, of input's dtype."""
    return input.new_empty(shape).bernoulli_(1 - p)


def _feature_shape(name, input):
    if input.ndim < 2:
        raise RuntimeError(
            f"[{name}] Feature dropout requires at least 2 dimensions in the input. Received {input.ndim}."
        )
    return (*input.shape[:2], *(1,) * (input.ndim - 2))


def _scaled(input, shape, p):
    if p == 1:
        return input * 0
    return input * _kept(input, shape, p).div_(1 - p)


# Klambauer et al., "Self-normalizing neural networks" (2017): what a dropped unit of selu is set to.
_ALPHA_DROPPED = -1.7580993408473766


def _alpha_scaled(input, shape, p):
    if p == 1:
        return input * 0
    a = (1 - p + p * (1 - p) * _ALPHA_DROPPED**2) ** -0.5
    kept = _kept(input, shape, p)
    return a * (input * kept + _ALPHA_DROPPED * (1 - kept) + p * -_ALPHA_DROPPED)


def dropout_(input, p, train):
    """The in-place form of dropout()."""
    return input.copy_(_core.dropout(input, p, train)) if train and p else input


@composition(method=False, inplace=True)
def feature_dropout(input, p, train):
    """dropout() of whole channels of input [N, C, *]."""
    _checked_probability("feature_dropout", p)
    return _scaled(input, _feature_shape("feature_dropout", input), p) if train and p and input.numel() else input


@composition(method=False, inplace=True)
def alpha_dropout(input, p, train):
    """dropout() that keeps mean 0 and variance 1 of what selu gives (Klambauer et al., 2017)."""
    _checked_probability("alpha_dropout", p)
    return _alpha_scaled(input, input.shape, p) if train and p and input.numel() else input


@composition(method=False, inplace=True)
def feature_alpha_dropout(input, p, train):
    """alpha_dropout() of whole channels of input [N, C, *]."""
    _checked_probability("feature_alpha_dropout", p)
    shape = _feature_shape("feature_alpha_dropout", input) if train and p and input.numel() else None
    return input if shape is None else _alpha_scaled(input, shape, p)


FUNCTIONS["dropout_"] = dropout_
for _name in ("feature_dropout_", "alpha_dropout_", "feature_alpha_dropout_"):
    delattr(Tensor, _name)  # the in-place forms are functions only
