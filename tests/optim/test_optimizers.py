"""Optimisers against PyTorch's: trajectories, state dictionaries, options, hooks, messages."""

import copy
import importlib
import pickle

import numpy as np
import pytest

import rushlight
from tests.nn.oracle import assert_same, from_torch, randn, torch

pytestmark = pytest.mark.oracle

CASES = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True}), ("SGD", {"maximize": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.5, "maximize": True}), ("SGD", {"momentum": 0.5, "nesterov": True, "fused": True}),
    ("Adam", {}), ("Adam", {"weight_decay": 0.1}), ("Adam", {"amsgrad": True, "betas": (0.8, 0.9)}),
    ("Adam", {"maximize": True, "eps": 1e-3}), ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Adam", {"foreach": True, "amsgrad": True}), ("Adam", {"fused": True}), ("Adam", {"foreach": False}),
    ("AdamW", {}), ("AdamW", {"weight_decay": 0.3, "amsgrad": True}), ("AdamW", {"maximize": True}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.5, "weight_decay": 0.1}), ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True, "alpha": 0.8}),
    ("Adagrad", {}), ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adagrad", {"maximize": True, "foreach": True}),
    ("Adadelta", {}), ("Adadelta", {"rho": 0.7, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}), ("Adamax", {"weight_decay": 0.1, "betas": (0.5, 0.8), "maximize": True}),
    ("NAdam", {}), ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("NAdam", {"maximize": True}),
    ("NAdam", {"weight_decay": 0.1, "momentum_decay": 0.1, "betas": (0.7, 0.8)}),
    ("RAdam", {}), ("RAdam", {"weight_decay": 0.1, "betas": (0.9, 0.7)}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "betas": (0.9, 0.7), "maximize": True}),
    ("ASGD", {}), ("ASGD", {"t0": 2, "weight_decay": 0.1, "lambd": 0.1}), ("ASGD", {"alpha": 0.3, "maximize": True}),
    ("Rprop", {}), ("Rprop", {"etas": (0.3, 1.5), "step_sizes": (0.02, 0.1), "maximize": True}),
    ("Adafactor", {}), ("Adafactor", {"weight_decay": 0.1, "maximize": True, "d": 1.5}),
    ("Adafactor", {"beta2_decay": -0.3, "eps": (1e-4, 1e-2)}),
    ("Muon", {}), ("Muon", {"ns_steps": 0, "adjust_lr_fn": "original"}),
    ("Muon", {"nesterov": False, "momentum": 0.5, "weight_decay": 0.5}),
    ("Muon", {"adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5)}),
]  # fmt: skip
IDS = [f"{n}{list(k)}" for n, k in CASES]
every_case = pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)

TOLERANCE = {torch.float32: {"rtol": 2e-5, "atol": 5e-6}, torch.float64: {"rtol": 1e-11, "atol": 1e-11}}


def tolerance(name, kwargs, dtype=torch.float32):
    """Each iteration of Muon rounds to bfloat16, in another order than PyTorch; without them the numbers agree."""
    rounds = name == "Muon" and kwargs.get("ns_steps") != 0
    return {"rtol": 2e-2, "atol": 2e-2} if rounds else TOLERANCE[dtype]


def pair(name, kwargs, lr=0.05, dtype=torch.float32):
    """The same optimiser twice, over two groups, one of them with its own rate."""
    shapes = [(3, 4), (5, 2), (4, 4), (40, 40)] if name == "Muon" else [(3, 4), (5,), (), (2, 3, 40)]
    values = [randn(*shape, seed=i, grad=False).to(dtype) for i, shape in enumerate(shapes)]
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
        if b.is_complex():
            grad = grad * (1 - 0.5j)
        a.grad, b.grad = from_torch(grad), grad


def converted(value, convert):
    """A state dictionary with its tensors converted."""
    if isinstance(value, dict):
        return {key: converted(entry, convert) for key, entry in value.items()}
    return convert(value) if hasattr(value, "item") else value


