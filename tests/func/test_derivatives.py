"""Derivatives as functions of functions: against PyTorch, composed with one another and with vmap."""

import itertools

import numpy
import pytest

import rushlight
from rushlight import func
from rushlight.utils import _pytree as pytree

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]  # PyTorch warns about itself


def data(*shape, seed=0):
    return numpy.random.RandomState(seed).standard_normal(shape)


def same(f, *arrays, tolerance=1e-8):
    """f(library, *tensors) has the same leaves in Rushlight and PyTorch."""
    ours = f(rushlight, *(rushlight.tensor(a) for a in arrays))
    theirs = f(torch, *(torch.tensor(a) for a in arrays))
    leaves = pytree.tree_leaves(ours), torch.utils._pytree.tree_leaves(theirs)
    for a, b in zip(*leaves, strict=True):
        assert tuple(a.shape) == tuple(b.shape) and str(a.dtype) == str(b.dtype)
        numpy.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance)


# Functions of a vector, with a number or a tensor as their value.
SCALAR = {
    "polynomial": lambda t, x: (x**3).sum() + x[0] * x[1],
    "logistic": lambda t, x: t.nn.functional.softplus(-x * t.arange(1.0, 5.0, dtype=x.dtype)).sum(),
    "softmax": lambda t, x: (x.softmax(0) * x.log_softmax(0)).sum(),
    "matmul": lambda t, x: (x.reshape(2, 2) @ x.reshape(2, 2).mT).tanh().sum(),
    "indexed": lambda t, x: (x[[0, 2, 2]] * x[1:].flip(0)).prod(),
    "written": lambda t, x: x.clone().mul_(x).cumsum(0).exp().mean(),
    "solve": lambda t, x: t.linalg.inv(x.outer(x) + t.eye(4, dtype=x.dtype)).sum(),
    "norm": lambda t, x: (x / x.norm()).pow(2).dot(x.cos()),
}
VECTOR = {
    "elementwise": lambda t, x: x.sin() * x.flip(0),
    "longer": lambda t, x: t.cat([x.cumsum(0), x.exp()]),
    "matrix": lambda t, x: x.outer(x.cos()),
    "number": lambda t, x: x.pow(2).sum(),
}
OF_SCALAR = {
    "grad": lambda F, f: F.grad(f),
    "grad_and_value": lambda F, f: F.grad_and_value(f),
    "hessian": lambda F, f: F.hessian(f),
    "jacrev of jacrev": lambda F, f: F.jacrev(F.jacrev(f)),
    "jacrev of jacfwd": lambda F, f: F.jacrev(F.jacfwd(f)),
    "jacfwd of jacfwd": lambda F, f: F.jacfwd(F.jacfwd(f)),
    "third": lambda F, f: F.jacrev(F.grad(lambda x: F.grad(f)(x).sum())),
    "hvp": lambda F, f: lambda x: F.jvp(F.grad(f), (x,), (x.cos(),))[1],
}
OF_VECTOR = {
    "jacrev": lambda F, f: F.jacrev(f),
    "jacfwd": lambda F, f: F.jacfwd(f),
    "jvp": lambda F, f: lambda x: F.jvp(f, (x,), (x.cos(),)),
    "vjp": lambda F, f: lambda x: (lambda y, pull: pull(y.sin()))(*F.vjp(f, x)),
}


@pytest.mark.parametrize("transform", OF_SCALAR)
@pytest.mark.parametrize("name", SCALAR)
def test_of_a_scalar_function(name, transform):
    def run(t, x):
        return OF_SCALAR[transform](t.func, lambda x: SCALAR[name](t, x))(x)

    same(run, data(4))
    if transform in ("grad", "hessian", "hvp"):
        same(lambda t, x: t.func.vmap(lambda x: run(t, x))(x), data(3, 4, seed=1))


@pytest.mark.parametrize("transform", OF_VECTOR)
@pytest.mark.parametrize("name", VECTOR)
def test_of_a_vector_function(name, transform):
    def run(t, x):
        return OF_VECTOR[transform](t.func, lambda x: VECTOR[name](t, x))(x)

    same(run, data(4))
    same(lambda t, x: t.func.vmap(lambda x: run(t, x))(x), data(3, 4, seed=1))
    same(lambda t, x: t.func.grad(lambda x: pytree_sum(t, run(t, x)))(x), data(4))


