"""A version that compares as numbers do: "0.10" is above "0.9"."""

import re

from rushlight.version import __version__ as internal_version

__all__ = ["TorchVersion"]


def _key(version):
    """Release numbers without trailing zeros, then whether it is a release at all, then what follows it."""
    if isinstance(version, (tuple, list)):
        version = ".".join(str(part) for part in version)
    public = str(version).partition("+")[0]
    match = re.match(r"v?(\d+(?:\.\d+)*)[-._]?(.*)", public)
    if not match:
        raise ValueError(f"[TorchVersion] a version must begin with a number. Received {version!r}.")
    numbers = [int(n) for n in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = match[2]
    return numbers, not rest or rest.startswith("post"), [int(x) if x else 0 for x in re.findall(r"\d*$", rest)]


class TorchVersion(str):
    """A version as text that compares by its numbers, with text, tuples and its like.

    >>> torch.torch_version.TorchVersion("1.10.1a") > (1, 9)
    True
    """

    __hash__ = str.__hash__

    def _compare(self, other, compare):
        try:
            return compare(_key(self), _key(other))
        except ValueError:
            return compare(str(self), str(other))

    def __lt__(self, other):
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other):
        return self._compare(other, lambda a, b: a <= b)

    def __eq__(self, other):
        return self._compare(other, lambda a, b: a == b)

    def __ne__(self, other):
        return not self == other

    def __ge__(self, other):
        return self._compare(other, lambda a, b: a >= b)

    def __gt__(self, other):
        return self._compare(other, lambda a, b: a > b)


__version__ = TorchVersion(internal_version)