def to_torch(tensor):
    return torch.from_numpy(tensor.detach().numpy().copy())


def assert_same_state(ours, theirs, **tolerances):
    a, b = ours.state_dict(), theirs.state_dict()
    assert a["param_groups"] == b["param_groups"]
    assert list(a["state"]) == list(b["state"])
    for number, entry in b["state"].items():
        assert list(a["state"][number]) == list(entry)
        for name, value in entry.items():
            assert_same(a["state"][number][name], value, what=name, **tolerances)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@every_case
def test_trajectory(name, kwargs, dtype):
    p, ours, q, theirs = pair(name, kwargs, dtype=dtype)
    for step in range(12):
        give_gradients(p, q, step)
        ours.step()
        theirs.step()
        for a, b in zip(p, q, strict=True):
            assert_same(a, b, **tolerance(name, kwargs, dtype))
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs, **tolerance(name, kwargs, dtype))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@every_case
def test_complex_parameters(name, kwargs, dtype):
    p, ours, q, theirs = pair(name, {**kwargs, "fused": None} if "fused" in kwargs else kwargs, dtype=dtype)
    for step in range(12):
        give_gradients(p, q, step)
        if name in ("Adafactor", "Muon"):
            for optimizer in (ours, theirs):
                with pytest.raises(RuntimeError, match="does not support complex parameters"):
                    optimizer.step()
            return
        ours.step()
        theirs.step()
        for a, b in zip(p, q, strict=True):
            assert_same(a, b, **tolerance(name, kwargs, torch.zeros(1, dtype=dtype).real.dtype))


@every_case
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


@pytest.mark.parametrize("towards", ["ours", "theirs"])
@every_case
def test_state_goes_between_the_two(name, kwargs, towards):
    p, ours, q, theirs = pair(name, kwargs)
    source, target = (theirs, ours) if towards == "ours" else (ours, theirs)
    for step in range(3):
        give_gradients(p, q, step)
        source.step()
    target.load_state_dict(converted(source.state_dict(), from_torch if towards == "ours" else to_torch))
    for a, b in zip(p, q, strict=True):
        if towards == "ours":
            a.detach().copy_(from_torch(b.detach()))
        else:
            b.detach().copy_(to_torch(a))
    for step in range(3, 6):
        give_gradients(p, q, step)
        ours.step()
        theirs.step()
    for a, b in zip(p, q, strict=True):
        assert_same(a, b, **tolerance(name, kwargs))
    assert_same_state(ours, theirs, **tolerance(name, kwargs))


@every_case
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


RULES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop"]


@pytest.mark.parametrize("name", [*RULES, "Adafactor", "Muon"])
@pytest.mark.parametrize("shape", [(), (1,)], ids=str)
def test_options_that_are_tensors(name, shape):
    ends = []
    for module in (rushlight, torch):
        weight = module.nn.Parameter(module.tensor([[1.0, 2.0], [3.0, 5.0]]))
        kwargs = {"lr": module.full(shape, 0.05)}
        if name in ("Adam", "AdamW"):
            kwargs["betas"] = (module.full(shape, 0.8), module.full(shape, 0.9))
        optimizer = getattr(module.optim, name)([weight], **kwargs)
        for step in range(4):
            weight.grad = weight.detach() * (step - 1.5)
            optimizer.step()
        assert optimizer.param_groups[0]["lr"] is kwargs["lr"]
        ends.append(weight)
    assert_same(*ends, **tolerance(name, {}))


@pytest.mark.parametrize("name", [name for name in RULES if name not in ("SGD", "Adagrad")])
def test_capturable_changes_nothing(name):
    """The option is accepted, which PyTorch does on accelerators alone."""
    ends = []
    for capturable in (False, True):
        weight = rushlight.nn.Parameter(rushlight.ones(3))
        weight.grad = rushlight.tensor([1.0, 2.0, -3.0])
        getattr(rushlight.optim, name)([weight], capturable=capturable).step()
        ends.append(weight.tolist())
    assert ends[0] == ends[1]


