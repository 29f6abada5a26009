"""Constraints against PyTorch, and the transforms that the registries give for them."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")

CONSTRAINTS = """
boolean
cat([positive, real], dim=-1, lengths=[1, 2])
corr_cholesky
greater_than(0.5)
greater_than(tensor([0.5, -1.0, 0.0]))
greater_than_eq(0.5)
half_open_interval(-1.0, 0.5)
independent(positive, 1)
independent(real, 2)
integer_interval(-1, 2)
interval(-1.0, 0.5)
interval(tensor([0.0, -1.0, 0.0]), 2.0)
less_than(0.5)
lower_cholesky
lower_triangular
MixtureSameFamilyConstraint(less_than(tensor([0.5, 1.0])))
multinomial(3)
nonnegative
nonnegative_integer
one_hot
positive
positive_definite
positive_integer
positive_semidefinite
real
real_vector
simplex
square
stack([positive, real, unit_interval], dim=-1)
symmetric
unit_interval
""".strip().splitlines()

VALUES = {
    "numbers": np.array([-1.0, 0.0, 0.3, 0.5, 1.0, 2.0, np.nan, np.inf, -np.inf]).reshape(3, 3),
    "simplex": np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.6], [1.2, -0.2, 0.0]]),
    "counts": np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 0.0]]),
    "lower": np.array([[[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]], [[1.0, 0, 0], [2, -1, 0], [0, 0, 1]]]),
    "symmetric": np.array([[[2.0, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], [[1.0, 2, 0], [2, 1, 0], [0, 0, 0]]]),
    "rank one": np.ones((3, 3)),
}


def made(package, call):
    module = package.distributions.constraints
    names = {name: getattr(module, name) for name in torch.distributions.constraints.__all__}
    return eval(call, {**names, "tensor": package.tensor})


@pytest.mark.oracle
@pytest.mark.parametrize("call", CONSTRAINTS)
def test_agrees_with_torch(call):
    ours, theirs = made(rushlight, call), made(torch, call)
    assert repr(ours) == repr(theirs)
    assert (ours.event_dim, ours.is_discrete) == (theirs.event_dim, theirs.is_discrete)
    for name, value in VALUES.items():
        try:
            expected = theirs.check(torch.from_numpy(value.copy()))
        except (RuntimeError, IndexError, ValueError, AssertionError):
            continue  # a value of a shape that the constraint does not take
        received = ours.check(rushlight.tensor(value))
        assert received.dtype == rushlight.bool
        np.testing.assert_array_equal(received.numpy(), expected.numpy(), err_msg=name)


@pytest.mark.oracle
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("call", CONSTRAINTS)
def test_registries(call, registry):
    constraint, theirs = made(rushlight, call), made(torch, call)
    try:
        expected = getattr(torch.distributions, registry)(theirs)
    except NotImplementedError:
        with pytest.raises(NotImplementedError):
            getattr(rushlight.distributions, registry)(constraint)
        return
    transform = getattr(rushlight.distributions, registry)(constraint)
    assert repr(transform) == repr(expected)
    x = np.random.default_rng(0).normal(size=(3, 3, 3))
    y = transform(rushlight.tensor(x))
    assert constraint.check(y).all()
    np.testing.assert_allclose(y.numpy(), expected(torch.tensor(x)).numpy(), rtol=1e-6)


def test_dependent():
    C = rushlight.distributions.constraints
    assert C.is_dependent(C.dependent)
    assert not C.is_dependent(C.real)
    with pytest.raises(ValueError, match="Cannot determine validity"):
        C.dependent.check(rushlight.ones(1))
    for name in ("event_dim", "is_discrete"):
        with pytest.raises(NotImplementedError, match=f"{name} cannot be determined statically"):
            getattr(C.dependent, name)
    known = C.dependent(is_discrete=True, event_dim=1)
    assert (known.is_discrete, known.event_dim) == (True, 1)
    assert rushlight.distributions.Binomial.support.is_discrete
    assert C.is_dependent(rushlight.distributions.Uniform.support)


def test_refusals():
    C = rushlight.distributions.constraints
    with pytest.raises(ValueError, match=r"Expected value.dim\(\) >= 2"):
        C.independent(C.real, 2).check(rushlight.ones(3))
    for wrong in (lambda: C.cat([1]), lambda: C.stack([1]), lambda: C.MixtureSameFamilyConstraint(1)):
        with pytest.raises(AssertionError):
            wrong()
    with pytest.raises(AssertionError):
        C.cat([C.real], dim=3).check(rushlight.ones(2))
    with pytest.raises(NotImplementedError):
        C.Constraint().check(rushlight.ones(2))
