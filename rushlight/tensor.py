"""What Tensor can do in Python: backward, copying, pickling, NumPy's protocols. Operators are in rushlight.ops."""

import importlib

from rushlight import _core, unsupported
from rushlight.ops.composition import offer

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
    if self._backward_hooks:
        from rushlight.utils.hooks import warn_if_has_hooks

        warn_if_has_hooks(self)
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
    made = self.detach() if self.is_leaf else _core.alias(self)
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
def __array_namespace__(self, /, *, api_version=None):
    """The functions of the array API standard, for tensors. Raises ValueError for a version that they do not follow.

    >>> torch.ones(1).__array_namespace__().__array_api_version__
    '2024.12'
    """
    namespace = importlib.import_module("rushlight.array_api")
    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
        raise ValueError(
            f"[__array_namespace__] api_version must be a version of the standard up to "
            f"{namespace.__array_api_version__}. Received {api_version!r}."
        )
    return namespace


@_method
def to_device(self, device, /, *, stream=None):
    """The tensor itself: only the cpu holds tensors. (The array API standard's name of `to`.)"""
    return self.to(device)


@_method
def __reversed__(self):
    return self.flip(0) if self.dim() else self


@_method
def apply_(self, callable):
    """Replaces every element by callable(element); for small tensors and debugging."""
    flat = [callable(x) for x in self.reshape(-1).tolist()]
    return self.copy_(_core.tensor_from(flat, self.dtype, True).reshape(self.shape))


@_method
def map_(self, tensor, callable):
    """Replaces every element by callable(element, tensor's element)."""
    pairs = zip(self.reshape(-1).tolist(), tensor.expand(self.shape).reshape(-1).tolist(), strict=True)
    flat = [callable(a, b) for a, b in pairs]
    return self.copy_(_core.tensor_from(flat, self.dtype, True).reshape(self.shape))


@_method
def to_dense(self, dtype=None, *, masked_grad=None):
    """The tensor itself; sparse ones have a method of their own."""
    return self if dtype is None else self.to(dtype)


def _sparse_method(name):
    """A method that strided tensors share with sparse ones; the package loads when one is called."""

    def method(self, *args, **kwargs):
        return importlib.import_module("rushlight.sparse.creation").dense_method(name)(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    setattr(Tensor, name, method)


for _name in (
    "to_sparse", "to_sparse_coo", "to_sparse_csr", "to_sparse_csc", "sparse_mask", "sparse_dim", "dense_dim",
    "coalesce", "is_coalesced", "indices", "values", "crow_indices", "col_indices", "ccol_indices", "row_indices",
    "_nnz", "_indices", "_values", "smm", "sspaddmm",
):  # fmt: skip
    _sparse_method(_name)


@_method
def dim_order(self, *, ambiguity_check=False):
    """The dimensions from the outermost in memory to the innermost.

    Raises RuntimeError with ambiguity_check when two have the same stride.
    """
    if ambiguity_check and len(set(self.stride())) < self.dim():
        raise RuntimeError(
            f"[dim_order] The tensor does not have unique dim order. Received strides {self.stride()}. "
            "Use contiguous()."
        )
    return tuple(sorted(range(self.dim()), key=lambda d: -self.stride(d)))


@_method
def storage(self):
    """The elements of the memory under the tensor (deprecated: use untyped_storage())."""
    return importlib.import_module("rushlight.storage").typed_storage(self)


@_method
def storage_type(self):
    """The class of storage(), such as FloatStorage."""
    return getattr(importlib.import_module("rushlight"), self.storage().type().removeprefix("torch."))


@_method
def new(self, *args, device=None):
    """A tensor of this dtype: new(*size) is uninitialised, new(sequence) holds the data. (Deprecated: new_tensor.)"""
    if device is not None:
        _core.check_device(device)
    return importlib.import_module("rushlight.tensor_types").constructed(self.dtype, *args)


@_method
def module_load(self, other, assign=False):
    """What Module.load_state_dict puts in this tensor's place: itself holding other's values, or other (assign)."""
    return other.detach() if assign else self.detach().copy_(other).detach()


@_method
def record_stream(self, stream):
    """Raises RuntimeError: streams are an accelerator's."""
    raise RuntimeError("[record_stream] the tensor must be an accelerator's. Received a tensor on the cpu.")


def _torch_function(cls, func, types, args=(), kwargs=None):
    """Calls func as if no argument overrode it; its tensors become objects of cls. For super().__torch_function__."""
    if not all(issubclass(cls, other) for other in types):
        return NotImplemented
    before = _core._set_torch_function_enabled(False)
    try:
        result = func(*args, **(kwargs or {}))
        return result if func in (_GET_GRAD, _GET_BASE) else _converted(result, cls)
    finally:
        _core._set_torch_function_enabled(before)


def _converted(result, cls):
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    if isinstance(result, (tuple, list)):
        return type(result)(_converted(x, cls) for x in result)
    return result


_GET_GRAD, _GET_BASE = Tensor.grad.__get__, Tensor._base.__get__
Tensor.__torch_function__ = classmethod(_torch_function)
Tensor.__torch_dispatch__ = unsupported.refusal("__torch_dispatch__", unsupported.METHODS["_make_wrapper_subclass"])
Tensor.name = property(lambda self: "", doc="The empty string: tensors have no names.")
Tensor.grad_dtype = property(lambda self: self.dtype, doc="The dtype that .grad has: the tensor's own.")


for _name, _reason in unsupported.METHODS.items():
    if not hasattr(Tensor, _name):
        setattr(Tensor, _name, unsupported.refusal(_name, _reason))

# What makes objects of a class, or is told of one, is not asked about.
_NOT_OFFERED = (
    "__new__", "__setstate__", "__torch_dispatch__", "__torch_function__", "_backward_with", "_make_subclass",
    "_make_wrapper_subclass", "as_subclass",
)  # fmt: skip
_members = {name: member for name, member in vars(Tensor).items() if name not in _NOT_OFFERED}
for _name, _member in offer(_members, "rushlight:Tensor.").items():
    if _member is not _members[_name]:
        setattr(Tensor, _name, _member)
