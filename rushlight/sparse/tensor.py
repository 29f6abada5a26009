"""`SparseTensor`: a tensor that stores some of its elements, as index tensors and a tensor of values.

To the core it is a shell: a shape and a dtype without elements, which every operator refuses. What is implemented for
it is a function of the same name in this package, found through `__torch_function__`, and works on the indices and the
values, which are ordinary tensors. Gradients follow from that: they are those of the values.
"""

from copy import deepcopy

import rushlight
from rushlight import _core, printing

Tensor = _core.Tensor

IMPLEMENTATIONS = {}  # the operator's name -> what it does when an argument is sparse
KINDS = {}  # the layout -> its class


def implements(*names):
    """Makes the function what the operators of these names do with sparse tensors; its own name, if none is given."""

    def note(function):
        IMPLEMENTATIONS.update(dict.fromkeys(names or (function.__name__,), function))
        return function

    return note


def refuse(name):
    """The error of what is not implemented for sparse tensors."""
    raise NotImplementedError(f"[{name}] is not implemented for sparse tensors. Call .to_dense() first.")


def is_sparse(value):
    """Whether value is a tensor with a sparse layout."""
    return isinstance(value, SparseTensor)


class SparseTensor(Tensor):
    """What the layouts share.

    `_elements` are the values, with their history; `_places` says where they stand, as the layout wants it. A subclass
    names its `layout` and gives `_like(elements)`, the same places with other values, and the ways to and from COO,
    `_as_coo()` and `_from_coo(tensor)`.
    """

    layout = None
    _overrides_rows_alone = True

    def __init_subclass__(cls):
        if cls.layout is not None:
            KINDS[cls.layout] = cls

    @classmethod
    def _make(cls, elements, size, **state):
        shell = Tensor._make_subclass(cls, _core.sparse_shell(list(size), elements.dtype))
        shell.__dict__.update(state, _elements=elements)
        return shell

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name, kwargs = func.__name__, kwargs or {}
        target = kwargs.pop("out", None)
        if name not in IMPLEMENTATIONS and name.endswith("_"):
            name, target = name[:-1], args[0] if args else kwargs["input"]
        if name not in IMPLEMENTATIONS:
            refuse(func.__name__)
        result = IMPLEMENTATIONS[name](*args, **kwargs)
        return result if target is None else write(target, result)

    # --- what a shell cannot know

    is_sparse = property(lambda self: self.layout is rushlight.sparse_coo, doc="Whether the layout is sparse_coo.")
    is_sparse_csr = property(lambda self: self.layout is rushlight.sparse_csr, doc="Whether the layout is sparse_csr.")
    grad_fn = property(lambda self: None if self.is_leaf else self._elements.grad_fn)
    is_leaf = property(lambda self: self._elements.is_leaf, doc="Whether no operator with a recorded gradient made it.")
    T = property(lambda self: self.t())
    mT = property(lambda self: self.transpose(-2, -1), doc="The transpose of every matrix.")
    H = property(lambda self: self.t().conj(), doc="The conjugate transpose.")
    real = property(lambda self: rushlight.real(self), doc="The real parts.")
    imag = property(lambda self: rushlight.imag(self), doc="The imaginary parts.")

    @property
    def requires_grad(self):
        """Whether backward() computes a gradient for the values."""
        return self._elements.requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        self._elements.requires_grad = value

    def requires_grad_(self, requires_grad=True):
        """Sets the flag of the values and returns the tensor."""
        self._elements.requires_grad_(requires_grad)
        return self

    @property
    def grad(self):
        """The gradient of the values, at their places; None before backward()."""
        grad = self._elements.grad
        return None if grad is None else self._like(grad)

    @grad.setter
    def grad(self, value):
        if value is None:
            self._elements.grad = None
            return
        places = self._as_coo()._places
        if not is_sparse(value) or not (value.shape == self.shape and value._as_coo()._places.equal(places)):
            raise RuntimeError("[grad] must be None, or sparse with the tensor's size and indices.")
        self._elements.grad = value._elements

    @property
    def data(self):
        """The tensor without history, on the same indices and values."""
        return self.detach()

    @data.setter
    def data(self, value):
        with rushlight.no_grad():
            write(self, value)

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Adds gradients into the leaves: `gradient`, strided or sparse, is that of this tensor."""
        rushlight.autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def retain_grad(self):
        """Lets backward() fill .grad although the tensor is no leaf."""
        self._elements.retain_grad()

    def register_hook(self, hook):
        """Refused: hooks belong to the values."""
        refuse("register_hook")

    def detach(self):
        """A tensor on the same indices and values without history."""
        return self._like(self._elements.detach())

    def detach_(self):
        """Cuts the tensor off its history."""
        self._elements = self._elements.detach()
        return self

    def values(self):
        """The values, differentiable."""
        return _core.alias(self._elements)

    def _values(self):
        return self._elements.detach()

    def _nnz(self):
        return self._elements.shape[0]

    def is_contiguous(self, memory_format=None):
        """False: there is no memory in the tensor's shape."""
        return False

    def item(self):
        """The value of a tensor of one element."""
        return self.to_dense().item()

    def numpy(self, *, force=False):
        """Refused with TypeError, as numpy has no sparse arrays."""
        raise TypeError("[numpy] can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.")

    def __getitem__(self, key):
        return IMPLEMENTATIONS["__getitem__"](self, key)

    def __setitem__(self, key, value):
        refuse("__setitem__")

    def __iter__(self):
        return iter([self[i] for i in range(len(self))])

    def __contains__(self, value):
        refuse("__contains__")

    # --- other dtypes and layouts

    def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
        """The tensor with values of another dtype; itself when nothing changes and copy is False."""
        elements = self._elements.to(*args, dtype=dtype, device=device, copy=copy)
        return self if elements is self._elements else self._like(elements)

    def type(self, dtype=None, non_blocking=False):
        """The type as text, or the tensor converted to dtype."""
        if dtype is None:
            return self._elements.type().replace("torch.", "torch.sparse.")
        return self._like(self._elements.type(dtype))

    def type_as(self, other):
        """The tensor with other's dtype."""
        return self.to(other.dtype)

    def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
        """The tensor in another sparse layout."""
        return to_layout(self, layout or rushlight.sparse_coo, sparse_dim)

    def to_sparse_csr(self, dense_dim=None):
        """The matrix with compressed rows."""
        return to_layout(self, rushlight.sparse_csr)

    def to_sparse_csc(self, dense_dim=None):
        """The matrix with compressed columns."""
        return to_layout(self, rushlight.sparse_csc)

    # --- text, copies, pickles

    def __repr__(self, *, tensor_contents=None):
        return printing.sparse_repr(self, self._named_parts())

    def __reduce_ex__(self, protocol):
        if self.requires_grad and not self.is_leaf:
            raise RuntimeError("[pickle] only leaf tensors can be serialized: this one has a history. Detach it first.")
        return rebuild, (type(self), self._elements.detach(), self.requires_grad, self._state(), tuple(self.shape))

    def _state(self):
        return {name: value for name, value in self.__dict__.items() if name != "_elements"}

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            state = deepcopy(self._state(), memo)
            memo[id(self)] = type(self)._make(deepcopy(self._elements, memo), self.shape, **state)
        return memo[id(self)]

    def __copy__(self):
        return self._like(self._elements)


