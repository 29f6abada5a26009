"""Maps of random variables, with their inverses and the logarithms of their Jacobian determinants.

>>> torch.distributions.ExpTransform()(torch.zeros(2))
tensor([1., 1.])
"""

import copy
import functools
import math
import operator
import weakref

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import broadcast_all, sum_rightmost, tril_matrix_to_vec, vec_to_tril_matrix
from rushlight.nn.functional import logsigmoid, pad, softplus

__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
    "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
    "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform",
    "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform", "identity_transform",
]  # fmt: skip


def _same(a, b):
    if isinstance(a, rushlight.Tensor) or isinstance(b, rushlight.Tensor):
        return a is b or bool((a == b).all())
    return a == b


class Transform:
    """The base of transforms: a map from domain to codomain, `inv` the map back.

    A subclass defines domain, codomain, _call(), _inverse() and log_abs_det_jacobian(), and sets bijective and sign
    (1 or -1 where the map is monotone). With cache_size=1 the last value and its image are kept, so that the inverse
    of an image is the very tensor it was made from.

    Raises ValueError when cache_size is neither 0 nor 1.

    >>> x = torch.tensor([0.3])
    >>> transform = torch.distributions.TanhTransform(cache_size=1)
    >>> transform.inv(transform(x)) is x
    True
    """

    bijective = False
    _compared = None  # names of the attributes that tell two transforms of one class apart; None compares identities

    def __init__(self, cache_size=0):
        self._set_cache(cache_size)

    def _set_cache(self, cache_size):
        if cache_size not in (0, 1):
            raise ValueError(f"[{type(self).__name__}] cache_size must be 0 or 1. Received {cache_size}.")
        self._cache_size = cache_size
        self._cached_x_y = None, None
        self._inv = None

    def __getstate__(self):
        return {**vars(self), "_inv": None}

    @property
    def event_dim(self):
        """How many dimensions the map takes at once, the same in domain and codomain; ValueError where they differ."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError(
                f"[{type(self).__name__}] event_dim differs between domain and codomain. Please use either "
                ".domain.event_dim or .codomain.event_dim."
            )
        return self.domain.event_dim

    @property
    def inv(self):
        """The inverse transform; its inverse is this one."""
        inverse = self._inv and self._inv()
        if inverse is None:
            inverse = _InverseTransform(self)
            self._inv = weakref.ref(inverse)
        return inverse

    @property
    def sign(self):
        """1 where the map is increasing, -1 where it is decreasing."""
        raise NotImplementedError(f"[{type(self).__name__}] sign is not defined: the map is not monotone.")

    def with_cache(self, cache_size=1):
        """This transform with another cache size."""
        if self._cache_size == cache_size:
            return self
        new = copy.copy(self)
        new._set_cache(cache_size)
        return new

    def __eq__(self, other):
        if self is other or self._compared is None or type(self) is not type(other):
            return self is other
        return all(_same(getattr(self, name), getattr(other, name)) for name in self._compared)

    __hash__ = None

    def __call__(self, x):
        """The image of x."""
        if not self._cache_size:
            return self._call(x)
        last_x, last_y = self._cached_x_y
        if x is last_x:
            return last_y
        y = self._call(x)
        self._cached_x_y = x, y
        return y

    def _inv_call(self, y):
        if not self._cache_size:
            return self._inverse(y)
        last_x, last_y = self._cached_x_y
        if y is last_y:
            return last_x
        x = self._inverse(y)
        self._cached_x_y = x, y
        return x

    def _call(self, x):
        raise NotImplementedError(f"[{type(self).__name__}] _call() is not implemented.")

    def _inverse(self, y):
        raise NotImplementedError(f"[{type(self).__name__}] _inverse() is not implemented.")

    def log_abs_det_jacobian(self, x, y):
        """log |det dy/dx| of x and its image y, without their last event_dim dimensions."""
        raise NotImplementedError(f"[{type(self).__name__}] log_abs_det_jacobian() is not implemented.")

    def __repr__(self):
        return type(self).__name__ + "()"

    def forward_shape(self, shape):
        """The shape of the image of a value of this shape."""
        return shape

    def inverse_shape(self, shape):
        """The shape of the value whose image has this shape."""
        return shape


class _InverseTransform(Transform):
    """The inverse of a transform, which does the work."""

    def __init__(self, transform):
        super().__init__(transform._cache_size)
        self._inv = transform

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return self._inv.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return self._inv.domain

    @property
    def bijective(self):
        return self._inv.bijective

    @property
    def sign(self):
        return self._inv.sign

    @property
    def inv(self):
        return self._inv

    def __getstate__(self):
        return vars(self)

    def with_cache(self, cache_size=1):
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other):
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    __hash__ = None

    def __repr__(self):
        return f"{type(self).__name__}({self._inv!r})"

    def __call__(self, x):
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x, y):
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape):
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape):
        return self._inv.forward_shape(shape)


def _wrapped(constraint, event_dim):
    """constraint with its event extended to event_dim dimensions."""
    more = event_dim - constraint.event_dim
    return constraints.independent(constraint, more) if more > 0 else constraint


class ComposeTransform(Transform):
    """The transforms parts one after the other; the first is applied first.

    >>> transform = torch.distributions.ComposeTransform(
    ...     [torch.distributions.AffineTransform(1.0, 2.0), torch.distributions.ExpTransform()]
    ... )
    >>> transform.inv(transform(torch.tensor(0.5)))
    tensor(0.5000)
    """

    _compared = ("parts",)

    def __init__(self, parts, cache_size=0):
        self.parts = parts
        super().__init__(cache_size)

    def _set_cache(self, cache_size):
        super()._set_cache(cache_size)
        if cache_size:
            self.parts = [part.with_cache(cache_size) for part in self.parts]

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        if not self.parts:
            return constraints.real
        event_dim = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            event_dim = max(event_dim + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        return _wrapped(self.parts[0].domain, event_dim)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        if not self.parts:
            return constraints.real
        event_dim = self.parts[0].domain.event_dim
        for part in self.parts:
            event_dim = max(event_dim + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        return _wrapped(self.parts[-1].codomain, event_dim)

    @property
    def bijective(self):
        return all(part.bijective for part in self.parts)

    @property
    def sign(self):
        return functools.reduce(operator.mul, (part.sign for part in self.parts), 1)

    @property
    def inv(self):
        inverse = self._inv and self._inv()
        if inverse is None:
            inverse = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv = weakref.ref(inverse)
            inverse._inv = weakref.ref(self)
        return inverse

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x, y):
        if not self.parts:
            return rushlight.zeros_like(x)
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        values.append(y)
        total, event_dim = 0, self.domain.event_dim
        for part, before, after in zip(self.parts, values, values[1:], strict=False):
            jacobian = part.log_abs_det_jacobian(before, after)
            total = total + sum_rightmost(jacobian, event_dim - part.domain.event_dim)
            event_dim += part.codomain.event_dim - part.domain.event_dim
        return total

    def forward_shape(self, shape):
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape):
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self):
        lines = ",\n    ".join(repr(part) for part in self.parts)
        return f"{type(self).__name__}(\n    {lines}\n)"


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """base_transform with the last reinterpreted_batch_ndims dimensions of the batch taken as parts of the event.

    >>> transform = torch.distributions.IndependentTransform(torch.distributions.ExpTransform(), 1)
    >>> transform.log_abs_det_jacobian(torch.ones(3), torch.ones(3).exp())
    tensor(3.)
    """

    def __init__(self, base_transform, reinterpreted_batch_ndims, cache_size=0):
        self.base_transform = base_transform
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(cache_size)

    def _set_cache(self, cache_size):
        super()._set_cache(cache_size)
        self.base_transform = self.base_transform.with_cache(cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self):
        return self.base_transform.bijective

    @property
    def sign(self):
        return self.base_transform.sign

    def _checked(self, value, constraint):
        if value.ndim < constraint.event_dim:
            raise ValueError(
                f"[IndependentTransform] Too few dimensions on input: {constraint.event_dim} are wanted. "
                f"Received {value.ndim}."
            )
        return value

    def _call(self, x):
        return self.base_transform(self._checked(x, self.domain))

    def _inverse(self, y):
        return self.base_transform.inv(self._checked(y, self.codomain))

    def log_abs_det_jacobian(self, x, y):
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"

    def forward_shape(self, shape):
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape):
        return self.base_transform.inverse_shape(shape)


class ReshapeTransform(Transform):
    """The last dimensions, of shape in_shape, in the shape out_shape.

    Raises ValueError when the two have different numbers of elements.

    >>> torch.distributions.ReshapeTransform((4,), (2, 2))(torch.zeros(3, 4)).shape
    torch.Size([3, 2, 2])
    """

    bijective = True

    def __init__(self, in_shape, out_shape, cache_size=0):
        self.in_shape = rushlight.Size(in_shape)
        self.out_shape = rushlight.Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError(
                "[ReshapeTransform] in_shape, out_shape have different numbers of elements. "
                f"Received {tuple(in_shape)} and {tuple(out_shape)}."
            )
        super().__init__(cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x):
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y):
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x, y):
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def _changed(self, shape, old, new):
        kept = len(shape) - len(old)
        if kept < 0:
            raise ValueError(f"[ReshapeTransform] Too few dimensions on input. Received {tuple(shape)}.")
        if shape[kept:] != old:
            raise ValueError(
                f"[ReshapeTransform] Shape mismatch: expected {tuple(old)}. Received {tuple(shape[kept:])}."
            )
        return shape[:kept] + new

    def forward_shape(self, shape):
        return self._changed(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape):
        return self._changed(shape, self.out_shape, self.in_shape)


class ExpTransform(Transform):
    """y = exp(x).

    >>> torch.distributions.ExpTransform().inv(torch.ones(2))
    tensor([0., 0.])
    """

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = 1
    _compared = ()

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x, y):
        return x


class PowerTransform(Transform):
    """y = x^exponent on the positive numbers.

    >>> torch.distributions.PowerTransform(torch.tensor(2.0))(torch.tensor([3.0]))
    tensor([9.])
    """

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True
    _compared = ("exponent",)

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self):
        return self.exponent.sign()

    def _call(self, x):
        return x.pow(self.exponent)

    def _inverse(self, y):
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape):
        return rushlight.broadcast_shapes(shape, self.exponent.shape)

    inverse_shape = forward_shape


def _clipped_sigmoid(x):
    info = rushlight.finfo(x.dtype)
    return x.sigmoid().clamp(min=info.tiny, max=1 - info.eps)


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)), kept within the open unit interval; the inverse is the logit.

    >>> torch.distributions.SigmoidTransform()(torch.zeros(1))
    tensor([0.5000])
    """

    domain = constraints.real
    codomain = constraints.unit_interval
    bijective = True
    sign = 1
    _compared = ()

    def _call(self, x):
        return _clipped_sigmoid(x)

    def _inverse(self, y):
        info = rushlight.finfo(y.dtype)
        y = y.clamp(min=info.tiny, max=1 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """y = log(1 + exp(x)).

    >>> torch.distributions.SoftplusTransform()(torch.zeros(1))
    tensor([0.6931])
    """

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = 1
    _compared = ()

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x)


