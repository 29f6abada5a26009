"""What lives how long: long chains, cycles through Python, and that backward frees what it used.

Tests that take `rushlight` are of cycles through the graph that PyTorch cannot collect.
"""

import gc
import threading
import warnings
import weakref

import pytest


class Marker:
    """Something whose death can be watched."""


def collected(*refs):
    gc.collect()
    return all(ref() is None for ref in refs)


@pytest.mark.slow
def test_a_chain_of_a_million_calls(torch):
    length = 1_000_000 if torch.__name__ == "rushlight" else 100_000
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(length):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1.0] and y.item() == length + 1
    del y  # destruction must not recurse either


def test_a_long_chain_that_saves_and_is_never_run(torch):
    x = torch.full((1,), 0.5, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y * x
    del y
    assert collected()


def test_a_long_chain_of_functions(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x + 0

        @staticmethod
        def backward(ctx, grad):
            return grad

    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(5_000):
        y = Same.apply(y)
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_a_long_chain_on_one_tensor_in_place(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 1
    for _ in range(20_000):
        y.add_(1)
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_tensors_die_without_the_collector(torch):
    gc.collect()
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        y = x.exp()
        ref, ref_x = weakref.ref(y), weakref.ref(x)
        z = (y * y).sum()
        del y
        z.backward()
        del z
        assert ref() is None
        del x
        assert ref_x() is None
    finally:
        gc.enable()


def test_a_tensor_keeps_its_python_object_and_attributes(torch):
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    node = y.grad_fn
    x.note = "mine"
    del x
    gc.collect()
    assert node.next_functions[0][0].variable.note == "mine"


def test_a_hook_that_holds_its_own_tensor(rushlight):
    marker = Marker()
    ref = weakref.ref(marker)
    x = rushlight.ones(1, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g, y=y, marker=marker: None)
    del x, y, marker
    assert collected(ref)


def test_a_hook_of_a_leaf_that_holds_the_loss(rushlight):
    marker = Marker()
    ref = weakref.ref(marker)
    x = rushlight.ones(1, requires_grad=True)
    loss = (x * x).sum()
    x.register_hook(lambda g, loss=loss, marker=marker: None)
    loss.backward()
    del x, loss, marker
    assert collected(ref)


def test_a_hook_of_a_node_that_holds_a_later_result(rushlight):
    marker = Marker()
    ref = weakref.ref(marker)
    x = rushlight.ones(1, requires_grad=True)
    y = x.exp()
    z = y.exp()
    y.grad_fn.register_hook(lambda gin, gout, z=z, marker=marker: None)
    del x, y, z, marker
    assert collected(ref)


def test_a_function_context_that_holds_its_output(torch):
    class Holds(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, marker):
            y = x * 2
            ctx.output, ctx.marker = y, marker
            return y

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, None

    marker = Marker()
    ref = weakref.ref(marker)
    x = torch.ones(1, requires_grad=True)
    y = Holds.apply(x, marker)
    y.sum().backward()
    del x, y, marker
    assert collected(ref)


def test_a_function_that_saves_its_output_makes_no_cycle(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, marker):
            y = x.exp()
            ctx.save_for_backward(y)
            ctx.marker = marker
            return y

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0], None

    gc.collect()
    gc.disable()
    try:
        marker = Marker()
        ref = weakref.ref(marker)
        y = Exp.apply(torch.ones(1, requires_grad=True), marker)
        del marker
        assert ref() is not None
        del y
        assert ref() is None
    finally:
        gc.enable()


def test_node_metadata_that_holds_its_tensor(rushlight):
    marker = Marker()
    ref = weakref.ref(marker)
    y = rushlight.ones(1, requires_grad=True) * 2
    y.grad_fn.metadata["cycle"] = (y, marker)
    del y, marker
    assert collected(ref)


def test_attributes_of_a_tensor_that_hold_it(rushlight):
    marker = Marker()
    ref = weakref.ref(marker)
    x = rushlight.ones(1, requires_grad=True)
    x.me, x.marker = x * 2, marker
    del x, marker
    assert collected(ref)


def test_create_graph_backward_and_its_cycle(torch):
    marker = Marker()
    ref = weakref.ref(marker)
    x = torch.ones(1, requires_grad=True)
    x.marker = marker
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x * x).sum().backward(create_graph=True)
    x.grad = None  # x -> x.grad -> graph -> x
    del x, marker
    assert collected(ref)


def test_hooks_die_with_their_tensor(torch):
    marker = Marker()
    ref = weakref.ref(marker)
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g, marker=marker: None)
    del marker, y
    assert collected(ref)
    (x * 2).sum().backward()


def test_a_live_hook_is_not_collected(torch):
    seen = []
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g, y_shape=y.shape: seen.append(y_shape))
    z = y.sum()
    del y
    gc.collect()
    z.backward()
    assert seen == [(1,)]


def test_packed_values_are_released_by_backward(torch):
    class Box:
        def __init__(self, tensor):
            self.tensor = tensor

    boxes = []

    def pack(t):
        box = Box(t.detach())
        boxes.append(weakref.ref(box))
        return box

    x = torch.ones(1, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
        y = (x * x).exp().sum()
    assert len(boxes) == 3 and all(box() is not None for box in boxes)
    y.backward()
    assert collected(*boxes)


def test_a_leaf_outlives_its_graphs(torch):
    x = torch.ones(2, requires_grad=True)
    for _ in range(3):  # the accumulator sleeps in between
        (x * 2).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    y = x * 3
    del x  # the graph alone holds the leaf
    y.sum().backward()
    assert collected()


def test_a_leaf_that_becomes_a_result_while_a_graph_holds_it(torch):
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    earlier = (x * 2).sum()
    x.requires_grad_(False)
    x.add_(w)
    del earlier  # takes the accumulator of x with it, not the new history
    assert not x.is_leaf
    x.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_backward_in_several_threads_at_once(torch):
    w = torch.ones(64, 64, requires_grad=True)
    gradients = []

    def work():
        for _ in range(20):
            (gradient,) = torch.autograd.grad((w @ w).sum(), w)
        gradients.append(gradient)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [g.tolist() == gradients[0].tolist() for g in gradients] == [True] * 4
