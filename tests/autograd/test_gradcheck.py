"""gradcheck and gradgradcheck accept right derivatives and refuse wrong ones."""

import pytest


def scaled(torch, by):
    """2x, with a derivative of `by`."""

    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * by

    return Scaled.apply


@pytest.fixture
def x(torch):
    return torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64, requires_grad=True)


@pytest.fixture
def z(torch):
    return torch.tensor([[0.3 + 1j, -1.2 - 0.5j], [2.0 + 0.1j, 0.7j]], dtype=torch.complex128, requires_grad=True)


@pytest.mark.parametrize("fast", [False, True])
def test_right_and_wrong(torch, x, fast):
    assert torch.autograd.gradcheck(scaled(torch, 2.0), (x,), fast_mode=fast)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0") as error:
        torch.autograd.gradcheck(scaled(torch, 2.1), (x,), fast_mode=fast)
    assert "numerical" in str(error.value) and "analytical" in str(error.value)
    assert type(error.value).__name__ == "GradcheckError"
    assert torch.autograd.gradcheck(scaled(torch, 2.1), (x,), fast_mode=fast, raise_exception=False) is False
    assert torch.autograd.gradcheck(scaled(torch, 2.1), (x,), atol=0.2, fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_complex_functions(torch, z, x, fast):
    for f in (
        lambda z: z * z,
        lambda z: z.conj() * z,
        lambda z: z.abs(),
        lambda z: (z.exp(), z.real * 2),
        lambda z: z * (1 + 2j),
        lambda z: torch.view_as_real(z) ** 2,
    ):
        assert torch.autograd.gradcheck(f, (z,), fast_mode=fast)
        assert torch.autograd.gradgradcheck(f, (z,), fast_mode=fast)
    assert torch.autograd.gradcheck(lambda x: torch.complex(x, x * x), (x,), fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_a_gradient_that_forgot_to_conjugate(torch, z, fast):
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            return z * (1 + 2j)

        @staticmethod
        def backward(ctx, grad):
            return grad * (1 + 2j)

    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(Product.apply, (z,), fast_mode=fast)


def test_several_inputs_and_outputs(torch, x):
    w = torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.2, -1.0]], dtype=torch.float64, requires_grad=True)
    f = lambda x, w, k: (w @ x * k, (x * w).sum(), x.argmax())  # noqa: E731
    assert torch.autograd.gradcheck(f, (x, w, 3)) and torch.autograd.gradgradcheck(f, (x, w, 3))


def test_inputs_are_left_as_they_were(torch, x):
    before, version = x.tolist(), x._version
    torch.autograd.gradcheck(torch.exp, (x,))
    torch.autograd.gradcheck(torch.exp, (x,), fast_mode=True)
    assert x.tolist() == before and x._version == version and x.grad is None


def test_strided_scalar_and_empty_inputs(torch):
    base = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    assert torch.autograd.gradcheck(torch.sin, (base.t()[::2].requires_grad_(),))
    assert torch.autograd.gradcheck(torch.sin, (torch.tensor(0.5, dtype=torch.float64, requires_grad=True),))
    assert torch.autograd.gradcheck(torch.sin, (torch.zeros(0, 3, dtype=torch.float64, requires_grad=True),))


def test_a_backward_that_is_not_the_same_twice(torch, x):
    count = []

    class Drifts(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            count.append(1)
            return grad * (2 + 1e-9 * len(count))

    with pytest.raises(RuntimeError, match="not reentrant"):
        torch.autograd.gradcheck(Drifts.apply, (x,))
    assert torch.autograd.gradcheck(Drifts.apply, (x,), nondet_tol=1e-6)


def test_a_backward_that_ignores_its_gradient(torch, x):
    class Constant(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, grad):
            return torch.ones(3, dtype=torch.float64)

    with pytest.raises(RuntimeError, match="backward not multiplied by grad_output"):
        torch.autograd.gradcheck(Constant.apply, (x,))


def test_undefined_gradients(torch, x):
    class Fragile(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3

    class Sturdy(Fragile):
        @staticmethod
        def backward(ctx, a, b):
            parts = [g * k for g, k in ((a, 2), (b, 3)) if g is not None]
            return sum(parts) if parts else None

    with pytest.raises((RuntimeError, TypeError)):
        torch.autograd.gradcheck(Fragile.apply, (x,))
    assert torch.autograd.gradcheck(Sturdy.apply, (x,))


def test_functions_without_a_gradient(torch, x):
    assert torch.autograd.gradcheck(lambda x: x.detach().sign(), (x,))
    with pytest.raises(RuntimeError, match="expected to be zero"):
        torch.autograd.gradcheck(lambda x: x.detach() * 2, (x,))


def test_wrong_second_derivatives(torch, x):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x.detach() ** 2 * grad

    assert torch.autograd.gradcheck(Cube.apply, (x,))
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradgradcheck(Cube.apply, (x,))
    assert torch.autograd.gradgradcheck(Cube.apply, (x,), raise_exception=False) is False


def test_gradgradcheck_with_given_grad_outputs(torch, x):
    v = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(torch.exp, (x,), (v,))
    assert torch.autograd.gradgradcheck(torch.exp, (x,), gen_non_contig_grad_outputs=True)


def test_arguments_are_checked(torch, x):
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        torch.autograd.gradcheck(torch.exp, (x.detach(),))
    with pytest.warns(UserWarning, match="not a double precision"):
        torch.autograd.gradcheck(torch.exp, (torch.ones(1, requires_grad=True),), eps=1e-2, atol=1e-1)
    with pytest.raises(RuntimeError, match="stride 0"):
        torch.autograd.gradcheck(torch.exp, (torch.ones(1).double().expand(3).requires_grad_(),))
    with pytest.raises(AssertionError, match="at least one"):
        torch.autograd.gradcheck(torch.exp, (x,), check_backward_ad=False)


def test_the_random_state_is_left_alone(torch, x):
    torch.manual_seed(5)
    expected = torch.rand(3).tolist()
    torch.manual_seed(5)
    torch.autograd.gradcheck(torch.exp, (x,), fast_mode=True)
    assert torch.rand(3).tolist() == expected
