"""The constructions that a file may ask for: a short table from the names of classes and functions to what they make.

Each takes what the file gives and checks it; none runs code of the file's choosing. What is not in the table stays
inert (docs/decisions/0017). An entry is a function of the reader (`Resolver`) and the arguments of the call.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import rushlight
from rushlight.serialization.record import Record, Reference

if TYPE_CHECKING:
    from rushlight.serialization.resolver import Resolver


class Known(NamedTuple):
    """What a name stands for: its value, and what calling it makes (None: it is not called, but is plain data)."""

    value: Any
    make: Callable[..., Any] | None


_TENSOR_BYTES = 500  # of a tensor's own objects, measured
_PLAIN_CLASSES = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset, complex, object)
_SEQUENCES = (list, tuple, set, frozenset, deque)


# ---- Python's ------------------------------------------------------------------------------------------------------


def _sequence(reader: Resolver, values: Any) -> list[Any]:
    """The elements of a sequence, which must be there already: nothing is generated."""
    if type(values) not in _SEQUENCES:
        raise TypeError(f"a sequence is wanted, not a {type(values).__name__}")
    reader.budget.spend(64 + 8 * len(values))
    return list(values)


def _pairs(reader: Resolver, values: Any) -> list[tuple[Any, Any]]:
    """The items of a dict, or of a sequence of pairs, whose keys can be hashed."""
    if isinstance(values, dict):
        pairs = list(values.items())
    else:
        pairs = [(key, value) for key, value in _sequence(reader, values)]
        reader.frozen([key for key, _ in pairs])
    reader.budget.spend(200 + 100 * len(pairs))
    return pairs


def _mapping(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda reader, items=(): kind(_pairs(reader, items))


def _counter(reader: Resolver, items: Any = ()) -> Any:
    made: Counter[Any] = Counter()
    for key, count in _pairs(reader, items):
        made[key] = count
    return made


def _defaultdict(reader: Resolver, factory: Any = None, items: Any = ()) -> Any:
    if factory is not None and factory not in (bool, int, float, str, list, dict, set, tuple, OrderedDict):
        return Record("collections", "defaultdict", (factory, items))
    return defaultdict(factory, _pairs(reader, items))


def _deque(reader: Resolver, values: Any = (), limit: int | None = None) -> Any:
    return deque(_sequence(reader, values), limit)


def _list_of(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda reader, values=(): kind(_sequence(reader, values))


def _set(reader: Resolver, values: Any = ()) -> Any:
    return set(reader.frozen(_sequence(reader, values)))


def _frozenset(reader: Resolver, values: Any = ()) -> Any:
    return reader.frozen(_sequence(reader, values))


def _bytes_of(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def make(reader: Resolver, data: Any = b"", encoding: Any = "latin1") -> Any:
        if type(data) is str:
            data = _encode(reader, data, encoding)
        elif type(data) is list:  # protocol 0: numbers
            data = bytes(_sequence(reader, data))
        elif not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"bytes are wanted, not a {type(data).__name__}")
        reader.budget.spend(len(data))
        return kind(data)

    return make


def _encode(reader: Resolver, text: Any, encoding: Any = "utf-8") -> bytes:
    """How protocols 0 to 2 keep bytes: as text of the same numbers."""
    if type(text) is not str or encoding not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        raise TypeError("a text and the name of a common encoding are wanted")
    return text.encode(encoding)


def _numbers(kind: Callable[..., Any]) -> Callable[..., Any]:
    """complex, range, slice: of plain numbers."""

    def make(reader: Resolver, *values: Any) -> Any:
        if not all(value is None or type(value) in (bool, int, float) for value in values):
            raise TypeError("numbers are wanted")
        return kind(*values)

    return make


def _reconstructor(reader: Resolver, cls: Any, base: Any, state: Any) -> Any:
    """How protocols 0 and 1 make an object: of the class, on a base with its own value."""
    if base is object:
        return reader.new(cls, (), {})
    if isinstance(cls, Reference):
        return reader.inert(cls, (state,))
    raise TypeError("the base of a class must be object")


# ---- PyTorch's -----------------------------------------------------------------------------------------------------


def _size(reader: Resolver, sizes: Any = ()) -> Any:
    if type(sizes) not in (tuple, list) or not all(type(size) is int and -(2**63) <= size < 2**63 for size in sizes):
        raise TypeError("integers of 64 bits are wanted")
    return rushlight.Size(sizes)


def _device(reader: Resolver, *names: Any) -> Any:
    if not all(type(name) in (str, int) for name in names):
        raise TypeError("a name and a number are wanted")
    return rushlight.device(*names)


def _layout(reader: Resolver, name: Any) -> Any:
    layouts = {str(value): value for value in vars(rushlight._core).values() if isinstance(value, rushlight.layout)}
    if name not in layouts:
        raise ValueError(f"the layout {str(name)[:40]!r} is not supported")
    return layouts[name]


def _flat(reader: Resolver, storage: Any, dtype: Any) -> Any:
    """All elements of a storage, as elements of that dtype."""
    data = storage.untyped().tensor()
    if dtype == rushlight.bool and data.data_ptr() not in reader.clean:
        if bool((data > 1).any()):
            data.copy_(data != 0)  # what PyTorch never initialised; kernels count on 0 and 1
        reader.clean.add(data.data_ptr())
    return data[: len(data) // dtype.itemsize * dtype.itemsize].view(dtype)


def _strided(reader: Resolver, storage: Any, offset: Any, size: Any, stride: Any, dtype: Any = None) -> Any:
    """A tensor on a storage, inside of it for certain."""
    if not isinstance(storage, rushlight.TypedStorage):
        raise TypeError(f"a storage is wanted, not a {type(storage).__name__}")
    numbers = (offset, *size, *stride)
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers) or len(size) != len(stride):
        raise ValueError("offset, size and stride must be numbers that are not negative, as many strides as sizes")
    reader.budget.spend(_TENSOR_BYTES)
    flat = _flat(reader, storage, dtype or storage.dtype)
    if 0 in size:
        offset = min(offset, len(flat))
    elif (last := offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))) >= len(flat):
        raise ValueError(f"it reaches element {last} of a storage of {len(flat)}")
    return flat.as_strided(size, stride, offset).detach()


def _tensor(
    reader: Resolver,
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    hooks: Any = None,
    metadata: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    made = _strided(reader, storage, offset, tuple(size), tuple(stride), dtype)
    for view, operation in (("conj", rushlight.conj), ("neg", rushlight.neg)):
        if metadata and metadata.get(view):
            made = operation(made)
    return made.requires_grad_() if requires_grad is True else made


def _tensor_of_dtype(
    reader: Resolver,
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Any:
    if not isinstance(dtype, rushlight.dtype):
        raise TypeError(f"the dtype {str(dtype)[:40]} is not supported")
    return _tensor(reader, storage, offset, size, stride, requires_grad, hooks, metadata, dtype=dtype)


def _parameter(
    reader: Resolver, data: Any = None, requires_grad: Any = True, hooks: Any = None, state: Any = None
) -> Any:
    if data is not None and not isinstance(data, rushlight.Tensor):
        raise TypeError(f"a tensor is wanted, not a {type(data).__name__}")
    reader.budget.spend(_TENSOR_BYTES)
    return with_state(rushlight.nn.Parameter(data, requires_grad is True), state)


def _buffer(reader: Resolver, data: Any = None) -> Any:
    if data is not None and not isinstance(data, rushlight.Tensor):
        raise TypeError(f"a tensor is wanted, not a {type(data).__name__}")
    return rushlight.nn.Buffer(data)


def _uninitialized(name: str) -> Callable[..., Any]:
    def make(reader: Resolver, requires_grad: Any = False, device: Any = None, dtype: Any = None, *more: Any) -> Any:
        return getattr(rushlight.nn, name)(requires_grad is True, device=device, dtype=dtype)

    return make


def with_state(made: Any, state: Any) -> Any:
    """A tensor with the attributes that it was saved with: (attributes, slots) or attributes."""
    for part in state if type(state) is tuple and len(state) == 2 else (state,):
        if part is not None:
            if not isinstance(part, dict) or not all(type(name) is str for name in part):
                raise TypeError("attributes must be a dict of names")
            if made.layout is not rushlight.strided:  # whose own attributes were checked when it was made
                part = {name: value for name, value in part.items() if name not in made.__dict__}
            made.__dict__.update(part)
    return made


def _tensor_of_class(reader: Resolver, function: Any, cls: Any, arguments: Any, state: Any) -> Any:
    """A tensor of a subclass, or with attributes: made as a plain one, then given its class."""
    if type(arguments) is not tuple:
        raise TypeError("the arguments of the tensor must be a tuple")
    made = reader.call(function, arguments)
    if not isinstance(cls, type):
        return Record("torch._tensor", "_rebuild_from_type_v2", (function, cls, made, state))
    if not isinstance(made, rushlight.Tensor) or not issubclass(cls, rushlight.Tensor):
        raise TypeError("a tensor and a class of tensors are wanted")
    if cls is rushlight.Tensor and isinstance(state, dict) and state.pop("_is_buffer", False) is True:
        cls = rushlight.nn.Buffer
    if made.layout is not rushlight.strided and cls is not rushlight.Tensor:
        raise TypeError("sparse tensors of a class are not supported")
    if type(made) is not cls and made.layout is rushlight.strided:
        made = rushlight.Tensor._make_subclass(cls, made.detach(), made.requires_grad)
    if hasattr(cls, "__setstate__") and cls.__setstate__ is not rushlight.Tensor.__setstate__:
        made.__setstate__(state)  # only the user's own classes have one
        return made
    return with_state(made, state)


def _sparse(reader: Resolver, layout: Any, data: Any) -> Any:
    parts, size = data[:2], data[2] if layout is rushlight.sparse_coo else data[3]
    if layout is rushlight.sparse_coo:
        coalesced = len(data) > 3 and data[3] is True
        return rushlight.sparse_coo_tensor(*parts, size, is_coalesced=coalesced, check_invariants=True)
    return rushlight.sparse_compressed_tensor(*parts, data[2], size=size, layout=layout, check_invariants=True)


def _from_cpu_tensor(reader: Resolver, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Any:
    """A tensor of a device without storages, which was saved from the CPU."""
    restored = reader.restore(data.untyped_storage(), str(device))
    made = data if restored == data.untyped_storage() else restored.tensor().view(dtype).reshape(data.shape)
    return made.detach().requires_grad_(requires_grad is True)


def _from_numpy(reader: Resolver, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Any:
    import numpy

    if not isinstance(data, numpy.ndarray):
        raise TypeError(f"an array is wanted, not a {type(data).__name__}")
    return _from_cpu_tensor(reader, rushlight.from_numpy(data.copy()).to(dtype), dtype, device, requires_grad)


# ---- NumPy's -------------------------------------------------------------------------------------------------------


def _numpy_dtype(reader: Resolver, name: Any, align: Any = False, copy: Any = False) -> Any:
    import numpy

    if type(name) is not str or not re.fullmatch(r"[<>=|]?[a-zA-Z?]{1,20}\d{0,9}", name):
        raise TypeError("the name of a plain dtype is wanted")
    return numpy.dtype(numpy.dtype(name), copy=True)  # a copy: its byte order is set later


def set_numpy_state(reader: Resolver, value: Any, state: Any) -> None:
    """Fills an array or sets the byte order of a dtype that the file has made before; the state is checked first."""
    import numpy

    if isinstance(value, numpy.dtype):
        _, order, *parts, _, _, _ = state
        if order not in ("<", ">", "|", "=") or parts != [None, None, None]:
            raise TypeError("only plain dtypes are supported")
        own = list(value.__reduce__()[2])
        own[1] = order
        value.__setstate__(tuple(own))
        return
    version, shape, dtype, fortran, data = state
    numpy_array(reader, data, dtype, shape, "F" if fortran else "C")
    value.__setstate__((version, shape, dtype, bool(fortran), data if dtype.hasobject else bytes(data)))


def numpy_array(reader: Resolver, data: Any, dtype: Any, shape: Any, order: Any = "C") -> Any:
    """An array over bytes (or a list of objects), as many as dtype and shape ask for."""
    import numpy

    if not isinstance(dtype, numpy.dtype) or type(shape) is not tuple or order not in ("C", "F"):
        raise TypeError("a dtype, a shape and an order are wanted")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("sizes must be integers that are not negative")
    count = math.prod(shape)
    if dtype.hasobject:
        if type(data) is not list or dtype != numpy.dtype(object) or len(data) != count:
            raise ValueError(f"{count} objects are wanted")
        reader.budget.spend(16 * count)
        array = numpy.empty(count, dtype)
        array[:] = data
        return array.reshape(shape, order=order)
    if not isinstance(data, (bytes, bytearray)) or len(data) != count * dtype.itemsize:
        raise ValueError(f"{count * dtype.itemsize} bytes are wanted")
    reader.budget.spend(100 + len(data))
    return numpy.frombuffer(data, dtype, count).reshape(shape, order=order)


def _empty_array(reader: Resolver, cls: Any, shape: Any, kind: Any) -> Any:
    """What a pickled array begins with; its state follows."""
    import numpy

    if cls is not numpy.ndarray:
        raise TypeError("only plain arrays are supported")
    return numpy.empty(0, "u1")


def _array_from_buffer(reader: Resolver, data: Any, dtype: Any, shape: Any, order: Any, *more: Any) -> Any:
    return numpy_array(reader, bytearray(data), dtype, shape, order)


def _numpy_scalar(reader: Resolver, dtype: Any, data: Any) -> Any:
    if dtype.hasobject:
        raise TypeError("only plain scalars are supported")
    return numpy_array(reader, data, dtype, ())[()]


def _numpy_names() -> dict[str, Known]:
    """NumPy's, under the names of its versions 1 and 2. The values are references until NumPy is wanted."""
    table = {}
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray._reconstruct"] = _function(f"{core}.multiarray._reconstruct", _empty_array)
        table[f"{core}.multiarray.scalar"] = _function(f"{core}.multiarray.scalar", _numpy_scalar)
        table[f"{core}.numeric._frombuffer"] = _function(f"{core}.numeric._frombuffer", _array_from_buffer)
    return table