DIFFERENTIABLE = [(name, kwargs) for name in RULES for kwargs in ({}, {"maximize": True})] + [
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"amsgrad": True}), ("AdamW", {"weight_decay": 0.3}), ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr_decay": 0.1}), ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
]  # fmt: skip


def differentiable_steps(module, name, kwargs, start, *grads, lr=0.05):
    """Where three steps lead."""
    weight = start.clone()
    optimizer = getattr(module.optim, name)([weight], lr=lr, differentiable=True, **kwargs)
    for grad in grads:
        weight.grad = grad
        optimizer.step()
    return weight


def differentiable_inputs(module):
    values = [[0.5, -1.0, 2.0], [0.1, -0.2, 0.3], [0.4, 0.2, 0.7], [0.7, -0.2, 1.1]]
    return [module.tensor(value, dtype=module.float64, requires_grad=True) for value in values]


@pytest.mark.parametrize(("name", "kwargs"), DIFFERENTIABLE, ids=str)
def test_derivatives_of_steps(name, kwargs):
    """Of three steps, which PyTorch refuses for some: what the first keeps for backward, the second overwrites."""
    inputs = differentiable_inputs(rushlight)
    assert rushlight.autograd.gradcheck(lambda *i: differentiable_steps(rushlight, name, kwargs, *i), inputs)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "ASGD"])
def test_derivatives_of_steps_are_those_of_torch(name):
    grads = []
    for module in (rushlight, torch):
        inputs = differentiable_inputs(module)
        differentiable_steps(module, name, {"weight_decay": 0.1}, *inputs).square().sum().backward()
        grads.append([i.grad for i in inputs])
    for a, b in zip(*grads, strict=True):
        assert_same(a, b, rtol=2e-4, atol=1e-6)  # PyTorch computes the corrections of the means in float32


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RAdam", "ASGD"])
def test_derivatives_with_respect_to_the_rate(name):
    grads = []
    for module in (rushlight, torch):
        rate = module.tensor(0.05, dtype=module.float64, requires_grad=True)
        with module.no_grad():  # the optimiser enables it
            end = differentiable_steps(module, name, {}, *differentiable_inputs(module), lr=rate)
        end.square().sum().backward()
        grads.append(rate.grad)
    assert_same(*grads, rtol=2e-4, atol=1e-6)


SPARSE = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True}), ("SGD", {"maximize": True}),
    ("Adagrad", {}), ("Adagrad", {"lr_decay": 0.1, "maximize": True}), ("SparseAdam", {}),
    ("SparseAdam", {"betas": (0.5, 0.9), "maximize": True}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "kwargs"), SPARSE, ids=str)
def test_sparse_gradients(name, kwargs, dtype):
    start, rows = randn(5, 2, seed=1, grad=False).numpy().tolist(), randn(12, 2, 2, seed=2, grad=False).tolist()
    results = []
    for module in (rushlight, torch):
        weight = module.nn.Parameter(module.tensor(start, dtype=getattr(module, dtype)))
        other = module.nn.Parameter(module.ones(2, dtype=getattr(module, dtype)))
        params = [weight] if name == "SparseAdam" else [weight, other]  # the others take both kinds at once
        optimizer = getattr(module.optim, name)(params, lr=0.1, **kwargs)
        for step in range(12):
            values = module.tensor(rows[step], dtype=weight.dtype)
            indices = module.tensor([[step % 5, (2 * step + 1) % 5]])  # sometimes the same row twice
            weight.grad = module.sparse_coo_tensor(indices, values, (5, 2))
            other.grad = values[0]
            optimizer.step()
        results.append((params, optimizer))
    (p, ours), (q, theirs) = results
    tolerances = TOLERANCE[getattr(torch, dtype)]
    for a, b in zip(p, q, strict=True):
        assert_same(a, b, **tolerances)
    a, b = ours.state_dict()["state"], theirs.state_dict()["state"]
    for number, entry in b.items():
        for key, value in entry.items():
            if torch.is_tensor(value) and not value.is_sparse:
                assert_same(a[number][key], value, **tolerances)


