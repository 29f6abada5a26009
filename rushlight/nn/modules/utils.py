"""Numbers as tuples, and prefixes of state dictionaries: what programs import from torch.nn.modules.utils."""

from collections.abc import Iterable

__all__ = ["consume_prefix_in_state_dict_if_present"]


def _ntuple(n):
    """A function that gives a value as a tuple of n: itself, if it is iterable, else repeated."""

    def as_tuple(value):
        return tuple(value) if isinstance(value, Iterable) else (value,) * n

    return as_tuple


_single, _pair, _triple, _quadruple = map(_ntuple, (1, 2, 3, 4))


def _reverse_repeat_tuple(t, n):
    """The entries of t from the last to the first, each n times."""
    return tuple(value for value in reversed(t) for _ in range(n))


def consume_prefix_in_state_dict_if_present(state_dict, prefix):
    """Take `prefix` off the keys that begin with it, and off those of the metadata; in place.

    >>> state = torch.nn.DataParallel(torch.nn.Linear(1, 1)).state_dict()
    >>> torch.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    >>> list(state)
    ['weight', 'bias']
    """
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key.removeprefix(prefix)] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", None)
    for key in list(metadata or ()):
        if key == prefix.removesuffix("."):
            metadata[""] = metadata.pop(key)
        elif key.startswith(prefix):
            metadata[key.removeprefix(prefix)] = metadata.pop(key)
