"""Checks of arguments, under the names that programs import from here."""

from rushlight.overrides import has_torch_function, has_torch_function_unary, has_torch_function_variadic

__all__ = ["assert_int_or_pair", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"]


def assert_int_or_pair(arg, arg_name, message):
    """Raises AssertionError, `message` with `arg_name` put into it, unless `arg` is an int or has two elements.

    >>> torch.nn.functional.assert_int_or_pair((1, 2), "padding", "{} must be one or two numbers")
    """
    if not isinstance(arg, int) and len(arg) != 2:
        raise AssertionError(str(message).format(arg_name))
