"""What the namespace can tell of itself."""

import rushlight
from rushlight.array_api.dtypes import KINDS


class Info:
    """What `__array_namespace_info__()` gives."""

    def capabilities(self):
        """Boolean masks and shapes that depend on data are supported; arrays have at most 16 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 16}

    def default_device(self):
        """The cpu."""
        return rushlight.get_default_device()

    def default_dtypes(self, *, device=None):
        """The dtypes of new arrays by kind."""
        real = rushlight.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": real.to_complex(),
            "integral": rushlight.int64,
            "indexing": rushlight.int64,
        }

    def devices(self):
        """The cpu alone."""
        return [rushlight.device("cpu")]

    def dtypes(self, *, device=None, kind=None):
        """The dtypes by name, of one kind or of a tuple of kinds where these are given."""
        kinds = ("bool", "numeric") if kind is None else kind if isinstance(kind, tuple) else (kind,)
        return {str(dtype).removeprefix("torch."): dtype for kind in kinds for dtype in KINDS[kind]}


def __array_namespace_info__():
    """What this namespace supports: dtypes, devices, capabilities."""
    return Info()
