"""Tables of rows with sparse gradients, and the optimisers that take them."""

import copy

import numpy as np
import pytest

import rushlight as torch

oracle = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

ROWS = [[3, 1, 3], [0, 3, 5]]


def _array(tensor):
    return np.asarray(tensor.detach().numpy())


def _tables(**options):
    """The same embedding in both frameworks."""
    start = np.random.default_rng(0).normal(size=(7, 4))
    ours = torch.nn.Embedding(7, 4, sparse=True, dtype=torch.float64, _weight=torch.tensor(start), **options)
    theirs = oracle.nn.Embedding(7, 4, sparse=True, dtype=oracle.float64, _weight=oracle.tensor(start), **options)
    return ours, theirs


@pytest.mark.parametrize("options", [{}, {"padding_idx": 3}], ids=str)
def test_gradient_is_sparse_and_adds_up(options):
    ours, theirs = _tables(**options)
    for _ in range(2):  # the second backward adds to the first
        for module, framework in ((ours, torch), (theirs, oracle)):
            rows = framework.tensor(ROWS)
            (module(rows).square().sum() + module(rows[0]).sum()).backward()
    grad = ours.weight.grad
    assert grad.is_sparse and grad.layout is torch.sparse_coo and isinstance(grad, torch.Tensor)
    np.testing.assert_allclose(_array(grad.to_dense()), theirs.weight.grad.to_dense().numpy())
    assert grad.coalesce().indices().tolist() == theirs.weight.grad.coalesce().indices().tolist()


def test_shared_with_a_dense_use():
    ours, theirs = _tables()
    for module, framework in ((ours, torch), (theirs, oracle)):
        rows = framework.tensor(ROWS)
        (module(rows).sum() + module.weight.square().sum()).backward()
    assert not ours.weight.grad.is_sparse
    np.testing.assert_allclose(_array(ours.weight.grad), theirs.weight.grad.numpy())
    grad = ours.weight.grad.clone()
    ours(torch.tensor(ROWS)).sum().backward()  # dense += sparse
    np.testing.assert_allclose(
        _array(ours.weight.grad - grad).sum(1), 4.0 * np.bincount(np.ravel(ROWS), minlength=7), atol=1e-12
    )


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_embedding_bag(mode):
    start = np.random.default_rng(1).normal(size=(7, 4))
    grads = []
    for framework in (torch, oracle):
        weight = framework.tensor(start).requires_grad_()
        rows, offsets = framework.tensor([1, 2, 2, 6]), framework.tensor([0, 3])
        bags = framework.nn.functional.embedding_bag(rows, weight, offsets, mode=mode, sparse=True)
        bags.square().sum().backward()
        assert weight.grad.is_sparse
        grads.append(weight.grad.to_dense().numpy())
    np.testing.assert_allclose(*grads)
    with pytest.raises(ValueError, match="max mode does not support sparse"):
        torch.nn.functional.embedding_bag(torch.tensor([[1]]), torch.ones(2, 2), mode="max", sparse=True)


def test_hooks_clipping_and_copies_see_the_sparse_gradient():
    ours, _ = _tables()
    seen = []
    ours.weight.register_hook(lambda grad: seen.append(grad.is_sparse) or grad * 2)
    ours(torch.tensor([1, 1])).sum().backward()
    assert seen == [True] and ours.weight.grad.to_dense()[1].tolist() == [4.0] * 4
    assert copy.deepcopy(ours.weight.grad).is_sparse
    norm = torch.nn.utils.clip_grad_norm_(ours.parameters(), 1.0)
    assert norm.item() == pytest.approx(8.0) and ours.weight.grad.to_dense().norm().item() == pytest.approx(1.0)
    (grad,) = torch.autograd.grad(ours(torch.tensor([2])).sum(), ours.weight)
    assert grad.is_sparse and grad.to_dense().sum().item() == 8.0


OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("SparseAdam", {"lr": 0.1}),
    ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.9), "maximize": True}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_optimizers(name, options):
    ours, theirs = _tables()
    for module, framework in ((ours, torch), (theirs, oracle)):
        optimizer = getattr(framework.optim, name)(module.parameters(), **options)
        for step in range(4):
            optimizer.zero_grad(set_to_none=step % 2 == 0)
            rows = framework.tensor([[step, 1, 3], [0, 3, 3]])
            (module(rows) - 1).square().sum().backward()
            optimizer.step()
    np.testing.assert_allclose(_array(ours.weight), theirs.weight.detach().numpy(), rtol=1e-12)


def test_a_dense_parameter_beside_a_sparse_gradient():
    table, linear = torch.nn.Embedding(5, 3, sparse=True), torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD([*table.parameters(), *linear.parameters()], lr=0.1)
    before = [p.detach().clone() for p in (table.weight, linear.weight)]
    linear(table(torch.tensor([2]))).sum().backward()
    optimizer.step()
    moved = (table.weight.detach() != before[0]).any(1)
    assert moved.tolist() == [False, False, True, False, False]
    torch.testing.assert_close(linear.weight.detach(), before[1] - 0.1 * before[0][2])


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adamax", "NAdam", "RAdam", "Rprop", "ASGD", "Adadelta"])
def test_other_optimizers_refuse(name):
    ours, _ = _tables()
    ours(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        getattr(torch.optim, name)(ours.parameters()).step()


def test_errors_of_the_optimizers():
    ours, _ = _tables()
    ours(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="not compatible with sparse gradients"):
        torch.optim.Adagrad(ours.parameters(), weight_decay=0.1).step()
    with pytest.raises(RuntimeError, match=r"add\(sparse, dense\) is not supported"):
        torch.optim.SGD(ours.parameters(), weight_decay=0.1).step()
    ours.weight.grad = torch.ones(7, 4, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        torch.optim.SparseAdam(ours.parameters()).step()
    with pytest.raises(ValueError, match="requires dense parameter"):
        torch.optim.SparseAdam([torch.eye(2).to_sparse().requires_grad_()])
    with pytest.raises(ValueError, match="Invalid epsilon value"):
        torch.optim.SparseAdam(ours.parameters(), eps=0)


def test_a_recommender_learns():
    torch.manual_seed(0)
    users, items = (torch.nn.Embedding(n, 8, sparse=True) for n in (30, 40))
    liked = torch.randn(30, 2) @ torch.randn(2, 40)
    optimizer = torch.optim.SparseAdam([*users.parameters(), *items.parameters()], lr=0.05)
    losses = []
    for _ in range(60):
        u, i = torch.randint(0, 30, (256,)), torch.randint(0, 40, (256,))
        loss = ((users(u) * items(i)).sum(1) - liked[u, i]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        assert users.weight.grad.is_sparse
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10
