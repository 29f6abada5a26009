"""Schedules against PyTorch's: rates, momenta and state dictionaries, number for number (`==`, no tolerance)."""

import copy
import pickle

import pytest

import rushlight
from tests.nn.oracle import torch

pytestmark = pytest.mark.oracle

STEPS = 200
FACTORS = [1.01, 0.97, 0.99]


class Decay:
    """A function whose state a state dictionary keeps."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


CASES = {
    "lambda": ("LambdaLR", lambda epoch: 0.95**epoch),
    "lambda per group": ("LambdaLR", [lambda epoch: 1 / (epoch + 1), Decay(0.99)]),
    "multiplicative": ("MultiplicativeLR", lambda epoch: FACTORS[epoch % 3]),
    "multiplicative per group": ("MultiplicativeLR", (lambda epoch: 0.97, lambda epoch: FACTORS[epoch % 3])),
    "step": ("StepLR", 7),
    "step every epoch": ("StepLR", 1, 0.99),
    "milestones": ("MultiStepLR", [3, 30, 30, 100], 0.3),
    "no milestones": ("MultiStepLR", []),
    "constant": ("ConstantLR",),
    "constant 0.7": ("ConstantLR", 0.7, 40),
    "constant one": ("ConstantLR", 1.0, 0),
    "linear": ("LinearLR",),
    "linear down": ("LinearLR", 1.0, 0.1, 90),
    "linear to zero": ("LinearLR", 0.3, 0.0, 150),
    "exponential": ("ExponentialLR", 0.97),
    "polynomial": ("PolynomialLR",),
    "polynomial 2.3": ("PolynomialLR", 120, 2.3),
    "cosine": ("CosineAnnealingLR", 50),
    "cosine of one epoch": ("CosineAnnealingLR", 1, 0.02),
    "cosine to 0.01": ("CosineAnnealingLR", 33, 0.01),
    "restarts": ("CosineAnnealingWarmRestarts", 9),
    "restarts, longer each": ("CosineAnnealingWarmRestarts", 3, 2, 0.001),
    "cycle": ("CyclicLR", 0.1, 1.0, 12),
    "cycle per group": ("CyclicLR", [0.1, 0.01], (1.0, 0.5), 12, 5),
    "cycle triangular2": ("CyclicLR", 0.1, 1.0, 13, 4, "triangular2"),
    "cycle exp_range": ("CyclicLR", 0.1, 1.0, 9, 20, "exp_range", 0.98),
    "cycle of momenta per group": ("CyclicLR", {"base_momentum": [0.7, 0.6], "max_momentum": 0.95}, 0.1, 1.0, 8),
    "cycle of own scale": ("CyclicLR", {"scale_fn": Decay(0.9), "cycle_momentum": False}, 0.1, 1.0, 12),
    "cycle of own scale, by iterations": (
        "CyclicLR", {"scale_fn": lambda x: 1 / (x + 1), "scale_mode": "iterations"}, 0.1, 1.0, 12
    ),
    "one cycle": ("OneCycleLR", 1.0, STEPS),
    "one cycle per group": ("OneCycleLR", {"pct_start": 0.2, "max_momentum": [0.9, 0.99]}, [1.0, 2.0], None, 4, 50),
    "one cycle, linear": ("OneCycleLR", {"anneal_strategy": "linear", "div_factor": 7.0}, 1.0, STEPS),
    "one cycle, three phases": ("OneCycleLR", {"three_phase": True, "final_div_factor": 3}, 1.0, STEPS),
    "one cycle, three linear phases": (
        "OneCycleLR", {"three_phase": True, "anneal_strategy": "linear", "cycle_momentum": False}, 1.0, STEPS
    ),
    "swa": ("SWALR", 0.05),
    "swa, linear": ("SWALR", [0.05, 0.3], 40, "linear"),
    "swa at once": ("SWALR", 0.05, 0),
}  # fmt: skip

OPTIMIZERS = {
    "momentum": lambda module, groups: module.optim.SGD(groups, lr=0.1, momentum=0.9),
    "betas": lambda module, groups: module.optim.AdamW(groups, lr=0.1),
    "tensor rates": lambda module, groups: module.optim.SGD(
        [{**group, "lr": module.tensor(group.get("lr", 0.1))} for group in groups], lr=0.1, momentum=0.9
    ),
    "rates that are integers": lambda module, groups: module.optim.SGD(
        [{**group, "lr": 2} for group in groups], lr=1, momentum=0.9
    ),
}
every_case = pytest.mark.parametrize("case", CASES)


def optimizer(module, kind="momentum"):
    p, q = module.nn.Parameter(module.ones(2)), module.nn.Parameter(module.ones(3))
    return OPTIMIZERS[kind](module, [{"params": [p], "lr": 0.5}, {"params": [q]}])


def build(module, opt, case, **kwargs):
    name, *args = copy.deepcopy(CASES[case])
    for options in [a for a in args if isinstance(a, dict)]:
        args.remove(options)
        kwargs = {**options, **kwargs}
    home = module.optim.swa_utils if name == "SWALR" else module.optim.lr_scheduler
    return getattr(home, name)(opt, *args, **kwargs)


def numbers(value):
    """Tensors, also inside containers, as numbers."""
    if isinstance(value, dict):
        return {key: numbers(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(numbers, value))
    return value.item() if hasattr(value, "item") else value


def options(opt):
    return [numbers({k: v for k, v in group.items() if k != "params"}) for group in opt.param_groups]


def walk(opt, scheduler, steps=STEPS):
    seen = []
    for _ in range(steps):
        seen.append((numbers(scheduler.get_last_lr()), options(opt)))
        opt.step()
        scheduler.step()
    return seen


def state(scheduler):
    """The state with the order of its entries, as the files that hold it have."""
    return list(numbers(scheduler.state_dict()).items())


@pytest.mark.parametrize("kind", OPTIMIZERS)
@every_case
def test_rates_and_momenta(case, kind):
    runs = []
    for module in (rushlight, torch):
        opt = optimizer(module, kind)
        scheduler = build(module, opt, case)
        runs.append((walk(opt, scheduler), state(scheduler)))
    assert runs[0][0] == runs[1][0]
    assert runs[0][1] == runs[1][1]


@every_case
def test_state_dict_in_mid_way(case):
    """Ours goes on from its own state and from PyTorch's as if nothing had been."""
    opt = optimizer(torch)
    scheduler = build(torch, opt, case)
    walk(opt, scheduler, 77)
    saved = copy.deepcopy((opt.state_dict(), scheduler.state_dict()))
    expected = walk(opt, scheduler, STEPS - 77)

    opt = optimizer(rushlight)
    scheduler = build(rushlight, opt, case)
    walk(opt, scheduler, 77)
    own = pickle.loads(pickle.dumps((opt.state_dict(), scheduler.state_dict())))
    for opt_state, scheduler_state in (own, saved):
        opt = optimizer(rushlight)
        scheduler = build(rushlight, opt, case)
        before = copy.deepcopy(scheduler_state)
        opt.load_state_dict(opt_state)
        scheduler.load_state_dict(scheduler_state)
        assert scheduler_state == before
        assert walk(opt, scheduler, STEPS - 77) == expected


