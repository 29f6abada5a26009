"""Names that programs with tensor classes of their own import from PyTorch's extension module."""

from rushlight._core import Generator, Size, _disabled_torch_function_impl, device, dtype, layout, memory_format
from rushlight._core import Tensor as TensorBase
from rushlight._core import has_torch_function as _has_torch_function
from rushlight.overrides import DisableTorchFunction, DisableTorchFunctionSubclass
from rushlight.overrides import has_torch_function_unary as _has_torch_function_unary
from rushlight.overrides import has_torch_function_variadic as _has_torch_function_variadic

__all__ = [
    "DisableTorchFunction", "DisableTorchFunctionSubclass", "Generator", "Size", "TensorBase",
    "_disabled_torch_dispatch_impl", "_disabled_torch_function_impl", "_has_torch_function",
    "_has_torch_function_unary", "_has_torch_function_variadic", "device", "dtype", "layout", "memory_format",
]  # fmt: skip

_TensorBase = TensorBase
_disabled_torch_dispatch_impl = TensorBase.__torch_dispatch__