class TanhTransform(Transform):
    """y = tanh(x), better conditioned than an affine map of the sigmoid. With cache_size=1 no inverse is computed.

    >>> torch.distributions.TanhTransform()(torch.zeros(1))
    tensor([0.])
    """

    domain = constraints.real
    codomain = constraints.interval(-1.0, 1.0)
    bijective = True
    sign = 1
    _compared = ()

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return y.atanh()

    def log_abs_det_jacobian(self, x, y):
        # log(1 - tanh(x)^2) = 2 (log 2 - x - softplus(-2x)), without cancellation where tanh is near one.
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """y = |x|; the inverse chooses the positive value.

    >>> torch.distributions.AbsTransform()(torch.tensor([-2.0]))
    tensor([2.])
    """

    domain = constraints.real
    codomain = constraints.positive
    _compared = ()

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale * x, for numbers or tensors loc and scale; the last event_dim dimensions are one event.

    >>> torch.distributions.AffineTransform(1.0, 2.0)(torch.ones(2))
    tensor([3., 3.])
    """

    bijective = True
    _compared = ("loc", "scale")

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size)
        self.loc = loc
        self.scale = scale
        self._event_dim = event_dim

    @property
    def event_dim(self):
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return _wrapped(constraints.real, self._event_dim)

    codomain = domain

    @property
    def sign(self):
        if isinstance(self.scale, rushlight.Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        scale = self.scale
        each = scale.abs().log() if isinstance(scale, rushlight.Tensor) else math.log(abs(scale))
        return sum_rightmost(rushlight.zeros_like(x) + each, self._event_dim)

    def forward_shape(self, shape):
        return rushlight.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape


class CorrCholeskyTransform(Transform):
    """Vectors [*, D (D - 1) / 2] as Cholesky factors [*, D, D] of correlation matrices.

    tanh(x) fills the strict lower triangle with canonical partial correlations; each row is then a stick that is
    broken by their squares (Lewandowski, Kurowicka & Joe, 2009; Stan reference manual, section 10.12).

    >>> torch.distributions.CorrCholeskyTransform()(torch.zeros(3))
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        eps = rushlight.finfo(x.dtype).eps
        partial = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - partial**2).sqrt().cumprod(-1)
        return (partial + rushlight.eye(partial.shape[-1], dtype=x.dtype)) * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = pad(1 - (y * y).cumsum(-1)[..., :-1], [1, 0], value=1)
        return (tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()).atanh()

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        left = 1 - (y * y).cumsum(-1)
        sticks = 0.5 * tril_matrix_to_vec(left, -2).log().sum(-1)
        return sticks - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape):
        if not shape:
            raise ValueError("[CorrCholeskyTransform] Too few dimensions on input: at least one is wanted.")
        size = round(((1 + 8 * shape[-1]) ** 0.5 + 1) / 2)
        if size * (size - 1) // 2 != shape[-1]:
            raise ValueError(f"[CorrCholeskyTransform] a size D (D - 1) / 2 is wanted. Received {shape[-1]}.")
        return shape[:-1] + (size, size)

    def inverse_shape(self, shape):
        if len(shape) < 2 or shape[-1] != shape[-2]:
            raise ValueError(f"[CorrCholeskyTransform] square matrices are wanted. Received {tuple(shape)}.")
        return shape[:-2] + (shape[-1] * (shape[-1] - 1) // 2,)


class _OfVectors(Transform):
    """The base of the transforms that need a dimension of events."""

    def forward_shape(self, shape):
        if not shape:
            raise ValueError(f"[{type(self).__name__}] Too few dimensions on input: at least one is wanted.")
        return shape

    def inverse_shape(self, shape):
        return _OfVectors.forward_shape(self, shape)


class SoftmaxTransform(_OfVectors):
    """y = softmax(x), the inverse log(y): not bijective, and without a Jacobian.

    >>> torch.distributions.SoftmaxTransform()(torch.zeros(2))
    tensor([0.5000, 0.5000])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    _compared = ()

    def _call(self, x):
        return x.softmax(-1)

    def _inverse(self, y):
        return y.log()


class StickBreakingTransform(_OfVectors):
    """Vectors [*, K - 1] as points [*, K] of the simplex: a stick is broken K - 1 times, by default in equal parts.

    >>> torch.distributions.StickBreakingTransform()(torch.zeros(2))
    tensor([0.3333, 0.3333, 0.3333])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True
    _compared = ()

    def _offset(self, x):
        """The logarithm of how many parts are left at each break, which makes zeros the uniform point."""
        count = x.shape[-1]
        return rushlight.arange(count, 0, -1, dtype=x.dtype).log()

    def _call(self, x):
        broken = _clipped_sigmoid(x - self._offset(x))
        return pad(broken, [0, 1], value=1) * pad((1 - broken).cumprod(-1), [1, 0], value=1)

    def _inverse(self, y):
        parts = y[..., :-1]
        # The rest is what the later parts sum to; rounding may leave it below zero.
        rest = (1 - parts.cumsum(-1)).clamp(min=rushlight.finfo(y.dtype).tiny)
        return parts.log() - rest.log() + self._offset(parts)

    def log_abs_det_jacobian(self, x, y):
        x = x - self._offset(x)
        return (logsigmoid(x) - x + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape):
        shape = super().forward_shape(shape)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape):
        shape = super().inverse_shape(shape)
        return shape[:-1] + (shape[-1] - 1,)


