"""Nodes and edges, hooks, saved-tensor hooks, anomaly mode."""

import warnings

import pytest


def leaf(torch, *values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# --- nodes ---


def test_nodes_link_to_where_their_inputs_came_from(torch):
    x, w = leaf(torch, 1.0), leaf(torch, 2.0)
    y = x * w
    z = y.exp()
    assert z.grad_fn.name() == "ExpBackward0" and isinstance(z.grad_fn, torch.autograd.graph.Node)
    ((node, number),) = z.grad_fn.next_functions
    assert node is y.grad_fn and number == 0
    (nx, _), (nw, _) = node.next_functions
    assert nx.variable is x and nw.variable is w and nx.next_functions == ()
    assert (x * 2).grad_fn.next_functions[0][0] is nx


def test_inputs_without_a_gradient_have_no_node(torch):
    x = leaf(torch, 1.0)
    functions = (x * torch.ones(1, dtype=torch.float64)).grad_fn.next_functions
    assert functions[0][0] is not None and functions[1] == (None, 0)


def test_metadata_stays_with_the_node(torch):
    y = leaf(torch, 1.0).exp()
    y.grad_fn.metadata["note"] = 5
    assert y.grad_fn.metadata == {"note": 5}


def test_output_numbers(torch):
    class Twins(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            return first * 2 + second * 3

    first, second = Twins.apply(leaf(torch, 3.0))
    assert first.grad_fn is second.grad_fn and (first.output_nr, second.output_nr) == (0, 1)
    assert (first * second).grad_fn.next_functions == ((first.grad_fn, 0), (first.grad_fn, 1))


# --- hooks on tensors ---


def test_tensor_hooks_run_in_order_and_replace(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(("first", g.item())))
    y.register_hook(lambda g: g * 10)
    handle = y.register_hook(lambda g: seen.append(("third", g.item())))
    y.sum().backward(retain_graph=True)
    assert seen == [("first", 1.0), ("third", 10.0)] and x.grad.tolist() == [20.0]
    handle.remove()
    handle.remove()
    y.sum().backward()
    assert len(seen) == 3 and x.grad.tolist() == [40.0]


def test_hooks_on_leaves(torch):
    x = leaf(torch, 1.0)
    with x.register_hook(lambda g: g + 1):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [5.0]


def test_leaf_hooks_apply_to_autograd_grad(torch):
    x = leaf(torch, 1.0)
    x.register_hook(lambda g: g * 3)
    assert torch.autograd.grad((x * 2).sum(), x)[0].tolist() == [6.0]


def test_a_hook_sees_the_whole_gradient(torch):
    x = leaf(torch, 1.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3 + x).sum().backward()
    assert seen == [6.0]


def test_hooks_are_refused_where_no_gradient_comes(torch):
    with pytest.raises(RuntimeError, match=r"doesn't require gradient|does not require grad"):
        torch.ones(1).register_hook(print)


def test_a_hook_that_returns_something_else(torch):
    x = leaf(torch, 1.0)
    x.register_hook(lambda g: "text")
    with pytest.raises(TypeError):
        x.sum().backward()


def test_hook_of_a_tensor_that_was_written_after(torch):
    x = leaf(torch, 2.0)
    seen = []
    y = x * 3
    y.register_hook(lambda g: seen.append(("before", g.item())))
    y.mul_(5)
    y.register_hook(lambda g: seen.append(("after", g.item())))
    y.sum().backward()
    assert seen == [("after", 1.0), ("before", 5.0)]


def test_retain_grad(torch):
    x = leaf(torch, 2.0)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [12.0] and x.grad.tolist() == [36.0]
    with pytest.raises(RuntimeError, match=r"can't retain_grad|requires_grad=False"):
        torch.ones(1).retain_grad()


def test_retain_grad_comes_after_the_tensors_hooks(torch):
    x = leaf(torch, 2.0)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 100)
    y.sum().backward()
    assert y.grad.tolist() == [100.0]


def test_the_grad_of_a_result_warns(torch):
    y = leaf(torch, 1.0) * 2
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


def test_post_accumulate_grad_hooks(torch):
    x = leaf(torch, 1.0)
    seen = []

    def step(p):
        seen.append(p.grad.item())
        p.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 2 + x * 3).sum().backward()
    assert seen == [5.0] and x.grad is None
    handle.remove()
    x.sum().backward()
    assert seen == [5.0] and x.grad.tolist() == [1.0]
    with pytest.raises(RuntimeError, match="leaf"):
        (x * 2).register_post_accumulate_grad_hook(step)


def test_node_hooks(torch):
    x, w = leaf(torch, 2.0), leaf(torch, 3.0)
    y = x * w
    seen = []
    y.grad_fn.register_prehook(lambda gout: seen.append(("pre", gout[0].item())))
    y.grad_fn.register_prehook(lambda gout: (gout[0] * 10,))
    y.grad_fn.register_hook(lambda gin, gout: seen.append(([g.item() for g in gin], gout[0].item())))
    y.grad_fn.register_hook(lambda gin, gout: (gin[0] + 1, None))
    y.sum().backward()
    assert seen == [("pre", 1.0), ([30.0, 20.0], 10.0)]
    assert x.grad.tolist() == [31.0] and (w.grad is None or w.grad.tolist() == [0.0])


def test_hooks_of_accumulators(torch):
    x = leaf(torch, 2.0)
    node = (x * 1).grad_fn.next_functions[0][0]
    seen = []
    node.register_hook(lambda gin, gout: seen.append((gin, gout[0].item(), x.grad.item())))
    (x * 4).sum().backward()
    assert seen == [((), 4.0, 4.0)]


