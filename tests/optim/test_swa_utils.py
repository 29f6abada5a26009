"""Averaged models against PyTorch's. (The schedule SWALR is in test_lr_scheduler.py.)"""

import copy
from itertools import chain

import pytest

import rushlight
from tests.nn.oracle import assert_same, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle

AVERAGES = {
    "mean": lambda swa: {},
    "mean of one": lambda swa: {"avg_fn": swa.get_swa_avg_fn()},
    "mean of lists": lambda swa: {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
    "ema of one": lambda swa: {"avg_fn": swa.get_ema_avg_fn(0.9)},
    "ema of lists": lambda swa: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.8)},
    "own": lambda swa: {"avg_fn": lambda average, current, n: (average + current) / (n + 2)},
}


def network(module):
    layers = [module.nn.Linear(3, 4), module.nn.BatchNorm1d(4), module.nn.Linear(4, 2).double()]
    return module.nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("average", "use_buffers"),
    [(average, use) for average in AVERAGES for use in (False, True) if (average, use) != ("mean of lists", True)],
)  # the combination left out divides integers by addcdiv, which PyTorch refuses
def test_averaged_model(average, use_buffers):
    models, averaged = [], []
    for module in (rushlight, torch):
        model = network(module)
        kwargs = AVERAGES[average](module.optim.swa_utils)
        models.append(model)
        averaged.append(module.optim.swa_utils.AveragedModel(model, use_buffers=use_buffers, **kwargs))
    ours, theirs = models
    for step in range(5):
        pairs = zip(chain(ours.parameters(), ours.buffers()), chain(theirs.parameters(), theirs.buffers()), strict=True)
        for i, (a, b) in enumerate(pairs):
            value = randn(*b.shape, seed=10 * step + i, grad=False)
            value = (10 * value).long() if b.dtype == torch.int64 else value.to(b.dtype)
            a.detach().copy_(from_torch(value))
            b.detach().copy_(value)
        for model, own in zip(averaged, models, strict=True):
            model.update_parameters(own)
        compare_states(*averaged)
    assert averaged[0].n_averaged.item() == 5
    assert all(p.requires_grad and p.is_leaf for p in averaged[0].parameters())
    again = copy.deepcopy(averaged[0])
    again.load_state_dict(averaged[0].state_dict())
    compare_states(again, averaged[1])


def test_averages_of_integers():
    """Means of whole numbers, as in buffers that count."""
    swa = rushlight.optim.swa_utils
    counts = [rushlight.tensor([3, 6])]
    swa.get_swa_multi_avg_fn()(counts, [rushlight.tensor([6, 0])], 2)
    assert counts[0].tolist() == [4, 4]
    results = []
    for module in (rushlight, torch):
        counts = [module.tensor([3, 60])]
        module.optim.swa_utils.get_ema_multi_avg_fn(0.9)(counts, [module.tensor([33, 0])], 2)
        results.append(counts[0].tolist())
    assert results[0] == results[1] == [6, 54]


def test_forward_and_device():
    model = rushlight.nn.Linear(2, 1)
    averaged = rushlight.optim.swa_utils.AveragedModel(model, device="cpu")
    x = rushlight.ones(3, 2)
    assert rushlight.equal(averaged(x), model(x))
    assert averaged.module is not model


@pytest.mark.parametrize("kind", ["tensors", "pairs"])
def test_update_bn(kind):
    models = []
    batches = [randn(6, 3, seed=i, grad=False) for i in range(3)]
    for module in (rushlight, torch):
        module.manual_seed(0)
        model = module.nn.Sequential(module.nn.Linear(3, 4), module.nn.BatchNorm1d(4, momentum=0.3), module.nn.ReLU())
        loader = batches if module is torch else from_torch(batches)
        loader = loader if kind == "tensors" else [(batch, None) for batch in loader]
        model.eval()
        module.optim.swa_utils.update_bn(loader, model, device="cpu")
        assert model[1].momentum == 0.3 and not model.training and not model[1].training
        models.append(model)
    compare_states(*models)
    plain = rushlight.nn.Linear(3, 4)
    rushlight.optim.swa_utils.update_bn([None], plain)  # without batch norms the data is not touched
    assert plain.training


def test_training_with_averages():
    """The loop of the documentation: train, average from an epoch on, and compute the statistics afresh."""
    results = []
    batches = [(randn(8, 3, seed=i, grad=False), randn(8, 1, seed=50 + i, grad=False)) for i in range(3)]
    for module in (rushlight, torch):
        data = batches if module is torch else from_torch(batches)
        module.manual_seed(1)
        model = module.nn.Sequential(module.nn.Linear(3, 4), module.nn.BatchNorm1d(4), module.nn.Linear(4, 1))
        optimizer = module.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        swa = module.optim.swa_utils
        averaged, schedule = swa.AveragedModel(model), module.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
        swa_schedule = swa.SWALR(optimizer, swa_lr=0.05, anneal_epochs=3)
        for epoch in range(8):
            for x, y in data:
                optimizer.zero_grad()
                module.nn.functional.mse_loss(model(x), y).backward()
                optimizer.step()
            if epoch > 3:
                averaged.update_parameters(model)
                swa_schedule.step()
            else:
                schedule.step()
        swa.update_bn(data, averaged)
        averaged.eval()
        results.append(averaged(data[0][0]))
    assert_same(*results, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("module", [rushlight, torch], ids=["ours", "theirs"])
def test_mistakes(module):
    swa, weight = module.optim.swa_utils, module.nn.Parameter(module.ones(1))
    optimizer = module.optim.SGD([weight])
    for error, message, call in [
        (ValueError, "Invalid decay", lambda: swa.get_ema_avg_fn(1.5)),
        (ValueError, "Invalid decay", lambda: swa.get_ema_multi_avg_fn(-0.1)),
        (AssertionError, "Only one", lambda: swa.AveragedModel(network(module), avg_fn=len, multi_avg_fn=len)),
        (ValueError, "anneal_strategy", lambda: swa.SWALR(optimizer, 0.1, anneal_strategy="steep")),
        (ValueError, "anneal_epochs", lambda: swa.SWALR(optimizer, 0.1, anneal_epochs=-1)),
        (ValueError, "anneal_epochs", lambda: swa.SWALR(optimizer, 0.1, anneal_epochs=1.5)),
        (ValueError, "swa_lr must have the same length", lambda: swa.SWALR(optimizer, [0.1, 0.2])),
    ]:
        with pytest.raises(error, match=message):
            call()
