"""Optimisers against PyTorch's: trajectories, state dictionaries, options, hooks, messages."""

import copy
import pickle

import numpy as np
import pytest

import rushlight
from tests.nn.oracle import assert_same, from_torch, randn, torch

pytestmark = pytest.mark.oracle

CASES = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True}), ("SGD", {"maximize": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.5, "maximize": True}),
    ("Adam", {}), ("Adam", {"weight_decay": 0.1}), ("Adam", {"amsgrad": True, "betas": (0.8, 0.9)}),
    ("Adam", {"maximize": True, "eps": 1e-3}), ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.5, "weight_decay": 0.1}), ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True, "alpha": 0.8}),
    ("Adagrad", {}), ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {}), ("Adadelta", {"rho": 0.7, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}), ("Adamax", {"weight_decay": 0.1, "betas": (0.5, 0.8), "maximize": True}),
    ("NAdam", {}), ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("NAdam", {"maximize": True}),
    ("RAdam", {}), ("RAdam", {"weight_decay": 0.1, "betas": (0.9, 0.7)}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "betas": (0.9, 0.7), "maximize": True}),
    ("ASGD", {}), ("ASGD", {"t0": 2, "weight_decay": 0.1, "lambd": 0.1}),
    ("Rprop", {}), ("Rprop", {"etas": (0.3, 1.5), "step_sizes": (0.02, 0.1), "maximize": True}),
    ("AdamW", {}), ("AdamW", {"weight_decay": 0.3, "amsgrad": True}), ("AdamW", {"maximize": True}),
]  # fmt: skip
IDS = [f"{n}{list(k)}" for n, k in CASES]


def pair(name, kwargs, lr=0.05, dtype=None):
    """The same optimiser twice, over two groups, one of them with its own rate."""
    values = [randn(3, 4, seed=1), randn(5, seed=2), randn(seed=3), randn(40, 40, seed=4)]
    values = [v.detach().to(dtype or torch.float32) for v in values]
    theirs = [torch.nn.Parameter(v.clone()) for v in values]
    ours = [rushlight.nn.Parameter(from_torch(v)) for v in values]

    def build(module, params):
        groups = [{"params": params[:2]}, {"params": params[2:], "lr": lr * 2}]
        return getattr(module.optim, name)(groups, lr=lr, **kwargs)

    return ours, build(rushlight, ours), theirs, build(torch, theirs)


def give_gradients(ours, theirs, step):
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if step == 1 and i == 1:  # one parameter without a gradient at one step
            a.grad = b.grad = None
            continue
        grad = randn(*b.shape, seed=100 + 10 * step + i, grad=False).to(b.dtype)
        a.grad, b.grad = from_torch(grad), grad


def assert_same_state(ours, theirs):
    a, b = ours.state_dict(), theirs.state_dict()
    assert a["param_groups"] == b["param_groups"]
    assert list(a["state"]) == list(b["state"])
    for number, entry in b["state"].items():
        assert list(a["state"][number]) == list(entry)
        for name, value in entry.items():
            assert_same(a["state"][number][name], value, what=name)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_trajectory(name, kwargs):
    p, ours, q, theirs = pair(name, kwargs)
    for step in range(6):
        give_gradients(p, q, step)
        ours.step()
        theirs.step()
        for a, b in zip(p, q, strict=True):
            assert_same(a, b)
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_double_precision(name, kwargs):
    p, ours, q, theirs = pair(name, kwargs, dtype=torch.float64)
    for step in range(3):
        give_gradients(p, q, step)
        ours.step()
        theirs.step()
    for a, b in zip(p, q, strict=True):
        assert_same(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_resume(name, kwargs):
    p, ours, q, _ = pair(name, kwargs)

    def run(optimizer, steps):
        for step in steps:
            give_gradients(p, q, step)
            optimizer.step()

    run(ours, range(3))
    state, values = copy.deepcopy(ours.state_dict()), [v.detach().clone() for v in p]
    run(ours, range(3, 6))
    expected = [v.detach().clone() for v in p]

    fresh = type(ours)([{"params": p[:2]}, {"params": p[2:]}], lr=9.0)
    fresh.load_state_dict(state)
    assert fresh.param_groups[1]["lr"] == 0.1
    assert fresh.param_groups[0]["params"][0] is p[0]
    with rushlight.no_grad():
        for parameter, value in zip(p, values, strict=True):
            parameter.copy_(value)
    run(fresh, range(3, 6))
    for parameter, value in zip(p, expected, strict=True):
        assert rushlight.equal(parameter, value)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_state_of_torch_is_understood(name, kwargs):
    p, ours, q, theirs = pair(name, kwargs)
    for step in range(3):
        give_gradients(p, q, step)
        theirs.step()
    state = theirs.state_dict()
    state["state"] = {
        number: {k: from_torch(v) if isinstance(v, torch.Tensor) else v for k, v in entry.items()}
        for number, entry in state["state"].items()
    }
    ours.load_state_dict(state)
    with rushlight.no_grad():
        for a, b in zip(p, q, strict=True):
            a.copy_(from_torch(b.detach()))
    for step in range(3, 6):
        give_gradients(p, q, step)
        ours.step()
        theirs.step()
    for a, b in zip(p, q, strict=True):
        assert_same(a, b)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_reference_agrees_with_the_fused_loop(name, kwargs, monkeypatch):
    from rushlight.optim import optimizer

    results = []
    for use_reference in (False, True):
        if use_reference:
            monkeypatch.setattr(optimizer._core, "fused_update", lambda *args: False)
        p, ours, q, _ = pair(name, kwargs)
        for step in range(4):
            give_gradients(p, q, step)
            ours.step()
        results.append(p)
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-5, atol=2e-6)


