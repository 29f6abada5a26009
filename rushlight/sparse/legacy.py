"""torch.sparse.FloatTensor and its like: the constructors that older programs call."""

import rushlight
from rushlight import _core
from rushlight.sparse.coo import CooTensor
from rushlight.sparse.creation import sparse_coo_tensor

DTYPES = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16", "BFloat16Tensor": "bfloat16",
    "ByteTensor": "uint8", "CharTensor": "int8", "ShortTensor": "int16", "IntTensor": "int32", "LongTensor": "int64",
}  # fmt: skip


def legacy_type(name):
    """The class of this name: called, it makes a COO tensor; isinstance asks for the dtype."""
    dtype = getattr(_core, DTYPES[name])

    class Kind(type):
        def __instancecheck__(cls, value):
            return isinstance(value, CooTensor) and value.dtype == dtype

    def new(cls, *args):
        if args and isinstance(args[0], rushlight.Tensor):
            return sparse_coo_tensor(*args)
        size = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
        return sparse_coo_tensor(size=tuple(size), dtype=dtype)

    return Kind(name, (), {"__new__": new, "dtype": dtype, "__module__": "rushlight.sparse"})