def pytree_sum(t, tree):
    leaves = (pytree if t is rushlight else t.utils._pytree).tree_leaves(tree)
    return sum(x.sum() for x in leaves)


@pytest.mark.parametrize("name", VECTOR)
def test_jacrev_is_jacfwd(name):
    x = rushlight.tensor(data(4))
    f = lambda x: VECTOR[name](rushlight, x)  # noqa: E731
    rushlight.testing.assert_close(func.jacrev(f)(x), func.jacfwd(f)(x))
    rushlight.testing.assert_close(func.jacrev(f, chunk_size=2)(x), rushlight.autograd.functional.jacobian(f, x))


def test_linearize_and_maps_over_pullbacks():
    f = lambda x: x.sin().cumsum(0)  # noqa: E731
    x, units = rushlight.tensor(data(4)), rushlight.eye(4, dtype=rushlight.float64)
    expected = func.jacrev(f)(x)
    output, pull = func.vjp(f, x)
    assert rushlight.equal(output, f(x))
    rushlight.testing.assert_close(func.vmap(pull)(units)[0], expected)
    output, push = func.linearize(f, x)
    rushlight.testing.assert_close(func.vmap(push, out_dims=1)(units), expected)
    rushlight.testing.assert_close(func.vmap(lambda t: func.jvp(f, (x,), (t,))[1], out_dims=1)(units), expected)
    nested = func.vmap(lambda y: func.vmap(func.vjp(f, y)[1])(units)[0])(rushlight.stack([x, x + 1]))
    rushlight.testing.assert_close(nested[1], func.jacrev(f)(x + 1))


# --- arguments
CALLS = [
    lambda t, x, y: t.func.grad(lambda a, b: (a * b).sum(), 1)(x, y),
    lambda t, x, y: t.func.grad(lambda a, b: (a * b.exp()).sum(), (0, -1))(x, y),
    lambda t, x, y: t.func.grad(lambda p: (p["a"] * p["b"][0]).sum())({"a": x, "b": [y]}),
    lambda t, x, y: t.func.grad(lambda a, b: ((a * b).sum(), {"n": a + b}), has_aux=True)(x, y),
    lambda t, x, y: t.func.grad_and_value(lambda a: (a.sum(), a * 2), has_aux=True)(x),
    lambda t, x, y: t.func.grad(lambda a, *, b: (a * b).sum())(x, b=y),
    lambda t, x, y: t.func.grad(lambda a: y.sum())(x),
    lambda t, x, y: t.func.vjp(lambda a, b: {"s": a * b, "t": (a,)}, x, y)[1]({"s": x, "t": (y,)}),
    lambda t, x, y: t.func.vjp(lambda a: (a * 2, a.sum()), x, has_aux=True)[2],
    lambda t, x, y: t.func.jvp(lambda a, b: (a * b, a.sum()), (x, y), (y, x)),
    lambda t, x, y: t.func.jvp(lambda p: p["a"] * p["b"], ({"a": x, "b": y},), ({"a": y, "b": x},)),
    lambda t, x, y: t.func.jvp(lambda a: (a * 2, a.sum()), (x,), (y,), has_aux=True),
    lambda t, x, y: t.func.jvp(lambda a: a.argmax(), (x,), (y,)),
    lambda t, x, y: t.func.jacrev(lambda a, b: {"s": a * b, "t": a.sum()}, (0, 1))(x, y),
    lambda t, x, y: t.func.jacfwd(lambda a, b: {"s": a * b, "t": a.sum()}, (0, 1))(x, y),
    lambda t, x, y: t.func.jacrev(lambda a: (a * y, a.sum()), has_aux=True)(x),
    lambda t, x, y: t.func.jacfwd(lambda a: (a * y, a.sum()), has_aux=True)(x),
    lambda t, x, y: t.func.hessian(lambda a, b: (a * b).sum() ** 2, (0, 1))(x, y),
    lambda t, x, y: t.func.linearize(lambda a, b: (a * b, b.sum()), x, y)[1](y, x),
]


@pytest.mark.parametrize("f", CALLS, ids=range(len(CALLS)))
def test_arguments_and_containers(f):
    same(f, data(4), data(4, seed=1))


