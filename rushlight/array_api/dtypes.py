"""Dtypes: conversion, promotion, limits and kinds."""

import collections
import functools

import rushlight
from rushlight import Tensor

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

SIGNED = (rushlight.int8, rushlight.int16, rushlight.int32, rushlight.int64)
UNSIGNED = (rushlight.uint8,)
REAL = (rushlight.float32, rushlight.float64)
COMPLEX = (rushlight.complex64, rushlight.complex128)
KINDS = {
    "bool": (rushlight.bool,),
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": SIGNED + UNSIGNED,
    "real floating": REAL,
    "complex floating": COMPLEX,
    "numeric": SIGNED + UNSIGNED + REAL + COMPLEX,
}

FloatInfo = collections.namedtuple("FloatInfo", "bits eps max min smallest_normal dtype")
IntegerInfo = collections.namedtuple("IntegerInfo", "bits max min dtype")


def astype(x, dtype, /, *, copy=True, device=None):
    """x with another dtype; x itself when nothing changes and copy is False."""
    return x.to(dtype=dtype, device=device, copy=copy)


def can_cast(from_, to, /):
    """Whether promotion leads from a dtype (or an array's) to another."""
    source = from_.dtype if isinstance(from_, Tensor) else from_
    return rushlight.promote_types(source, to) == to


def finfo(type, /):
    """The limits of a floating point dtype, or of an array's."""
    dtype = type.dtype if isinstance(type, Tensor) else type
    limits = rushlight.finfo(dtype)
    real = dtype.to_real()
    return FloatInfo(limits.bits, limits.eps, limits.max, limits.min, limits.smallest_normal, real)


def iinfo(type, /):
    """The limits of an integer dtype, or of an array's."""
    dtype = type.dtype if isinstance(type, Tensor) else type
    limits = rushlight.iinfo(dtype)
    return IntegerInfo(limits.bits, limits.max, limits.min, dtype)


def isdtype(dtype, kind):
    """Whether dtype is of a kind: a dtype, the name of a kind, or a tuple of these.

    Raises ValueError for a name that is no kind.

    >>> torch.ones(1).__array_namespace__().isdtype(torch.float32, "real floating")
    True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"[isdtype] kind must be one of {', '.join(KINDS)}. Received {kind!r}.")
        return dtype in KINDS[kind]
    return dtype == kind


def result_type(*arrays_and_dtypes):
    """The dtype that arrays, dtypes and Python numbers promote to; a number follows the arrays.

    Raises ValueError when there is neither an array nor a dtype.
    """
    dtypes = [x.dtype if isinstance(x, Tensor) else x for x in arrays_and_dtypes]
    numbers = [x for x in dtypes if not isinstance(x, rushlight.dtype)]
    dtypes = [x for x in dtypes if isinstance(x, rushlight.dtype)]
    if not dtypes:
        raise ValueError("[result_type] at least one argument must be an array or a dtype. Received none.")
    common = functools.reduce(rushlight.promote_types, dtypes)
    return functools.reduce(_with_number, numbers, common)


def _with_number(dtype, number):
    return rushlight.result_type(rushlight.empty(1, dtype=dtype), number)


def promoted(*operands):
    """Arrays and numbers as arrays of their common dtype, whatever their ranks."""
    dtype = result_type(*operands)
    return tuple(x.to(dtype) if isinstance(x, Tensor) else rushlight.scalar_tensor(x, dtype=dtype) for x in operands)
