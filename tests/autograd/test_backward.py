"""backward() and grad(): results, orders, retained graphs, wrong arguments."""

import warnings

import pytest


def leaf(torch, values, dtype="float64"):
    return torch.tensor(values, dtype=getattr(torch, dtype), requires_grad=True)


def test_a_product_and_a_sum(torch):
    x, w = leaf(torch, [1.0, 2.0, 3.0]), leaf(torch, [4.0, 5.0, 6.0])
    (x * w).sum().backward()
    assert x.grad.tolist() == [4.0, 5.0, 6.0] and w.grad.tolist() == [1.0, 2.0, 3.0]
    assert x.grad.dtype == torch.float64 and not x.grad.requires_grad


def test_gradients_accumulate_over_runs_and_over_uses(torch):
    x = leaf(torch, [2.0])
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [5.0]
    x.sum().backward()
    assert x.grad.tolist() == [6.0]
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1.0]


def test_broadcast_operands_get_their_own_shape_back(torch):
    row, column = leaf(torch, [[1.0, 2.0, 3.0]]), leaf(torch, [[1.0], [10.0]])
    (row * column).sum().backward()
    assert row.grad.tolist() == [[11.0, 11.0, 11.0]]
    assert column.grad.tolist() == [[6.0], [6.0]]


def test_a_diamond_visits_each_node_once(torch):
    x = leaf(torch, [3.0])
    y = x * 2
    calls = []
    y.register_hook(lambda g: calls.append(g.item()))
    (y * y + y).sum().backward()
    assert calls == [13.0] and x.grad.tolist() == [26.0]


def test_grad_returns_and_leaves_grad_alone(torch):
    x, y = leaf(torch, [1.0, 2.0]), leaf(torch, [3.0, 4.0])
    gx, gy = torch.autograd.grad((x * y).sum(), (x, y))
    assert gx.tolist() == [3.0, 4.0] and gy.tolist() == [1.0, 2.0]
    assert x.grad is None and y.grad is None


def test_grad_with_respect_to_a_result(torch):
    x = leaf(torch, [1.0, 2.0])
    y = x * 3
    (g,) = torch.autograd.grad((y * y).sum(), y)
    assert g.tolist() == [6.0, 12.0]
    y = x * 3
    gy, gx = torch.autograd.grad((y * y).sum(), (y, x))
    assert gy.tolist() == [6.0, 12.0] and gx.tolist() == [18.0, 36.0]


def test_grad_of_a_tensor_with_respect_to_itself(torch):
    x = leaf(torch, [1.0, 2.0])
    assert torch.autograd.grad(x.sum(), x)[0].tolist() == [1.0, 1.0]
    assert torch.autograd.grad(x, x, torch.tensor([5.0, 6.0], dtype=torch.float64))[0].tolist() == [5.0, 6.0]


def test_grad_outputs_weigh_the_outputs(torch):
    x = leaf(torch, [1.0, 2.0])
    v = torch.tensor([10.0, 100.0], dtype=torch.float64)
    assert torch.autograd.grad(x * x, x, v)[0].tolist() == [20.0, 400.0]
    a, b, two = x * 2, x * 3, torch.tensor(2.0, dtype=torch.float64)
    assert torch.autograd.grad([a, b], x, [v, v], retain_graph=True)[0].tolist() == [50.0, 500.0]
    assert torch.autograd.grad([a.sum(), b.sum()], [x], [None, two])[0].tolist() == [8.0, 8.0]


def test_the_vector_may_require_grad_itself(torch):
    x, v = leaf(torch, [1.0, 2.0]), leaf(torch, [3.0, 4.0])
    (g,) = torch.autograd.grad(x * x, x, v, create_graph=True)
    assert torch.autograd.grad(g.sum(), v)[0].tolist() == [2.0, 4.0]