@pytest.mark.parametrize("transform", ["grad of vmap", "vmap of grad", "closure", "vmap in grad in vmap"])
def test_what_the_examples_share(transform):
    """A weight that all examples share: its gradient is a sum, or one for each example."""
    forms = {
        "grad of vmap": lambda F, loss, w, x: F.grad(lambda w: F.vmap(loss, (None, 0))(w, x).sum())(w),
        "vmap of grad": lambda F, loss, w, x: F.vmap(F.grad(loss), (None, 0))(w, x),
        "closure": lambda F, loss, w, x: F.vmap(lambda x: F.grad(lambda w: loss(w, x))(w))(x),
        "vmap in grad in vmap": lambda F, loss, w, x: F.vmap(
            F.grad(lambda w, x: F.vmap(loss, (None, 0))(w, x.expand(2, -1)).sum()), (None, 0)
        )(w, x),
    }
    same(lambda t, w, x: forms[transform](t.func, lambda w, x: (w @ x).tanh().sum(), w, x), data(2, 4), data(3, 4))


def test_the_history_outside_stays():
    z = rushlight.tensor(2.0, requires_grad=True)
    x = rushlight.tensor(3.0, requires_grad=True)
    by_closure = func.grad(lambda y: z * y * y)(rushlight.tensor(3.0))
    assert rushlight.autograd.grad(by_closure, z)[0] == 6
    assert rushlight.autograd.grad(func.grad(lambda y: y**3)(x), x)[0] == 18
    assert not func.grad(lambda y: y**3)(rushlight.tensor(3.0)).requires_grad
    gradient, value = func.grad_and_value(lambda y: y**3)(rushlight.tensor(3.0))
    assert not value.requires_grad and not gradient.requires_grad
    with rushlight.no_grad():
        assert not func.grad(lambda y: z * y * y)(x).requires_grad
        assert func.grad(lambda y: z * y * y)(x) == 12
    assert func.grad(lambda y: y * y.detach())(x) == 3
    _, pull = func.vjp(lambda y: y * z, rushlight.tensor(3.0))
    assert rushlight.autograd.grad(pull(rushlight.tensor(1.0))[0], z)[0] == 1
    assert x.grad is None and z.grad is None


def test_each_transform_sees_its_own_variable_alone():
    inner = lambda x: func.grad(lambda y: x * y)(x)  # noqa: E731
    assert func.grad(inner)(rushlight.tensor(3.0)) == 1
    pushed = func.jvp(
        lambda x: func.jvp(lambda y: x * y, (x,), (x * 0 + 1,))[1], (rushlight.tensor(3.0),), (rushlight.tensor(1.0),)
    )
    assert pushed[1] == 1


def test_complex_functions():
    x = data(3) + 1j * data(3, seed=1)
    same(lambda t, x: t.func.grad(lambda x: (x * x.conj()).real.sum())(x), x)
    same(lambda t, x: t.func.jvp(lambda x: x**2 * x.conj(), (x,), (1j * x,))[1], x)


# --- programs
def test_gradients_for_each_example_of_a_small_network():
    F = rushlight.nn.functional
    model = rushlight.nn.Sequential(
        rushlight.nn.Conv2d(1, 4, 3, bias=True), rushlight.nn.ReLU(), rushlight.nn.MaxPool2d(2),
        rushlight.nn.Flatten(), rushlight.nn.Linear(36, 5), rushlight.nn.LayerNorm(5),
    ).double()  # fmt: skip
    images = rushlight.tensor(data(6, 1, 8, 8))
    labels = rushlight.tensor([0, 1, 2, 3, 4, 0])
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters, image, label):
        return F.cross_entropy(func.functional_call(model, parameters, (image[None],)), label[None])

    found = func.vmap(func.grad(loss), (None, 0, 0))(parameters, images, labels)
    for k in range(6):
        model.zero_grad()
        F.cross_entropy(model(images[k : k + 1]), labels[k : k + 1]).backward()
        for name, p in model.named_parameters():
            rushlight.testing.assert_close(found[name][k], p.grad)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_for_each_example(reduction, weighted):
    def run(t, x, w):
        target = t.tensor([[0, 1, -100, 2], [2, 2, 1, 0]])
        weight = w.abs() if weighted else None
        f = lambda x, y: t.nn.functional.cross_entropy(x, y, weight, reduction=reduction).sum()  # noqa: E731
        return t.func.vmap(t.func.grad(f))(x, target)

    same(run, data(2, 4, 3), data(3))


def test_hessian_of_a_logistic_regression():
    def run(t, w, x):
        y = t.tensor([0.0, 1.0, 1.0, 0.0, 1.0], dtype=w.dtype)
        return t.func.hessian(lambda w: t.nn.functional.binary_cross_entropy_with_logits(x @ w, y))(w)

    same(run, data(4), data(5, 4, seed=1))


