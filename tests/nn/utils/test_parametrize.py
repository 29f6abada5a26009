"""Parametrizations against PyTorch's."""

import copy
import pickle

import pytest

import rushlight
from rushlight import nn
from rushlight.nn.utils import parametrizations, parametrize
from tests.nn.oracle import assert_same, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle
WEIGHTED = [
    ("Linear", (3, 4)), ("Linear", (4, 3)), ("Linear", (3, 3)), ("Conv2d", (2, 3, 2)), ("ConvTranspose1d", (2, 3, 2)),
]  # fmt: skip


class Symmetric:
    def forward(self, x):
        return x.triu() + x.triu(1).T

    def right_inverse(self, x):
        return x.triu()


class OurSymmetric(Symmetric, nn.Module):
    pass


class TheirSymmetric(Symmetric, torch.nn.Module):
    pass


def pair(name, args, apply):
    """The module, parametrized by `apply(nn, module)`, with the same values in both packages."""
    torch.manual_seed(2)
    theirs = apply(torch.nn, getattr(torch.nn, name)(*args))
    rushlight.manual_seed(2)
    ours = apply(nn, getattr(nn, name)(*args))
    assert repr(ours) == repr(theirs)
    return ours, theirs


def compare_training(ours, theirs, x, tolerance=1e-5):
    """Two steps of descent."""
    for _ in range(2):
        for module, package, data in ((ours, rushlight, from_torch(x)), (theirs, torch, x)):
            optimizer = package.optim.SGD(module.parameters(), lr=0.1)
            optimizer.zero_grad()
            (module(data) ** 2).sum().backward()
            optimizer.step()
        assert_same(ours.weight, theirs.weight, tolerance, tolerance)


def input_for(name, args):
    return randn(*{"Linear": (5, args[0]), "Conv2d": (1, 2, 4, 4), "ConvTranspose1d": (1, 2, 4)}[name])


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize(("name", "args"), WEIGHTED)
def test_weight_norm(name, args, dim):
    ours, theirs = pair(name, args, lambda nn, m: nn.utils.parametrizations.weight_norm(m, dim=dim))
    compare_states(ours, theirs)
    compare_training(ours, theirs, input_for(name, args))


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("name", "args"), WEIGHTED)
def test_spectral_norm(name, args, train):
    ours, theirs = pair(name, args, lambda nn, m: nn.utils.parametrizations.spectral_norm(m, n_power_iterations=2))
    for module in (ours, theirs):
        module.train(train)
    compare_states(ours, theirs, 1e-4, 1e-5)
    compare_training(ours, theirs, input_for(name, args))
    compare_states(ours, theirs, 1e-4, 1e-5)


@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize(("name", "args"), WEIGHTED[:3])
def test_orthogonal(name, args, kind, trivial):
    def apply(nn, module):
        return nn.utils.parametrizations.orthogonal(module, orthogonal_map=kind, use_trivialization=trivial)

    ours, theirs = pair(name, args, apply)
    if trivial:
        compare_states(ours, theirs, 1e-4, 1e-5)
    compare_training(ours, theirs, randn(5, args[0]), 1e-4)
    weight = ours.weight.detach()
    small = weight @ weight.T if args[1] <= args[0] else weight.T @ weight
    assert_same(small, torch.eye(min(args)), 1e-4, 1e-4)
    target = torch.linalg.qr(randn(max(args), min(args), grad=False))[0]
    target = target.T.contiguous() if args[0] > args[1] else target
    if trivial or kind == "householder":
        ours.weight = from_torch(target)
        assert_same(ours.weight, target, 1e-4, 1e-4)
    else:
        with pytest.raises(NotImplementedError, match="use_trivialization=False"):
            ours.weight = from_torch(target)


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley"])
def test_complex_orthogonal(kind):
    layer = nn.Linear(3, 3, dtype=rushlight.complex64)
    parametrizations.orthogonal(layer, orthogonal_map=kind)
    product = layer.weight @ layer.weight.mH
    assert rushlight.allclose(product, rushlight.eye(3, dtype=rushlight.complex64), atol=1e-5)
    with pytest.raises(ValueError, match="householder parametrization does not support complex"):
        parametrizations.orthogonal(nn.Linear(3, 3, dtype=rushlight.complex64), orthogonal_map="householder")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m, layer: m.orthogonal(layer, orthogonal_map="x"), "orthogonal_map has to be one of"),
        (lambda m, layer: m.orthogonal(layer, "bias"), "Expected a matrix or batch of matrices"),
        (lambda m, layer: m.orthogonal(layer, "none"), "has no parameter or buffer with name 'none'"),
        (lambda m, layer: m.spectral_norm(layer, n_power_iterations=0), "n_power_iterations to be positive"),
        (lambda m, layer: m.spectral_norm(layer, "none"), "has no parameter or buffer with name 'none'"),
        (lambda m, layer: m.weight_norm(layer, "none"), "does not have a parameter, a buffer, or a parametrized"),
    ],
)
def test_errors_of_ready_made_parametrizations(make, message):
    for package in (nn, torch.nn):
        with pytest.raises(ValueError, match=message):
            make(package.utils.parametrizations, package.Linear(3, 4))


