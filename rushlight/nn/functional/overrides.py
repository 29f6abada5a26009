"""Checks of arguments, under the names that programs import from here."""

import rushlight

__all__ = ["assert_int_or_pair", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"]


def has_torch_function(relevant_args):
    """Whether the type of one of the arguments, which is not a plain tensor, has a method `__torch_function__`.

    >>> torch.nn.functional.has_torch_function([torch.ones(1), 2])
    False
    """
    plain = (rushlight.Tensor, rushlight.nn.Parameter)
    return any(type(x) not in plain and hasattr(type(x), "__torch_function__") for x in relevant_args)


def has_torch_function_unary(tensor):
    """`has_torch_function` of one argument."""
    return has_torch_function((tensor,))


def has_torch_function_variadic(*args):
    """`has_torch_function` of the arguments."""
    return has_torch_function(args)


def assert_int_or_pair(arg, arg_name, message):
    """Raises AssertionError, `message` with `arg_name` put into it, unless `arg` is an int or has two elements.

    >>> torch.nn.functional.assert_int_or_pair((1, 2), "padding", "{} must be one or two numbers")
    """
    if not isinstance(arg, int) and len(arg) != 2:
        raise AssertionError(str(message).format(arg_name))