def test_a_loop_inside_a_gradient_as_in_maml():
    """The gradient through steps of gradient descent, for each task of a batch."""

    def run(t, w, x, y):
        def loss(w, x, y):
            return ((x @ w).tanh() - y).square().mean()

        def after_training(w, x, y):
            fast = w
            for _ in range(3):
                fast = fast - 0.3 * t.func.grad(loss)(fast, x, y)
            return loss(fast, x.flip(0), y.flip(0))

        return t.func.grad(lambda w: t.func.vmap(after_training, (None, 0, 0))(w, x, y).mean())(w)

    same(run, data(4), data(3, 5, 4, seed=1), data(3, 5, seed=2))


def test_a_numeric_check_of_every_order():
    f = lambda x: (x.sin() * x.flip(0)).sum()  # noqa: E731
    x = rushlight.tensor(data(3), requires_grad=True)
    for g in (func.grad(f), func.hessian(f), func.jacrev(func.hessian(f)), func.vmap(func.grad(lambda y: y.sin()))):
        assert rushlight.autograd.gradcheck(g, (x,))


# --- what is refused
one = rushlight.ones(2)
REFUSED = [
    (lambda: func.grad(lambda x: x)(one), RuntimeError, "return a scalar tensor, got tensor with 1 dims"),
    (lambda: func.grad(lambda x: (x, x))(one), RuntimeError, "single tensor"),
    (lambda: func.grad(lambda x: x.sum())(3), ValueError, "Thing passed to transform API must be Tensor"),
    (lambda: func.grad(lambda x: x.sum(), has_aux=True)(one), RuntimeError, r"\(output, aux\) if has_aux is True"),
    (lambda: func.grad(lambda x: x.sum(), 1)(one), RuntimeError, "Got argnum=1, but only 1 positional inputs"),
    (lambda: func.grad(lambda x: x.sum(), (0, 0))(one), RuntimeError, "argnums elements must be unique"),
    (lambda: func.grad(lambda x: x.sum(), "a")(one), RuntimeError, "argnums must be int"),
    (lambda: func.grad(lambda x: x.sum())(rushlight.arange(3)), RuntimeError, "only Tensors of floating point"),
    (lambda: func.vjp(lambda x: 3, one), RuntimeError, "returns only tensors"),
    (lambda: func.vjp(lambda x: x, one)[1](rushlight.ones(3)), RuntimeError, "Mismatch in shape"),
    (lambda: func.vjp(lambda x: x, one)[1]((one,)), RuntimeError, "Expected pytree structure of cotangents"),
    (lambda: func.jvp(lambda x: x, one, one), RuntimeError, "Expected primals to be a non-empty tuple"),
    (lambda: func.jvp(lambda x: x, (one,), (one, one)), RuntimeError, "same python structure"),
    (lambda: func.jvp(lambda x: x, (one,), (rushlight.ones(3),)), RuntimeError, "must have the shape of its primal"),
    (lambda: func.jvp(lambda x: one, (one,), (one,), strict=True), RuntimeError, "independent of the inputs"),
    (lambda: func.linearize(lambda x: x, one)[1](rushlight.ones(3)), RuntimeError, "shape of its primal"),
    (lambda: func.jacrev(lambda x: x, chunk_size=0)(one), ValueError, "`chunk_size` should be greater than 0"),
    (lambda: func.functionalize(lambda x: x, remove="x"), RuntimeError, "invalid argument for remove"),
    (lambda: func.debug_unwrap(3), TypeError, "must be Tensor"),
]


@pytest.mark.parametrize(("f", "kind", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refuses(f, kind, message):
    with pytest.raises(kind, match=message):
        f()


def test_functionalize_changes_nothing():
    f = func.functionalize(lambda x: x.clone().add_(1))
    assert f(one).tolist() == [2.0, 2.0]


def test_a_transform_may_decorate():
    @func.grad
    def slope(x):
        """x squared."""
        return (x**2).sum()

    assert slope.__name__ == "slope" and slope.__doc__ == "x squared."
    assert slope(one).tolist() == [2.0, 2.0]
    assert list(itertools.islice(func.vmap(slope)(rushlight.ones(3, 2)).flatten().tolist(), 2)) == [2.0, 2.0]
