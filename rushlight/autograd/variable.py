"""`Variable`: the name that tensors with a gradient had before tensors could have one."""

import rushlight

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, rushlight.Tensor)


class Variable(metaclass=_VariableMeta):
    """`Variable(data, requires_grad=False)` gives a tensor that shares `data`; every tensor is a Variable.

    >>> torch.autograd.Variable(torch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data=None, requires_grad=False, volatile=None):
        tensor = rushlight.empty(0) if data is None else data.detach()
        return tensor.requires_grad_(requires_grad)
