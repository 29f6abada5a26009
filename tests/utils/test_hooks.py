"""The handle that removes hooks."""

import gc
import pickle
from collections import OrderedDict

import pytest

import rushlight as torch
from rushlight.utils.hooks import BackwardHook, RemovableHandle, unserializable_hook, warn_if_has_hooks


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


def test_warnings_about_hooks():
    x = torch.ones(1, requires_grad=True)
    warn_if_has_hooks(x)
    x.register_hook(unserializable_hook(lambda grad: grad))
    warn_if_has_hooks(x)
    pickle.dumps(x)
    handle = x.register_hook(print)
    for serialize in (warn_if_has_hooks, pickle.dumps):
        with pytest.warns(UserWarning, match="print.* will not be serialized"):
            serialize(x)
    handle.remove()
    pickle.dumps(x)


def test_hooks_of_results():
    x = torch.ones(2, requires_grad=True)
    a, b = (x * 2).split(1)
    b.register_hook(print)
    assert a._backward_hooks is None and list(b._backward_hooks.values()) == [print]


def test_backward_hook():
    seen = []

    def after(module, grad_input, grad_output):
        seen.append((module, grad_input, grad_output))
        return grad_input[0] * 10, None

    hook = BackwardHook("module", [after], [lambda module, grad_output: (grad_output[0] + 1,)])
    x = torch.ones(1, requires_grad=True)
    inside, number = hook.setup_input_hook((x, 3))
    hook.setup_output_hook(inside * number).backward()
    assert seen == [("module", (torch.tensor([6.0]), None), (torch.tensor([2.0]),))]
    assert x.grad.tolist() == [60.0]
