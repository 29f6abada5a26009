"""Pruning against PyTorch's."""

import copy
import pickle

import pytest

import rushlight
from rushlight import nn
from rushlight.nn.utils import prune
from tests.nn.oracle import assert_same, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle
their_prune = pytest.importorskip("torch.nn.utils.prune")

SCORES = randn(4, 3, grad=False, seed=4)
METHODS = [
    ("identity", {}),
    ("l1_unstructured", {"amount": 3}),
    ("l1_unstructured", {"amount": 0.4, "importance_scores": SCORES}),
    ("random_unstructured", {"amount": 5}),
    ("random_structured", {"amount": 1, "dim": 0}),
    ("random_structured", {"amount": 0.4, "dim": -1}),
    ("ln_structured", {"amount": 2, "n": 2, "dim": 0}),
    ("ln_structured", {"amount": 1, "n": 1, "dim": 1, "importance_scores": SCORES}),
    ("ln_structured", {"amount": 1, "n": float("inf"), "dim": 0}),
    ("custom_from_mask", {"mask": (SCORES > 0).int()}),
]


def pair():
    torch.manual_seed(3)
    theirs = torch.nn.Linear(3, 4)
    rushlight.manual_seed(3)
    return nn.Linear(3, 4), theirs


def apply(name, kwargs, ours, theirs):
    torch.manual_seed(1)
    assert getattr(their_prune, name)(theirs, "weight", **kwargs) is theirs
    rushlight.manual_seed(1)
    assert getattr(prune, name)(ours, "weight", **{k: from_torch(v) for k, v in kwargs.items()}) is ours
    compare_states(ours, theirs)
    assert_same(ours.weight, theirs.weight)


@pytest.mark.parametrize(("second", "more"), METHODS[1:], ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize(("first", "kwargs"), METHODS, ids=lambda v: v if isinstance(v, str) else "")
def test_methods_alone_and_one_after_another(first, kwargs, second, more):
    ours, theirs = pair()
    apply(first, kwargs, ours, theirs)
    assert prune.is_pruned(nn.Sequential(ours))
    assert len(ours._forward_pre_hooks) == 1
    apply(second, more, ours, theirs)
    assert len(ours._forward_pre_hooks) == 1
    hook = next(iter(ours._forward_pre_hooks.values()))
    assert [type(m).__name__ for m in hook] == [
        type(m).__name__ for m in next(iter(theirs._forward_pre_hooks.values()))
    ]
    assert hook[1] is list(hook)[1]
    x = randn(2, 3)
    received, expected = ours(from_torch(x)), theirs(x)
    assert_same(received, expected)
    received.sum().backward()
    expected.sum().backward()
    assert_same(ours.weight_orig.grad, theirs.weight_orig.grad)
    prune.remove(ours, "weight")
    their_prune.remove(theirs, "weight")
    compare_states(ours, theirs)
    assert not prune.is_pruned(ours)


def test_third_method_joins_the_container():
    ours, theirs = pair()
    for _ in range(3):
        apply("l1_unstructured", {"amount": 0.2}, ours, theirs)
    assert len(next(iter(ours._forward_pre_hooks.values()))) == 3


@pytest.mark.parametrize("method", ["L1Unstructured", "RandomUnstructured"])
def test_global_unstructured(method):
    modules = []
    for package, pruning in ((torch, their_prune), (rushlight, prune)):
        package.manual_seed(5)
        layers = [package.nn.Linear(3, 4), package.nn.Linear(4, 2), package.nn.Linear(2, 2)]
        pruning.l1_unstructured(layers[0], "weight", amount=2)
        pairs = [(layer, "weight") for layer in layers] + [(layers[1], "bias")]
        scores = {(layers[2], "weight"): package.ones(2, 2) * 10} if method[0] == "L" else None
        pruning.global_unstructured(pairs, getattr(pruning, method), scores, amount=0.4)
        modules.append(package.nn.Sequential(*layers))
    compare_states(*reversed(modules))


ERRORS = [
    *[(ValueError, "amount=", lambda p, m, a=a: p.l1_unstructured(m, "weight", a)) for a in (-1, 13, 1.5, -0.1)],
    *[(ValueError, "amount=", lambda p, m, a=a: p.ln_structured(m, "weight", a, 2, 0)) for a in (-1, 5, 1.5)],
    *[(ValueError, "amount=", lambda p, m, a=a: p.random_structured(m, "weight", a, 0)) for a in (-1, 5, 1.5)],
    (TypeError, "Invalid type for amount: x", lambda p, m: p.l1_unstructured(m, "weight", "x")),
    (IndexError, "Invalid index 5", lambda p, m: p.ln_structured(m, "weight", 1, 2, 5)),
    (ValueError, "only be applied to multidimensional", lambda p, m: p.ln_structured(m, "bias", 1, 2, 0)),
    (ValueError, "has to be pruned before pruning can be removed", lambda p, m: p.remove(m, "bias")),
    (AssertionError, "importance_scores should have the same shape",
     lambda p, m: p.l1_unstructured(m, "weight", 1, importance_scores=m.bias)),
    (AssertionError, "must match self.mask shape", lambda p, m: p.custom_from_mask(m, "weight", m.bias)),
    (AttributeError, "no attribute 'foo'", lambda p, m: p.identity(m, "foo")),
    (TypeError, "parameters is not an Iterable", lambda p, m: p.global_unstructured(3, p.L1Unstructured, amount=3)),
    (TypeError, "importance_scores must be of type dict",
     lambda p, m: p.global_unstructured([(m, "bias")], p.L1Unstructured, 3, amount=3)),
    (TypeError, 'Only "unstructured" PRUNING_TYPE supported',
     lambda p, m: p.global_unstructured([(m, "bias")], p.RandomStructured, amount=1)),
    (TypeError, "is not a BasePruningMethod subclass",
     lambda p, m: next(iter(p.l1_unstructured(m, "weight", 1) and p.l1_unstructured(m, "weight", 1)
                            ._forward_pre_hooks.values())).add_pruning_method(3)),
]  # fmt: skip


@pytest.mark.parametrize(("error", "message", "call"), ERRORS)
def test_errors(error, message, call):
    for pruning, module in zip((prune, their_prune), pair(), strict=True):
        with pytest.raises(error, match=message):
            call(pruning, module)


def test_own_method_on_tensors_and_modules():
    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    assert EveryOther().prune(rushlight.ones(4)).tolist() == [0, 1, 0, 1]
    ours, _ = pair()
    EveryOther.apply(ours, "bias")
    assert ours.bias_mask.tolist() == [0, 1, 0, 1]
    EveryOther.apply(ours, "bias")  # of what is left
    assert ours.bias_mask.tolist() == [0, 0, 0, 1]
    with pytest.raises(AssertionError, match="has to be pruned"):
        EveryOther().apply_mask(ours)
    EveryOther.PRUNING_TYPE = "odd"
    with pytest.raises(ValueError, match="Unrecognized PRUNING_TYPE odd"):
        EveryOther.apply(ours, "bias")


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_pruned_modules_after_a_step_can_be_copied(how):
    ours, _ = pair()
    prune.l1_unstructured(ours, "weight", 0.5)
    with rushlight.no_grad():
        ours(rushlight.ones(1, 3))  # the weight is then no result on the tape
    other = how(ours)
    prune.remove(other, "weight")
    assert prune.is_pruned(ours)
    assert int((other.weight == 0).sum()) == 6
