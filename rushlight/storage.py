"""The memory under tensors: as bytes, and, as PyTorch once showed it, as elements of one dtype.

>>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
>>> x[1].storage().tolist()
[1.0, 2.0, 3.0, 4.0]
"""

import rushlight
from rushlight import _core

UntypedStorage = _core.UntypedStorage


def _byte_list(self):
    """The bytes as a list of int."""
    return self.tensor().tolist()


def _copy(self, source, non_blocking=None):
    """Copies the bytes of another storage of the same size."""
    self.tensor().copy_(source.tensor())
    return self


def _fill(self, value):
    """Sets every byte."""
    self.tensor().fill_(value)
    return self


def _clone(self):
    """A new storage with the same bytes."""
    return self.tensor().clone().untyped_storage()


def _same(self):
    """The storage itself: it lives in the host's memory."""
    return self


for _name, _function in {
    "tolist": _byte_list, "copy_": _copy, "fill_": _fill, "clone": _clone, "cpu": _same, "untyped": _same,
    "__iter__": lambda self: iter(self.tolist()),
    "__getitem__": lambda self, index: self.tensor()[index].item(),
    "__setitem__": lambda self, index, value: self.tensor().__setitem__(index, value),
    "is_cuda": False, "is_sparse": False, "dtype": _core.uint8,
}.items():  # fmt: skip
    setattr(UntypedStorage, _name, _function)


class TypedStorage:
    """Elements of one dtype in a row: TypedStorage(size), TypedStorage(sequence), each with dtype=.

    Raises TypeError for what gives no elements. (Deprecated in PyTorch: use tensors, or `untyped_storage()`.)
    """

    dtype = None  # the default dtype; classes such as FloatStorage say their own

    def __init__(self, *args, wrap_storage=None, dtype=None, device=None, _internal=False):
        dtype = type(self).dtype or dtype or _core.get_default_dtype()
        if device is not None:
            _core.check_device(device)
        if wrap_storage is not None:
            self._elements = wrap_storage.tensor().view(dtype)
        elif len(args) == 1 and not isinstance(args[0], int):
            self._elements = rushlight.tensor(args[0], dtype=dtype).reshape(-1)
        elif len(args) < 2:
            self._elements = rushlight.empty(*args or (0,), dtype=dtype)
        else:
            raise TypeError(f"[TypedStorage] one size or sequence is wanted. Received {len(args)} arguments.")
        self.dtype = dtype

    def tolist(self):
        """The elements as Python numbers."""
        return self._elements.tolist()

    def untyped(self):
        """The bytes."""
        return self._elements.untyped_storage()

    def size(self):
        """The number of elements."""
        return len(self._elements)

    __len__ = size

    def nbytes(self):
        """The number of bytes."""
        return self._elements.nbytes

    def __sizeof__(self):
        return super().__sizeof__() + self.nbytes()

    def element_size(self):
        """Bytes per element."""
        return self.dtype.itemsize

    def data_ptr(self):
        """The address of the first element."""
        return self.untyped().data_ptr()

    def fill_(self, value):
        """Sets every element."""
        self._elements.fill_(value)
        return self

    def copy_(self, source, non_blocking=None):
        """Copies the elements of another storage of the same size."""
        self._elements.copy_(source._elements)
        return self

    def clone(self):
        """A new storage with the same elements."""
        return _of_tensor(self._elements.clone())

    def cpu(self):
        """The storage itself: it lives in the host's memory."""
        return self

    def type(self, dtype=None):
        """The name of its legacy class; or, given a dtype, a storage of that."""
        if dtype is None:
            return _core.Tensor.type(self._elements).replace("Tensor", "Storage")
        return _of_tensor(self._elements.to(dtype))

    @property
    def device(self):
        """The cpu."""
        return self._elements.device

    is_cuda = is_sparse = False

    def __getitem__(self, index):
        if isinstance(index, slice):
            raise RuntimeError("[TypedStorage] the index must be an int: slices are for tensors. Received a slice.")
        return self._elements[index].item()

    def __setitem__(self, index, value):
        self._elements[index] = value

    def __iter__(self):
        return iter(self.tolist())

    def __eq__(self, other):
        return isinstance(other, TypedStorage) and self.dtype == other.dtype and self.untyped() == other.untyped()

    def __hash__(self):
        return hash(self.untyped())

    def __repr__(self):
        elements = "\n".join(f" {x}" for x in self)
        return f"{elements}\n[torch.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


def _of_tensor(flat):
    """The storage over a 1-d tensor's elements."""
    made = TypedStorage(dtype=flat.dtype)
    made._elements = flat
    return made


def typed_storage(tensor):
    """All elements in a tensor's memory, also those that the tensor does not show."""
    return _of_tensor(tensor.detach().untyped_storage().tensor().view(tensor.dtype))


# FloatStorage, LongStorage, ...: named as the legacy tensor types are.
CLASSES = {
    text.removeprefix("torch.").replace("Tensor", "Storage"): dtype
    for dtype, text in rushlight.ops.conversion.TYPE_NAMES.items()
}


def storage_class(name):
    """The class of that name."""
    return type(name, (TypedStorage,), {"dtype": CLASSES[name], "__doc__": f"Elements of {CLASSES[name]} in a row."})
