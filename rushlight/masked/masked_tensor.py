"""`MaskedTensor`: a tensor that carries its mask through elementwise functions, views and reductions.

What an operator does with the mask is read from its row in the registry: the masks of a formula's arguments must be
equal and are the result's; a view of the tensor is the same view of its mask; a reduction is that of torch.masked.
"""

import copy
import functools

import rushlight
from rushlight import _core
from rushlight.masked.masking import full_mask, reduced_dims

# Rows that are neither formulas nor views, and act like them.
_ELEMENTWISE = {"clone", "div", "floor_divide", "full_like", "ones_like", "pow", "to_dtype", "zeros_like"}
_REARRANGING = {"contiguous", "flip", "index_select", "repeat", "reshape", "roll", "cat", "stack"}
_REDUCTIONS = {"amax", "amin", "argmax", "argmin", "logsumexp", "mean", "prod", "std", "sum", "var"}
_NORMALISATIONS = {"cumprod", "cumsum", "log_softmax", "softmax"}


def _part(name):
    """The attribute `name`, a view, of data and mask alike."""
    return property(lambda self: type(self)(getattr(self._data, name), getattr(self._mask, name)))


class MaskedTensor(_core.Tensor):
    """data with a bool mask of its shape: where the mask is False, the element is as if it were not there.

    Raises TypeError when data or mask is no plain tensor or the mask not bool, ValueError when their shapes differ.

    >>> a = torch.masked.masked_tensor(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True]))
    >>> a * 2
    MaskedTensor(
      [  2.0000,       --,   8.0000]
    )
    >>> a.mean()
    MaskedTensor(  2.5000, True)
    """

    _overrides_rows_alone = True

    @staticmethod
    def __new__(cls, data, mask, requires_grad=False):
        _check(data, mask)
        made = _core.Tensor._make_subclass(cls, data.detach(), False)
        made._data = data.detach().requires_grad_() if requires_grad else data
        made._mask = mask
        return made

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.__name__
        row = name.rstrip("_")
        kind = _core.op_info(row)["kind"] if row in _core.op_names() else None
        if name in _RULES:
            return _RULES[name](*args, **kwargs)
        if name in _REDUCTIONS:
            return _reduced(name, *args, **kwargs)
        if name in _NORMALISATIONS:
            return _normalised(name, *args, **kwargs)
        if name in _REARRANGING or kind == "view":
            return cls(_applied(func, args, kwargs, _data_of), _applied(func, args, kwargs, _mask_of(name)))
        if (row in _ELEMENTWISE or kind == "pointwise") and (name == row or isinstance(args[0], cls)):
            data, mask = _applied(func, args, kwargs, _data_of), _common_mask(name, args, kwargs)
            return cls(data, mask) if name == row else args[0]
        raise TypeError(
            f"[{name}] there is no rule for the mask of a MaskedTensor. Received {[type(a).__name__ for a in args]}. "
            "Use to_tensor(value)."
        )

    def get_data(self):
        """The tensor below the mask."""
        return self._data

    def get_mask(self):
        """The mask, bool."""
        return self._mask

    def to_tensor(self, value):
        """The tensor with `value` where the mask is False."""
        return _core.where(self._mask, self._data, value)

    # What concerns autograd is the data's.
    requires_grad = property(lambda self: self._data.requires_grad)
    grad_fn = property(lambda self: self._data.grad_fn)
    is_leaf = property(lambda self: self._data.is_leaf)

    data, T, H, mT, mH = map(_part, ("data", "T", "H", "mT", "mH"))

    @property
    def grad(self):
        """The gradient, under the same mask."""
        return None if self._data.grad is None else type(self)(self._data.grad, self._mask)

    def requires_grad_(self, requires_grad=True):
        """Whether gradients are wanted, as for any tensor; returns self."""
        self._data.requires_grad_(requires_grad)
        return self

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Backward from the data; of the gradient, the data counts."""
        self._data.backward(_data_of(gradient), retain_graph, create_graph, _data_of(inputs))

    def detach(self):
        """The same, apart from the graph."""
        return type(self)(self._data.detach(), self._mask)

    def numpy(self, *, force=False):
        """Raises RuntimeError: an array has no mask."""
        raise RuntimeError("[numpy] a MaskedTensor has no array. Received one. Use to_tensor(value).numpy().")

    def tolist(self):
        """Raises RuntimeError: a list has no mask."""
        raise RuntimeError("[tolist] a MaskedTensor has no list. Received one. Use to_tensor(value).tolist().")

    def __getitem__(self, index):
        return type(self)(self._data[index], self._mask[index])

    def __setitem__(self, index, value):
        raise TypeError("[setitem] a MaskedTensor is not written to. Received an index. Use where().")

    def __iter__(self):
        return iter(self.unbind())

    def __deepcopy__(self, memo):
        return memo.setdefault(id(self), type(self)(copy.deepcopy(self._data, memo), self._mask.clone()))

    def __reduce_ex__(self, protocol):
        return type(self), (self._data, self._mask)

    def __repr__(self):
        data, mask = self._data.detach(), self._mask
        if not data.ndim:
            return f"MaskedTensor({_text(data.item()) if mask.item() else '      --'}, {mask.item()})"
        return f"MaskedTensor(\n{_rows(data.tolist(), mask.tolist(), '  ')}\n)"


def _check(data, mask):
    for name, given in (("data", data), ("mask", mask)):
        if not isinstance(given, _core.Tensor) or isinstance(given, MaskedTensor):
            raise TypeError(f"[MaskedTensor] {name} must be a Tensor without a mask. Received {type(given).__name__}.")
    if mask.dtype != rushlight.bool:
        raise TypeError(f"[MaskedTensor] mask must have dtype bool. Received {mask.dtype}. Use .bool().")
    if data.shape != mask.shape:
        raise ValueError(
            "[MaskedTensor] data and mask must have the same shape. "
            f"Received {tuple(data.shape)} and {tuple(mask.shape)}. Use expand()."
        )


# --- calls


def _applied(func, args, kwargs, part):
    """func of one part of each argument."""
    return func(*map(part, args), **{name: part(value) for name, value in kwargs.items()})


def _data_of(value):
    if isinstance(value, (list, tuple)):
        return [_data_of(v) for v in value]
    return value.get_data() if isinstance(value, MaskedTensor) else value


def _mask_of(name):
    """The function that gives the mask of an argument of `name`; a tensor that is joined without one is whole."""

    def mask_of(value):
        if isinstance(value, (list, tuple)):
            return [mask_of(v) for v in value]
        if isinstance(value, MaskedTensor):
            return value.get_mask()
        if name in ("cat", "stack") and isinstance(value, _core.Tensor):
            return _core.ones(value.shape, dtype=rushlight.bool)
        return value

    return mask_of


def _common_mask(name, args, kwargs):
    """The mask of all arguments that have one."""
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, _core.Tensor)]
    shape = rushlight.broadcast_shapes(*(t.shape for t in tensors))
    first, *others = (t.get_mask().expand(shape) for t in tensors if isinstance(t, MaskedTensor))
    if not all(rushlight.equal(first, other) for other in others):
        raise ValueError(f"[{name}] Input masks must match. Received different ones. Use to_tensor(value).")
    return first


def _where(condition, input, other):
    choices = (input, other)
    masks = [value.get_mask() if isinstance(value, MaskedTensor) else True for value in choices]
    mask = _core.where(_data_of(condition), *masks)
    if isinstance(condition, MaskedTensor):
        mask = mask & condition.get_mask()
    return MaskedTensor(_core.where(_data_of(condition), *map(_data_of, choices)), mask)


def _normalised(name, input, dim, dtype=None):
    return MaskedTensor(getattr(rushlight.masked, name)(input, dim, dtype=dtype), input.get_mask())


def _reduced(name, input, dim=None, keepdim=False, **options):
    result = getattr(rushlight.masked, name)(input, dim, keepdim=keepdim, **options)
    return MaskedTensor(result, _remaining(input, dim, keepdim))


def _norm(input, ord=2, dim=None, keepdim=False, *, dtype=None):
    result = rushlight.masked.norm(input, ord, dim, keepdim=keepdim, dtype=dtype)
    return MaskedTensor(result, _remaining(input, dim, keepdim))


def _quantified(name, neutral, input, dim=None, keepdim=False):
    """all() or any(), in which `neutral` decides nothing."""
    dims = reduced_dims(name, input, dim)
    result = getattr(_core, name)(input.to_tensor(neutral), dims, keepdim)
    return MaskedTensor(result, _remaining(input, dim, keepdim))


def _remaining(input, dim, keepdim):
    """The mask of a reduction's result: where it found anything."""
    return _core.any(input.get_mask(), reduced_dims("any", input, dim), keepdim)


