"""The handle that removes a hook again."""

import importlib
import itertools
import warnings
import weakref

__all__ = ["BackwardHook", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]  # noqa: F822


class RemovableHandle:
    """Removes one hook from the dict it was registered in: by `remove()`, or at the end of a `with` block.

    The dict is held weakly, so a handle keeps nothing alive; removing twice is harmless.

    Args:
        hooks_dict (OrderedDict): maps hook ids to hooks; the handle's `id` is the new hook's key. A plain dict
            cannot be referenced weakly.
        extra_dict (OrderedDict or list of OrderedDict): further dicts from which the id is removed.

    >>> from collections import OrderedDict
    >>> from rushlight.utils.hooks import RemovableHandle
    >>> hooks = OrderedDict()
    >>> handle = RemovableHandle(hooks)
    >>> hooks[handle.id] = print
    >>> handle.remove()
    >>> len(hooks)
    0
    """

    _ids = itertools.count()

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.id = next(RemovableHandle._ids)
        extra = extra_dict if isinstance(extra_dict, (list, tuple)) else () if extra_dict is None else (extra_dict,)
        self._refs = tuple(weakref.ref(hooks) for hooks in (hooks_dict, *extra))

    def remove(self):
        """Removes the hook; does nothing when it is gone already."""
        for ref in self._refs:
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()

    def __getstate__(self):
        return self.id, tuple(ref() for ref in self._refs)

    def __setstate__(self, state):
        self.id, dicts = state
        self._refs = tuple(weakref.ref(hooks) for hooks in dicts if hooks is not None)
        last = next(RemovableHandle._ids)  # ids given out from here on stay above every restored one
        RemovableHandle._ids = itertools.count(max(last, self.id + 1))


def unserializable_hook(f):
    """Marks a tensor hook as one that is left out, without a warning, when its tensor is pickled."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor):
    """Warns of every hook of the tensor that is not marked as `unserializable_hook`: pickling leaves hooks out."""
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized. If this is expected, decorate the function "
                "with @torch.utils.hooks.unserializable_hook.",
                stacklevel=2,
            )


def __getattr__(name):
    if name == "BackwardHook":  # which stands above this module
        return importlib.import_module("rushlight.nn.modules.hooks").BackwardHook
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
