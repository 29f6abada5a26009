"""Tensors from data, ranges and other tensors. (zeros, ones, full, empty, eye and linspace are rows of the core.)"""

import builtins

from rushlight import _core
from rushlight.ops.composition import FUNCTIONS, composition

Tensor = _core.Tensor


@composition(method=False)
def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor: the tensor itself, or a view of an array's memory, where that is possible.

    >>> torch.as_tensor([1, 2])
    tensor([1, 2])
    """
    return asarray(data, dtype=dtype, device=device)


@composition(method=False)
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """`obj` as a tensor: the tensor itself, or a view of an array's memory, where that is possible and copy is not
    True.

    >>> torch.asarray([1, 2])
    tensor([1, 2])
    """
    if device is not None:
        _core.check_device(device)
    if isinstance(obj, Tensor) and not copy:
        made = obj if dtype is None or obj.dtype == dtype else obj.to(dtype)
    else:
        made = _core.tensor_from(obj, dtype, bool(copy))
    return made.requires_grad_() if requires_grad else made


@composition(method=False)
def scalar_tensor(s, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A 0-d tensor of the default dtype, unless dtype is given.

    >>> torch.scalar_tensor(2)
    tensor(2.)
    """
    _core.check_layout(layout)
    return _core.tensor(s, dtype=dtype or _core.get_default_dtype(), device=device, requires_grad=requires_grad)


def _complex_fill(name, row):
    """The row, whose numbers are real, for complex numbers too."""

    def fill(first, fill_value, *, dtype=None, out=None, **options):
        if not isinstance(fill_value, complex):
            return row(first, fill_value, dtype=dtype, out=out, **options)
        if dtype is None:
            dtype = first.dtype if isinstance(first, Tensor) else _core.get_default_dtype().to_complex()
        zero = row(first, 0, dtype=dtype, out=out)
        made = zero.copy_(_core.tensor_from(fill_value, zero.dtype, True))
        return made.requires_grad_() if options.get("requires_grad") else made

    fill.__name__ = fill.__qualname__ = name
    fill.__doc__ = row.__doc__
    fill.__wrapped__ = row  # whose signature inspect reads
    return fill


full, full_like = (_complex_fill(name, getattr(_core, name)) for name in ("full", "full_like"))
FUNCTIONS.update(full=full, full_like=full_like)


@composition(method=False)
def from_numpy(ndarray):
    """A tensor over the memory of a NumPy array: writes are seen on both sides.

    >>> import numpy
    >>> torch.from_numpy(numpy.array([1, 2, 3]))
    tensor([1, 2, 3])
    """
    if type(ndarray).__module__ != "numpy" or not hasattr(ndarray, "__array_interface__"):
        raise TypeError(
            f"[from_numpy] expected np.ndarray (got {type(ndarray).__name__}). Use torch.as_tensor for other data."
        )
    if ndarray.dtype.kind == "c" or ndarray.dtype.byteorder not in "=|<":
        ndarray = ndarray.astype(ndarray.dtype.newbyteorder("="), copy=False)
    return _core.from_buffer(ndarray)


