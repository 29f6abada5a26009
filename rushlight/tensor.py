"""What Tensor can do in Python: backward, copying, pickling, NumPy's protocols. Operators are in rushlight.ops."""

import importlib

from rushlight import _core

Tensor = _core.Tensor


def _method(function):
    setattr(Tensor, function.__name__, function)
    return function


@_method
def _backward_with(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Tensor.backward with arguments.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).backward(torch.ones(2), retain_graph=True)
    >>> x.grad
    tensor([2., 4.])
    """
    if gradient is None and inputs is None:
        retain = create_graph if retain_graph is None else retain_graph
        _core.run_backward((self,), (None,), retain, create_graph, (), True, True)
        return
    # Loaded here, because autograd builds on this module.
    importlib.import_module("rushlight.autograd").backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def rebuild(cls, data, dtype, size, requires_grad, state):
    """A tensor from its pickle: raw bytes, which carry no code."""
    flat = _core.from_buffer(bytearray(data)) if data else _core.empty(0, dtype=_core.uint8)
    made = flat.clone().view(dtype).reshape(size) if data else _core.empty(size, dtype=dtype)
    if cls is not Tensor:
        made = Tensor._make_subclass(cls, made, requires_grad)
    elif requires_grad:
        made.requires_grad_()
    if state:
        made.__dict__.update(state)
    return made


def _bytes(self):
    plain = self.detach().contiguous()
    return bytes(memoryview(plain.reshape(-1).view(_core.uint8))) if plain.numel() else b""


@_method
def __reduce_ex__(self, protocol):
    if self.requires_grad and not self.is_leaf:
        raise RuntimeError(
            "[pickle] only leaf tensors can be serialized: this one has a history. Call .detach() first."
        )
    state = getattr(self, "__dict__", None) or None
    return rebuild, (type(self), _bytes(self), self.dtype, tuple(self.shape), self.requires_grad, state)


@_method
def __deepcopy__(self, memo):
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "[deepcopy] Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
            "the moment. Call .detach() or .clone() first."
        )
    made = self.detach().clone()
    if type(self) is not Tensor:
        made = Tensor._make_subclass(type(self), made, self.requires_grad)
    elif self.requires_grad:
        made.requires_grad_()
    if self.grad is not None:
        made.grad = self.grad.__deepcopy__(memo)
    memo[id(self)] = made
    if getattr(self, "__dict__", None):
        from copy import deepcopy

        made.__dict__.update(deepcopy(self.__dict__, memo))
    return made


@_method
def __copy__(self):
    made = self.detach() if self.is_leaf else self.alias()
    if type(self) is not Tensor:
        made = Tensor._make_subclass(type(self), made, self.requires_grad)
    elif self.requires_grad and self.is_leaf:
        made.requires_grad_()
    made.__dict__.update(self.__dict__)
    return made


@_method
def __setstate__(self, state):
    self.__dict__.update(state)


@_method
def resize_(self, *size, memory_format=None):
    """Changes the shape in place; new elements are uninitialised. Raises RuntimeError when a gradient is required."""
    if self.requires_grad:
        raise RuntimeError("[resize_] cannot resize variables that require grad. Work on .data or a clone().")
    _core.resize_(self, size[0] if len(size) == 1 and not isinstance(size[0], int) else size)
    return self


@_method
def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Makes this tensor look at the memory of `source`."""
    if source is None:
        source = _core.empty(0, dtype=self.dtype)
    if size is not None:
        source = source.as_strided(size, stride or _core.empty(size).stride(), storage_offset)
    self.data = source
    return self


@_method
def __array_wrap__(self, array, context=None, return_scalar=False):
    return _core.tensor_from(array, None, False)


@_method
def __reversed__(self):
    return self.flip(0) if self.dim() else self


@_method
def apply_(self, function):
    """Replaces every element by function(element); for small tensors and debugging."""
    flat = [function(x) for x in self.reshape(-1).tolist()]
    return self.copy_(_core.tensor_from(flat, self.dtype, True).reshape(self.shape))


@_method
def map_(self, other, function):
    """Replaces every element by function(element, other's element)."""
    pairs = zip(self.reshape(-1).tolist(), other.expand(self.shape).reshape(-1).tolist(), strict=True)
    flat = [function(a, b) for a, b in pairs]
    return self.copy_(_core.tensor_from(flat, self.dtype, True).reshape(self.shape))


@_method
def to_dense(self, dtype=None, *, masked_grad=None):
    """The tensor itself: every tensor is dense."""
    return self if dtype is None else self.to(dtype)


@_method
def dim_order(self):
    """The dimensions from the outermost in memory to the innermost."""
    return tuple(sorted(range(self.dim()), key=lambda d: -self.stride(d)))


def legacy_type(name, dtype):
    """FloatTensor and its like: a class that makes tensors of one dtype and recognises them."""

    class Kind(type):
        def __instancecheck__(cls, value):
            return isinstance(value, Tensor) and value.dtype == dtype

    def new(cls, *args):
        if len(args) == 1 and isinstance(args[0], (list, tuple)) and not isinstance(args[0], _core.Size):
            return _core.tensor_from(args[0], dtype, True)
        if len(args) == 1 and isinstance(args[0], Tensor):
            return args[0].to(dtype)
        if len(args) == 1 and not isinstance(args[0], (int, tuple)):
            return _core.tensor_from(args[0], dtype, True)
        return _core.empty(args[0] if args and isinstance(args[0], tuple) else args or (0,), dtype=dtype)

    return Kind(name, (), {"__new__": new, "dtype": dtype, "__module__": "rushlight"})
