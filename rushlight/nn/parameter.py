"""Tensors with a role inside a module: `Parameter` is trained, `Buffer` is kept.

Their uninitialized forms wait for a shape: lazy modules hold them until the first input tells it.
"""

import rushlight

__all__ = [
    "Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "UninitializedTensorMixin", "is_lazy",
]  # fmt: skip


class _ParameterClass(type(rushlight.Tensor)):
    """Makes isinstance(x, Parameter) hold for parameters that kept the class of their data."""

    def __instancecheck__(cls, instance):
        return super().__instancecheck__(instance) or (
            cls is Parameter and isinstance(instance, rushlight.Tensor) and getattr(instance, "_is_param", False)
        )


class Parameter(rushlight.Tensor, metaclass=_ParameterClass):
    """A tensor that becomes a parameter of the module it is assigned to.

    Args:
        data: the values; any shape. None gives an empty tensor. A tensor of a class with a `__torch_function__` keeps
            its class; isinstance(x, Parameter) holds all the same.
        requires_grad: whether gradients are computed for it. Only floating point and complex data may say True.

    Raises:
        RuntimeError: if integer or boolean data is to require a gradient, or a class's detach() gives another class.

    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __torch_function__ = rushlight._core._disabled_torch_function_impl

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = rushlight.empty(0)
        if not _keeps_its_class(data):
            return rushlight.Tensor._make_subclass(cls, data, requires_grad)
        made = data.detach().requires_grad_(requires_grad)
        if type(made) is not type(data):
            raise RuntimeError(
                f"[Parameter] detach() of the data must keep its class, {type(data).__name__}. Received "
                f"{type(made).__name__}. Mend its __torch_function__, or pass data.as_subclass(torch.Tensor)."
            )
        made._is_param = True
        return made

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(
                self.data.clone(memory_format=rushlight.preserve_format), self.requires_grad
            )
        return known

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol):
        return _rebuild_parameter, (type(self), self.data, self.requires_grad)


def _keeps_its_class(data):
    """Whether data is of a class whose __torch_function__ makes results of that class."""
    disabled = rushlight._core._disabled_torch_function_impl
    cls = type(data)
    if cls is rushlight.Tensor or not issubclass(cls, rushlight.Tensor) or hasattr(cls, "_overrides_rows_alone"):
        return False
    return cls.__torch_function__ is not disabled


class Buffer(rushlight.Tensor):
    """A tensor that becomes a buffer of the module it is assigned to: saved with it, moved with it, not trained.

    Args:
        data: the values; any shape. None gives an empty tensor.
        persistent: whether the buffer is part of the module's `state_dict`.

    >>> module = torch.nn.Module()
    >>> module.count = torch.nn.Buffer(torch.zeros(2))
    >>> list(module.state_dict())
    ['count']
    """

    __torch_function__ = rushlight._core._disabled_torch_function_impl

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = rushlight.empty(0)
        buffer = rushlight.Tensor._make_subclass(cls, data, data.requires_grad)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            data = self.data.clone(memory_format=rushlight.preserve_format)
            known = memo[id(self)] = type(self)(data, persistent=self.persistent)
        return known

    def __repr__(self):
        return repr(self.data)

    def __reduce_ex__(self, protocol):
        return _rebuild_buffer, (type(self), self.data, self.persistent)


def _rebuild_parameter(cls, data, requires_grad):
    return cls(data, requires_grad)


def _rebuild_buffer(cls, data, persistent):
    return cls(data, persistent=persistent)


_SHAPELESS = (
    "[{op}] an uninitialized parameter or buffer has no {what}. Call forward once to initialize it; a state_dict with "
    "uninitialized entries loads into lazy modules only."
)


class UninitializedTensorMixin:
    """What tensors without a shape have in common: they can be moved and cast, and `materialize` gives them a shape."""

    _ALLOWED = frozenset(
        (
            "__get__", "__hash__", "__set__", "bfloat16", "char", "copy_", "cpu", "cuda", "double", "float",
            "get_device", "half", "int", "is_complex", "is_floating_point", "long", "requires_grad_", "short", "size",
            "to", "to_dtype",
        )
    )  # fmt: skip

    def materialize(self, shape, device=None, dtype=None):
        """Become an ordinary parameter or buffer of this shape, in place; the values are arbitrary.

        >>> weight = torch.nn.UninitializedParameter()
        >>> weight.materialize((2, 3))
        >>> weight.shape, type(weight).__name__
        (torch.Size([2, 3]), 'Parameter')
        """
        dtype = self.dtype if dtype is None else dtype
        device = self.device if device is None else device
        self.__class__ = self.cls_to_become
        self.data = rushlight.empty(shape, device=device, dtype=dtype)

    @property
    def shape(self):
        """Refused: there is none yet."""
        raise RuntimeError(_SHAPELESS.format(op="shape", what="shape"))

    def share_memory_(self):
        """Refused: there is no memory yet."""
        raise RuntimeError(_SHAPELESS.format(op="share_memory_", what="memory to share"))

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, proto):
        return type(self), (self.requires_grad, self.device, self.dtype)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", None)
        if name == "__get__":  # `.data` is a plain Tensor
            return rushlight._core._disabled_torch_function_impl(func, types, args, kwargs or {})
        if name in cls._ALLOWED:
            return rushlight.Tensor.__torch_function__.__func__(cls, func, types, args, kwargs)  # stays uninitialized
        raise ValueError(
            f"[{getattr(func, '__name__', func)}] an uninitialized parameter cannot take part in a computation. "
            "Call forward of its module with an input of the right shape first."
        )


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet.

    Raises:
        ValueError: when it is used in a computation.
        RuntimeError: when it is asked for its shape.

    >>> torch.nn.UninitializedParameter()
    <UninitializedParameter>
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return rushlight.Tensor._make_subclass(cls, rushlight.empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return known


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer whose shape is not known yet.

    >>> torch.nn.UninitializedBuffer()
    <UninitializedBuffer>
    """

    cls_to_become = rushlight.Tensor
    persistent = True  # of results of a cast, which bypass __new__

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        data = rushlight.empty(0, device=device, dtype=dtype)
        buffer = rushlight.Tensor._make_subclass(cls, data, requires_grad)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype, self.persistent)
        return known

    def __reduce_ex__(self, proto):
        return type(self), (self.requires_grad, self.device, self.dtype, self.persistent)


def is_lazy(param):
    """Whether a parameter or buffer is uninitialized.

    >>> torch.nn.parameter.is_lazy(torch.nn.Parameter(torch.ones(1)))
    False
    """
    return isinstance(param, UninitializedTensorMixin)