def test_many_sizes_and_layouts():
    """The loop splits its work into blocks; columns of a matrix are no block of memory."""
    for shape in [(1,), (7,), (1000,), (70000,), (0,), (3, 5)]:
        value, grad = randn(*shape, seed=1, grad=False), randn(*shape, seed=2, grad=False)
        if len(shape) == 2:
            grad = grad.t().contiguous().t()
        q, p = torch.nn.Parameter(value.clone()), rushlight.nn.Parameter(from_torch(value))
        q.grad, p.grad = grad, from_torch(grad.t()).t() if len(shape) == 2 else from_torch(grad)
        for module, param in ((torch, q), (rushlight, p)):
            optimizer = module.optim.AdamW([param], lr=0.1)
            optimizer.step()
            optimizer.step()
        assert_same(p, q)


def test_low_precision_and_complex_parameters():
    for dtype in (torch.bfloat16, torch.float16, torch.complex64):
        for name, kwargs in (("SGD", {"momentum": 0.9}), ("Adam", {"eps": 1e-3})):
            results = []
            for module in (torch, rushlight):
                start = module.tensor([0.5, -1.0, 2.0, 3.0], dtype=getattr(module, str(dtype).split(".")[1]))
                param = module.nn.Parameter(start)
                optimizer = getattr(module.optim, name)([param], lr=0.1, **kwargs)
                for _ in range(2):
                    param.grad = module.ones_like(param)
                    optimizer.step()
                results.append([complex(v) for v in param.tolist()])
            np.testing.assert_allclose(results[1], results[0], rtol=2e-2, atol=2e-2)


def test_tensor_rate():
    weight = rushlight.nn.Parameter(rushlight.ones(1))
    optimizer = rushlight.optim.SGD([weight], lr=rushlight.tensor(0.5))
    weight.grad = rushlight.ones(1)
    optimizer.step()
    assert weight.item() == 0.5
    with pytest.raises(ValueError, match="1-element"):
        rushlight.optim.Adam([weight], lr=rushlight.ones(2))


def test_differentiable_step():
    rate = rushlight.tensor(0.1, requires_grad=True)
    start = rushlight.ones(2, requires_grad=True)
    weight = start.clone()
    optimizer = rushlight.optim.SGD([weight], lr=rate, differentiable=True)
    weight.grad = rushlight.tensor([1.0, 2.0])
    optimizer.step()
    weight.sum().backward()
    assert rate.grad.item() == -3.0
    assert start.grad.tolist() == [1.0, 1.0]


