"""FloatTensor and its like: classes that make tensors of one dtype and recognise them.

They are older than dtypes: programs call `torch.LongTensor([1, 2])` for data, `torch.FloatTensor(2, 3)` for a shape,
ask `isinstance(x, torch.FloatTensor)` and convert with `x.type(torch.DoubleTensor)`.

>>> torch.LongTensor([1, 2])
tensor([1, 2])
>>> isinstance(torch.ones(2), torch.FloatTensor)
True
"""

from rushlight import _core
from rushlight.ops.conversion import TYPE_NAMES

Tensor = _core.Tensor
# FloatTensor: float32. PyTorch never had classes of complex numbers.
DTYPES = {name.removeprefix("torch."): dtype for dtype, name in TYPE_NAMES.items() if not dtype.is_complex}


class tensortype(type):
    """The class of FloatTensor and its like. They show Tensor's methods, but nothing derives from them."""

    def __instancecheck__(cls, value):
        return (
            isinstance(value, Tensor)
            and value.dtype == cls.dtype
            and value.layout == cls.layout
            and value.is_cuda == cls.is_cuda
        )

    def __getattr__(cls, name):
        return getattr(Tensor, name)


def make(name, module="rushlight", construct=None, layout=_core.strided, is_cuda=False):
    """The class of this name. construct(dtype, *args, **kwargs) makes its tensors. Raises AttributeError for others."""
    if name not in DTYPES:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    dtype = DTYPES[name]

    def new(cls, *args, **kwargs):
        return (construct or constructed)(dtype, *args, **kwargs)

    return tensortype(
        name,
        (),
        {
            "__new__": new,
            "__module__": module,
            "__doc__": f"Makes tensors of {dtype}, and recognises them.",
            "dtype": dtype,
            "layout": layout,
            "is_cuda": is_cuda,
            "is_sparse": layout is not _core.strided,
        },
    )


def constructed(dtype, *args, device=None):
    """A tensor as the class of dtype makes it: of a shape, of data, or of another tensor's memory."""
    if device is not None:
        _core.check_device(device)
    if not args:
        return _core.empty(0, dtype=dtype)
    first = args[0]
    if len(args) > 1 or isinstance(first, _core.Size) or (hasattr(first, "__index__") and not _is_data(first)):
        return _core.empty(first if isinstance(first, _core.Size) else args, dtype=dtype)
    if isinstance(first, Tensor):
        if first.dtype != dtype:
            raise TypeError(f"[{_name(dtype)}] a tensor must be {dtype}. Received {first.dtype}. Use .to({dtype}).")
        return first.detach()
    if not _is_data(first):
        raise TypeError(
            f"[{_name(dtype)}] sizes must be int, or data a sequence. Received {type(first).__name__}. Use "
            f"torch.tensor(value, dtype={dtype}) for a number."
        )
    return _core.tensor_from(first, dtype, True)


def _is_data(value):
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict, set))


def _name(dtype):
    return TYPE_NAMES[dtype].removeprefix("torch.")