def test_third_order(torch):
    x = leaf(torch, 2.0)
    (g,) = torch.autograd.grad(x**4, x, create_graph=True)
    (gg,) = torch.autograd.grad(g, x, create_graph=True)
    (ggg,) = torch.autograd.grad(gg, x)
    assert (g.item(), gg.item(), ggg.item()) == (32.0, 48.0, 48.0)
    assert g.requires_grad and not ggg.requires_grad


def test_backward_of_a_gradient_penalty(torch):
    x, w = leaf(torch, [1.0, 2.0]), leaf(torch, [3.0, -1.0])
    (g,) = torch.autograd.grad((w * x * x).sum(), x, create_graph=True)
    (g * g).sum().backward()
    assert w.grad.tolist() == [24.0, -32.0]  # d/dw (2wx)^2 = 8wx^2
    assert x.grad.tolist() == [72.0, 16.0]  # 8w^2x


def test_create_graph_into_grad(torch):
    x = leaf(torch, 3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x**3).backward(create_graph=True)
    assert x.grad.item() == 27.0 and x.grad.requires_grad
    assert torch.autograd.grad(x.grad, x)[0].item() == 18.0
    x.grad = None


def test_a_second_backward_needs_retain_graph(torch):
    x = leaf(torch, [1.0, 2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_a_graph_that_keeps_nothing_runs_twice(torch):
    x = leaf(torch, [1.0, 2.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_unused_inputs(torch):
    x, y = leaf(torch, [1.0]), leaf(torch, [1.0])
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(x.sum(), (x, y))
    gx, gy = torch.autograd.grad(x.sum(), (x, y), allow_unused=True)
    assert gx.tolist() == [1.0] and gy is None
    _, gy = torch.autograd.grad(x.sum(), (x, y), materialize_grads=True)
    assert gy.tolist() == [0.0] and gy.dtype == y.dtype
    with pytest.raises(ValueError, match="allow_unused"):
        torch.autograd.grad(x.sum(), y, allow_unused=False, materialize_grads=True)


def test_backward_into_given_inputs_only(torch):
    x, y = leaf(torch, [2.0]), leaf(torch, [3.0])
    z = x * y
    (z * z).sum().backward(inputs=[x])
    assert x.grad.tolist() == [36.0] and y.grad is None
    (x * y).sum().backward(inputs=y)
    assert y.grad.tolist() == [2.0]
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * y).sum().backward(inputs=[])


def test_wrong_arguments(torch):
    x = leaf(torch, [1.0, 2.0])
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        torch.ones(1).backward()
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(x.sum(), torch.ones(2))
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * 2).backward(torch.ones(3, dtype=torch.float64))
    with pytest.raises(TypeError, match="gradients can be either Tensors or None"):
        (x * 2).backward([1.0, 1.0])
    with pytest.raises(RuntimeError, match="real scalar outputs"):
        torch.ones(1, dtype=torch.complex64, requires_grad=True).sum().backward()
    assert x.grad is None


def test_requires_grad_only_for_inexact_dtypes(torch):
    with pytest.raises(RuntimeError, match="floating point"):
        torch.ones(2, dtype=torch.int64).requires_grad_()
    with pytest.raises(RuntimeError, match="floating point"):
        torch.ones(2, dtype=torch.int64, requires_grad=True)
    assert not (torch.ones(2, requires_grad=True) > 0).requires_grad
    assert not torch.ones(2, requires_grad=True).argmax().requires_grad


def test_leaf_and_detach(torch):
    x = leaf(torch, [1.0])
    y = x * 2
    assert x.is_leaf and not y.is_leaf and y.requires_grad and x.grad_fn is None
    d = y.detach()
    assert d.is_leaf and not d.requires_grad and d.grad_fn is None and d.data_ptr() == y.data_ptr()
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)
    y.detach_()
    assert y.is_leaf and not y.requires_grad


def test_assigning_grad_checks_it(torch):
    x = leaf(torch, [1.0, 2.0])
    x.grad = torch.ones(2, dtype=torch.float64)
    (x * 3).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]
    with pytest.raises(RuntimeError):
        x.grad = torch.ones(3, dtype=torch.float64)
    with pytest.raises(RuntimeError):
        x.grad = torch.ones(2, dtype=torch.float32)
    with pytest.raises(TypeError):
        x.grad = 1.0


