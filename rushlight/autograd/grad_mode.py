"""Switches that decide whether a call is recorded: usable in a `with` statement and as a decorator.

The state is one flag per thread, held by the core; each class here sets it on entry and puts it back on exit.
"""

import functools
import warnings

from rushlight import _core

__all__ = ["no_grad", "enable_grad", "set_grad_enabled", "inference_mode", "set_multithreading_enabled",
           "enforce_grad_layout_policy"]  # fmt: skip

_GENERATOR = 0x20  # inspect.CO_GENERATOR; importing inspect would slow `import rushlight` down


def decorate(make_context, function):
    """Returns `function` with each of its calls run inside a fresh `make_context()`.

    A class gets its `__init__` wrapped. A generator function is inside the context only while its own body
    runs, so that the state of the code that consumes it is untouched between two items.
    """
    if isinstance(function, type):
        warnings.warn(
            "Decorating classes is deprecated; decorate the class's __init__ method instead.",
            FutureWarning,
            stacklevel=3,
        )
        function.__init__ = decorate(make_context, function.__init__)
        return function
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _GENERATOR:
        return _decorate_generator(make_context, function)

    @functools.wraps(function)
    def run_inside(*args, **kwargs):
        with make_context():
            return function(*args, **kwargs)

    return run_inside


def _decorate_generator(make_context, function):
    @functools.wraps(function)
    def run_inside(*args, **kwargs):
        generator = function(*args, **kwargs)
        resume, value = generator.send, None
        try:
            while True:
                try:
                    with make_context():
                        item = resume(value)
                except StopIteration as stop:
                    return stop.value
                try:
                    resume, value = generator.send, (yield item)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    resume, value = generator.throw, error
        finally:
            with make_context():
                generator.close()

    return run_inside


class _ContextDecorator:
    """A context manager that is also a decorator; `clone()` makes the fresh context for each call."""

    def __call__(self, function):
        return decorate(self.clone, function)

    def clone(self):
        return type(self)()


class _GradMode(_ContextDecorator):
    mode = True

    def __new__(cls, orig_func=None):
        self = super().__new__(cls)
        return self if orig_func is None else self(orig_func)

    def __enter__(self):
        self.previous = _core.is_grad_enabled()
        _core.set_grad_enabled_(self.mode)

    def __exit__(self, *exception):
        _core.set_grad_enabled_(self.previous)


class no_grad(_GradMode):
    """Calls made inside are not recorded: their results have `requires_grad=False`.

    Works as a context manager, and as a decorator with or without parentheses, on functions and generators.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    >>> @torch.no_grad()
    ... def double(x):
    ...     return x * 2
    >>> double(x).requires_grad
    False
    """

    mode = False


class enable_grad(_GradMode):
    """Calls made inside are recorded again, within a `no_grad` or `set_grad_enabled(False)` block.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     with torch.enable_grad():
    ...         y = x * 2
    >>> y.requires_grad
    True
    """

    mode = True


class set_grad_enabled(_ContextDecorator):
    """Turns recording on or off by a flag: at once when called, and until the end of a `with` block.

    Args:
        mode (bool): True records, False does not.

    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad
    False
    >>> _ = torch.set_grad_enabled(True)
    >>> (x * 2).requires_grad
    True
    """

    def __init__(self, mode):
        self.previous = _core.is_grad_enabled()
        self.mode = mode
        _core.set_grad_enabled_(mode)

    def __call__(self, function):
        _core.set_grad_enabled_(self.previous)  # as a decorator it acts inside the function alone
        return super().__call__(function)

    def __enter__(self):
        _core.set_grad_enabled_(self.mode)

    def __exit__(self, *exception):
        _core.set_grad_enabled_(self.previous)

    def __repr__(self):
        return f"{type(self).__name__}(mode={self.mode})"

    def clone(self):
        return type(self)(self.mode)


class inference_mode(_ContextDecorator):
    """Like `no_grad`, and the tensors made inside may never take part in recording later.

    In exchange they carry no version counter. `inference_mode(False)` inside switches both off.

    Args:
        mode (bool or function): the switch, or the function to decorate when used without parentheses.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.inference_mode():
    ...     y = x * 2
    >>> y.requires_grad, y.is_inference()
    (False, True)
    """

    def __new__(cls, mode=True):
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode=True):
        self.mode = mode

    def __enter__(self):
        self.previous = _core.is_inference_mode_enabled(), _core.is_grad_enabled()
        _core.set_inference_mode_(self.mode)
        _core.set_grad_enabled_(not self.mode)

    def __exit__(self, *exception):
        inference, grad = self.previous
        _core.set_inference_mode_(inference)
        _core.set_grad_enabled_(grad)

    def clone(self):
        return type(self)(self.mode)


class set_multithreading_enabled(_ContextDecorator):
    """Accepted so that programs which set it run; backward always runs on the calling thread.

    Args:
        mode (bool): has no effect.
    """

    def __init__(self, mode):
        self.mode = mode

    def __enter__(self):
        pass

    def __exit__(self, *exception):
        pass

    def clone(self):
        return type(self)(self.mode)


class enforce_grad_layout_policy(_ContextDecorator):
    """Accepted so that programs which set it run: a gradient that is dense is taken over in its own layout always.

    Args:
        enable (bool): has no effect.
    """

    def __init__(self, enable=True):
        self.mode = enable

    def __enter__(self):
        pass

    def __exit__(self, *exception):
        pass

    def clone(self):
        return type(self)(self.mode)


class _unsafe_preserve_version_counter(_ContextDecorator):
    """In-place changes to the given tensors inside the block do not count: the block's end restores `_version`.

    Unsafe, because a backward formula that saved such a tensor will read the changed values unnoticed.

    Args:
        tensors (Tensor or tuple of Tensor): whose version counters are kept.
    """

    def __init__(self, tensors):
        self.tensors = tensors if isinstance(tensors, (tuple, list)) else (tensors,)
        self.versions = [tensor._version for tensor in self.tensors]

    def __enter__(self):
        pass

    def __exit__(self, *exception):
        for tensor, version in zip(self.tensors, self.versions, strict=True):
            _core.set_version_(tensor, version)

    def clone(self):
        return type(self)(self.tensors)
