"""Tensors with a role inside a module: `Parameter` is trained, `Buffer` is kept."""

import rushlight

__all__ = ["Buffer", "Parameter"]


class Parameter(rushlight.Tensor):
    """A tensor that becomes a parameter of the module it is assigned to.

    Args:
        data: the values; any shape. None gives an empty tensor.
        requires_grad: whether gradients are computed for it. Only floating point and complex data may say True.

    Raises:
        RuntimeError: if integer or boolean data is to require a gradient.

    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = rushlight.empty(0)
        return rushlight.Tensor._make_subclass(cls, data, requires_grad)

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