def test_hooks_run_under_create_graph_and_are_recorded(torch):
    x = leaf(torch, 3.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)  # 2x * x
    assert torch.autograd.grad(g.sum(), x)[0].tolist() == [12.0]


# --- several gradients at once, edges ---


def test_multi_grad_hook_waits_for_all(torch):
    a, b, c = leaf(torch, 1.0), leaf(torch, 2.0), leaf(torch, 3.0)
    seen = []
    handle = torch.autograd.graph.register_multi_grad_hook(
        (a, b, c), lambda grads: seen.append([g if g is None else g.item() for g in grads])
    )
    (a * b * c).sum().backward()
    (a * b).sum().backward()
    handle.remove()
    (a * b * c).sum().backward()
    assert seen == [[6.0, 3.0, 2.0], [2.0, 1.0, None]]


def test_multi_grad_hook_on_the_first(torch):
    a, b = leaf(torch, 1.0), leaf(torch, 2.0)
    seen = []
    handle = torch.autograd.graph.register_multi_grad_hook((a, b), lambda g: seen.append(g.item()), mode="any")
    (2 * a + 2 * b).sum().backward()
    (2 * b).sum().backward()
    assert seen == [2.0, 2.0]
    handle.remove()
    with pytest.raises(ValueError, match="mode"):
        torch.autograd.graph.register_multi_grad_hook((a, b), print, mode="some")


def test_gradient_edges_stand_for_tensors(torch):
    x = leaf(torch, 2.0)
    y = x * 3
    edge, edge_of_leaf = torch.autograd.graph.get_gradient_edge(y), torch.autograd.graph.get_gradient_edge(x)
    assert edge.node is y.grad_fn and edge.output_nr == 0
    z = (y * y).sum()
    gy, gx = torch.autograd.grad(z, (edge, edge_of_leaf))
    assert gy.tolist() == [12.0] and gx.tolist() == [36.0]
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.graph.get_gradient_edge(torch.ones(1))


# --- hooks on saved values ---


def test_saved_tensors_hooks_pack_and_unpack(torch):
    x, w = leaf(torch, 2.0), leaf(torch, 3.0)
    log = []

    def pack(t):
        log.append(("pack", t.item()))
        return t.item()

    def unpack(value):
        log.append(("unpack", value))
        return torch.tensor([value], dtype=torch.float64)

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = x * w
        z = y.exp()
    assert sorted(entry[1] for entry in log) == sorted([2.0, 3.0, z.item()])
    (y * y).sum().backward(retain_graph=True)  # saved outside the block
    assert x.grad.tolist() == [36.0] and w.grad.tolist() == [24.0]
    x.grad = None
    z.sum().backward()
    assert x.grad.item() == pytest.approx(3 * z.item())
    assert all(e[0] == "pack" for e in log[:3]) and all(e[0] == "unpack" for e in log[3:])


def test_saved_tensors_hooks_nest_innermost_first(torch):
    x = leaf(torch, 2.0)
    hooks = torch.autograd.graph.saved_tensors_hooks
    with hooks(lambda t: t, lambda t: t * 100), hooks(lambda t: t, lambda t: t * 10):
        y = x * x
    y.sum().backward()
    assert x.grad.tolist() == [40.0]


def test_saved_tensors_hooks_in_a_function(torch):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return 2 * ctx.saved_tensors[0] * grad

    x = leaf(torch, 3.0)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.item(), lambda v: torch.tensor([v + 1]).double()):
        y = Square.apply(x)
    y.sum().backward()
    assert x.grad.tolist() == [8.0]


def test_second_order_through_saved_tensors_hooks(torch):
    x = leaf(torch, 2.0)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        y = (x * x * x).exp()
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        (gg,) = torch.autograd.grad(g.sum(), x)
    e = y.item()
    assert g.item() == pytest.approx(12 * e) and gg.item() == pytest.approx((144 + 12) * e)


def test_errors_of_pack_and_unpack_reach_the_caller(torch):
    x = leaf(torch, 2.0)

    def fail(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), torch.autograd.graph.saved_tensors_hooks(fail, lambda t: t):
        x * x
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, fail):
        y = x * x
    with pytest.raises(KeyError, match="mine"):
        y.sum().backward()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: "text"):
        y = x * x
    with pytest.raises(TypeError):
        y.sum().backward()


def test_saved_tensors_hooks_can_be_forbidden(torch):
    graph = torch.autograd.graph
    with (
        pytest.raises(RuntimeError, match="not here"),
        graph.disable_saved_tensors_hooks("not here"),
        graph.saved_tensors_hooks(id, id),
    ):
        pass
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        pass


def test_save_on_cpu(torch):
    x = leaf(torch, 2.0)
    with torch.autograd.graph.save_on_cpu():
        y = (x * x).exp()
    y.sum().backward()
    assert x.grad.item() == pytest.approx(4 * y.item())


# --- anomaly mode ---


def test_anomaly_mode_names_the_formula_that_made_nan(torch):
    x = leaf(torch, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            y = (x.sqrt() * 0).sum()
            with pytest.raises(RuntimeError, match=r"Sqrt.*nan"):
                y.backward()
    assert not torch.is_anomaly_enabled()


def test_anomaly_mode_without_the_check(torch):
    x = leaf(torch, 0.0)
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        assert torch.is_anomaly_enabled() and not torch.is_anomaly_check_nan_enabled()
        (x.sqrt() * 0).sum().backward()
    assert x.grad.isnan().all() and not torch.is_anomaly_enabled()


def test_anomaly_mode_warns_that_it_is_slow(torch):
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        torch.autograd.detect_anomaly()
