"""What every distribution shares: shapes, parameters, validation, expand().

A distribution has a batch of independent ones, [*batch_shape], each of whose samples is an event [*event_shape];
`sample(sample_shape)` is [*sample_shape, *batch_shape, *event_shape] and `log_prob(value)` [*sample_shape,
*batch_shape].
"""

import functools
import warnings

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.utils import broadcast_all, lazy_property

__all__ = ["Distribution"]


def validated(method):
    """A method of a value (log_prob, cdf), which is refused outside the support where arguments are validated."""

    @functools.wraps(method)
    def checked(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return method(self, value)

    return checked


def _missing(self, what):
    return NotImplementedError(f"[{type(self).__name__}] {what} is not implemented.")


class Distribution:
    """The base of all distributions.

    A subclass names its parameters with their constraints in arg_constraints and calls `_set(validate_args,
    name=value, ...)`, which broadcasts them. Everything that is a parameter, or a distribution, is then expanded by
    `expand()`, and each parameter held as an attribute appears in the representation.

    >>> torch.distributions.Normal(0.0, torch.ones(3)).expand((2, 3)).sample((5,)).shape
    torch.Size([5, 2, 3])
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    def __init__(self, batch_shape=rushlight.Size(), event_shape=rushlight.Size(), validate_args=None):
        self._batch_shape = rushlight.Size(batch_shape)
        self._event_shape = rushlight.Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def _set(self, validate_args, event_shape=(), **parameters):
        """Sets parameters, broadcast to one shape, which is the batch shape, and begins."""
        values = broadcast_all(*parameters.values())
        vars(self).update(zip(parameters, values, strict=True))
        Distribution.__init__(self, values[0].shape, event_shape, validate_args)

    def _validate_parameters(self):
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Set `arg_constraints = {{}}` or initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=5,
            )
            return
        for name, constraint in arg_constraints.items():
            derived = name not in vars(self) and isinstance(getattr(type(self), name, None), lazy_property)
            if derived or constraints.is_dependent(constraint):
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"[{type(self).__name__}] Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint {constraint!r}, but "
                    f"found invalid values:\n{value}"
                )

    @staticmethod
    def set_default_validate_args(value):
        """Whether distributions validate their arguments where they are not told. Raises ValueError unless a bool."""
        if value not in (True, False):
            raise ValueError(f"[set_default_validate_args] True or False is wanted. Received {value}.")
        Distribution._validate_args = value

    def expand(self, batch_shape, _instance=None):
        """This distribution with its batch shape expanded to batch_shape; parameters become views.

        Parameters are expanded ahead of the dimensions that their constraints take for one event, distributions in
        turn; everything else is shared. What a subclass has set on _instance stays as it is.
        """
        new = self._get_checked_instance(type(self), _instance)
        batch_shape = rushlight.Size(batch_shape)
        own = {name: self._expanded(name, value, batch_shape) for name, value in vars(self).items()}
        vars(new).update({**own, "_batch_shape": batch_shape, **vars(new)})
        return new

    def _expanded(self, name, value, batch_shape):
        if isinstance(value, Distribution):
            return value.expand(batch_shape)
        constraint = self.arg_constraints.get(name)
        if constraint is None or not isinstance(value, rushlight.Tensor):
            return value
        return value.expand(batch_shape + value.shape[value.ndim - constraint.event_dim :])

    def _get_checked_instance(self, cls, _instance=None):
        """_instance, or an empty one of this class, which may be filled when it is constructed as cls is."""
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:
            raise NotImplementedError(
                f"[{cls.__name__}] Subclass {type(self).__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return type(self).__new__(type(self))

    @property
    def batch_shape(self):
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of one sample of one distribution."""
        return self._event_shape

    @property
    def arg_constraints(self):
        """The constraint of each parameter, by its name."""
        raise _missing(self, "arg_constraints")

    @property
    def support(self):
        """The constraint that samples satisfy."""
        raise _missing(self, "support")

    @property
    def mean(self):
        """The mean."""
        raise _missing(self, "mean")

    @property
    def mode(self):
        """A value of the largest density."""
        raise _missing(self, "mode")

    @property
    def variance(self):
        """The variance."""
        raise _missing(self, "variance")

    @property
    def stddev(self):
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape=rushlight.Size()):
        """Samples [*sample_shape, *batch_shape, *event_shape], without gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=rushlight.Size()):
        """Samples as differentiable functions of the parameters."""
        raise _missing(self, "rsample()")

    def sample_n(self, n):
        """sample((n,)); deprecated."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, of value."""
        raise _missing(self, "log_prob()")

    def cdf(self, value):
        """The probability of a sample <= value."""
        raise _missing(self, "cdf()")

    def icdf(self, value):
        """The inverse of cdf(), for probabilities value."""
        raise _missing(self, "icdf()")

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution, along a new first dimension; [*batch_shape] follows, or ones."""
        raise _missing(self, "enumerate_support()")

    def _enumerated(self, values, expand):
        """values [N] or [N, *event_shape] as enumerate_support() gives them."""
        ones = (1,) * len(self._batch_shape)
        values = values.reshape(values.shape[:1] + ones + self._event_shape)
        return values.expand(values.shape[:1] + self._batch_shape + self._event_shape) if expand else values

    def entropy(self):
        """The expectation of -log_prob()."""
        raise _missing(self, "entropy()")

    def perplexity(self):
        """exp(entropy())."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape=rushlight.Size()):
        return rushlight.Size(sample_shape) + self._batch_shape + self._event_shape

    def _validate_sample(self, value):
        name = type(self).__name__
        if not isinstance(value, rushlight.Tensor):
            raise ValueError(
                f"[{name}] The value argument to log_prob must be a Tensor. Received {type(value).__name__}."
            )
        events = len(self._event_shape)
        if value.shape[value.ndim - events :] != self._event_shape:
            raise ValueError(
                f"[{name}] The right-most size of value must match event_shape {tuple(self._event_shape)}. "
                f"Received {tuple(value.shape)}."
            )
        expected = self._extended_shape()
        for received, wanted in zip(reversed(value.shape), reversed(expected), strict=False):
            if received != 1 and wanted != 1 and received != wanted:
                raise ValueError(
                    f"[{name}] Value is not broadcastable with batch_shape+event_shape: {tuple(value.shape)} vs "
                    f"{tuple(expected)}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Initialize the distribution "
                "with `validate_args=False` to turn off validation.",
                stacklevel=4,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                f"[{name}] Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within "
                f"the support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self):
        held = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}
        shown = (f"{name}: {value if value.numel() == 1 else value.shape}" for name, value in held.items())
        return f"{type(self).__name__}({', '.join(shown)})"
