"""Operators written by the user."""

import warnings

import pytest


@pytest.fixture
def x(torch):
    return torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)


def cube_of(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x * x * grad

    return Cube


def test_forward_backward(torch, x):
    y = cube_of(torch).apply(x)
    assert y.tolist() == [1.0, 8.0, 27.0] and y.requires_grad and not y.is_leaf
    assert y.grad_fn.name() == "CubeBackward" and type(y.grad_fn).__name__ == "CubeBackward"
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0, 27.0]


def test_second_and_third_order(torch, x):
    (g,) = torch.autograd.grad(cube_of(torch).apply(x).sum(), x, create_graph=True)
    (gg,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    (ggg,) = torch.autograd.grad(gg.sum(), x)
    assert gg.tolist() == [6.0, 12.0, 18.0] and ggg.tolist() == [6.0] * 3


def test_setup_context_apart(torch, x):
    class Power(torch.autograd.Function):
        @staticmethod
        def forward(x, exponent=2):
            return x**exponent

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.exponent = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            return grad * ctx.exponent * y / x, None

    for args, kwargs in (((x,), {}), ((x, 2), {}), ((x,), {"exponent": 2})):
        assert torch.autograd.grad(Power.apply(*args, **kwargs).sum(), x)[0].tolist() == [2.0, 4.0, 6.0]


def test_keyword_arguments_and_defaults(torch, x):
    class Times(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor=2.0):
            ctx.factor, ctx.count = factor, len(ctx.needs_input_grad)
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return (grad * ctx.factor, None)[: ctx.count]

    for args, kwargs, factor in (((x,), {}, 2.0), ((), {"x": x}, 2.0), ((x,), {"factor": 5.0}, 5.0)):
        assert torch.autograd.grad(Times.apply(*args, **kwargs).sum(), x)[0].tolist() == [factor] * 3
    with pytest.raises(TypeError):
        Times.apply(x, other=1)


def test_several_outputs_and_missing_gradients(torch, x):
    received = []

    class Split(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3, "text"

        @staticmethod
        def backward(ctx, a, b, text):
            received.append((a is None, b is None, text is None))
            zero = torch.zeros(3, dtype=torch.float64)
            return (zero if a is None else a * 2) + (zero if b is None else b * 3), None

    a, _, text = Split.apply(x, True)
    assert text == "text"
    a.sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    a, b, _ = Split.apply(x, False)
    b.sum().backward()
    assert x.grad.tolist() == [5.0] * 3 and a.grad_fn is b.grad_fn
    assert received == [(False, False, True), (True, False, True)]


def test_needs_input_grad(torch, x):
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, number, b):
            seen.append(ctx.needs_input_grad)
            ctx.save_for_backward(a, b)
            return a * b * number

        @staticmethod
        def backward(ctx, grad):
            seen.append(ctx.needs_input_grad)
            a, b = ctx.saved_tensors
            return grad * b, None, grad * a if ctx.needs_input_grad[2] else None

    Product.apply(x, 1.0, torch.ones(3, dtype=torch.float64)).sum().backward()
    assert [tuple(s) for s in seen] == [(True, False, False)] * 2
    assert not Product.apply(x.detach(), 1.0, x.detach()).requires_grad
    with torch.no_grad():
        assert not Product.apply(x, 1.0, x).requires_grad


def test_forward_runs_unrecorded_and_backward_by_create_graph(torch, x):
    modes = []

    class Probe(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            modes.append(torch.is_grad_enabled())
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            modes.append(torch.is_grad_enabled())
            return grad.clone()

    torch.autograd.grad(Probe.apply(x).sum(), x)
    torch.autograd.grad(Probe.apply(x).sum(), x, create_graph=True)
    assert modes == [False, False, False, True] and torch.is_grad_enabled()


def test_mark_dirty(torch, x):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    y = x * 1
    z = Double.apply(y)
    assert z is y and z.tolist() == [2.0, 4.0, 6.0] and z.grad_fn.name() == "DoubleBackward"
    (z * z).sum().backward()
    assert x.grad.tolist() == [8.0, 16.0, 24.0]
    with pytest.raises(RuntimeError, match="leaf"):
        Double.apply(x)


def test_mark_non_differentiable(torch, x):
    class Sort(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, index = x.sort()
            also = values.clone()
            ctx.mark_non_differentiable(index, also)
            ctx.save_for_backward(index)
            return values, index, also

        @staticmethod
        def backward(ctx, grad, _index, _also):
            (index,) = ctx.saved_tensors
            return torch.zeros_like(grad).scatter(0, index, grad)

    values, index, also = Sort.apply(x)
    assert values.requires_grad and not index.requires_grad and not also.requires_grad
    (values * torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)).sum().backward()
    assert x.grad.tolist() == [1.0, 10.0, 100.0]


def test_an_input_that_is_returned_as_it_is(torch, x):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 5

    y = Same.apply(x)
    assert y is not x and y.grad_fn is not None and x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [5.0] * 3


def test_saved_tensors_notice_in_place_changes(torch, x):
    y = x * 1
    z = cube_of(torch).apply(y)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_saved_tensors_are_freed_after_backward(torch, x):
    z = cube_of(torch).apply(x)
    node = z.grad_fn
    assert node.saved_tensors[0].tolist() == x.tolist()
    z.sum().backward()
    with pytest.raises(RuntimeError, match=r"second time|already been freed"):
        node.saved_tensors  # noqa: B018
    with pytest.raises(RuntimeError, match="second time"):
        z.sum().backward()


def test_save_for_backward_takes_none_and_refuses_others(torch, x):
    class Keeps(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, what):
            ctx.save_for_backward(x, what)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            assert ctx.saved_tensors[1] is None
            return grad * 2, None

    Keeps.apply(x, None).sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    with pytest.raises(TypeError, match="save_for_backward"):
        Keeps.apply(x, "text")


def test_a_missing_backward_is_an_error_when_it_is_needed(torch, x):
    class Forward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    y = Forward.apply(x)
    with pytest.raises(NotImplementedError, match="backward"):
        y.sum().backward()

    class Nothing(torch.autograd.Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(x)


def test_the_number_of_gradients_is_checked(torch, x):
    def returning(value):
        class Returns(torch.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return a * b

            @staticmethod
            def backward(ctx, grad):
                return value(grad)

        return Returns.apply(x, 2.0).sum()

    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 2, got 1\)"):
        returning(lambda g: g).backward()
    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 2, got 3\)"):
        returning(lambda g: (g, None, g)).backward()
    returning(lambda g: (g, None, None)).backward()
    assert x.grad.tolist() == [1.0] * 3


def test_the_shape_of_gradients_is_checked(torch, x):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return torch.ones(5, dtype=torch.float64)

    with pytest.raises(RuntimeError, match="shape"):
        Wrong.apply(x).sum().backward()


def test_a_gradient_is_summed_to_a_broadcast_inputs_shape(torch):
    class Add(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, grad):
            return grad, grad

    a, b = torch.ones(2, 3, requires_grad=True), torch.ones(3, requires_grad=True)
    Add.apply(a, b).sum().backward()
    assert a.grad.shape == (2, 3) and b.grad.tolist() == [2.0] * 3


def test_vjp_is_another_name_of_backward(torch, x):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, grad):
            return grad * 2

    Twice.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_instances_are_not_how_it_is_used(torch, x):
    Cube = cube_of(torch)
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = Cube()
    with pytest.raises(RuntimeError, match=r"[Ll]egacy autograd function"):
        instance(x)


def test_once_differentiable(torch, x):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            assert not torch.is_grad_enabled()
            return 2 * grad * ctx.saved_tensors[0]

    assert torch.autograd.grad(Square.apply(x).sum(), x)[0].tolist() == [2.0, 4.0, 6.0]
    v = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(Square.apply(x), x, v, create_graph=True)
    assert g.tolist() == [2.0, 4.0, 6.0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_once_differentiable_with_several_inputs(torch, x):
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, number):
            ctx.number = number
            return a * number

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            return grad * ctx.number, None

    v = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(Product.apply(x, 4.0), x, v, create_graph=True)
    assert g.tolist() == [4.0] * 3


def test_a_function_within_a_function(torch, x):
    Cube = cube_of(torch)

    class Outer(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.inner = x.detach().requires_grad_()
                ctx.result = Cube.apply(ctx.inner) * 2
            return ctx.result.detach()

        @staticmethod
        def backward(ctx, grad):
            return torch.autograd.grad(ctx.result, ctx.inner, grad)[0]

    Outer.apply(x).sum().backward()
    assert x.grad.tolist() == [6.0, 24.0, 54.0]


def test_subclasses_inherit(torch, x):
    class Times(torch.autograd.Function):
        factor = 1.0

        @classmethod
        def backward(cls, ctx, grad):
            return grad * cls.factor

        @classmethod
        def forward(cls, ctx, x):
            return x * cls.factor

    class Seven(Times):
        factor = 7.0

    Seven.apply(x).sum().backward()
    assert x.grad.tolist() == [7.0] * 3


def test_context_attributes_and_metadata(torch, x):
    class Keeps(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.note = ["any", "value"]
            assert isinstance(ctx, torch.autograd.function.FunctionCtx)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            assert ctx.note == ["any", "value"] and ctx.metadata["key"] == 1
            return grad * 2

    y = Keeps.apply(x)
    assert y.grad_fn.note == ["any", "value"]
    y.grad_fn.metadata["key"] = 1
    assert y.grad_fn.next_functions[0][1] == 0
    y.sum().backward()


def test_hooks_on_the_node_of_a_function(torch, x):
    seen = []
    y = cube_of(torch).apply(x)
    handle = y.grad_fn.register_hook(lambda gin, gout: seen.append((gin[0].tolist(), gout[0].tolist())))
    y.sum().backward(retain_graph=True)
    handle.remove()
    y.sum().backward()
    assert seen == [([3.0, 12.0, 27.0], [1.0] * 3)]


def test_no_gradient_for_integer_inputs(torch, x):
    class Take(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, index):
            ctx.save_for_backward(index)
            ctx.size = x.shape[0]
            return x[index]

        @staticmethod
        def backward(ctx, grad):
            (index,) = ctx.saved_tensors
            return torch.zeros(ctx.size, dtype=grad.dtype).index_add(0, index, grad), None

    y = Take.apply(x, torch.tensor([0, 0, 2]))
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 1.0]


def test_gradcheck_of_a_function(torch, x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.autograd.gradcheck(cube_of(torch).apply, (x,))
        assert torch.autograd.gradgradcheck(cube_of(torch).apply, (x,))