@every_case
def test_going_on_from_an_epoch(case):
    runs = []
    for module in (rushlight, torch):
        opt = optimizer(module)
        walk(opt, build(module, opt, case), 20)
        scheduler = build(module, opt, case, last_epoch=19)
        runs.append(walk(opt, scheduler, 100))
    assert runs[0] == runs[1]
    with pytest.raises(KeyError, match="initial_lr"):
        build(rushlight, optimizer(rushlight), case, last_epoch=19)


@pytest.mark.filterwarnings("ignore:.*epoch parameter")
@every_case
def test_step_to_an_epoch(case):
    runs = []
    for module in (rushlight, torch):
        opt = optimizer(module)
        scheduler = build(module, opt, case)
        opt.step()
        rates = []
        for epoch in (1, 5, 2, 0, 40, 41, 150, 199):
            scheduler.step(epoch)
            rates.append((scheduler.get_last_lr(), options(opt)))
        runs.append((rates, state(scheduler)))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("periods", [(4,), (2, 2), (3, 3)])
def test_restarts_at_fractions_of_epochs(periods):
    runs = []
    for module in (rushlight, torch):
        opt = optimizer(module)
        scheduler = module.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, *periods)
        rates = []
        for step in [*range(STEPS), 3, None, None, None]:
            scheduler.step(step if step is None else step / 7)
            rates.append((scheduler.get_last_lr(), scheduler.T_cur, scheduler.T_i, scheduler.last_epoch))
        runs.append(rates)
    assert runs[0] == runs[1]


