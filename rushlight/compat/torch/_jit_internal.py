"""What libraries take from the private module of torch.jit."""

from rushlight.jit import Final, export, ignore, is_scripting, unused

__all__ = ["Final", "boolean_dispatch", "export", "ignore", "is_scripting", "unused"]


def _copy_to_script_wrapper(fn):
    """The function itself."""
    return fn


_overload = _overload_method = _copy_to_script_wrapper


def _qualified_name(obj):
    """The path of a class or function."""
    return f"{obj.__module__}.{obj.__qualname__}"


def boolean_dispatch(arg_name, arg_index, default, if_true, if_false, module_name, func_name):
    """A function that calls if_true or if_false, by one of its arguments."""

    def choose(*args, **kwargs):
        chosen = args[arg_index] if arg_index < len(args) else kwargs.get(arg_name, default)
        return (if_true if chosen else if_false)(*args, **kwargs)

    choose.__name__ = func_name
    return choose
