"""What every transform shares: domain and codomain, the cache, the inverse."""

import copy
import weakref

import rushlight
from rushlight.distributions import constraints

__all__ = ["Transform"]


def _same(a, b):
    if isinstance(a, rushlight.Tensor) or isinstance(b, rushlight.Tensor):
        return a is b or bool((a == b).all())
    return a == b


def extended(constraint, event_dim):
    """constraint with its event extended to event_dim dimensions."""
    more = event_dim - constraint.event_dim
    return constraints.independent(constraint, more) if more > 0 else constraint


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
