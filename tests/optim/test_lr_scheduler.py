"""Schedules against PyTorch's: rates, momenta, state dictionaries."""

import pytest

import rushlight
from tests.nn.oracle import torch

pytestmark = pytest.mark.oracle

CASES = [
    ("StepLR", (2,), {}),
    ("MultiStepLR", ([1, 3, 3],), {"gamma": 0.5}),
    ("ExponentialLR", (0.9,), {}),
    ("CosineAnnealingLR", (5,), {"eta_min": 0.01}),
    ("LambdaLR", (lambda epoch: 0.5**epoch,), {}),
    ("MultiplicativeLR", (lambda epoch: 0.5,), {}),
    ("LinearLR", (), {"total_iters": 4}),
    ("ConstantLR", (), {"factor": 0.5}),
    ("PolynomialLR", (), {"power": 2.0}),
    ("CosineAnnealingWarmRestarts", (3, 2), {}),
    ("OneCycleLR", (1.0, 14), {}),
    (
        "OneCycleLR",
        ([1.0, 2.0],),
        {"epochs": 2, "steps_per_epoch": 7, "three_phase": True, "anneal_strategy": "linear"},
    ),
    ("CyclicLR", (0.1, 1.0, 3), {}),
    ("CyclicLR", (0.1, 1.0, 3, 2), {"mode": "triangular2"}),
    ("CyclicLR", (0.1, 1.0, 3, 2), {"mode": "exp_range", "gamma": 0.9}),
    ("CyclicLR", (0.1, 1.0, 3), {"scale_fn": lambda x: 1 / x, "cycle_momentum": False}),
]
IDS = [f"{n}{list(k)}" for n, _, k in CASES]
EPOCHS = 13


def optimizer(module, name="SGD", **kwargs):
    p, q = module.nn.Parameter(module.ones(2)), module.nn.Parameter(module.ones(3))
    return getattr(module.optim, name)([{"params": [p], "lr": 0.5}, {"params": [q]}], lr=0.1, **kwargs)


def options(opt):
    return [{k: v for k, v in group.items() if k != "params"} for group in opt.param_groups]


def walk(opt, scheduler, epochs=EPOCHS):
    seen = []
    for _ in range(epochs):
        seen.append((scheduler.get_last_lr(), options(opt)))
        opt.step()
        scheduler.step()
    return seen


def assert_close(ours, theirs):
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            assert_close(ours[key], theirs[key])
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-15)
    else:
        assert ours == theirs


@pytest.mark.parametrize(("opt", "opt_kwargs"), [("SGD", {"momentum": 0.9}), ("Adam", {})])
@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=IDS)
def test_same_rates(name, args, kwargs, opt, opt_kwargs):
    runs = []
    for module in (rushlight, torch):
        o = optimizer(module, opt, **opt_kwargs)
        scheduler = getattr(module.optim.lr_scheduler, name)(o, *args, **kwargs)
        runs.append((walk(o, scheduler), scheduler.state_dict()))
    (ours, our_state), (theirs, their_state) = runs
    assert_close(ours, theirs)
    assert_close(our_state, their_state)


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=IDS)
def test_resume(name, args, kwargs):
    S = rushlight.optim.lr_scheduler
    o = optimizer(rushlight, momentum=0.9)
    scheduler = getattr(S, name)(o, *args, **kwargs)
    walk(o, scheduler, 5)
    state, opt_state = scheduler.state_dict().copy(), o.state_dict()
    expected = walk(o, scheduler, 5)
    fresh = optimizer(rushlight, momentum=0.9)
    again = getattr(S, name)(fresh, *args, **kwargs)
    fresh.load_state_dict(opt_state)
    again.load_state_dict(state)
    assert_close(walk(fresh, again, 5), expected)


def composed(module, kind):
    S = module.optim.lr_scheduler
    o = optimizer(module)
    if kind == "chained":
        return o, S.ChainedScheduler([S.ConstantLR(o, 0.1, 2), S.ExponentialLR(o, 0.9)])
    parts = [S.ConstantLR(o, 0.1, 2), S.ExponentialLR(o, 0.9), S.StepLR(o, 2)]
    return o, S.SequentialLR(o, parts, [3, 6])


