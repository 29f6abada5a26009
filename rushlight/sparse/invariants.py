"""The switch for checks that cost more than reading the indices once."""

import functools

_enabled = False


class check_sparse_tensor_invariants:
    """Whether constructors also check that indices are sorted and distinct where the layout wants it.

    That no index is out of range is always checked. Use it as a switch (`enable()`, `disable()`), as a context manager,
    or as a decorator.

    >>> with torch.sparse.check_sparse_tensor_invariants():
    ...     torch.sparse.check_sparse_tensor_invariants.is_enabled()
    True
    """

    @staticmethod
    def is_enabled():
        """Whether the checks are on."""
        return _enabled

    @staticmethod
    def enable():
        """Turns the checks on."""
        global _enabled
        _enabled = True

    @staticmethod
    def disable():
        """Turns the checks off."""
        global _enabled
        _enabled = False

    def __init__(self, enable=True):
        self.state = enable
        self.saved_state = None

    def __enter__(self):
        global _enabled
        if self.saved_state is not None:
            raise RuntimeError("[check_sparse_tensor_invariants] the context is already active. Make a new instance.")
        self.saved_state, _enabled = _enabled, self.state

    def __exit__(self, *error):
        global _enabled
        _enabled, self.saved_state = self.saved_state, None

    def __call__(self, function):
        @functools.wraps(function)
        def checked(*args, **kwargs):
            with type(self)(self.state):
                return function(*args, **kwargs)

        return checked
