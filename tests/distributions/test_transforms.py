"""Transforms against PyTorch, and against what they claim: inverse, Jacobian, domain, cache, equality."""

import copy
import pickle

import numpy as np
import pytest

import rushlight
from rushlight.autograd import gradcheck

torch = pytest.importorskip("torch")

# Calls in the namespace of torch.distributions; c(...) is a float64 tensor. Then the shape of an x in the domain.
CASES = """
AbsTransform() | 3
AffineTransform(1.0, -2.0) | 2 3
AffineTransform(c(1.0, 2.0, 3.0), c(2.0, -1.0, 0.5)) | 2 3
AffineTransform(c(1.0, 2.0, 3.0), 0.5, event_dim=1) | 2 3
AffineTransform(1.0, 0.5, event_dim=2) | 2 3
CatTransform([ExpTransform(), AffineTransform(1.0, 2.0)], dim=-1, lengths=[1, 2]) | 2 3
CatTransform([IndependentTransform(ExpTransform(), 1), IndependentTransform(TanhTransform(), 1)], dim=0) | 2 3
ComposeTransform([AffineTransform(1.0, 2.0), TanhTransform()]) | 2 3
ComposeTransform([IndependentTransform(ExpTransform(), 1), AffineTransform(1.0, 2.0)]) | 2 3
ComposeTransform([ExpTransform(), StickBreakingTransform().inv]).inv | 2 3
ComposeTransform([StickBreakingTransform(), AffineTransform(1.0, 2.0), ReshapeTransform((4,), (2, 2))]) | 2 3
ComposeTransform([]) | 2
CorrCholeskyTransform() | 2 6
CorrCholeskyTransform() | 1
CumulativeDistributionTransform(Normal(c(0.5), c(2.0))) | 3
ExpTransform() | 2 3
IndependentTransform(SigmoidTransform(), 1) | 2 3
LowerCholeskyTransform() | 2 3 3
PositiveDefiniteTransform() | 2 3 3
PowerTransform(c(2.0, 0.5, -1.0)) | 2 3
ReshapeTransform((2, 3), (6,)) | 4 2 3
SigmoidTransform() | 2 3
SoftmaxTransform() | 2 3
SoftplusTransform() | 2 3
StackTransform([ExpTransform(), AffineTransform(1.0, 2.0)], dim=1) | 3 2
StickBreakingTransform() | 2 3
TanhTransform() | 2 3
ExpTransform().inv | 2 3
TanhTransform().inv.inv | 2 3
identity_transform | 3
""".strip().splitlines()


def made(package, call):
    def constant(*values):
        return package.tensor(values[0] if len(values) == 1 else values, dtype=package.float64)

    names = {name: getattr(package.distributions, name) for name in torch.distributions.__all__}
    return eval(call, {**names, "c": constant})


def argument(call, shape):
    x = np.random.default_rng(2).uniform(-1.5, 1.5, shape)
    return np.abs(x) + 0.1 if call.endswith("ExpTransform().inv") or call.startswith("Power") else x


@pytest.fixture(params=CASES)
def case(request):
    call, shape = request.param.split(" | ")
    return call, argument(call, tuple(map(int, shape.split())))


def outcome(action):
    try:
        result = action()
    except (NotImplementedError, ValueError) as failure:
        return type(failure)
    return np.asarray(result.detach()) if hasattr(result, "detach") else result


@pytest.mark.oracle
def test_agrees_with_torch(case):
    call, x = case
    ours, theirs = made(rushlight, call), made(torch, call)
    assert repr(ours) == repr(theirs)
    a, b = rushlight.from_numpy(x), torch.from_numpy(x)
    checks = {
        "forward": lambda t, v: t(v),
        "inverse": lambda t, v: t.inv(t(v)),
        "jacobian": lambda t, v: t.log_abs_det_jacobian(v, t(v)),
        "inverse jacobian": lambda t, v: t.inv.log_abs_det_jacobian(t(v), v),
        "sign": lambda t, v: t.sign,
        "event_dim": lambda t, v: t.event_dim,
        "bijective": lambda t, v: t.bijective,
        "domain": lambda t, v: (t.domain.event_dim, t.domain.is_discrete, type(t.domain).__name__),
        "codomain": lambda t, v: (t.codomain.event_dim, t.codomain.is_discrete, type(t.codomain).__name__),
        "domain holds x": lambda t, v: t.domain.check(v),
        "codomain holds y": lambda t, v: t.codomain.check(t(v)),
        "forward shape": lambda t, v: tuple(t.forward_shape(v.shape)),
        "inverse shape": lambda t, v: tuple(t.inverse_shape(t(v).shape)),
        "inverse's inverse": lambda t, v: t.inv.inv == t,
        "without dimensions": lambda t, v: tuple(t.forward_shape(type(v.shape)())),
    }
    for name, check in checks.items():
        received, expected = (outcome(lambda t=t, v=v, f=check: f(t, v)) for t, v in ((ours, a), (theirs, b)))
        if isinstance(expected, np.ndarray):
            assert received.shape == expected.shape, name
            np.testing.assert_allclose(received, expected, rtol=1e-8, atol=1e-10, err_msg=name)
        else:
            assert received == expected, name


