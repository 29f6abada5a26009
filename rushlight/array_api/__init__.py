"""The array API standard, version 2024.12: what Tensor.__array_namespace__() gives.

The functions are PyTorch's with the standard's names, parameters and promotion: 0-d arrays promote as all others do,
and a Python number takes the dtype of the array beside it. Arrays are tensors.
Source: https://data-apis.org/array-api/2024.12/.

>>> xp = torch.tensor([1.0]).__array_namespace__()
>>> xp.sum(xp.asarray([[1, 2], [3, 4]]), axis=1)
tensor([3, 7])
"""

# ruff: noqa: F401  (names are here to be seen)

import importlib

from rushlight import (
    bool,
    complex64,
    complex128,
    e,
    float32,
    float64,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    newaxis,
    pi,
    uint8,
)
from rushlight.array_api import creation, dtypes, elementwise, inspection, manipulation, reduction, searching
from rushlight.array_api.inspection import __array_namespace_info__
from rushlight.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot

__array_api_version__ = "2024.12"

_PARTS = (creation, dtypes, elementwise, manipulation, reduction, searching)
for _part in _PARTS:
    globals().update((_name, getattr(_part, _name)) for _name in _part.__all__)

__all__ = [
    *("e", "inf", "nan", "newaxis", "pi"),
    *("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128"),
    *("matmul", "matrix_transpose", "tensordot", "vecdot", "linalg", "fft", "__array_namespace_info__"),
    *(name for part in _PARTS for name in part.__all__),
]


def __getattr__(name):
    if name in ("linalg", "fft"):
        return importlib.import_module(f"rushlight.array_api.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