def test_derivatives_of_the_cayley_map():
    layer = nn.Linear(3, 3, dtype=rushlight.float64)
    parametrizations.orthogonal(layer, orthogonal_map="cayley")
    original = rushlight.randn(3, 3, dtype=rushlight.float64, requires_grad=True)
    compute = layer.parametrizations.weight[0]
    assert rushlight.autograd.gradcheck(compute, (original,))
    assert rushlight.autograd.gradgradcheck(compute, (original,))


def test_weight_norm_reads_the_older_files():
    with pytest.warns(FutureWarning, match="weight_norm` is deprecated"):
        old = nn.utils.weight_norm(nn.Linear(3, 4))
    new = parametrizations.weight_norm(nn.Linear(3, 4))
    new.load_state_dict(old.state_dict())
    assert rushlight.allclose(new.weight, old.weight)


def test_a_parametrized_tensor_is_computed_when_read_and_inverted_when_assigned():
    ours, theirs = nn.Linear(3, 3), torch.nn.Linear(3, 3)
    parameter = ours.weight
    parametrize.register_parametrization(ours, "weight", OurSymmetric())
    torch.nn.utils.parametrize.register_parametrization(theirs, "weight", TheirSymmetric())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert type(ours).__name__ == type(theirs).__name__
    assert isinstance(ours, nn.Linear)
    assert ours.parametrizations.weight.original is parameter
    assert parametrize.is_parametrized(ours, "weight")
    assert not parametrize.is_parametrized(ours, "bias")
    assert parametrize.type_before_parametrizations(ours) is nn.Linear
    value = randn(3, 3, grad=False)
    value = value + value.T
    ours.weight, theirs.weight = from_torch(value), value
    assert_same(ours.weight, theirs.weight)
    assert_same(ours.parametrizations.weight.original, theirs.parametrizations.weight.original)
    parametrize.remove_parametrizations(ours, "weight")
    assert type(ours) is nn.Linear
    assert ours.weight is parameter
    assert_same(ours.weight, value)
    assert list(ours.state_dict()) == ["bias", "weight"]


def test_removing_one_keeps_the_other_and_the_original():
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", OurSymmetric())
    parametrize.register_parametrization(layer, "bias", nn.Flatten(0))
    before = layer.parametrizations.weight.original.detach().clone()
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert rushlight.equal(layer.weight, before)
    assert parametrize.is_parametrized(layer, "bias")
    assert type(layer).__name__ == "ParametrizedLinear"
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")
    several = parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="Cannot leave unparametrized"):
        parametrize.remove_parametrizations(several, "weight", leave_parametrized=False)
    value = several.weight.detach().clone()
    parametrize.remove_parametrizations(several, "weight")
    assert isinstance(several.weight, nn.Parameter)
    assert rushlight.equal(several.weight, value)


def test_buffers_can_be_parametrized():
    module = nn.Module()
    module.register_buffer("table", rushlight.ones(2, 2))
    parametrize.register_parametrization(module, "table", OurSymmetric())
    assert list(module.state_dict()) == ["parametrizations.table.original"]
    assert not module.table.requires_grad


