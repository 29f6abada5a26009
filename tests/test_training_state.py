"""A run is saved and restored as one: the same bits afterwards, or an error that changes nothing."""

import copy
import pickle
import random

import numpy
import pytest

import rushlight as torch

# Those whose step() and parameters are those of any other.
OPTIMIZERS = sorted(
    {
        cls.__name__
        for cls in vars(torch.optim).values()
        if isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer)
    }
    - {"LBFGS", "Muon", "Optimizer", "SparseAdam"}
)
SCHEDULERS = {
    "StepLR": (2,),
    "MultiStepLR": ([1, 3, 3],),
    "ExponentialLR": (0.9,),
    "CosineAnnealingLR": (5,),
    "CosineAnnealingWarmRestarts": (3, 2),
    "LambdaLR": (lambda step: 0.5**step,),
    "MultiplicativeLR": (lambda step: 0.5,),
    "LinearLR": (),
    "ConstantLR": (),
    "PolynomialLR": (),
    "OneCycleLR": (1.0, 20),
    "CyclicLR": (0.1, 1.0, 3),
}


class Batches:
    """What a loader with a state looks like from outside."""

    def __init__(self):
        self.position = 0

    def __iter__(self):
        while self.position < 5:
            self.position += 1
            yield torch.full((4, 3), float(self.position))
        self.position = 0

    def state_dict(self):
        return {"position": self.position}

    def load_state_dict(self, state):
        self.position = state["position"]


class Training:
    """A small run in which everything is random that can be."""

    def __init__(self, optimizer="Adam", scheduler="StepLR", **further):
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout())
        self.optimizer = getattr(torch.optim, optimizer)(self.net.parameters(), lr=0.01)
        schedule = getattr(torch.optim.lr_scheduler, scheduler)
        self.scheduler = schedule(self.optimizer, *SCHEDULERS[scheduler])
        self.loader, self.noise = Batches(), torch.Generator()
        self.state = torch.TrainingState(
            model=self.net,
            optimizer=self.optimizer,
            scheduler=self.scheduler,
            loader=self.loader,
            noise=self.noise,
            step=0,
            losses=[],
            **further,
        )

    def train(self, steps):
        end = self.state.step + steps
        while self.state.step < end:
            for batch in self.loader:
                noise = torch.randn(4, 3, generator=self.noise) + random.random() + float(numpy.random.rand())
                loss = (self.net(batch + noise) ** 2).mean()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.scheduler.step()
                self.state.step += 1
                self.state.losses.append(loss.item())
                if self.state.step == end:
                    break

    def everything(self):
        return copy.deepcopy(self.state.state_dict())


def check_resumed(tmp_path, **choice):
    path = tmp_path / "run.pt"
    undisturbed = Training(**choice)
    undisturbed.train(4)
    undisturbed.state.save(path)
    undisturbed.train(4)

    resumed = Training(**choice)
    resumed.train(1)  # what was before does not matter
    assert resumed.state.restore(path) is True
    assert resumed.state.step == 4
    resumed.train(4)
    assert_equal(resumed.everything(), undisturbed.everything())


def assert_equal(ours, theirs):
    if isinstance(theirs, torch.Tensor):
        assert torch.equal(ours, theirs)
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            assert_equal(ours[key], theirs[key])
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_equal(one, other)
    elif not callable(theirs):
        assert ours == theirs


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_resumed_run_has_the_same_bits(tmp_path, optimizer):
    check_resumed(tmp_path, optimizer=optimizer)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_schedule_goes_on(tmp_path, scheduler):
    check_resumed(tmp_path, optimizer="SGD", scheduler=scheduler)


def test_no_file_is_a_fresh_start(tmp_path):
    run = Training()
    assert run.state.restore(tmp_path / "none.pt") is False
    assert run.state.step == 0