REFUSE_SPARSE = [case for case in RULES if case not in ("SGD", "Adagrad")] + ["Adafactor", "Muon"]


@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize("name", REFUSE_SPARSE)
def test_sparse_gradients_are_refused(name):
    for module in (torch, rushlight):
        weight, other = module.nn.Parameter(module.ones(2, 2)), module.nn.Parameter(module.ones(2, 2))
        weight.grad = module.sparse_coo_tensor(module.tensor([[0]]), module.ones(1, 2), (2, 2))
        other.grad = module.ones(2, 2)
        with pytest.raises(RuntimeError, match="does not support sparse gradients"):
            getattr(module.optim, name)([other, weight]).step()
    assert other.tolist() == [[1.0, 1.0], [1.0, 1.0]] or name in ("Adafactor", "Muon")
    sparse_adam = rushlight.optim.SparseAdam([other])
    with pytest.raises(RuntimeError, match="does not support dense gradients, please consider Adam"):
        sparse_adam.step()


@pytest.mark.parametrize("name", [*RULES, "Adafactor", "Muon"])
def test_closure(name):
    results = []
    for module in (rushlight, torch):
        weight = module.nn.Parameter(module.tensor([[1.0, 2.0], [3.0, 5.0]]))
        optimizer = getattr(module.optim, name)([weight], lr=0.01)

        def closure(module=module, weight=weight, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (weight * module.tensor([[1.0, 3.0], [2.0, 0.5]])).square().sum()
            loss.backward()
            return loss

        with module.no_grad():
            results.append(([optimizer.step(closure).item() for _ in range(10)], weight))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-2 if name == "Muon" else 1e-5)


def test_zero_grad():
    weight = rushlight.nn.Parameter(rushlight.ones(2))
    optimizer = rushlight.optim.SGD([weight], lr=0.1)
    (grad,) = rushlight.autograd.grad((weight**3).sum(), weight, create_graph=True)
    weight.grad = grad
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad is grad and grad.tolist() == [0.0, 0.0] and not grad.requires_grad
    optimizer.zero_grad()
    assert weight.grad is None
    optimizer.zero_grad(set_to_none=False)


