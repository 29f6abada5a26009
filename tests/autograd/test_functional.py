"""Jacobians, Hessians and products with them."""

import pytest


@pytest.fixture
def x(torch):
    return torch.tensor([1.0, 2.0], dtype=torch.float64)


@pytest.fixture
def y(torch):
    return torch.tensor([[3.0, -1.0], [0.5, 2.0]], dtype=torch.float64)


def test_jacobian(torch, x, y):
    F = torch.autograd.functional
    assert F.jacobian(lambda x: x * x, x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    jx, jy = F.jacobian(lambda x, y: y @ x, (x, y))
    assert jx.tolist() == y.tolist()
    assert jy.tolist() == [[[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]]]
    (a,), (b,) = F.jacobian(lambda x: (x.sum(), x[0] * x), (x,))
    assert a.tolist() == [1.0, 1.0] and b.tolist() == [[2.0, 0.0], [2.0, 1.0]]
    assert not jx.requires_grad


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_jacobian_options_give_the_same(torch, x):
    F = torch.autograd.functional
    expected = F.jacobian(torch.exp, x).tolist()
    assert F.jacobian(torch.exp, x, vectorize=True).tolist() == expected
    assert F.jacobian(torch.exp, x, vectorize=True, strategy="forward-mode").tolist() == expected
    with pytest.raises(AssertionError, match="strategy"):
        F.jacobian(torch.exp, x, strategy="sideways")


def test_what_is_independent(torch, x, y):
    F = torch.autograd.functional
    jx, jy = F.jacobian(lambda x, y: x * 2, (x, y))
    assert jy.shape == (2, 2, 2) and not jy.any() and jx.tolist() == [[2.0, 0.0], [0.0, 2.0]]
    with pytest.raises(RuntimeError, match="independent of input 1"):
        F.jacobian(lambda x, y: x * 2, (x, y), strict=True)
    with pytest.raises(RuntimeError, match="does not require gradients"):
        F.jacobian(lambda x: torch.ones(2), x, strict=True)
    assert not F.jacobian(lambda x: torch.ones(3), x).any()


def test_hessian(torch, x, y):
    F = torch.autograd.functional
    assert F.hessian(lambda x: (x**3).sum(), x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    (xx, xy), (yx, yy) = F.hessian(lambda x, y: x @ y @ x, (x, y))
    assert xx.tolist() == (y + y.t()).tolist() and not yy.any()
    assert xy.shape == (2, 2, 2) and yx.shape == (2, 2, 2)
    assert xy.permute(1, 2, 0).tolist() == yx.tolist()
    with pytest.raises(RuntimeError, match="single element"):
        F.hessian(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match="single Tensor"):
        F.hessian(lambda x: (x.sum(), x.sum()), x)


def test_vjp_and_jvp(torch, x, y):
    F = torch.autograd.functional
    out, product = F.vjp(lambda x: y @ x, x, torch.tensor([1.0, 10.0], dtype=torch.float64))
    assert out.tolist() == (y @ x).tolist() and product.tolist() == [8.0, 19.0]
    out, product = F.jvp(lambda x: y @ x, x, torch.tensor([1.0, 10.0], dtype=torch.float64))
    assert product.tolist() == [-7.0, 20.5]
    (a, b), (pa, pb) = F.jvp(lambda x, y: (y @ x, x.sum()), (x, y), (x, torch.zeros_like(y)))
    assert pa.tolist() == a.tolist() and pb.tolist() == b.tolist()
    assert F.vjp(lambda x: x.sum(), x)[1].tolist() == [1.0, 1.0]
    assert not out.requires_grad and not product.requires_grad


def test_hessian_products(torch, x):
    F = torch.autograd.functional
    v = torch.tensor([1.0, -1.0], dtype=torch.float64)
    f = lambda x: (x**3).sum() + x[0] * x[1]  # noqa: E731
    for product in (F.vhp, F.hvp):
        out, result = product(f, x, v)
        assert out.item() == 11.0 and result.tolist() == [5.0, -11.0]


def test_create_graph(torch, x):
    F = torch.autograd.functional
    x = x.requires_grad_()
    jacobian = F.jacobian(lambda x: x**3, x, create_graph=True)
    assert torch.autograd.grad(jacobian.sum(), x)[0].tolist() == [6.0, 12.0]
    v = torch.ones(2, dtype=torch.float64)
    for product, expected in ((F.jvp, [6.0, 12.0]), (F.vjp, [6.0, 12.0])):
        assert torch.autograd.grad(product(lambda x: x**3, x, v, create_graph=True)[1].sum(), x)[0].tolist() == expected
    for product in (F.hvp, F.vhp):
        got = product(lambda x: (x**4).sum(), x, v, create_graph=True)[1]
        assert torch.autograd.grad(got.sum(), x)[0].tolist() == [24.0, 48.0]
    hessian = F.hessian(lambda x: (x**4).sum(), x, create_graph=True)
    assert torch.autograd.grad(hessian.sum(), x)[0].tolist() == [24.0, 48.0]


def test_the_vector_is_checked(torch, x):
    F = torch.autograd.functional
    with pytest.raises(RuntimeError, match="v can only be None"):
        F.vjp(torch.exp, x)
    with pytest.raises(RuntimeError, match="v can only be None"):
        F.jvp(torch.exp, x)
    with pytest.raises(RuntimeError, match="invalid size"):
        F.vjp(torch.exp, x, torch.ones(3, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="invalid length"):
        F.vjp(lambda x: (x, x), x, (x, x, x))
    with pytest.raises(TypeError, match="must be either a Tensor or a tuple of Tensors"):
        F.vjp(lambda x: "text", x)


def test_inputs_are_left_alone(torch, x):
    torch.autograd.functional.jacobian(torch.exp, x)
    assert not x.requires_grad and x.grad is None