def test_another_run_is_refused_with_everything_that_differs(tmp_path):
    saved = Training(optimizer="Adam", ema=None)
    saved.train(2)
    saved.state.save(tmp_path / "run.pt")

    other = Training(optimizer="SGD", best=0.5)
    other.net[0] = torch.nn.Linear(3, 5)
    other.state.__dict__["noise"] = 1
    before = other.everything()
    parameters = [p.clone() for p in other.net.parameters()]
    with pytest.raises(RuntimeError) as caught:
        other.state.restore(tmp_path / "run.pt")
    message = str(caught.value)
    for part in ("Missing: 'best'.", "Unexpected: 'ema'.", "Adam was saved, SGD is here", "Nothing was changed"):
        assert part in message
    assert "'model': RuntimeError" in message and "size mismatch for 0.weight" in message
    assert "'noise': Generator was saved, a counter is here" in message
    assert_equal(other.everything(), before)
    assert all(map(torch.equal, other.net.parameters(), parameters))


def test_an_interruption_changes_nothing():
    class Interrupted(Batches):
        def load_state_dict(self, state):
            super().load_state_dict(state)
            if state["position"] == 3:
                raise KeyboardInterrupt

    def make():
        loader, net = Interrupted(), torch.nn.Linear(1, 1)
        return loader, net, torch.TrainingState(model=net, loader=loader)

    loader, _, state = make()
    loader.position = 3
    other, net, restored = make()
    before = net.weight.clone()
    with pytest.raises(KeyboardInterrupt):
        restored.load_state_dict(state.state_dict())
    assert other.position == 0 and torch.equal(net.weight, before)


@pytest.mark.parametrize("content", [b"", b"no run at all", None])
def test_a_file_that_is_no_run(tmp_path, content):
    path = tmp_path / "run.pt"
    if content is None:
        torch.save({"weight": torch.ones(1)}, path)
    else:
        path.write_bytes(content)
    run = Training()
    before = run.everything()
    with pytest.raises((RuntimeError, EOFError, pickle.UnpicklingError), match=r"\[(TrainingState|load)\]"):
        run.state.restore(path)
    assert_equal(run.everything(), before)


def test_a_failed_save_leaves_the_file(tmp_path):
    run = torch.TrainingState(step=1, seen=[])
    run.save(tmp_path / "run.pt")
    run.step = 2
    run.seen.append(object())
    with pytest.raises(TypeError, match=r"'seen\.0'"):
        run.save(tmp_path / "run.pt")
    again = torch.TrainingState(step=0, seen=[])
    assert again.restore(tmp_path / "run.pt") and again.step == 1


def test_parts_of_a_file_are_ordinary_state_dicts(tmp_path):
    run = Training()
    run.state.save(tmp_path / "run.pt")
    net = Training().net
    net.load_state_dict(torch.load(tmp_path / "run.pt")["model"])
    assert_equal(net.state_dict(), run.net.state_dict())


def test_modules_may_be_renamed():
    class Renamed(torch.nn.Linear):
        pass

    run = torch.TrainingState(model=Renamed(1, 1))
    run.load_state_dict(torch.TrainingState(model=torch.nn.Linear(1, 1)).state_dict())


def test_numpy_is_left_alone_where_the_file_has_none():
    state = torch.TrainingState(step=0).state_dict()
    del state["random"]["numpy"]
    expected = numpy.random.get_state()[1].tolist()
    torch.TrainingState(step=0).load_state_dict(state)
    assert numpy.random.get_state()[1].tolist() == expected


def test_parts_and_counters():
    net = torch.nn.Linear(1, 1)
    run = torch.TrainingState(model=net, step=0, best=None)
    assert run.model is net and repr(run) == "TrainingState(model=Linear, step=0, best=None)"
    run.best = 0.5
    assert run.best == 0.5
    with pytest.raises(AttributeError, match=r"can be set: step, best\. Received 'stpe'"):
        run.stpe = 1
    with pytest.raises(AttributeError, match="Received 'model'"):
        run.model = net
    for value in (object(), [{"a": object()}], numpy.float64(1.0), int):
        with pytest.raises(TypeError, match=r"Received (object|float64|type) at 'step[.0a]*'"):
            run.step = value
    with pytest.raises(TypeError, match="Received object at 'loader'"):
        torch.TrainingState(loader=object())
    for name in ("save", "state_dict", "random", "classes"):
        with pytest.raises(ValueError, match=f"'{name}' is taken"):
            torch.TrainingState(**{name: 1})
