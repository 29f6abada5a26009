"""Multi-head attention, which has one path: the setting is kept."""

_fast = [True]


def get_fastpath_enabled():
    """What set_fastpath_enabled was given."""
    return _fast[0]


def set_fastpath_enabled(value):
    """Kept."""
    _fast[0] = value
