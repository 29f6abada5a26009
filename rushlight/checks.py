"""Conditions that programs state: torch._check and its relatives, torch._assert.

>>> torch._check(2 > 1, lambda: "two is more than one")
"""

import rushlight


def _check_with(error_type, cond, message):
    """Raises error_type with message() unless cond holds. Raises TypeError for a cond that is no bool."""
    if not isinstance(cond, bool):
        raise TypeError(f"[_check] cond must be a bool, but got {type(cond)}. Use bool(...), or _check_tensor_all.")
    if cond:
        return
    if message is None:
        raise error_type("Expected cond to be True, but got False. Give a message that says what must hold.")
    if not callable(message):
        raise TypeError(f"[_check] message must be a callable that gives a text. Received {type(message).__name__}.")
    raise error_type(str(message()))


def _checking(name, error_type):
    def check(cond, message=None):
        _check_with(error_type, cond, message)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"Raises {error_type.__name__} with message() unless cond holds."
    return check


_check = _checking("_check", RuntimeError)
_check_index = _checking("_check_index", IndexError)
_check_value = _checking("_check_value", ValueError)
_check_type = _checking("_check_type", TypeError)
_check_not_implemented = _checking("_check_not_implemented", NotImplementedError)


def _check_tensor_all_with(error_type, cond, message=None):
    """Raises error_type with message() unless all elements of a bool tensor hold."""
    if not isinstance(cond, rushlight.Tensor) or cond.dtype != rushlight.bool:
        raise TypeError(f"[_check_tensor_all] cond must be a tensor of bool. Received {type(cond).__name__}.")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond, message=None):
    """Raises RuntimeError with message() unless all elements of a bool tensor hold."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _check_is_size(i, message=None, *, max=None):
    """Raises RuntimeError with message() unless i is at least 0 and, where given, at most max."""
    _check(i >= 0 and (max is None or i <= max), message)


def _assert(condition, message):
    """Raises AssertionError unless condition holds."""
    assert condition, message


def _assert_async(input, assert_msg=None):
    """Raises RuntimeError unless the only element of input is nonzero."""
    if not bool(input):
        raise RuntimeError(assert_msg or "[_assert_async] Expected Tensor with single nonzero value, but got zero.")
