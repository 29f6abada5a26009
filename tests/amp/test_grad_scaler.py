"""GradScaler: the same iterations in both libraries, and what it refuses."""

import pickle

import pytest

import rushlight

try:
    import torch as oracle
except ModuleNotFoundError:
    oracle = None


def iterations(torch):
    """What the scaler says after each of some iterations, one of them infinite; two optimisers, one that is clipped."""
    w, v = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    first, second = torch.optim.SGD([w], lr=0.1), torch.optim.Adam([v], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=2)
    for factor in (1.0, 2.0, float("inf"), 1.0, float("nan"), 1.0, 1.0, 1.0):
        for optimizer in (first, second):
            optimizer.zero_grad()
        losses = scaler.scale([(w * w).sum() * factor, (v.sum(),)])
        losses[0].backward()
        losses[1][0].backward()
        scaler.unscale_(second)
        norm = torch.nn.utils.clip_grad_norm_([v], 0.5)
        scaler.step(first)
        scaler.step(second)
        scaler.update()
        yield scaler.get_scale(), scaler._get_growth_tracker(), w.tolist(), v.tolist(), norm.item()
    yield scaler.state_dict()
    scaler.update(3.0)
    yield scaler.get_scale()
    scaler.update(torch.tensor(5.0))
    yield scaler.get_scale()
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    yield other.state_dict()
    other.scale(w.sum())
    yield other.state_dict()


@pytest.mark.oracle
def test_iterations_are_pytorchs():
    for ours, theirs in zip(iterations(rushlight), iterations(oracle), strict=True):
        if isinstance(ours, tuple):
            assert ours[:2] == theirs[:2]
            for mine, wanted in zip(ours[2:], theirs[2:], strict=True):
                assert mine == pytest.approx(wanted, rel=1e-5)
        else:
            assert ours == theirs


def refusals(torch):
    w = torch.ones(2, requires_grad=True)
    half = torch.ones(2, dtype=torch.float16, requires_grad=True)
    optimizer, of_half = torch.optim.SGD([w], lr=0.1), torch.optim.SGD([half], lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    yield lambda: scaler.step(optimizer)
    yield lambda: scaler.unscale_(optimizer)
    yield lambda: scaler.update()
    yield lambda: scaler.scale(3)
    scaler.scale(w.sum()).backward()
    yield lambda: scaler.update()
    scaler.unscale_(optimizer)
    yield lambda: scaler.unscale_(optimizer)
    yield lambda: pickle.dumps(scaler)
    scaler.step(optimizer)
    yield lambda: scaler.step(optimizer)
    yield lambda: scaler.unscale_(optimizer)
    yield lambda: scaler.step(optimizer, closure=lambda: None)
    scaler.update()
    yield lambda: scaler.step(torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1))
    half.grad = torch.ones_like(half)
    yield lambda: scaler.unscale_(of_half)
    yield lambda: scaler.load_state_dict({})
    yield lambda: torch.amp.GradScaler("cpu", growth_factor=1.0)
    yield lambda: torch.amp.GradScaler("cpu", backoff_factor=1.0)
    yield lambda: scaler.update(torch.ones(2))


@pytest.mark.oracle
def test_refusals_are_pytorchs():
    for k, (ours, theirs) in enumerate(zip(refusals(rushlight), refusals(oracle), strict=True)):
        with pytest.raises(Exception) as wanted:
            theirs()
        with pytest.raises(wanted.type, match=r"^\[GradScaler"):
            ours()
            pytest.fail(f"refusal {k} did not happen")


def test_a_scaler_is_pickled():
    scaler = rushlight.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale(rushlight.ones(1))
    scaler.update(2.0)
    assert pickle.loads(pickle.dumps(scaler)).state_dict() == scaler.state_dict()


def test_without_a_gpu_the_default_scales_nothing():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = rushlight.amp.GradScaler()
    loss = rushlight.ones(1)
    assert scaler.scale(loss) is loss
    assert (scaler.is_enabled(), scaler.get_scale(), scaler.state_dict()) == (False, 1.0, {})
    assert pickle.loads(pickle.dumps(scaler)).get_scale() == 1.0


@pytest.mark.parametrize("factor, found", [(1.0, 0.0), (float("inf"), 1.0)])
def test_an_optimizer_may_unscale_by_itself(factor, found):
    class Own(rushlight.optim.SGD):
        _step_supports_amp_scaling = True

        def step(self):
            return self.grad_scale.item(), self.found_inf.item()

    w = rushlight.ones(2, requires_grad=True)
    optimizer, scaler = Own([w], lr=0.1), rushlight.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale(w.sum() * factor).backward()
    assert scaler.step(optimizer) == (4.0, found)
    scaler.update()
    assert scaler.get_scale() == (2.0 if found else 4.0)
    assert not hasattr(optimizer, "grad_scale")
