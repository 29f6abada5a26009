"""A tensor with a hidden batch: what a function sees of its arguments while `vmap` maps it.

`Batched` holds a tensor whose leading dimension is the batch, and shows the shape of one example. Operators ask it
through `__torch_function__`, find the rule of the operator (rushlight.func.rules) and run it on the tensor inside,
which may be `Batched` in turn where maps are nested. So there is nothing new below: autograd records what happens to
the innermost tensors.

It poses as a Tensor, so that isinstance() holds; but to the core, which looks at the type, it is none. There is no
memory that a binding could read by mistake: what has no rule refuses.
"""

import threading
from types import FunctionType

from rushlight import _core
from rushlight.utils import _pytree as pytree

Tensor = _core.Tensor


class Level:
    """One vmap while it runs."""

    __slots__ = ("depth", "randomness", "running", "size")

    def __init__(self, depth, size, randomness):
        self.depth = depth
        self.size = size
        self.randomness = randomness
        self.running = True


class _Running(threading.local):
    def __init__(self):
        self.levels = []


running = _Running()  # .levels: of the maps that run on this thread, the outermost first


class Batched:
    """One level's view of `value` [B, *shape]: a tensor of that shape for each of B examples."""

    def __init__(self, value, level):
        self.value = value
        self.level = level

    __class__ = property(lambda self: Tensor)
    _overrides_rows_alone = True
    __array_priority__ = 1000  # a NumPy number on the left asks __rmul__ and its like

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        from rushlight.func.rules import dispatch  # the rules build on this module

        return dispatch(function, args, kwargs or {})

    def __getattr__(self, name):
        # The operators in Python and the methods made of rows; both ask __torch_function__ in the end.
        found = getattr(Tensor, name)
        if isinstance(found, _core.Op) or isinstance(getattr(found, "__wrapped__", None), FunctionType):
            setattr(Batched, name, found)
            return getattr(self, name)
        _refuse(name)

    # --- what describes a tensor
    @property
    def shape(self):
        return _core.Size(self.value.shape[1:])

    @property
    def ndim(self):
        return self.value.ndim - 1

    @property
    def nbytes(self):
        return self.numel() * self.itemsize

    def dim(self):
        return self.value.ndim - 1

    ndimension = dim

    def size(self, dim=None):
        shape = self.shape
        return shape if dim is None else shape[wrap_dim("size", dim, len(shape))]

    def stride(self, dim=None):
        strides = self.value.stride()[1:]
        return strides if dim is None else strides[wrap_dim("stride", dim, len(strides))]

    def numel(self):
        return self.shape.numel()

    nelement = numel

    def is_same_size(self, other):
        return self.shape == other.shape

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.value.shape[1]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter([Batched(row, self.level) for row in self.value.unbind(1)])

    def __repr__(self, *, tensor_contents=None):
        state = "" if self.level.running else ", its vmap has returned"
        inside = repr(self.value).replace("\n", "\n    ")
        return f"Batched(shape={list(self.shape)}, level={self.level.depth}{state}, value=\n    {inside}\n)"

    def __format__(self, specification):
        return format(repr(self), specification)

    def __hash__(self):
        return id(self)

    # --- autograd
    @property
    def requires_grad(self):
        return self.value.requires_grad

    @requires_grad.setter
    def requires_grad(self, on):
        self.requires_grad_(on)

    def requires_grad_(self, requires_grad=True):
        raise RuntimeError(
            "[requires_grad_] a tensor must not be made to require grad inside vmap. Use torch.func.grad, vjp, jacrev, "
            "jacfwd or hessian in the mapped function, or set requires_grad outside."
        )

    @property
    def grad(self):
        found = self.value.grad
        return None if found is None else Batched(found, self.level)

    @property
    def data(self):
        return Batched(self.value.data, self.level)

    def detach(self):
        return Batched(self.value.detach(), self.level)

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        raise RuntimeError(
            "[backward] backward() must not be called inside vmap: .grad would have to hold a batch. Use "
            "torch.func.grad or torch.func.vjp in the mapped function."
        )

    # --- matrices and parts by name
    @property
    def mT(self):
        return self.transpose(-2, -1)

    @property
    def mH(self):
        return self.transpose(-2, -1).conj()

    @property
    def T(self):
        return self.permute(*reversed(range(self.ndim)))

    @property
    def H(self):
        return self if self.ndim == 0 else self.mH

    @property
    def real(self):
        return Batched(self.value.real, self.level)

    @property
    def imag(self):
        return Batched(self.value.imag, self.level)

    # --- indexing
    def __getitem__(self, key):
        return self.__torch_function__(Tensor.__getitem__, (), (self, key))

    def __setitem__(self, key, value):
        self.__torch_function__(Tensor.__setitem__, (), (self, key, value))

    # --- new tensors like it: of the whole batch, so that examples may be written into them
    def new_empty(self, *size, **options):
        return self._new(self.value.new_empty, size, options)

    def new_zeros(self, *size, **options):
        return self._new(self.value.new_zeros, size, options)

    def new_ones(self, *size, **options):
        return self._new(self.value.new_ones, size, options)

    def new_full(self, size, fill_value, **options):
        return Batched(self.value.new_full((self.level.size, *size), fill_value, **options), self.level)

    def _new(self, make, size, options):
        size = options.pop("size", size[0] if len(size) == 1 and not isinstance(size[0], int) else size)
        return Batched(make((self.level.size, *size), **options), self.level)

    # --- what would need the one value that is not there
    def item(self):
        raise RuntimeError(
            "[vmap] item() must not be called under vmap: the tensor stands for a whole batch, so there is no one "
            "number. Compute with the tensor itself, or take the call out of the mapped function."
        )

    __float__ = __int__ = __index__ = __complex__ = tolist = item

    def __bool__(self):
        raise RuntimeError(
            "[vmap] a tensor must not decide control flow under vmap (data-dependent control flow): it may be true for "
            "some examples and false for others. Use torch.where(condition, a, b)."
        )

    def __contains__(self, value):
        return bool((self == value).any())

    def numpy(self, *, force=False):
        raise RuntimeError(
            "[vmap] numpy() must not be called under vmap: the tensor stands for a whole batch. Use operators on "
            "tensors, or an autograd.Function with a vmap rule."
        )

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def __reduce_ex__(self, protocol):
        raise RuntimeError("[vmap] a tensor inside vmap must not be saved. Return it from the mapped function.")

    def __copy__(self):
        return self.alias()

    def __deepcopy__(self, memo):
        return self.detach().clone()


