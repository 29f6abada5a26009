"""torch.special: functions of mathematical physics and statistics, which are rows of the core."""

from rushlight import _core
from rushlight.ops import offer as _offer

_PREFIX = "special_"  # a row that torch has under two names carries special_NAME as an alias


def polygamma(n, input, *, out=None):
    """The n-th derivative of digamma(input), n >= 0.

    >>> torch.special.polygamma(1, torch.tensor([1.0]))
    tensor([1.6449])
    """
    return _core.polygamma(n, input) if out is None else out.copy_(_core.polygamma(n, input))


globals().update(_offer({"polygamma": polygamma}, "rushlight.special:"))


def _is_row(name):
    return name in _core.op_names() and _core.op_info(name)["home"] == "special"


def __getattr__(name):
    if name == "multigammaln":
        from rushlight import mvlgamma as found
    else:
        found = getattr(_core, name if _is_row(name) else _PREFIX + name, None)
    if found is None:
        raise AttributeError(f"module 'rushlight.special' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__():
    aliases = {n.removeprefix(_PREFIX) for n in dir(_core) if n.startswith(_PREFIX) and not n.endswith("_")}
    return sorted({*globals(), "multigammaln", *aliases, *filter(_is_row, _core.op_names())})
