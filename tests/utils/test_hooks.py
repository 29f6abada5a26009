"""The handle that removes hooks."""

import gc
import pickle
from collections import OrderedDict

from rushlight.utils.hooks import RemovableHandle


def test_remove_once_and_again():
    hooks, other = OrderedDict(), OrderedDict()
    handle = RemovableHandle(hooks, extra_dict=other)
    hooks[handle.id] = other[handle.id] = print
    handle.remove()
    handle.remove()
    assert not hooks and not other


def test_ids_differ_and_blocks_remove():
    hooks = OrderedDict()
    first = RemovableHandle(hooks)
    hooks[first.id] = print
    with RemovableHandle(hooks, extra_dict=[OrderedDict()]) as second:
        hooks[second.id] = repr
        assert len(hooks) == 2
    assert list(hooks) == [first.id]


def test_the_dict_is_held_weakly():
    handle = RemovableHandle(OrderedDict())
    gc.collect()
    handle.remove()


def test_a_restored_handle_removes_from_the_restored_dict():
    hooks = OrderedDict()
    handle = RemovableHandle(hooks)
    hooks[handle.id] = print
    restored_hooks, restored = pickle.loads(pickle.dumps((hooks, handle)))
    restored.remove()
    assert not restored_hooks and hooks
    assert RemovableHandle(hooks).id > handle.id