class LowerCholeskyTransform(Transform):
    """Matrices [*, D, D] as lower triangular ones with a positive diagonal, which is exponentiated.

    >>> torch.distributions.LowerCholeskyTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky
    _compared = ()

    def _call(self, x):
        return x.tril(-1) + x.diagonal(0, -2, -1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(0, -2, -1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Matrices [*, D, D] as positive definite ones: L L^T of what LowerCholeskyTransform makes.

    >>> torch.distributions.PositiveDefiniteTransform()(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite
    _compared = ()

    def _call(self, x):
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(rushlight.linalg.cholesky(y))


class _Several(Transform):
    """The base of the transforms that apply a sequence of transforms to slices along dim."""

    def __init__(self, tseq, dim=0, cache_size=0):
        if not all(isinstance(transform, Transform) for transform in tseq):
            raise AssertionError(
                f"[{type(self).__name__}] All elements of tseq must be Transform instances. Received {tseq}."
            )
        self.transforms = tseq
        self.dim = dim
        super().__init__(cache_size)

    def _set_cache(self, cache_size):
        super()._set_cache(cache_size)
        self.transforms = [transform.with_cache(cache_size) for transform in self.transforms]

    @property
    def bijective(self):
        return all(transform.bijective for transform in self.transforms)

    def _check(self, value):
        if not -value.ndim <= self.dim < value.ndim:
            raise AssertionError(f"[{type(self).__name__}] dim {self.dim} is out of range for {list(value.shape)}.")

    def _mapped(self, transforms, value):
        self._check(value)
        return self._joined([t(part) for t, part in zip(transforms, self._parts(value), strict=True)])

    def _call(self, x):
        return self._mapped(self.transforms, x)

    def _inverse(self, y):
        return self._mapped([transform.inv for transform in self.transforms], y)

    def _jacobians(self, x, y):
        self._check(x)
        self._check(y)
        return [
            t.log_abs_det_jacobian(a, b)
            for t, a, b in zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        ]


class CatTransform(_Several):
    """Transforms side by side along dim, the i-th of lengths[i] entries (1 by default).

    >>> transform = torch.distributions.CatTransform(
    ...     [torch.distributions.ExpTransform(), torch.distributions.AbsTransform()], dim=0, lengths=[1, 2]
    ... )
    >>> transform(torch.tensor([0.0, -1.0, -2.0]))
    tensor([1., 1., 2.])
    """

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        super().__init__(tseq, dim, cache_size)
        self.lengths = list([1] * len(self.transforms) if lengths is None else lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"[CatTransform] one length for each of {len(self.transforms)} transforms is wanted. "
                f"Received {lengths}."
            )

    @property
    def event_dim(self):
        return max(transform.event_dim for transform in self.transforms)

    @property
    def length(self):
        """The size of dim."""
        return sum(self.lengths)

    @constraints.dependent_property
    def domain(self):
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self):
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _check(self, value):
        super()._check(value)
        if value.shape[self.dim] != self.length:
            raise AssertionError(f"[CatTransform] dim must have size {self.length}. Received {list(value.shape)}.")

    def _parts(self, value):
        return value.split(self.lengths, self.dim)

    def _joined(self, parts):
        return rushlight.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x, y):
        jacobians = self._jacobians(x, y)
        dim = self.dim - x.ndim if self.dim >= 0 else self.dim
        event_dim = self.event_dim
        summed = [sum_rightmost(j, event_dim - t.event_dim) for t, j in zip(self.transforms, jacobians, strict=True)]
        dim += event_dim
        return rushlight.cat(summed, dim) if dim < 0 else sum(summed)


class StackTransform(_Several):
    """One transform for each index along dim.

    >>> transform = torch.distributions.StackTransform(
    ...     [torch.distributions.ExpTransform(), torch.distributions.AbsTransform()], dim=1
    ... )
    >>> transform(torch.tensor([[0.0, -1.0]]))
    tensor([[1., 1.]])
    """

    def __init__(self, tseq, dim=0, cache_size=0):
        super().__init__(tseq, dim, cache_size)

    @constraints.dependent_property
    def domain(self):
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self):
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _check(self, value):
        super()._check(value)
        if value.shape[self.dim] != len(self.transforms):
            raise AssertionError(
                f"[StackTransform] dim must have size {len(self.transforms)}. Received {list(value.shape)}."
            )

    def _parts(self, value):
        return value.unbind(self.dim)

    def _joined(self, parts):
        return rushlight.stack(parts, self.dim)

    def log_abs_det_jacobian(self, x, y):
        return self._joined(self._jacobians(x, y))


class CumulativeDistributionTransform(Transform):
    """The distribution function of distribution: its samples become uniform.

    >>> transform = torch.distributions.CumulativeDistributionTransform(torch.distributions.Normal(0.0, 1.0))
    >>> transform(torch.tensor(0.0))
    tensor(0.5000)
    """

    bijective = True
    codomain = constraints.unit_interval
    sign = 1

    def __init__(self, distribution: Distribution, cache_size=0):
        super().__init__(cache_size)
        self.distribution = distribution

    @property
    def domain(self):
        return self.distribution.support

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)