def find_numpy(path: str) -> Known | None:
    """numpy.ndarray, numpy.dtype and the classes of its dtypes, whose import waits until a file names them."""
    import numpy

    module, _, name = path.rpartition(".")
    if module == "numpy" and name in ("ndarray", "dtype"):
        return Known(getattr(numpy, name), _numpy_dtype if name == "dtype" else None)
    if module == "numpy.dtypes" and isinstance(getattr(numpy.dtypes, name, None), type):
        return Known(getattr(numpy.dtypes, name), None)
    if module == "numpy" and isinstance(cls := getattr(numpy, name, None), type) and issubclass(cls, numpy.generic):
        return Known(cls, None)
    return None


# ---- the table -----------------------------------------------------------------------------------------------------


def _function(path: str, make: Callable[..., Any]) -> Known:
    """A function: its value, should a file keep it, is a reference, so that nothing of ours can be called by it."""
    module, _, name = path.rpartition(".")
    return Known(Reference(module, name), make)


@functools.cache
def known() -> dict[str, Known]:
    """The table, by full name."""
    table = {f"builtins.{cls.__name__}": Known(cls, None) for cls in _PLAIN_CLASSES}
    table |= {
        "collections.OrderedDict": Known(OrderedDict, _mapping(OrderedDict)),
        "collections.Counter": Known(Counter, _counter),
        "collections.defaultdict": Known(defaultdict, _defaultdict),
        "collections.deque": Known(deque, _deque),
        "builtins.dict": Known(dict, _mapping(dict)),
        "builtins.list": Known(list, _list_of(list)),
        "builtins.tuple": Known(tuple, _list_of(tuple)),
        "builtins.set": Known(set, _set),
        "builtins.frozenset": Known(frozenset, _frozenset),
        "builtins.bytes": Known(bytes, _bytes_of(bytes)),
        "builtins.bytearray": Known(bytearray, _bytes_of(bytearray)),
        "builtins.complex": Known(complex, _numbers(complex)),
        "builtins.range": Known(range, _numbers(range)),
        "builtins.slice": Known(slice, _numbers(slice)),
        "torch.Tensor": Known(rushlight.Tensor, None),
        "torch.Size": Known(rushlight.Size, _size),
        "torch.device": Known(rushlight.device, _device),
        "torch.dtype": Known(rushlight.dtype, None),
        "torch.nn.parameter.Parameter": Known(rushlight.nn.Parameter, _parameter),
        "torch.nn.parameter.Buffer": Known(rushlight.nn.Buffer, _buffer),
    }
    for name in ("UninitializedParameter", "UninitializedBuffer"):
        table[f"torch.nn.parameter.{name}"] = Known(getattr(rushlight.nn, name), _uninitialized(name))
    for path, make in {
        "_codecs.encode": _encode,
        "copyreg._reconstructor": _reconstructor,
        "copyreg.__newobj__": lambda reader, cls, *arguments: reader.new(cls, arguments, {}),
        "torch.serialization._get_layout": _layout,
        "torch._tensor._rebuild_from_type_v2": _tensor_of_class,
        "torch._tensor._rebuild_from_type": _tensor_of_class,
        "torch.tensor._rebuild_from_type": _tensor_of_class,
        "torch._utils._rebuild_tensor": _tensor,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch._utils._rebuild_sparse_tensor": _sparse,
        "torch._utils._rebuild_device_tensor_from_cpu_tensor": _from_cpu_tensor,
        "torch._utils._rebuild_device_tensor_from_numpy": _from_numpy,
    }.items():
        table[path] = _function(path, make)
    table |= _numpy_names()
    for name, value in vars(rushlight._core).items():
        if isinstance(value, (rushlight.dtype, rushlight.layout, rushlight.memory_format)):
            table[f"torch.{name}"] = Known(value, None)
    for name in (*rushlight.storage.CLASSES, "TypedStorage", "UntypedStorage"):
        cls = getattr(rushlight, name)
        for module in ("torch", "torch.cuda", "torch.storage"):
            table[f"{module}.{name}"] = Known(cls, None)
    return table


def find(path: str) -> Known | None:
    """The entry of a full name; None where there is none."""
    entry = known().get(path)
    return find_numpy(path) if entry is None and path.startswith("numpy.") else entry