COMPOSITIONS = {
    "chained": lambda S, o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 20), S.ExponentialLR(o, 0.9)]),
    "chained, with the optimiser": lambda S, o: S.ChainedScheduler([S.StepLR(o, 9), S.LinearLR(o)], optimizer=o),
    "sequential": lambda S, o: S.SequentialLR(
        o, [S.ConstantLR(o, 0.1, 20), S.ExponentialLR(o, 0.9), S.StepLR(o, 20)], [30, 60]
    ),
    "warm-up": lambda S, o: S.SequentialLR(o, [S.LinearLR(o, 0.01, 1.0, 20), S.CosineAnnealingLR(o, 180)], [20]),
    "from the second at once": lambda S, o: S.SequentialLR(o, [S.ConstantLR(o), S.ExponentialLR(o, 0.9)], [0]),
    "restarts after warm-up": lambda S, o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1), S.CosineAnnealingWarmRestarts(o, 15, 2)], [10]
    ),
    "chained in sequence": lambda S, o: S.SequentialLR(
        o, [S.ChainedScheduler([S.LinearLR(o), S.ExponentialLR(o, 0.9)]), S.StepLR(o, 50)], [50]
    ),
    "sequence in chain": lambda S, o: S.ChainedScheduler(
        [S.SequentialLR(o, [S.ConstantLR(o), S.ExponentialLR(o, 0.9)], [12]), S.StepLR(o, 50)]
    ),
    "sequence in sequence": lambda S, o: S.SequentialLR(
        o, [S.SequentialLR(o, [S.ConstantLR(o), S.ExponentialLR(o, 0.9)], [12]), S.PolynomialLR(o, 90)], [40]
    ),
}


@pytest.mark.filterwarnings(
    "ignore:.*before `optimizer.step"
)  # a composition inside another steps its first part again
@pytest.mark.parametrize("kind", ["momentum", "tensor rates"])
@pytest.mark.parametrize("case", COMPOSITIONS)
def test_compositions(case, kind):
    runs = []
    for module in (rushlight, torch):
        opt = optimizer(module, kind)
        scheduler = COMPOSITIONS[case](module.optim.lr_scheduler, opt)
        first = walk(opt, scheduler, 90)
        saved = copy.deepcopy((opt.state_dict(), scheduler.state_dict()))
        fresh = optimizer(module, kind)
        again = COMPOSITIONS[case](module.optim.lr_scheduler, fresh)
        fresh.load_state_dict(saved[0])
        again.load_state_dict(saved[1])
        runs.append((first, walk(opt, scheduler, 110), state(scheduler), walk(fresh, again, 110)))
    assert runs[0] == runs[1]
    assert runs[0][1] == runs[0][3]


METRICS = [3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0.99999, 1, 1, float("nan"), 1] + [abs(50 - i) / 40 for i in range(184)]


@pytest.mark.parametrize("kind", ["momentum", "tensor rates"])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("kwargs", [
    {}, {"patience": 1, "cooldown": 3, "factor": 0.9}, {"patience": 0, "min_lr": [0.01, 0.05], "factor": 0.7},
    {"threshold": 0.05, "patience": 1, "factor": 0.8}, {"factor": 0.5, "patience": 0, "eps": 0.05},
])  # fmt: skip
def test_plateau(kwargs, mode, threshold_mode, kind):
    runs = []
    for module in (rushlight, torch):

        def start(module=module):
            opt = optimizer(module, kind)
            return module.optim.lr_scheduler.ReduceLROnPlateau(opt, mode, threshold_mode=threshold_mode, **kwargs)

        scheduler = start()
        rates = []
        for i, metric in enumerate(METRICS):
            if i == 77:
                again = start()
                again.optimizer.load_state_dict(scheduler.optimizer.state_dict())
                again.load_state_dict(scheduler.state_dict())
                scheduler = again
            scheduler.step(module.tensor(float(metric)) if i % 2 else metric)
            rates.append((numbers(scheduler.get_last_lr()), options(scheduler.optimizer), scheduler.in_cooldown))
        runs.append((rates, state(scheduler)))
    assert runs[0] == runs[1]