@composition(method=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over the bytes of an object with the buffer protocol.

    >>> torch.frombuffer(bytearray([1, 2, 3]), dtype=torch.uint8)
    tensor([1, 2, 3], dtype=torch.uint8)
    """
    raw = memoryview(buffer).cast("B")
    size = dtype.itemsize
    if len(raw) == 0 or offset < 0 or offset >= len(raw):
        raise ValueError(f"[frombuffer] offset must be inside the buffer of {len(raw)} bytes. Received {offset}.")
    available = (len(raw) - offset) // size
    if count == 0 or count > available or (count < 0 and (len(raw) - offset) % size):
        raise ValueError(
            f"[frombuffer] the buffer must hold count elements of {dtype}. "
            f"Received count {count} and {len(raw) - offset} bytes."
        )
    n = available if count < 0 else count
    bytes_ = _core.from_buffer(raw[offset : offset + n * size])
    made = bytes_.view(dtype) if dtype != _core.uint8 else bytes_
    return made.requires_grad_() if requires_grad else made


@composition(method=False)
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor over the memory of another library's tensor, or of a DLPack capsule.

    >>> torch.from_dlpack(torch.tensor([1, 2]))
    tensor([1, 2])
    """
    if device is not None:
        _core.check_device(device)
    capsule = ext_tensor.__dlpack__() if hasattr(ext_tensor, "__dlpack__") else ext_tensor
    made = _core.from_dlpack_capsule(capsule)
    return made.clone() if copy else made


@composition(method=False)
def arange(
    start,
    end=None,
    step=1,
    *,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """start, start + step, ... below end; with one argument, from 0.

    Integers give int64, otherwise the default dtype. Raises RuntimeError when step is 0 or leads away from end.

    >>> torch.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if device is not None:
        _core.check_device(device)
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if isinstance(x, Tensor) else x for x in (start, end, step))
    made = _core.arange(start, end, step, dtype if out is None else out.dtype)
    if out is not None:
        return out.resize_(made.shape).copy_(made)
    return made.requires_grad_() if requires_grad else made


@composition(method=False, out=True)
def range(start, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """start, start + step, ... up to and including end (deprecated: use arange).

    >>> torch.range(1, 3)
    tensor([1., 2., 3.])
    """
    if end is None:
        start, end = 0, start
    count = int((end - start) / step) + 1
    made = _core.arange(0, count, 1, dtype or _core.get_default_dtype()) * step + start
    return made.requires_grad_() if requires_grad else made


@composition(method=False, out=True)
def logspace(start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """base ** linspace(start, end, steps); start and end are numbers or 0-d tensors, truncated for an integer dtype.

    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    for x in (start, end):
        if isinstance(x, Tensor) and x.ndim:
            raise RuntimeError(
                f"[logspace] only supports 0-dimensional start and end tensors. Received {list(x.shape)}. Use float()."
            )
    if steps > 1 and dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        start, end = int(start), int(end)
    exponents = _core.linspace(float(start), float(end), steps, dtype=_core.float64)
    made = _core.pow(float(base), exponents).to(dtype or _core.get_default_dtype())
    return made.requires_grad_() if requires_grad else made


@composition(method=False)
def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """An uninitialised tensor with the given strides (in elements).

    >>> torch.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"[empty_strided] size and stride must have equal length. Received {size} and {stride}.")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"[empty_strided] strides must not be negative. Received {stride}.")
    span = 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    made = _core.empty(span, dtype=dtype, device=device).as_strided(size, stride)
    return made.detach().requires_grad_() if requires_grad else made.detach()


@composition(method=False)
def empty_permuted(
    size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """An uninitialised tensor [*size] whose dimensions lie in memory in the order physical_layout, outermost first.

    Raises RuntimeError unless physical_layout is a permutation of the dimensions.

    >>> torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
    (3, 1, 6)
    """
    order = tuple(physical_layout)
    if sorted(order) != list(builtins.range(len(size))):
        raise RuntimeError(
            f"[empty_permuted] physical_layout must be a permutation of the {len(size)} dimensions. Received {order}."
        )
    made = _core.empty([size[d] for d in order], dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)
    return made.permute([order.index(d) for d in builtins.range(len(size))]).detach().requires_grad_(requires_grad)


@composition(method=False)
def from_file(
    filename, shared=None, size=0, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """A tensor [size] over the bytes of a file. shared: what is written to it is written to the file, which is made
    or lengthened as needed; otherwise writes stay in memory.

    Raises OSError when the file cannot be opened, RuntimeError when it is too short.
    """
    import mmap
    import os

    dtype = dtype or _core.get_default_dtype()
    wanted = size * dtype.itemsize
    if not wanted:
        return _core.empty(0, dtype=dtype)
    with open(os.open(filename, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY), "r+b" if shared else "rb") as file:
        present = os.fstat(file.fileno()).st_size
        if present < wanted and not shared:
            raise RuntimeError(f"[from_file] the file must hold {wanted} bytes. Received {present} in {filename!r}.")
        if present < wanted:
            file.truncate(wanted)
        mapped = mmap.mmap(file.fileno(), wanted, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
    return frombuffer(mapped, dtype=dtype, requires_grad=requires_grad)


@composition(public=False)
def new_tensor(input, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A new tensor from `data`, with input's dtype unless given."""
    return _core.tensor(data, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def _sizes(size):
    if size is None:
        raise TypeError("[new] missing required argument 'size'. Give the sizes of the new tensor.")
    return size[0] if len(size) == 1 and not isinstance(size[0], int) else size


@composition(public=False)
def new_empty(input, *size, dtype=None, **options):
    """An uninitialised tensor [*size] with input's dtype unless given."""
    return _core.empty(_sizes(size or options.pop("size", None)), dtype=dtype or input.dtype, **options)


@composition(public=False)
def new_zeros(input, *size, dtype=None, **options):
    """Zeros [*size] with input's dtype unless given."""
    return _core.zeros(_sizes(size or options.pop("size", None)), dtype=dtype or input.dtype, **options)


@composition(public=False)
def new_ones(input, *size, dtype=None, **options):
    """Ones [*size] with input's dtype unless given."""
    return _core.ones(_sizes(size or options.pop("size", None)), dtype=dtype or input.dtype, **options)


@composition(public=False)
def new_full(input, size, fill_value, *, dtype=None, **options):
    """fill_value [*size] with input's dtype unless given."""
    if isinstance(size, builtins.int):
        raise TypeError(f"[new_full] size must be a tuple of ints. Received {size!r}. Write ({size!r},).")
    return full(size, fill_value, dtype=dtype or input.dtype, **options)


@composition(public=False)
def new_empty_strided(input, size, stride, dtype=None, **options):
    """An uninitialised tensor with the given strides and input's dtype unless given."""
    return empty_strided(size, stride, dtype=dtype or input.dtype, **options)