def test_hooks():
    """In PyTorch's order and with its arguments."""
    seen = []
    for module in (torch, rushlight):
        weight, calls = module.nn.Parameter(module.ones(1)), []
        optimizer = module.optim.Adam([weight])
        home = importlib.import_module(f"{module.__name__}.optim.optimizer")

        def note(what, calls=calls):
            return lambda *args: calls.append((what, len(args), len(args[1]) if len(args) == 3 else None))

        handles = [
            optimizer.register_step_pre_hook(note("pre")),
            optimizer.register_step_post_hook(note("post")),
            home.register_optimizer_step_pre_hook(note("global pre")),
            home.register_optimizer_step_post_hook(note("global post")),
        ]
        optimizer.step()
        optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: ((*args, lambda: 7), kwargs))
        assert optimizer.step() == 7
        for handle in handles:
            handle.remove()
        optimizer.step()
        optimizer.register_step_pre_hook(lambda *args: 3)
        with pytest.raises(RuntimeError, match="must return None or a tuple"):
            optimizer.step()

        optimizer.register_state_dict_pre_hook(note("save"))
        optimizer.register_state_dict_pre_hook(note("save first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda optimizer, state: {**state, "extra": 1})
        optimizer.register_state_dict_post_hook(note("saved"))
        optimizer.register_state_dict_post_hook(note("saved first"), prepend=True)
        state = optimizer.state_dict()
        assert state["extra"] == 1
        optimizer.register_load_state_dict_pre_hook(note("load"))
        optimizer.register_load_state_dict_pre_hook(
            lambda optimizer, state: {key: value for key, value in state.items() if key != "extra"}, prepend=True
        )
        optimizer.register_load_state_dict_post_hook(note("loaded"))
        optimizer.register_load_state_dict_post_hook(note("loaded first"), prepend=True)
        optimizer.load_state_dict(state)
        seen.append(calls)
    assert seen[0] == seen[1]


def test_wrappers_without_init():
    class Wrapper(rushlight.optim.Optimizer):
        def __init__(self, optimizer):
            self.optimizer = optimizer

        @property
        def param_groups(self):
            return self.optimizer.param_groups

        def step(self, closure=None):
            return self.optimizer.step(closure)

    weight, seen = rushlight.nn.Parameter(rushlight.ones(1)), []
    weight.grad = rushlight.ones(1)
    wrapper = Wrapper(rushlight.optim.SGD([weight], lr=0.5))
    wrapper.step()
    with rushlight.optim.optimizer.register_optimizer_step_post_hook(lambda o, a, k: seen.append(type(o).__name__)):
        wrapper.step()
    assert weight.item() == 0.0 and seen == ["SGD", "Wrapper"]
    wrapper.zero_grad()
    assert weight.grad is None


def test_hooks_run_once_for_derived_optimizers():
    class Noted(rushlight.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    seen = []
    optimizer = Noted([rushlight.nn.Parameter(rushlight.ones(1))])
    optimizer.register_step_post_hook(lambda o, a, k: seen.append(1))
    optimizer.step()
    assert seen == [1]

    class Decorated(rushlight.optim.Optimizer):
        @rushlight.no_grad()
        @rushlight.optim.Optimizer.profile_hook_step
        def step(self, closure=None):
            return 5

    optimizer = Decorated([rushlight.nn.Parameter(rushlight.ones(1))], {})
    optimizer.register_step_post_hook(lambda o, a, k: seen.append(2))
    assert optimizer.step() == 5 and seen == [1, 2]


@every_case
def test_copies(name, kwargs):
    p, ours, q, _ = pair(name, kwargs)
    give_gradients(p, q, 0)
    ours.step()
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        own = other.param_groups[0]["params"][0]
        assert own is not p[0] and repr(other) == repr(ours)
        for key, value in ours.state[p[0]].items():
            assert rushlight.equal(other.state[own][key], value) and other.state[own][key] is not value
        own.grad = p[0].grad
        other.step()


def test_copies_of_lbfgs():
    weight = rushlight.nn.Parameter(rushlight.ones(2))
    optimizer = copy.deepcopy(rushlight.optim.LBFGS([weight]))
    own = optimizer.param_groups[0]["params"][0]

    def closure():
        own.grad = 2 * own.detach()
        return own.square().sum()

    optimizer.step(closure)
    assert own.abs().max() < 1e-3 and weight.tolist() == [1.0, 1.0]


def test_counts_of_steps_follow_the_default_dtype():
    for module in (torch, rushlight):
        weight = module.nn.Parameter(module.ones(2, dtype=module.float64))
        weight.grad = module.ones(2, dtype=module.float64)
        module.set_default_dtype(module.float64)
        try:
            optimizer = module.optim.Adam([weight], lr=0.1)
            optimizer.step()
            optimizer.step()
        finally:
            module.set_default_dtype(module.float32)
        assert optimizer.state[weight]["step"].dtype == module.float64
        assert optimizer.state[weight]["step"].item() == 2
        np.testing.assert_allclose(weight.tolist(), [0.8, 0.8], rtol=1e-7)


@pytest.mark.parametrize("name", RULES[1:])
def test_states_of_old_files_count_with_numbers(name):
    p, ours, q, _ = pair(name, {})
    for step in range(2):
        give_gradients(p, q, step)
        ours.step()
    state = ours.state_dict()
    for entry in state["state"].values():
        entry["step"] = int(entry["step"].item())
    ours.load_state_dict(state)
    assert ours.state[p[0]]["step"].item() == 2
    ours.step()


def test_named_parameters():
    layers = rushlight.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    for layer, module in zip(layers, (rushlight, torch), strict=True):
        named = module.optim.SGD(layer.named_parameters(), lr=0.1)
        assert named.param_groups[0]["param_names"] == ["weight", "bias"]
        state = named.state_dict()
        assert state["param_groups"][0]["param_names"] == ["weight", "bias"]
        plain = module.optim.SGD(layer.parameters(), lr=0.1)
        named.load_state_dict(plain.state_dict())
        assert named.param_groups[0]["param_names"] == ["weight", "bias"]
        plain.load_state_dict(state)
        assert plain.param_groups[0]["param_names"] == ["weight", "bias"]
        state["param_groups"][0]["param_names"] = ["a", "b"]
        named.load_state_dict(state)
        assert named.param_groups[0]["param_names"] == ["a", "b"]
        with pytest.raises(ValueError, match="with/without names"):
            named.add_param_group({"params": [module.nn.Parameter(module.ones(1))]})


def required(module):
    return importlib.import_module(f"{module.__name__}.optim.optimizer").required


def sgd_of(module, *params, **kwargs):
    return module.optim.SGD([module.nn.Parameter(p) for p in params or [module.ones(1)]], **kwargs)


def one(module):
    return [module.nn.Parameter(module.ones(1))]


MISTAKES = [
    (TypeError, "iterable of Tensors or dicts", lambda m: m.optim.SGD(one(m)[0])),
    (ValueError, "empty parameter list", lambda m: m.optim.SGD([])),
    (ValueError, "empty parameter list", lambda m: m.optim.SGD(iter(()))),
    (TypeError, "can only optimize Tensors", lambda m: m.optim.SGD([3])),
    (ValueError, "non-leaf", lambda m: m.optim.SGD([one(m)[0] * 2])),
    (ValueError, "more than one parameter group", lambda m: m.optim.SGD([{"params": w} for w in one(m) * 2])),
    (ValueError, "more than one", lambda m: (o := sgd_of(m)).add_param_group({"params": o.param_groups[0]["params"]})),
    (TypeError, "ordered collections", lambda m: m.optim.SGD([{"params": {*one(m)}}])),
    (TypeError, "must be a dict", lambda m: m.optim.SGD([{"params": one(m)}, 3])),
    (TypeError, "must be a dict", lambda m: sgd_of(m).add_param_group(one(m))),
    (KeyError, "params", lambda m: sgd_of(m).add_param_group({})),
    (ValueError, "names are missing", lambda m: m.optim.SGD([("a", one(m)[0]), *one(m)])),
    (ValueError, "didn't specify", lambda m: m.optim.Optimizer(one(m), {"lr": required(m)})),
    (NotImplementedError, "^$", lambda m: m.optim.Optimizer(one(m), {}).step()),
    (ValueError, "Invalid learning rate: -1", lambda m: m.optim.SGD(one(m), lr=-1)),
    (ValueError, "Invalid momentum value: -1", lambda m: m.optim.SGD(one(m), momentum=-1)),
    (ValueError, "Invalid weight_decay value", lambda m: m.optim.SGD(one(m), weight_decay=-1)),
    (ValueError, "Nesterov momentum requires", lambda m: m.optim.SGD(one(m), nesterov=True)),
    (ValueError, "Invalid epsilon value", lambda m: m.optim.Adam(one(m), eps=-1)),
    (ValueError, "Invalid beta parameter at index 1", lambda m: m.optim.AdamW(one(m), betas=(0.9, 1.0))),
    (ValueError, "1-element", lambda m: m.optim.Adam(one(m), lr=m.ones(2))),
    (ValueError, "Invalid rho", lambda m: m.optim.Adadelta(one(m), rho=1.1)),
    (ValueError, "Invalid lr_decay", lambda m: m.optim.Adagrad(one(m), lr_decay=-0.5)),
    (ValueError, "initial_accumulator_value", lambda m: m.optim.Adagrad(one(m), initial_accumulator_value=-1)),
    (ValueError, "Invalid momentum_decay", lambda m: m.optim.NAdam(one(m), momentum_decay=-0.2)),
    (ValueError, "Invalid alpha", lambda m: m.optim.RMSprop(one(m), alpha=-1)),
    (ValueError, "Invalid eta", lambda m: m.optim.Rprop(one(m), etas=(1.0, 0.5))),
    (ValueError, "Invalid learning rate", lambda m: m.optim.SparseAdam(one(m), lr=-0.1)),
    (ValueError, "Invalid epsilon", lambda m: m.optim.SparseAdam(one(m), eps=0.0)),
    (ValueError, "Invalid beta", lambda m: m.optim.SparseAdam(one(m), betas=(-1, 0))),
    (ValueError, "dense parameter", lambda m: m.optim.SparseAdam([m.eye(2).to_sparse()])),
    (ValueError, "learning rate", lambda m: m.optim.Adafactor(one(m), lr=-1)),
    (ValueError, "beta2_decay should be <= 0", lambda m: m.optim.Adafactor(one(m), beta2_decay=0.1)),
    (ValueError, "eps1", lambda m: m.optim.Adafactor(one(m), eps=(-1, 0))),
    (ValueError, "eps2", lambda m: m.optim.Adafactor(one(m), eps=(None, -1))),
    (ValueError, "threshold d", lambda m: m.optim.Adafactor(one(m), d=0.5)),
    (ValueError, "weight_decay", lambda m: m.optim.Adafactor(one(m), weight_decay=-1)),
    (ValueError, "2D parameters", lambda m: m.optim.Muon(one(m))),
    (ValueError, "not supported", lambda m: m.optim.Muon(one(m), adjust_lr_fn="other")),
    (ValueError, "momentum", lambda m: m.optim.Muon(one(m), momentum=-1)),
    (ValueError, "less than 100", lambda m: muon_step(m, ns_steps=100)),
    (ValueError, "three numbers|exactly 3", lambda m: muon_step(m, ns_coefficients=(1, 2))),
    (ValueError, "per-parameter options", lambda m: m.optim.LBFGS([{"params": one(m)}, {"params": one(m)}])),
    (ValueError, "Invalid learning rate", lambda m: m.optim.LBFGS(one(m), lr=-1)),
    (RuntimeError, "strong_wolfe", lambda m: lbfgs_step(m, line_search_fn="other")),
    (RuntimeError, "differentiable", lambda m: m.optim.Adam(one(m), fused=True, differentiable=True)),
    (RuntimeError, "foreach", lambda m: m.optim.SGD(one(m), fused=True, foreach=True)),
    (RuntimeError, "foreach", lambda m: m.optim.Adagrad(one(m), fused=True, foreach=True)),
    (ValueError, "match the size", lambda m: sgd_of(m).load_state_dict(sgd_of(m, m.ones(1), m.ones(1)).state_dict())),
    (ValueError, "different number", lambda m: sgd_of(m).load_state_dict({"state": {}, "param_groups": []})),
]


def muon_step(module, **kwargs):
    weight = module.nn.Parameter(module.ones(2, 2))
    weight.grad = module.ones(2, 2)
    module.optim.Muon([weight], **kwargs).step()


def lbfgs_step(module, **kwargs):
    weight = module.nn.Parameter(module.ones(2))

    def closure():
        weight.grad = module.ones(2)
        return module.tensor(1.0)

    module.optim.LBFGS([weight], **kwargs).step(closure)


@pytest.mark.parametrize(
    ("error", "message", "call"), MISTAKES, ids=[f"{i} {m}" for i, (_, m, _) in enumerate(MISTAKES)]
)
def test_mistakes(error, message, call):
    with pytest.raises(error):
        call(torch)
    with pytest.raises(error, match=message):
        call(rushlight)


def test_duplicates():
    for module in (torch, rushlight):
        weight = module.nn.Parameter(module.ones(1))
        with pytest.warns(UserWarning, match="duplicate parameters") as caught:
            module.optim.SGD([weight, weight])
        assert len(caught) == 1


def test_swap_in():
    p, ours, q, theirs = pair("AdamW", {"amsgrad": True})
    give_gradients(p, q, 0)
    ours.step()
    theirs.step()
    results = []
    for module, params, optimizer in ((rushlight, p, ours), (torch, q, theirs)):
        before = copy.deepcopy(optimizer.state_dict())
        state = copy.deepcopy(before)
        state["param_groups"][0]["lr"] = 1.0
        others = {str(i): module.nn.Parameter(module.ones(value.shape)) for i, value in enumerate(params)}
        for other in others.values():
            other.grad = module.full(other.shape, 0.5)
        groups = list(map(id, optimizer.param_groups))
        with pytest.raises(KeyError), module.optim.swap_in_optimizer_params_and_state(optimizer, others, state):
            assert optimizer.param_groups[0]["lr"] == 1.0
            optimizer.step()
            raise KeyError
        assert groups == list(map(id, optimizer.param_groups))
        assert [one for group in optimizer.param_groups for one in group["params"]] == params
        assert converted(optimizer.state_dict(), lambda t: t.tolist()) == converted(before, lambda t: t.tolist())
        results.append((list(others.values()), state["state"]))
        for wrong, change in SWAPS_THAT_DO_NOT_FIT:
            with pytest.raises(RuntimeError, match=wrong if module is rushlight else None):
                broken = change(copy.deepcopy(before))
                with module.optim.swap_in_optimizer_params_and_state(optimizer, others, broken):
                    pass
        fresh = type(optimizer)(params)
        with (
            pytest.raises(RuntimeError, match="state"),
            module.optim.swap_in_optimizer_params_and_state(fresh, others, before),
        ):
            pass
    for a, b in zip(*(params for params, _ in results), strict=True):
        assert_same(a, b)
    for number, entry in results[1][1].items():
        for name, value in entry.items():
            assert_same(results[0][1][number][name], value)


SWAPS_THAT_DO_NOT_FIT = [
    ("state_dict", lambda state: 3),
    ("'state' must be a dictionary", lambda state: {**state, "state": []}),
    ("a dictionary for numbers", lambda state: {**state, "state": {99: {}}}),
    ("a dictionary for numbers", lambda state: {**state, "state": {0: 3}}),
    ("'param_groups' must be a list", lambda state: {**state, "param_groups": ()}),
    ("as many groups", lambda state: {**state, "param_groups": state["param_groups"][:1]}),
    ("group 0 must be a dictionary", lambda state: {**state, "param_groups": [1, 2]}),
    ("Differing: \\['new'\\]", lambda state: state["param_groups"][0].update(new=1) or state),
    ("numbers of parameters", lambda state: state["param_groups"][0].update(params=[0]) or state),
]


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


@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_of_complex_and_sparse(search):
    def run(module):
        z = module.nn.Parameter(module.tensor([1 + 2j, -1j, 0.5], dtype=module.complex128))
        x = module.nn.Parameter(module.tensor([[0.3], [0.2], [2.0]], dtype=module.float64))
        idle = module.nn.Parameter(module.ones(2, dtype=module.float64))
        optimizer = module.optim.LBFGS([z, x, idle], lr=0.3 if search is None else 1, line_search_fn=search)

        def closure():
            optimizer.zero_grad()
            loss = (z.abs() ** 4).sum() + (z.real[:2] ** 2).sum()
            loss.backward()
            first = x.detach()[:1]
            x.grad = module.sparse_coo_tensor(module.tensor([[0]]), 2 * (first - 1), (3, 1))
            return loss + (first - 1).square().sum()

        losses = [optimizer.step(closure).item() for _ in range(2)]
        return losses, [z.real.tolist(), z.imag.tolist(), x.tolist(), idle.tolist()]

    ours, theirs = run(rushlight), run(torch)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    for a, b in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8)
