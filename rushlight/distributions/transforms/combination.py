"""Transforms made of transforms: one after the other, side by side, over more dimensions, in another shape."""

import functools
import operator
import weakref

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.transforms.transform import Transform, extended
from rushlight.distributions.utils import sum_rightmost

__all__ = [
    "CatTransform", "ComposeTransform", "IndependentTransform", "ReshapeTransform", "StackTransform",
    "identity_transform",
]  # fmt: skip


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
        return extended(self.parts[0].domain, event_dim)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        if not self.parts:
            return constraints.real
        event_dim = self.parts[0].domain.event_dim
        for part in self.parts:
            event_dim = max(event_dim + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        return extended(self.parts[-1].codomain, event_dim)

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