def test_plateau_with_new_groups():
    S, opt = rushlight.optim.lr_scheduler, optimizer(rushlight)
    plain, listed = S.ReduceLROnPlateau(opt, patience=0), S.ReduceLROnPlateau(opt, patience=0, min_lr=[0, 0])
    opt.add_param_group({"params": [rushlight.nn.Parameter(rushlight.ones(1))]})
    for scheduler in (plain, listed):
        scheduler.step(1.0)
    plain.step(1.0)
    assert plain.get_last_lr() == [0.05, 0.1 * 0.1, 0.1 * 0.1]
    with pytest.raises(RuntimeError, match="one entry per group"):
        listed.step(1.0)


def test_tensor_rate_stays_the_same_tensor():
    rate = rushlight.tensor(1.0)
    opt = rushlight.optim.SGD([rushlight.nn.Parameter(rushlight.ones(1))], lr=rate)
    scheduler = rushlight.optim.lr_scheduler.ExponentialLR(opt, 0.5)
    opt.step()
    scheduler.step()
    assert opt.param_groups[0]["lr"] is rate and rate.item() == 0.5
    scheduler.get_last_lr()[0].fill_(7.0)
    assert rate.item() == 0.5


def test_own_schedules():
    """A subclass defines get_lr, as in PyTorch, and may call the one it inherits; it may give the closed form too."""

    class Doubled(rushlight.optim.lr_scheduler.ExponentialLR):
        def get_lr(self):
            return [2 * rate for rate in super().get_lr()]

    class Closed(rushlight.optim.lr_scheduler._LRScheduler):
        def get_lr(self):
            raise AssertionError

        def _get_closed_form_lr(self):
            return [self.last_epoch] * 2

        def _initial_step(self):
            self._step_count = 0

    opt = optimizer(rushlight)
    scheduler = Doubled(opt, 0.5)
    opt.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [1.0, 0.2]
    with pytest.warns(UserWarning, match="epoch parameter"):
        Closed(opt).step(3)
    assert [group["lr"] for group in opt.param_groups] == [3, 3]
    with pytest.raises(NotImplementedError):
        rushlight.optim.lr_scheduler.LRScheduler(opt)


def test_warnings():
    S = rushlight.optim.lr_scheduler
    opt = optimizer(rushlight)
    scheduler = S.ExponentialLR(opt, 0.5)
    with pytest.warns(UserWarning, match="before `optimizer.step") as caught:
        scheduler.step()
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="get_last_lr") as caught:
        scheduler.get_lr()
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="epoch parameter") as caught:
        scheduler.step(3)
    assert caught[0].filename == __file__
    assert scheduler.get_last_lr() == [0.5 * 0.125, 0.1 * 0.125]
    with pytest.warns(UserWarning, match="epoch parameter"):
        S.ReduceLROnPlateau(opt).step(1.0, 3)