def test_claims(case):
    """The image lies in the codomain and the shape that were foretold, and is mapped back."""
    call, x = case
    transform, x = made(rushlight, call), rushlight.from_numpy(x)
    y = transform(x)
    assert transform.codomain.check(y).all()
    assert y.shape == transform.forward_shape(x.shape)
    assert x.shape == transform.inverse_shape(y.shape)
    back = transform(transform.inv(y))
    np.testing.assert_allclose(back.numpy(), y.numpy(), rtol=1e-7, atol=1e-9)


# And the shape of one event.
JACOBIANS = """
AffineTransform(1.0, -2.0) |
AffineTransform(c(1.0, 2.0, 3.0), 0.5, event_dim=1) | 3
ComposeTransform([AffineTransform(1.0, 2.0), TanhTransform()]) |
CorrCholeskyTransform() | 6
CumulativeDistributionTransform(Normal(c(0.5), c(2.0))) |
ExpTransform() |
ExpTransform().inv |
IndependentTransform(SigmoidTransform(), 1) | 3
PowerTransform(c(-0.5)) |
ReshapeTransform((2, 3), (6,)) | 2 3
SigmoidTransform() |
SoftplusTransform() |
StickBreakingTransform() | 3
TanhTransform() |
""".strip().splitlines()


@pytest.mark.parametrize("line", JACOBIANS)
def test_jacobian_is_that_of_autograd(line):
    call, shape = line.split(" |")
    transform = made(rushlight, call)
    x = rushlight.tensor(argument(call, tuple(map(int, shape.split()))))

    def flat(x):
        y = transform(x)
        # As many coordinates as there is freedom: all, all parts but the last, or what is below the diagonal.
        return rushlight.distributions.utils.tril_matrix_to_vec(y, -1) if "Corr" in call else y.reshape(-1)[: x.numel()]

    jacobian = rushlight.autograd.functional.jacobian(flat, x).reshape(x.numel(), x.numel())
    received = transform.log_abs_det_jacobian(x, transform(x))
    np.testing.assert_allclose(received.item(), rushlight.linalg.slogdet(jacobian).logabsdet.item(), rtol=1e-8)


def test_gradients(case):
    call, x = case
    transform = made(rushlight, call)

    def everything(x):
        y = transform(x)
        return (y, transform.inv(y), transform.log_abs_det_jacobian(x, y)) if transform.bijective else y

    assert gradcheck(everything, rushlight.tensor(x, requires_grad=True))


def test_cache(case):
    call, x = case
    transform, x = made(rushlight, call), rushlight.from_numpy(x)
    cached = transform.with_cache()
    y = cached(x)
    np.testing.assert_array_equal(y.numpy(), transform(x).numpy())
    assert cached(x) is y
    assert cached.with_cache() is cached
    if not call.startswith(("Cat", "Stack")):  # whose parts are caught in new slices each time
        assert cached.inv(y) is x


def test_inverse_is_one_object(case):
    transform = made(rushlight, case[0])
    inverse = transform.inv
    assert transform.inv is inverse
    assert inverse.inv is transform


def test_survives_copies(case):
    call, x = case
    transform, x = made(rushlight, call), rushlight.from_numpy(x)
    expected = transform(x).numpy()
    inverse = transform.inv  # held, so that the reference to it is alive
    for again in (
        pickle.loads(pickle.dumps(transform)),
        copy.deepcopy(transform),
        pickle.loads(pickle.dumps(inverse)).inv,
    ):
        np.testing.assert_array_equal(again(x).numpy(), expected)


def test_equality():
    D = rushlight.distributions
    assert D.ExpTransform() == D.ExpTransform()
    assert D.ExpTransform() != D.TanhTransform()
    assert D.AffineTransform(1.0, 2.0) == D.AffineTransform(1.0, 2.0)
    assert D.AffineTransform(1.0, rushlight.ones(2)) == D.AffineTransform(1.0, 1.0)
    assert D.AffineTransform(1.0, 2.0) != D.AffineTransform(1.0, 3.0)
    assert D.PowerTransform(2.0) == D.PowerTransform(rushlight.tensor(2.0))
    assert D.ComposeTransform([D.ExpTransform(), D.AbsTransform()]) == D.ComposeTransform(
        [D.ExpTransform(), D.AbsTransform()]
    )
    assert D.ExpTransform().inv == D.ExpTransform().inv
    assert D.ExpTransform().inv != D.ExpTransform()


def test_registry():
    D = rushlight.distributions

    class Even(type(D.constraints.real)):
        pass

    for registry in (D.biject_to, D.transform_to):
        with pytest.raises(NotImplementedError):
            registry(Even())

        @registry.register(Even)
        def even(constraint):
            return D.AffineTransform(0.0, 2.0)

        assert registry(Even()) == D.AffineTransform(0.0, 2.0)
        registry.register(Even(), lambda constraint: D.ExpTransform())
        assert registry(Even()) == D.ExpTransform()
        del registry._registry[Even]