@pytest.mark.parametrize("kind", ["chained", "sequential"])
def test_composed(kind):
    (o, ours), (q, theirs) = composed(rushlight, kind), composed(torch, kind)
    assert_close(walk(o, ours), walk(q, theirs))
    assert_close(ours.state_dict(), theirs.state_dict())
    o, again = composed(rushlight, kind)
    again.load_state_dict(ours.state_dict())
    assert_close(again.state_dict(), theirs.state_dict())


METRICS = [3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0.99999, 1, 1, float("nan"), 1]


@pytest.mark.parametrize("kwargs", [
    {"patience": 1, "cooldown": 1}, {"patience": 0, "min_lr": [0.01, 0.05]}, {"mode": "max", "patience": 2},
    {"threshold_mode": "abs", "threshold": 0.5, "patience": 1}, {"factor": 0.5, "patience": 0, "eps": 0.05},
])  # fmt: skip
def test_plateau(kwargs):
    runs = []
    for module in (rushlight, torch):
        o = optimizer(module)
        scheduler = module.optim.lr_scheduler.ReduceLROnPlateau(o, **kwargs)
        rates = []
        for metric in METRICS:
            scheduler.step(module.tensor(float(metric)))
            rates.append(scheduler.get_last_lr())
        runs.append((rates, scheduler.state_dict()))
    assert_close(runs[0], runs[1])


def test_tensor_rate_stays_the_same_tensor():
    rate = rushlight.tensor(1.0)
    o = rushlight.optim.SGD([rushlight.nn.Parameter(rushlight.ones(1))], lr=rate)
    scheduler = rushlight.optim.lr_scheduler.ExponentialLR(o, 0.5)
    o.step()
    scheduler.step()
    assert o.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5


def test_going_on_from_an_epoch():
    o = optimizer(rushlight)
    with pytest.raises(KeyError, match="initial_lr"):
        rushlight.optim.lr_scheduler.StepLR(o, 2, last_epoch=3)
    for group in o.param_groups:
        group["initial_lr"] = 1.0
    assert rushlight.optim.lr_scheduler.LambdaLR(o, lambda e: e, last_epoch=3).get_last_lr() == [4.0, 4.0]


def test_warnings():
    S = rushlight.optim.lr_scheduler
    o = optimizer(rushlight)
    scheduler = S.ExponentialLR(o, 0.5)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        scheduler.get_lr()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(3)
    assert scheduler.get_last_lr() == [0.5 * 0.125, 0.1 * 0.125]


def test_messages():
    S, o = rushlight.optim.lr_scheduler, optimizer(rushlight)
    for error, message, call in [
        (TypeError, "is not an Optimizer", lambda: S.StepLR(3, 2)),
        (ValueError, "same length|Expected", lambda: S.LambdaLR(o, [lambda e: 1])),
        (ValueError, "between 0 and 1", lambda: S.ConstantLR(o, 2.0)),
        (ValueError, "greater than 0", lambda: S.LinearLR(o, 0.0)),
        (ValueError, "positive integer T_0", lambda: S.CosineAnnealingWarmRestarts(o, 0)),
        (ValueError, "must define either", lambda: S.OneCycleLR(o, 1.0)),
        (ValueError, "anneal_strategy", lambda: S.OneCycleLR(o, 1.0, 5, anneal_strategy="steep")),
        (ValueError, "mode is invalid", lambda: S.CyclicLR(o, 0.1, 1.0, mode="square")),
        (ValueError, "Factor", lambda: S.ReduceLROnPlateau(o, factor=1.0)),
        (ValueError, "mode up is unknown", lambda: S.ReduceLROnPlateau(o, mode="up")),
        (ValueError, "at least one scheduler", lambda: S.ChainedScheduler([])),
        (ValueError, "milestone", lambda: S.SequentialLR(o, [S.StepLR(o, 1)], [3])),
        (ValueError, "same optimizer", lambda: S.ChainedScheduler([S.StepLR(optimizer(rushlight), 1)], o)),
    ]:
        with pytest.raises(error, match=message):
            call()
    scheduler = S.OneCycleLR(optimizer(rushlight, momentum=0.9), 1.0, 2)
    with pytest.raises(ValueError, match="Tried to step"):
        for _ in range(4):
            scheduler.optimizer.step()
            scheduler.step()
