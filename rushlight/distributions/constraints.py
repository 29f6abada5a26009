"""Sets that parameters and samples lie in. `constraint.check(value)` says where value is inside.

>>> torch.distributions.constraints.simplex.check(torch.tensor([[0.5, 0.5], [0.5, 0.6]]))
tensor([ True, False])
"""

import math

import rushlight

__all__ = [
    "Constraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property", "greater_than",
    "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent", "less_than",
    "lower_cholesky", "lower_triangular", "MixtureSameFamilyConstraint", "multinomial", "nonnegative",
    "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite",
    "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip


class Constraint:
    """A set of values. The last event_dim dimensions of a value are judged together; is_discrete tells whether the set
    is countable.
    """

    is_discrete = False
    event_dim = 0

    def check(self, value):
        """Where value is inside: bool, of value's shape without the last event_dim dimensions."""
        raise NotImplementedError(f"[{type(self).__name__}] check() is not implemented.")

    def __repr__(self):
        return type(self).__name__[1:] + "()"


class _Bounded(Constraint):
    """The base of the sets that are told by bounds; each bound is a number or a tensor."""

    def __repr__(self):
        bounds = ", ".join(f"{name}={value}" for name, value in vars(self).items())
        return f"{type(self).__name__[1:]}({bounds})"


class _From(_Bounded):
    def __init__(self, lower_bound):
        self.lower_bound = lower_bound


class _To(_Bounded):
    def __init__(self, upper_bound):
        self.upper_bound = upper_bound


class _Between(_Bounded):
    def __init__(self, lower_bound, upper_bound):
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound


def _whole(value):
    return value % 1 == 0


class _GreaterThan(_From):
    def check(self, value):
        return value > self.lower_bound


class _GreaterThanEq(_From):
    def check(self, value):
        return value >= self.lower_bound


class _LessThan(_To):
    def check(self, value):
        return value < self.upper_bound


class _Interval(_Between):
    def check(self, value):
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class _HalfOpenInterval(_Between):
    def check(self, value):
        return (value >= self.lower_bound) & (value < self.upper_bound)


class _IntegerInterval(_Between):
    is_discrete = True

    def check(self, value):
        return _whole(value) & (value >= self.lower_bound) & (value <= self.upper_bound)


class _IntegerGreaterThan(_From):
    is_discrete = True

    def check(self, value):
        return _whole(value) & (value >= self.lower_bound)


class _IntegerLessThan(_To):
    is_discrete = True

    def check(self, value):
        return _whole(value) & (value <= self.upper_bound)


class _Real(Constraint):
    def check(self, value):
        return value == value  # all but nan


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value):
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    is_discrete = True
    event_dim = 1

    def check(self, value):
        return boolean.check(value).all(-1) & (value.sum(-1) == 1)


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value):
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Multinomial(_To):
    is_discrete = True
    event_dim = 1

    def __repr__(self):
        return "Multinomial()"

    def check(self, x):
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)


class _Square(Constraint):
    event_dim = 2

    def check(self, value):
        return rushlight.full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=rushlight.bool)


class _LowerTriangular(Constraint):
    event_dim = 2

    def check(self, value):
        return (value == value.tril()).all(-1).all(-1)


