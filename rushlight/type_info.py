"""What an element type can hold: `finfo` for floating point, `iinfo` for integers. And what types are called."""

import sys

import rushlight

__all__ = ["finfo", "iinfo", "typename"]

# Binary interchange formats (IEEE 754-2019, and bfloat16): bits of the exponent and of the significand after the point,
# and the decimal digits that always survive.
_FORMATS = {"float16": (5, 10, 3), "bfloat16": (8, 7, 2), "float32": (8, 23, 6), "float64": (11, 52, 15)}


class _TypeInfo:
    """Equality, hash and pickling by the described dtype."""

    __slots__ = ("_of",)

    def __eq__(self, other):
        return self._of is other._of if type(other) is type(self) else NotImplemented

    def __hash__(self):
        return hash((type(self), self._of))

    def __reduce__(self):
        return type(self), (self._of,)

    @property
    def bits(self):
        """Bits of one element."""
        return self._of.itemsize * 8

    @property
    def dtype(self):
        """The name of the described dtype."""
        return str(self._of).removeprefix("torch.")


class finfo(_TypeInfo):
    """The limits of a floating point dtype.

    Args:
        type: a floating point dtype, the default one if left out. A complex dtype stands for that of its parts.

    `eps` is the distance from 1 to the next number, `tiny` (or `smallest_normal`) the smallest number that keeps full
    precision, `resolution` the last decimal digit that can be relied on, `bits` the width of an element.

    Raises:
        TypeError: if `type` is no dtype, or an integer or boolean one.

    >>> torch.finfo(torch.float16).max
    65504.0
    >>> torch.finfo(torch.float64).eps
    2.220446049250313e-16
    """

    __slots__ = ()

    def __init__(self, type=None):
        if type is None:
            type = rushlight.get_default_dtype()
        if not isinstance(type, rushlight.dtype):
            raise TypeError(f"[finfo] type must be a torch.dtype. Received {type.__class__.__name__}.")
        if not (type.is_floating_point or type.is_complex):
            raise TypeError(f"[finfo] type must be floating point. Received {type}. Use torch.iinfo.")
        self._of = type.to_real()

    @property
    def eps(self):
        """The distance from 1 to the next larger number."""
        return 2.0 ** -_FORMATS[self.dtype][1]

    @property
    def max(self):
        """The largest finite number."""
        exponent = 2 ** (_FORMATS[self.dtype][0] - 1) - 1
        return (2.0 - self.eps) * 2.0**exponent

    @property
    def min(self):
        """The most negative finite number."""
        return -self.max

    @property
    def tiny(self):
        """The smallest positive number of full precision."""
        return 2.0 ** (2 - 2 ** (_FORMATS[self.dtype][0] - 1))

    smallest_normal = tiny

    @property
    def resolution(self):
        """Ten to the minus the number of decimal digits that survive a round trip."""
        return float(f"1e-{_FORMATS[self.dtype][2]}")

    def __repr__(self):
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{name}={getattr(self, name):g}' for name in names)}, dtype={self.dtype})"


class iinfo(_TypeInfo):
    """The limits of an integer dtype.

    Args:
        type: an integer dtype.

    Raises:
        TypeError: if `type` is no dtype, or a boolean, floating point or complex one.

    >>> torch.iinfo(torch.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ()

    def __init__(self, type):
        if not isinstance(type, rushlight.dtype):
            raise TypeError(f"[iinfo] type must be a torch.dtype. Received {type.__class__.__name__}.")
        if type.is_floating_point or type.is_complex:
            raise TypeError(f"[iinfo] type must be an integer dtype. Received {type}. Use torch.finfo.")
        if type is rushlight.bool:
            raise TypeError("[iinfo] type must be an integer dtype. Received torch.bool.")
        self._of = type

    @property
    def max(self):
        """The largest number."""
        return 2 ** (self.bits - self._of.is_signed) - 1

    @property
    def min(self):
        """The smallest number."""
        return -(2 ** (self.bits - 1)) if self._of.is_signed else 0

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def defining_module(value):
    """The module of a class or function, by the name that is its own where it goes by PyTorch's (`rushlight run`)."""
    name = getattr(value, "__module__", None) or ""
    return getattr(sys.modules.get(name), "__name__", name)


def typename(obj):
    """The name of an object's type, with its module; of a tensor, that of its legacy class.

    >>> torch.typename(torch.ones(2)), torch.typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, rushlight.Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", "") or ""
    return named.__qualname__ if module in ("", "builtins") else f"{module}.{named.__qualname__}"
