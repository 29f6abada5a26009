"""Tensors to other dtypes, to NumPy, to other memory: Tensor.to and its relatives."""

import importlib

from rushlight import _core
from rushlight.ops.composition import composition

Tensor = _core.Tensor


def _requested(name, args, dtype, device):
    """The dtype that .to(...) asks for, from its overloads (dtype), (device, dtype), (other)."""
    for a in args:
        if isinstance(a, _core.dtype):
            dtype = a
        elif isinstance(a, Tensor):
            dtype = a.dtype
        elif isinstance(a, bool) or a is None:
            continue
        else:
            device = a
    if device is not None:
        _core.check_device(device)
    if dtype is not None and not isinstance(dtype, _core.dtype):
        raise TypeError(
            f"[{name}] dtype must be a torch.dtype. Received {type(dtype).__name__}. Use torch.float32 and the like."
        )
    return dtype


@composition(public=False)
def to(input, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None, other=None):
    """The tensor with another dtype (or device); the tensor itself when nothing changes and copy is False.

    >>> torch.tensor([1.5, -0.5]).to(torch.int64)
    tensor([1, 0])
    """
    if other is not None:
        args = (other, *args)
    dtype = _requested("to", args, dtype, device)
    if len(args) > 1 and isinstance(args[-1], bool):
        copy = copy or (args[-1] if len(args) > 2 else False)
    if dtype is not None and dtype != input.dtype:
        result = _core.to_dtype(input, dtype)
    else:
        result = input.clone() if copy else input
    if memory_format is not None and memory_format is not _core.preserve_format:
        result = result.contiguous(memory_format=memory_format)
    return result


_view_as_size = Tensor.view


@composition(public=False)
def view(input, *size, dtype=None):
    """The same memory with another shape [*size] (one size may be -1), or read as another dtype.

    Raises RuntimeError when the layout needs a copy: use reshape().

    >>> torch.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> torch.ones(1).view(torch.int32)
    tensor([1065353216], dtype=torch.int32)
    """
    if dtype is not None or (size and isinstance(size[0], _core.dtype)):
        return _core.view_dtype(input, dtype or size[0])
    return _view_as_size(input, *size)


@composition(public=False)
def type(input, dtype=None, non_blocking=False):
    """The tensor's type as text ("torch.FloatTensor"), or the tensor converted to dtype."""
    if dtype is None:
        return TYPE_NAMES[input.dtype]
    on_gpu = getattr(dtype, "is_cuda", False)
    if isinstance(dtype, str):
        on_gpu = dtype.startswith("torch.cuda.")
        found = [d for d, text in TYPE_NAMES.items() if text == dtype.replace(".cuda", "", 1)]
        dtype = found[0] if found else dtype
    dtype = getattr(dtype, "dtype", dtype)
    if not isinstance(dtype, _core.dtype):
        raise ValueError(f"[type] invalid type: {dtype!r}. Use torch.float32 and the like.")
    if on_gpu:
        cuda(input)  # raises
    return to(input, dtype)


@composition(public=False)
def type_as(input, other):
    """The tensor with other's dtype."""
    return to(input, other.dtype)


TYPE_NAMES = {
    _core.bool: "torch.BoolTensor",
    _core.uint8: "torch.ByteTensor",
    _core.int8: "torch.CharTensor",
    _core.int16: "torch.ShortTensor",
    _core.int32: "torch.IntTensor",
    _core.int64: "torch.LongTensor",
    _core.float16: "torch.HalfTensor",
    _core.bfloat16: "torch.BFloat16Tensor",
    _core.float32: "torch.FloatTensor",
    _core.float64: "torch.DoubleTensor",
    _core.complex64: "torch.ComplexFloatTensor",
    _core.complex128: "torch.ComplexDoubleTensor",
}

for _name, _dtype in (
    *((name, getattr(_core, name)) for name in (
        "bool", "half", "bfloat16", "float", "double", "short", "int", "long", "cfloat", "cdouble",
    )),
    ("byte", _core.uint8),
    ("char", _core.int8),
):  # fmt: skip

    def _convert(input, memory_format=None, *, _dtype=_dtype):
        return to(input, _dtype, memory_format=memory_format)

    _convert.__name__ = _convert.__qualname__ = _name
    _convert.__doc__ = f"The tensor as {_dtype}: itself when it is already."
    setattr(Tensor, _name, _convert)


@composition(public=False)
def cpu(input, memory_format=None):
    """The tensor itself: it lives in the host's memory."""
    return input


@composition(public=False)
def cuda(input, device=None, non_blocking=False, memory_format=None):
    """Raises: this build has no GPU kernels."""
    raise RuntimeError(
        "[cuda] the device must be available: no CUDA device is supported by this build. Stay on the cpu."
    )


@composition(public=False)
def numpy(input, *, force=False):
    """A NumPy array over the same memory. force also detaches and resolves what NumPy cannot express.

    >>> torch.tensor([1, 2]).numpy()
    array([1, 2])
    """
    import numpy

    if input.requires_grad:
        if not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        input = input.detach()
    if input.dtype == _core.bfloat16:
        raise TypeError("[numpy] Got unsupported ScalarType BFloat16: NumPy has none. Call .float() first.")
    return numpy.asarray(memoryview(input))


def _array(input, dtype=None, copy=None):
    array = input.numpy()
    return array if dtype is None else array.astype(dtype, copy=bool(copy))


Tensor.__array__ = _array
Tensor.__array_priority__ = 1000


@composition(public=False)
def pin_memory(input, device=None):
    """Raises: page-locked memory serves an accelerator, and there is none."""
    raise RuntimeError("[pin_memory] Cannot access accelerator device when none is available. Leave pin_memory out.")


@composition(public=False)
def is_pinned(input, device=None):
    """False: no memory is page-locked."""
    return False


@composition(public=False)
def share_memory_(input):
    """Moves the tensor's memory to where processes share it: those forked, or sent the tensor, see each other's writes.

    Tensors that look into the same memory move with it.

    >>> torch.ones(2).share_memory_().is_shared()
    True
    """
    importlib.import_module("rushlight.multiprocessing.sharing").share(input)
    return input


@composition(public=False)
def is_shared(input):
    """Whether processes see each other's writes: see share_memory_()."""
    return importlib.import_module("rushlight.multiprocessing.sharing").is_shared(input)


@composition(method=False)
def get_device(input):
    """The index of the device: -1 for the CPU."""
    return input.get_device()


@composition(method=False)
def to_dlpack(tensor):
    """A DLPack capsule over the tensor's memory, which one reader may take: see from_dlpack."""
    return tensor.__dlpack__()


@composition(method=False)  # the method is the core's
def is_floating_point(input):
    """Whether the dtype is a floating point one.

    >>> torch.is_floating_point(torch.ones(1))
    True
    """
    return input.dtype.is_floating_point


@composition(method=False)  # the method is the core's
def is_complex(input):
    """Whether the dtype is complex.

    >>> torch.is_complex(torch.ones(1))
    False
    """
    return input.dtype.is_complex


@composition
def numel(input):
    """The number of elements.

    >>> torch.numel(torch.ones(2, 3))
    6
    """
    return input.nelement()


Tensor.numel = Tensor.nelement