class Returning(nn.Module):
    """Returns what it is told to."""

    def __init__(self, forward, inverse=None):
        super().__init__()
        self.forward = forward
        if inverse is not None:
            self.right_inverse = inverse


BAD = [
    (Returning(lambda x: x[:1]), "may not change the shape", False),
    (Returning(lambda x: x.double()), "may not change the dtype", False),
    (Returning(lambda x: 3), "must return a tensor. Got int", False),
    (Returning(lambda x: x, lambda x: x.double()), "it may not change the dtype", True),
    (Returning(lambda x: x, lambda x: 3), "must return a Tensor or a Sequence of tensors", True),
    (Returning(lambda x: x, lambda x: (x, 3)), "must return a Tensor or a Sequence of tensors", True),
]


@pytest.mark.parametrize(("parametrization", "message", "even_unsafe"), BAD)
def test_what_a_parametrization_may_return(parametrization, message, even_unsafe):
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=message):
        parametrize.register_parametrization(layer, "weight", parametrization)
    if not even_unsafe:
        parametrize.register_parametrization(nn.Linear(2, 2), "weight", parametrization, unsafe=True)
        layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", OurSymmetric())
        with pytest.raises(ValueError, match=message):
            parametrize.register_parametrization(layer, "weight", parametrization)


def test_assigning_without_a_right_inverse():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Returning(lambda x: x * 2))
    with pytest.raises(RuntimeError, match="Returning does not implement right_inverse"):
        layer.weight = rushlight.ones(2, 2)
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Returning(lambda x: x, lambda x: x))
    layer.parametrizations.weight[0].right_inverse = lambda x: x.double()
    with pytest.raises(ValueError, match="another dtype"):
        layer.weight = rushlight.ones(2, 2)
    with pytest.raises(ValueError, match="does not have a parameter, a buffer"):
        parametrize.register_parametrization(layer, "nothing", OurSymmetric())
    with pytest.raises(ValueError, match="one or more modules"):
        parametrize.ParametrizationList([], rushlight.ones(1))


def test_cached_computes_once():
    calls = []
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Returning(lambda x: calls.append(1) or x * 1))
    calls.clear()
    with parametrize.cached():
        with parametrize.cached():
            assert layer.weight is layer.weight
        layer(rushlight.ones(1, 2)).sum().backward()
        assert len(calls) == 1
    assert layer.weight is not layer.weight
    assert layer.parametrizations.weight.original.grad is not None


def test_copies():
    layer = parametrizations.spectral_norm(nn.Linear(2, 3))
    other = copy.deepcopy(layer)
    assert type(other) is type(layer)
    parametrize.remove_parametrizations(other, "weight")
    assert type(other) is nn.Linear
    assert parametrize.is_parametrized(layer)
    layer(rushlight.ones(1, 2))
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(layer)
    fresh = parametrizations.spectral_norm(nn.Linear(2, 3))
    fresh.load_state_dict(layer.state_dict())
    assert rushlight.equal(fresh.eval().weight, layer.eval().weight)


@pytest.mark.parametrize("make", [parametrizations.weight_norm, parametrizations.orthogonal])
def test_transfer(make):
    source, target = make(nn.Linear(3, 3)), nn.Linear(3, 3)
    assert parametrize.transfer_parametrizations_and_params(source, target, "weight") is target
    assert rushlight.allclose(target.weight, source.weight)
    assert parametrize.transfer_parametrizations_and_params(nn.Linear(1, 1), target) is target


def test_functional_call_of_a_parametrized_module():
    layer = parametrize.register_parametrization(nn.Linear(2, 2, bias=False), "weight", OurSymmetric())
    call = rushlight.func.functional_call
    x = rushlight.tensor([[1.0, 2.0]])
    result = call(layer, {"parametrizations.weight.original": rushlight.tensor([[1.0, 2.0], [9.0, 3.0]])}, x)
    assert result.tolist() == [[5.0, 8.0]]
    with pytest.warns(FutureWarning, match="Use `torch.func.functional_call`"):
        assert nn.utils.stateless.functional_call(layer, {}, x).tolist() == layer(x).tolist()