def _refuse(name):
    raise RuntimeError(
        f"[vmap] Tensor.{name} must not be used under vmap: it concerns memory, and the tensor stands for a whole "
        "batch. Use operators on tensors, or take it out of the mapped function."
    )


def _kept(name):
    """An attribute that is the same for the tensor inside."""
    return property(lambda self: getattr(self.value, name))


def _asked(name):
    """A method that answers for the tensor inside."""

    def ask(self, *args, **kwargs):
        return getattr(self.value, name)(*args, **kwargs)

    return ask


def _operator(name, *, swapped=False):
    row = getattr(_core, name)

    def call(self, other):
        if not isinstance(other, (Tensor, complex)) and not hasattr(type(other), "__float__"):
            return NotImplemented
        return row(other, self) if swapped else row(self, other)

    return call


def _fill_class():
    for name in (
        "dtype", "device", "layout", "itemsize", "is_cpu", "is_cuda", "is_xpu", "is_mps", "is_mtia", "is_xla", "is_ipu",
        "is_maia", "is_vulkan", "is_meta", "is_mkldnn", "is_quantized", "is_sparse", "is_sparse_csr", "is_nested",
        "grad_fn", "is_leaf", "retains_grad", "output_nr",
    ):  # fmt: skip
        setattr(Batched, name, _kept(name))
    for name in (
        "element_size", "is_floating_point", "is_complex", "is_signed", "is_inference", "get_device", "is_conj",
        "is_neg", "is_pinned", "is_shared", "has_names", "is_contiguous",
    ):  # fmt: skip
        setattr(Batched, name, _asked(name))
    for name in ("resize_", "resize_as_", "set_"):
        setattr(Batched, name, lambda self, *args, name=name, **kwargs: _refuse(name))
    binary = {
        "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
        "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
        "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
    }  # fmt: skip
    for symbol, row in binary.items():
        setattr(Batched, f"__{symbol}__", _operator(row))
        setattr(Batched, f"__r{symbol}__", _operator(row, swapped=True))
        if symbol != "matmul":
            setattr(Batched, f"__i{symbol}__", _operator(row + "_"))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Batched, f"__{name}__", _operator(name))
    Batched.__neg__ = lambda self: _core.neg(self)
    Batched.__abs__ = lambda self: _core.abs(self)
    Batched.__invert__ = lambda self: _core.bitwise_not(self)
    Batched.__pos__ = Batched.resolve_conj = Batched.resolve_neg = lambda self: self


_fill_class()


# --- what rules and transforms ask
def is_at(x, level):
    """Whether `x` has a batch at this level."""
    return type(x) is Batched and x.level is level


def inside(x, level):
    """The tensor with the batch at this level as its leading dimension, or `x` as it is."""
    return x.value if is_at(x, level) else x


def front(x, level):
    """The tensor with a leading batch dimension in any case: what is the same for all examples is expanded."""
    return x.value if is_at(x, level) else x.unsqueeze(0).expand(level.size, *x.shape)


def lifted(x, level, rank):
    """As `inside`, with dimensions of size 1 behind the batch, so that it broadcasts with examples of `rank`."""
    if not is_at(x, level):
        return x
    value = x.value
    for _ in range(rank - x.ndim):
        value = value.unsqueeze(1)
    return value


def levels_of(x):
    """The levels at which `x` has a batch, the innermost first."""
    found = []
    while type(x) is Batched:
        found.append(x.level)
        x = x.value
    return found


def innermost(x):
    """The tensor itself, with all batches in front: where autograd records."""
    while type(x) is Batched:
        x = x.value
    return x


def wrapped(value, levels):
    """The inverse of `innermost`, for levels as `levels_of` gives them."""
    for level in reversed(levels):
        value = Batched(value, level)
    return value


def over(x, levels):
    """`x` with a batch at every one of `levels` (outermost first): expanded where it had none."""
    had = levels_of(x)
    have = {level.depth: level for level in [*levels, *had]}
    if len(have) == len(had):
        return x
    value = innermost(x)
    for place, depth in enumerate(sorted(have)):
        if have[depth] not in had:
            value = value.unsqueeze(place)
            value = value.expand(*value.shape[:place], have[depth].size, *value.shape[place + 1 :])
    return wrapped(value, [have[depth] for depth in sorted(have, reverse=True)])


def wrap_dim(op, dim, rank):
    """A dimension of an example, counted from the front."""
    low = max(rank, 1)
    if not -low <= dim < low:
        raise IndexError(
            f"[{op}] Dimension out of range (expected to be in range of [{-low}, {low - 1}], but got {dim})."
        )
    return dim % low


def leaves_at(tree):
    """The Batched tensors in nested arguments."""
    return [x for x in pytree.tree_leaves(tree) if type(x) is Batched]