_RULES = {
    "all": functools.partial(_quantified, "all", True),
    "any": functools.partial(_quantified, "any", False),
    "vector_norm": _norm,
    "where": _where,
}


def unwrapped(name, input, mask):
    """(data, mask) of a MaskedTensor, its mask and the given one both; of another tensor, what came."""
    if not isinstance(input, MaskedTensor):
        return input, mask
    own, data = input.get_mask(), input.get_data()
    return data, own if mask is None else own & full_mask(name, data, mask)


def takes_masked_tensors(function):
    """Lets a function of (input, ..., mask=None) take a MaskedTensor."""

    @functools.wraps(function)
    def call(input, *args, mask=None, **kwargs):
        input, mask = unwrapped(function.__name__, input, mask)
        return function(input, *args, mask=mask, **kwargs)

    return call


# --- text


def _text(value):
    return f"{value:8.4f}" if isinstance(value, float) else str(value)


def _rows(data, mask, indent):
    if data and isinstance(data[0], list):
        inner = ",\n".join(_rows(d, m, indent + "  ") for d, m in zip(data, mask, strict=True))
        return f"{indent}[\n{inner}\n{indent}]"
    texts = (_text(d) if m else "      --" for d, m in zip(data, mask, strict=True))
    return f"{indent}[{', '.join(texts)}]"


# --- construction


def masked_tensor(data, mask, requires_grad=False):
    """A MaskedTensor over a copy of data and mask, apart from any graph.

    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.masked.masked_tensor(x, x > 1.5).sum(1)
    MaskedTensor(
      [  2.0000,   7.0000]
    )
    """
    _check(data, mask)
    return MaskedTensor(data.detach().clone(), mask.clone(), requires_grad)


def as_masked_tensor(data, mask):
    """A MaskedTensor over data itself: gradients reach it.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.masked.as_masked_tensor(x, torch.tensor([True, False])).sum().backward()
    >>> x.grad
    tensor([1., 0.])
    """
    return MaskedTensor(data, mask)


def is_masked_tensor(obj, /):
    """Whether obj is a MaskedTensor.

    >>> torch.masked.is_masked_tensor(torch.ones(2))
    False
    """
    return isinstance(obj, MaskedTensor)
