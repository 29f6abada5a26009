"""Anomaly mode: an error in backward names the forward line that made its node, and NaN gradients are errors."""

import warnings

from rushlight import _core

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]


def is_anomaly_enabled():
    """Whether anomaly mode is on."""
    return _core.anomaly_enabled()


def is_anomaly_check_nan_enabled():
    """Whether anomaly mode, when it is on, raises for gradients that are NaN."""
    return _core.anomaly_checks_nan()


def _switch(mode, check_nan):
    """Sets the mode and returns what it was."""
    previous = _core.anomaly_enabled(), _core.anomaly_checks_nan()
    _core.set_anomaly_(mode, check_nan)
    return previous


class set_detect_anomaly:
    """Turns anomaly mode on or off: at once when called, and until the end of a `with` block.

    Each forward call records where it was made, so forward is slower while the mode is on.

    Args:
        mode (bool): on or off.
        check_nan (bool): raise a RuntimeError when a backward formula returns NaN.

    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode, check_nan=True):
        self.previous = _switch(mode, check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *exception):
        _switch(*self.previous)


class detect_anomaly:
    """Turns anomaly mode on for a `with` block.

    Args:
        check_nan (bool): raise a RuntimeError when a backward formula returns NaN.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> x = torch.zeros(1, requires_grad=True)
    >>> with torch.autograd.detect_anomaly():
    ...     (x.sqrt() * 0).sum().backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output...
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self):
        self.previous = _switch(True, self.check_nan)

    def __exit__(self, *exception):
        _switch(*self.previous)