def rebuild(cls, elements, requires_grad, state, size):
    """A sparse tensor from its pickle."""
    return cls._make(elements.requires_grad_(requires_grad), size, **state)


def _convert_method(name):
    dtype = getattr(_core, name)
    return lambda self, memory_format=None: self.to(dtype)


for _name, _dtype in {
    "bool": "bool", "half": "float16", "bfloat16": "bfloat16", "float": "float32", "double": "float64",
    "byte": "uint8", "char": "int8", "short": "int16", "int": "int32", "long": "int64", "cfloat": "complex64",
    "cdouble": "complex128",
}.items():  # fmt: skip
    setattr(SparseTensor, _name, _convert_method(_dtype))


def write(target, result):
    """Makes `result` what the tensor `target` holds: the in-place forms."""
    if not is_sparse(target):
        return target.copy_(result.to_dense() if is_sparse(result) else result)
    if rushlight.is_grad_enabled() and target.requires_grad and target.is_leaf:
        raise RuntimeError(
            "[sparse] a leaf Variable that requires grad is being used in an in-place operation. "
            "Work under torch.no_grad(), or on a clone()."
        )
    if not is_sparse(result) or not rushlight.can_cast(result.dtype, target.dtype):
        raise RuntimeError(
            f"[sparse] the result of an in-place operation must be sparse, and its dtype castable to {target.dtype}. "
            f"Received {result.layout}, {result.dtype}."
        )
    result = to_layout(result, target.layout).to(target.dtype)
    if target.requires_grad and target.is_leaf:  # it stays a leaf, with its gradient
        grad = target._elements.grad
        result = result.detach().requires_grad_()
        result._elements.grad = grad if grad is not None and grad.shape == result._elements.shape else None
    target.__dict__.update(result.__dict__)
    if target.shape != result.shape:
        Tensor.data.__set__(target, result)
    return target


def to_layout(tensor, layout, sparse_dim=None):
    """A sparse tensor in the given layout: itself when it has it already."""
    if sparse_dim not in (None, tensor.sparse_dim()):
        raise RuntimeError(
            "[to_sparse] conversion from Sparse to Sparse with sparse_dim argument !=self.sparse_dim() is not "
            f"supported. Received sparse_dim {sparse_dim} for {tensor.sparse_dim()}. Convert to_dense() first."
        )
    if tensor.layout is layout:
        return tensor
    if layout is rushlight.strided:
        return tensor.to_dense()
    return kind_of("to_sparse", layout)._from_coo(tensor._as_coo())


def kind_of(op, layout):
    """The class of a layout."""
    if layout not in KINDS:
        raise NotImplementedError(
            f"[{op}] layout must be torch.sparse_coo, torch.sparse_csr or torch.sparse_csc. Received {layout}: "
            "blocks are not supported."
        )
    return KINDS[layout]