def test_closure():
    weight = rushlight.nn.Parameter(rushlight.ones(1))
    optimizer = rushlight.optim.SGD([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (weight * 3).sum()
        loss.backward()
        return loss

    with rushlight.no_grad():
        assert optimizer.step(closure).item() == 3.0
    assert weight.item() == pytest.approx(0.7)


def test_zero_grad():
    weight = rushlight.nn.Parameter(rushlight.ones(1))
    optimizer = rushlight.optim.SGD([weight], lr=0.1)
    weight.grad = rushlight.ones(1)
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad.item() == 0
    optimizer.zero_grad()
    assert weight.grad is None


def test_hooks():
    weight, seen = rushlight.nn.Parameter(rushlight.ones(1)), []
    optimizer = rushlight.optim.Adam([weight])
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("pre"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("post"))
    with rushlight.optim.optimizer.register_optimizer_step_post_hook(lambda o, a, k: seen.append("global")):
        optimizer.step()
    assert seen == ["pre", "post", "global"]
    handle.remove()
    optimizer.step()
    assert seen[3:] == ["post"]
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("save"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    state = optimizer.state_dict()
    assert state["extra"] == 1
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {k: v for k, v in state.items() if k != "extra"})
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    optimizer.load_state_dict(state)
    assert seen[-2:] == ["save", "loaded"]


def test_hooks_run_once_for_derived_optimizers():
    class Noted(rushlight.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    seen = []
    optimizer = Noted([rushlight.nn.Parameter(rushlight.ones(1))])
    optimizer.register_step_post_hook(lambda o, a, k: seen.append(1))
    optimizer.step()
    assert seen == [1]


def test_copies():
    p, ours, q, _ = pair("Adam", {})
    give_gradients(p, q, 0)
    ours.step()
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert other.param_groups[0]["params"][0] is not p[0]
        own = other.param_groups[0]["params"][0]
        assert_same(other.state[own]["exp_avg"], torch.from_numpy(ours.state[p[0]]["exp_avg"].numpy()))
        other.step()


def test_named_parameters():
    layer = rushlight.nn.Linear(1, 1)
    optimizer = rushlight.optim.SGD(layer.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    plain = rushlight.optim.SGD(layer.parameters(), lr=0.1)
    plain.load_state_dict(optimizer.state_dict())
    assert "param_names" not in plain.param_groups[0]
    with pytest.raises(ValueError, match="with/without names"):
        optimizer.add_param_group({"params": [rushlight.nn.Parameter(rushlight.ones(1))]})


def test_messages():
    optim, ones = rushlight.optim, rushlight.ones
    weight = rushlight.nn.Parameter(ones(1))
    for error, message, call in [
        (TypeError, "iterable of Tensors or dicts", lambda: optim.SGD(weight)),
        (ValueError, "empty parameter list", lambda: optim.SGD([])),
        (TypeError, "can only optimize Tensors", lambda: optim.SGD([3])),
        (ValueError, "non-leaf", lambda: optim.SGD([weight * 2])),
        (ValueError, "more than one parameter group", lambda: optim.SGD([{"params": weight}, {"params": weight}])),
        (TypeError, "ordered collections", lambda: optim.SGD([{"params": {weight}}])),
        (TypeError, "must be a dict", lambda: optim.SGD([{"params": weight}, 3])),
        (ValueError, "Invalid learning rate: -1", lambda: optim.SGD([weight], lr=-1)),
        (ValueError, "Invalid momentum value: -1", lambda: optim.SGD([weight], momentum=-1)),
        (ValueError, "Invalid weight_decay value", lambda: optim.SGD([weight], weight_decay=-1)),
        (ValueError, "Nesterov momentum requires", lambda: optim.SGD([weight], nesterov=True)),
        (ValueError, "Invalid epsilon value", lambda: optim.Adam([weight], eps=-1)),
        (ValueError, "Invalid beta parameter at index 1", lambda: optim.AdamW([weight], betas=(0.9, 1.0))),
    ]:
        with pytest.raises(error, match=message):
            call()
    one, two = optim.SGD([weight]), optim.SGD([weight, rushlight.nn.Parameter(ones(1))])
    with pytest.raises(ValueError, match="doesn't match the size"):
        one.load_state_dict(two.state_dict())
    two.add_param_group({"params": rushlight.nn.Parameter(ones(1))})
    with pytest.raises(ValueError, match="different number of parameter groups"):
        one.load_state_dict(two.state_dict())
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([weight, weight])


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("history", [100, 3])
def test_lbfgs(search, history):
    def run(module):
        x = module.nn.Parameter(module.tensor([-1.2, 1.0, 0.7], dtype=module.float64))
        optimizer = module.optim.LBFGS(
            [x], lr=0.02 if search is None else 1, max_iter=7, history_size=history, line_search_fn=search
        )

        def closure():
            optimizer.zero_grad()
            loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()  # Rosenbrock's valley
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(2)]  # more steps amplify the rounding
        state = optimizer.state_dict()["state"][0]
        return losses, x.tolist(), state["func_evals"], state["n_iter"], sorted(state)

    ours, theirs = run(rushlight), run(torch)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
    assert ours[2:] == theirs[2:]