MISTAKES = [
    (TypeError, "is not an Optimizer", lambda S, o: S.StepLR(3, 2)),
    (TypeError, "is not an Optimizer", lambda S, o: S.OneCycleLR(3, 2)),
    (TypeError, "is not an Optimizer", lambda S, o: S.CyclicLR(3, 1, 2)),
    (TypeError, "is not an Optimizer", lambda S, o: S.ReduceLROnPlateau(3)),
    (ValueError, "same length", lambda S, o: S.LambdaLR(o, [lambda e: 1])),
    (TypeError, "should be a function", lambda S, o: S.MultiplicativeLR(o, 0.5)),
    (ValueError, "between 0 and 1", lambda S, o: S.ConstantLR(o, 2.0)),
    (ValueError, "greater than 0", lambda S, o: S.LinearLR(o, 0.0)),
    (ValueError, "between 0 and 1", lambda S, o: S.LinearLR(o, 0.5, -1.0)),
    (ValueError, "positive integer T_0", lambda S, o: S.CosineAnnealingWarmRestarts(o, 0)),
    (ValueError, "T_mult >= 1", lambda S, o: S.CosineAnnealingWarmRestarts(o, 1, 0.5)),
    (ValueError, "eta_min", lambda S, o: S.CosineAnnealingWarmRestarts(o, 1, 1, "0")),
    (ValueError, "non-negative epoch", lambda S, o: S.CosineAnnealingWarmRestarts(o, 1).step(-1)),
    (ValueError, "must define either", lambda S, o: S.OneCycleLR(o, 1.0)),
    (ValueError, "total_steps, but got 0", lambda S, o: S.OneCycleLR(o, 1.0, 0)),
    (ValueError, "epochs, but got 1.5", lambda S, o: S.OneCycleLR(o, 1.0, epochs=1.5, steps_per_epoch=2)),
    (ValueError, "pct_start", lambda S, o: S.OneCycleLR(o, 1.0, 5, pct_start=2)),
    (ValueError, "max_lr must have the same length", lambda S, o: S.OneCycleLR(o, [1.0], 5)),
    (ValueError, "anneal_strategy", lambda S, o: S.OneCycleLR(o, 1.0, 5, anneal_strategy="steep")),
    (ValueError, "mode is invalid", lambda S, o: S.CyclicLR(o, 0.1, 1.0, mode="square")),
    (ValueError, "support momentum", lambda S, o: S.CyclicLR(adadelta(o), 0.1, 1.0)),
    (ValueError, "support momentum", lambda S, o: S.OneCycleLR(adadelta(o), 1.0, 5)),
    (ValueError, "Factor", lambda S, o: S.ReduceLROnPlateau(o, factor=1.0)),
    (ValueError, "mode up is unknown", lambda S, o: S.ReduceLROnPlateau(o, mode="up")),
    (ValueError, "threshold mode", lambda S, o: S.ReduceLROnPlateau(o, threshold_mode="up")),
    (ValueError, "min_lr", lambda S, o: S.ReduceLROnPlateau(o, min_lr=[0.1])),
    (ValueError, "at least one scheduler", lambda S, o: S.ChainedScheduler([])),
    (ValueError, "at least one scheduler", lambda S, o: S.SequentialLR(o, [], [])),
    (ValueError, "milestone", lambda S, o: S.SequentialLR(o, [S.StepLR(o, 1)], [3])),
    (ValueError, "metric", lambda S, o: S.SequentialLR(o, [S.StepLR(o, 1), S.ReduceLROnPlateau(o)], [3])),
    (ValueError, "metric", lambda S, o: S.ChainedScheduler([S.ReduceLROnPlateau(o)])),
    (TypeError, "optimizer", lambda S, o: S.ChainedScheduler([3], o)),
    (ValueError, "same optimizer", lambda S, o: S.ChainedScheduler([S.StepLR(copy.deepcopy(o), 1)], o)),
]


def adadelta(opt):
    """An optimiser of the same module that has no momentum."""
    module = rushlight if isinstance(opt, rushlight.optim.Optimizer) else torch
    return module.optim.Adadelta(opt.param_groups[0]["params"])


@pytest.mark.parametrize(
    ("error", "message", "call"), MISTAKES, ids=[f"{m} {i}" for i, (_, m, _) in enumerate(MISTAKES)]
)
def test_mistakes(error, message, call):
    with pytest.raises(error):
        call(torch.optim.lr_scheduler, optimizer(torch))
    with pytest.raises(error, match=message):
        call(rushlight.optim.lr_scheduler, optimizer(rushlight))


def test_too_many_steps():
    scheduler = rushlight.optim.lr_scheduler.OneCycleLR(optimizer(rushlight), 1.0, 2)
    with pytest.raises(ValueError, match="Tried to step"):
        walk(scheduler.optimizer, scheduler, 4)
