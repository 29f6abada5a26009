"""torch.sym_*: arithmetic that PyTorch also accepts for sizes it does not know yet. Sizes are plain numbers here.

>>> torch.sym_max(2, 3.5), torch.sym_ite(True, 1, 2), torch.sym_sum([1, 2, 3])
(3.5, 1, 6)
"""

import math


class _Symbol:
    """The class of a size that is not known yet. There are none: sizes are plain int."""

    def __init__(self, node):
        raise NotImplementedError(
            f"[{type(self).__name__}] a plain number must be used: sizes are always known. Received {node!r}."
        )


class SymInt(_Symbol):
    """An int that is not known yet: there are none, and isinstance(x, SymInt) is False."""


class SymFloat(_Symbol):
    """A float that is not known yet: there are none, and isinstance(x, SymFloat) is False."""


class SymBool(_Symbol):
    """A bool that is not known yet: there are none, and isinstance(x, SymBool) is False."""


def sym_int(a):
    """a as an int, towards zero."""
    return int(a)


def sym_float(a):
    """a as a float."""
    return float(a)


def sym_not(a):
    """Whether a is false."""
    return not a


def sym_max(a, b):
    """The larger of two numbers; a float when either is one."""
    return type(a + b)(max(a, b))


def sym_min(a, b):
    """The smaller of two numbers; a float when either is one."""
    return type(a + b)(min(a, b))


def sym_ite(b, t, f):
    """t if b, else f, which must be of one type."""
    if type(t) is not type(f):
        raise AssertionError(f"[sym_ite] t and f must be of one type. Received {type(t)} and {type(f)}.")
    return t if b else f


def sym_sqrt(a):
    """The square root of a number."""
    return math.sqrt(a)


def sym_sum(args):
    """The sum of a sequence of numbers."""
    return sum(args)