def test_grad_keeps_its_identity_while_it_accumulates(torch):
    x = leaf(torch, [1.0])
    x.sum().backward()
    g = x.grad
    (2 * x).sum().backward()
    assert x.grad is g and g.tolist() == [3.0]


def test_gradients_do_not_share_memory(torch):
    x, y = leaf(torch, [1.0]), leaf(torch, [2.0])
    (x + y).sum().backward()
    x.grad.add_(10)
    assert y.grad.tolist() == [1.0]


def test_batched_grads(torch):
    x, y = leaf(torch, [1.0, 2.0]), leaf(torch, [3.0])
    out = x * x * y
    eye = torch.eye(2, dtype=torch.float64)
    gx, gy = torch.autograd.grad(out, (x, y), eye, is_grads_batched=True)
    assert gx.tolist() == [[6.0, 0.0], [0.0, 12.0]] and gy.tolist() == [[1.0], [4.0]]


def test_batched_grads_with_unused_inputs(torch):
    x, y = leaf(torch, [1.0, 2.0]), leaf(torch, [3.0])
    eye = torch.eye(2, dtype=torch.float64)
    gx, gy = torch.autograd.grad(x * 2, (x, y), eye, is_grads_batched=True, allow_unused=True)
    assert gx.tolist() == [[2.0, 0.0], [0.0, 2.0]] and gy is None


def test_dtype_conversions_give_the_inputs_dtype_back(torch):
    x = leaf(torch, [1.0, 2.0], "float32")
    (x.double() * 3).sum().backward()
    assert x.grad.dtype == torch.float32 and x.grad.tolist() == [3.0, 3.0]
    x, y = leaf(torch, [1.0], "float32"), leaf(torch, [2.0], "float64")
    (x * y).sum().backward()
    assert x.grad.dtype == torch.float32 and y.grad.dtype == torch.float64


def test_complex_gradients_follow_the_conjugate_convention(torch):
    z = torch.tensor([3 + 4j], dtype=torch.complex128, requires_grad=True)
    (z * z.conj()).real.sum().backward()
    assert z.grad.tolist() == [6 + 8j]
    z.grad = None
    z.abs().sum().backward()
    assert abs(z.grad[0].item() - (0.6 + 0.8j)) < 1e-15
    z.grad = None
    (z * (1 + 2j)).imag.sum().backward()  # 2a + b
    assert z.grad.tolist() == [2 + 1j]


def test_an_error_in_backward_reaches_the_caller_and_leaves_things_usable(torch):
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            raise KeyError("mine")

    x = leaf(torch, [1.0])
    with pytest.raises(KeyError, match="mine"):
        Broken.apply(x * 2).sum().backward()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_backward_inside_a_hook(torch):
    x, y = leaf(torch, [2.0]), leaf(torch, [3.0])

    def hook(grad):
        with torch.enable_grad():
            (y * y).sum().backward()
        return grad * 10

    z = x * 1
    z.register_hook(hook)
    z.sum().backward()
    assert x.grad.tolist() == [10.0] and y.grad.tolist() == [6.0]


def test_variable_is_the_old_name_of_tensor(torch):
    v = torch.autograd.Variable(torch.ones(2), requires_grad=True)
    assert isinstance(v, torch.Tensor) and isinstance(v, torch.autograd.Variable) and v.requires_grad


def test_the_implicit_gradient_is_nobody_elses(torch):
    kept = []
    x = torch.tensor(3.0, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: kept.append(g) or g.mul_(5))
    y.backward()
    x.grad.zero_()  # of its own memory
    z = x * 2
    z.backward()
    assert x.grad.item() == 2.0 and kept[0].item() == 5.0
    x.grad = None
    x.backward()
    x.grad += 1
    w = torch.tensor(1.0, requires_grad=True)
    w.backward()
    assert x.grad.item() == 2.0 and w.grad.item() == 1.0
