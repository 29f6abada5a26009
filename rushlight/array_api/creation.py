"""Arrays from data, ranges and other arrays."""

import rushlight
from rushlight import Tensor, from_dlpack
from rushlight.array_api.dtypes import promoted

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "meshgrid",
    "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    """start, start + step, ... below stop (above it for a negative step); empty where step leads away."""
    if stop is None:
        start, stop = 0, start
    if (stop - start) * step <= 0:
        whole = all(isinstance(x, int) for x in (start, stop, step))
        return rushlight.empty(0, dtype=dtype or (rushlight.int64 if whole else None), device=device)
    return rushlight.arange(start, stop, step, dtype=dtype, device=device)


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """obj as an array. copy: True always copies, False never does (ValueError where it must), None only if need be."""
    made = rushlight.asarray(obj, dtype=dtype, device=device, copy=copy)
    if copy is False and isinstance(obj, Tensor) and made is not obj:
        raise ValueError(f"[asarray] {obj.dtype} cannot become {dtype} without a copy. Leave copy=False out.")
    return made


def empty(shape, *, dtype=None, device=None):
    """An uninitialised array."""
    return rushlight.empty(shape, dtype=dtype, device=device)


def empty_like(x, /, *, dtype=None, device=None):
    """An uninitialised array of x's shape and, unless given, dtype."""
    return rushlight.empty_like(x, dtype=dtype, device=device)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    """Zeros [n_rows, n_cols] with ones on the k-th diagonal."""
    rows, columns = n_rows, n_rows if n_cols is None else n_cols
    made = rushlight.zeros(rows, columns, dtype=dtype, device=device)
    if -rows < k < columns:
        made.diagonal(k).fill_(1)
    return made


def full(shape, fill_value, *, dtype=None, device=None):
    """fill_value everywhere."""
    return rushlight.full((shape,) if isinstance(shape, int) else shape, fill_value, dtype=dtype, device=device)


def full_like(x, /, fill_value, *, dtype=None, device=None):
    """fill_value in x's shape and, unless given, dtype."""
    return rushlight.full_like(x, fill_value, dtype=dtype, device=device)


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True):
    """num numbers at equal distances from start to stop, which is left out where endpoint is False."""
    if endpoint:
        return rushlight.linspace(start, stop, num, dtype=dtype, device=device)
    return rushlight.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]


def meshgrid(*arrays, indexing="xy"):
    """Coordinates of a grid from coordinates along its axes."""
    return list(rushlight.meshgrid(*promoted(*arrays), indexing=indexing)) if arrays else []


def ones(shape, *, dtype=None, device=None):
    """Ones."""
    return rushlight.ones(shape, dtype=dtype, device=device)


def ones_like(x, /, *, dtype=None, device=None):
    """Ones in x's shape and, unless given, dtype."""
    return rushlight.ones_like(x, dtype=dtype, device=device)


def tril(x, /, *, k=0):
    """x below and on the k-th diagonal, zeros elsewhere."""
    return rushlight.tril(x, k)


def triu(x, /, *, k=0):
    """x above and on the k-th diagonal, zeros elsewhere."""
    return rushlight.triu(x, k)


def zeros(shape, *, dtype=None, device=None):
    """Zeros."""
    return rushlight.zeros(shape, dtype=dtype, device=device)


def zeros_like(x, /, *, dtype=None, device=None):
    """Zeros in x's shape and, unless given, dtype."""
    return rushlight.zeros_like(x, dtype=dtype, device=device)