class _LowerCholesky(_LowerTriangular):
    def check(self, value):
        return super().check(value) & (value.diagonal(0, -2, -1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    def check(self, value):
        tolerance = rushlight.finfo(value.dtype).eps * value.shape[-1] * 10
        return super().check(value) & ((value.detach().norm(dim=-1) - 1).abs() <= tolerance).all(-1)


class _Symmetric(_Square):
    def check(self, value):
        square = super().check(value)
        return square & value.isclose(value.mT, atol=1e-6).all(-1).all(-1) if square.all() else square


class _PositiveSemidefinite(_Symmetric):
    def check(self, value):
        symmetric = super().check(value)
        return rushlight.linalg.eigvalsh(value).ge(0).all(-1) if symmetric.all() else symmetric


class _PositiveDefinite(_Symmetric):
    def check(self, value):
        symmetric = super().check(value)
        return rushlight.linalg.cholesky_ex(value).info == 0 if symmetric.all() else symmetric


class _IndependentConstraint(Constraint):
    """base_constraint, with the last reinterpreted_batch_ndims dimensions judged together."""

    def __init__(self, base_constraint, reinterpreted_batch_ndims):
        if reinterpreted_batch_ndims < 0:
            raise AssertionError(
                f"[independent] reinterpreted_batch_ndims must be >= 0. Received {reinterpreted_batch_ndims}."
            )
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self):
        return self.base_constraint.is_discrete

    @property
    def event_dim(self):
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value):
        inside = self.base_constraint.check(value)
        kept = inside.ndim - self.reinterpreted_batch_ndims
        if kept < 0:
            raise ValueError(f"[independent] Expected value.dim() >= {self.event_dim}. Received {value.ndim}.")
        return inside.reshape((*inside.shape[:kept], math.prod(inside.shape[kept:]))).all(-1)

    def __repr__(self):
        return f"{type(self).__name__[1:]}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """base_constraint for each component of a mixture: a value is inside when every component allows it.

    >>> constraints = torch.distributions.constraints
    >>> constraints.MixtureSameFamilyConstraint(constraints.less_than(torch.ones(3))).check(torch.tensor([0.0, 2.0]))
    tensor([ True, False])
    """

    def __init__(self, base_constraint):
        if not isinstance(base_constraint, Constraint):
            raise AssertionError(f"[MixtureSameFamilyConstraint] a Constraint is wanted. Received {base_constraint!r}.")
        self.base_constraint = base_constraint

    @property
    def is_discrete(self):
        return self.base_constraint.is_discrete

    @property
    def event_dim(self):
        return self.base_constraint.event_dim

    def check(self, value):
        inside = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        if value.ndim < self.event_dim:
            raise ValueError(
                f"[MixtureSameFamilyConstraint] Expected value.dim() >= {self.event_dim}. Received {value.ndim}."
            )
        return inside.all(-1)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r})"


class _Several(Constraint):
    """The base of the sets that are made of a sequence of sets along dim."""

    def __init__(self, cseq, dim=0):
        self.cseq = list(cseq)
        self.dim = dim
        if not all(isinstance(constraint, Constraint) for constraint in self.cseq):
            raise AssertionError(f"[constraints] All elements of cseq must be Constraint instances. Received {cseq}.")

    @property
    def is_discrete(self):
        return any(constraint.is_discrete for constraint in self.cseq)

    @property
    def event_dim(self):
        return max(constraint.event_dim for constraint in self.cseq)

    def _check_dim(self, value):
        if not -value.ndim <= self.dim < value.ndim:
            raise AssertionError(f"[constraints] dim {self.dim} is out of range for a value {list(value.shape)}.")


class _Cat(_Several):
    """Sets side by side: lengths[i] entries along dim for the i-th."""

    def __init__(self, cseq, dim=0, lengths=None):
        super().__init__(cseq, dim)
        self.lengths = list(lengths or [1] * len(self.cseq))
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(f"[cat] one length for each of {len(self.cseq)} sets is wanted. Received {lengths}.")

    def check(self, value):
        self._check_dim(value)
        parts = value.split([*self.lengths, value.shape[self.dim] - sum(self.lengths)], self.dim)
        return rushlight.cat([c.check(part) for c, part in zip(self.cseq, parts, strict=False)], self.dim)


class _Stack(_Several):
    """One set for each index along dim."""

    @property
    def event_dim(self):
        within = super().event_dim
        return within + 1 if self.dim + within < 0 else within

    def check(self, value):
        self._check_dim(value)
        parts = value.unbind(self.dim)
        return rushlight.stack([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class _Dependent(Constraint):
    """A set that depends on other parameters: only the instance knows it."""

    def __init__(self, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def _static(self, name):
        value = getattr(self, f"_{name}")
        if value is NotImplemented:
            raise NotImplementedError(f"[dependent] .{name} cannot be determined statically.")
        return value

    @property
    def is_discrete(self):
        return self._static("is_discrete")

    @property
    def event_dim(self):
        return self._static("event_dim")

    def _changed(self, is_discrete, event_dim):
        return {
            "is_discrete": self._is_discrete if is_discrete is NotImplemented else is_discrete,
            "event_dim": self._event_dim if event_dim is NotImplemented else event_dim,
        }

    def __call__(self, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        return _Dependent(**self._changed(is_discrete, event_dim))

    def check(self, x):
        raise ValueError("[dependent] Cannot determine validity of dependent constraint.")


class _DependentProperty(property, _Dependent):
    """A property of an instance that is a set; on the class it is a dependent set.

    >>> class Below:
    ...     def __init__(self, bound):
    ...         self.bound = bound
    ...     @torch.distributions.constraints.dependent_property(is_discrete=False, event_dim=0)
    ...     def support(self):
    ...         return torch.distributions.constraints.less_than(self.bound)
    >>> Below(3.0).support
    LessThan(upper_bound=3.0)
    """

    def __init__(self, fn=None, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        super().__init__(fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn):
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint):
    """Whether constraint depends on other parameters.

    >>> torch.distributions.constraints.is_dependent(torch.distributions.Uniform.support)
    True
    """
    return isinstance(constraint, _Dependent)


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
boolean = _Boolean()
one_hot = _OneHot()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
cat = _Cat
stack = _Stack
