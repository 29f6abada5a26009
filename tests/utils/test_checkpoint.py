"""Activation checkpointing: gradients, memory, random numbers, nesting, errors; with Rushlight and with PyTorch."""

import contextlib
import gc
import importlib
import weakref

import pytest


@pytest.fixture(params=["rushlight", pytest.param("torch", marks=pytest.mark.oracle)])
def torch(request):
    return pytest.importorskip("torch") if request.param == "torch" else importlib.import_module("rushlight")


@pytest.fixture
def module(torch):
    return importlib.import_module(f"{torch.__name__}.utils.checkpoint")


@pytest.fixture
def x(torch):
    return torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64, requires_grad=True)


def segment(x):
    return (x.sin() * x).exp().tanh() * x


@pytest.mark.parametrize("reentrant", [False, True])
def test_same_values_and_gradients(torch, module, x, reentrant):
    expected = segment(x)
    (g,) = torch.autograd.grad(expected.sum(), x)
    y = module.checkpoint(segment, x, use_reentrant=reentrant)
    assert y.tolist() == expected.tolist()
    y.sum().backward()
    assert x.grad.tolist() == g.tolist()


def test_autograd_grad_and_second_order(torch, module, x):
    def derivatives(f):
        (g,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
        return g.tolist(), torch.autograd.grad(g.sum(), x)[0].tolist()

    assert derivatives(lambda x: module.checkpoint(segment, x, use_reentrant=False)) == derivatives(segment)


def test_gradients_of_what_the_function_closes_over(torch, module, x):
    w = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    h = w * 3
    gx, gw = torch.autograd.grad(module.checkpoint(lambda x: (x * h).sin() * w, x, use_reentrant=False).sum(), (x, w))
    h = w * 3
    ex, ew = torch.autograd.grad(((x * h).sin() * w).sum(), (x, w))
    assert gx.tolist() == ex.tolist() and gw.item() == ew.item()


def test_the_function_runs_once_more_in_backward(torch, module, x):
    runs = []

    def counted(x):
        runs.append(torch.is_grad_enabled())
        return segment(x)

    y = module.checkpoint(counted, x, use_reentrant=False)
    assert runs == [True]
    y.sum().backward(retain_graph=True)
    assert runs == [True, True]
    first = x.grad.tolist()
    y.sum().backward()
    assert runs == [True] * 3 and x.grad.tolist() == [2 * g for g in first]


def test_nothing_is_run_again_without_need(torch, module, x):
    runs = []

    def counted(x):
        runs.append(1)
        return segment(x)

    with torch.no_grad():
        assert not module.checkpoint(counted, x, use_reentrant=False).requires_grad
    module.checkpoint(counted, x, use_reentrant=False)
    assert len(runs) == 2


def test_intermediate_values_are_not_kept(torch, module, x):
    inner = []

    def watched(x):
        h = x.exp()
        inner.append(weakref.ref(h))
        return h.sin() * h

    y = module.checkpoint(watched, x, use_reentrant=False)
    gc.collect()
    assert inner[0]() is None
    y.sum().backward()
    gc.collect()
    assert inner[1]() is None


def test_early_stop(torch, module, x):
    reached = []

    def tail(x):
        y = x.sin() * x
        reached.append(1)
        return y + 1

    module.checkpoint(tail, x, use_reentrant=False).sum().backward()
    assert len(reached) == 1  # everything that backward needs was there before
    with module.set_checkpoint_early_stop(False):
        y = module.checkpoint(tail, x, use_reentrant=False)
    y.sum().backward()
    assert len(reached) == 3
    module.checkpoint(tail, x, use_reentrant=False, early_stop=False).sum().backward()
    assert len(reached) == 5


@pytest.mark.parametrize("reentrant", [False, True])
def test_random_numbers_are_drawn_again(torch, module, x, reentrant):
    drawn = []

    def noisy(x):
        mask = torch.rand(3, dtype=torch.float64)
        drawn.append(mask.tolist())
        return (x * mask).exp()

    torch.manual_seed(1)
    y = module.checkpoint(noisy, x, use_reentrant=reentrant)
    torch.manual_seed(2)
    after = torch.rand(2).tolist()
    torch.manual_seed(2)
    y.sum().backward()
    assert drawn[0] == drawn[1] and torch.rand(2).tolist() == after
    y = module.checkpoint(noisy, x, use_reentrant=reentrant, preserve_rng_state=False)
    y.sum().backward()
    assert drawn[2] != drawn[3]


def test_dropout_is_the_same_again(torch, module):
    x = torch.ones(1000, requires_grad=True)
    dropout = importlib.import_module(f"{torch.__name__}.nn.functional").dropout
    y = module.checkpoint(lambda x: dropout(x * x, 0.5), x, use_reentrant=False)
    y.sum().backward()
    assert torch.equal(x.grad, 2 * y.detach())


def test_nested(torch, module, x):
    runs = []

    def inner(x):
        runs.append("inner")
        return segment(x)

    def outer(x):
        runs.append("outer")
        return module.checkpoint(inner, x.cos(), use_reentrant=False).sin() * x

    y = module.checkpoint(outer, x, use_reentrant=False)
    expected = segment(x.cos()).sin() * x
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == torch.autograd.grad(expected.sum(), x)[0].tolist()
    assert runs[:2] == ["outer", "inner"] and runs.count("outer") == 2


def test_keyword_arguments_and_other_values(torch, module, x):
    def f(a, scale, *, b, flag):
        assert flag == "on"
        return {"sum": (a * scale + b.exp()).sin(), "n": scale}, [a * b]

    w = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
    out, (product,) = module.checkpoint(f, x, 3, b=w, flag="on", use_reentrant=False)
    assert out["n"] == 3
    expected, (other,) = f(x, 3, b=w, flag="on")
    got = torch.autograd.grad(out["sum"].sum() + product.sum(), (x, w))
    want = torch.autograd.grad(expected["sum"].sum() + other.sum(), (x, w))
    assert [g.tolist() for g in got] == [g.tolist() for g in want]
    with pytest.raises(ValueError, match="Unexpected keyword arguments"):
        module.checkpoint(f, x, 3, b=w, flag="on", use_reentrant=True)


def test_contexts(torch, module, x):
    log = []

    class Log:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            log.append(self.name)

        def __exit__(self, *exception):
            log.append("end of " + self.name)

    y = module.checkpoint(segment, x, use_reentrant=False, context_fn=lambda: (Log("forward"), Log("second")))
    assert log == ["forward", "end of forward"]
    y.sum().backward()
    assert log[2:] == ["second", "end of second"]
    with pytest.raises(ValueError, match="context_fn"):
        module.checkpoint(segment, x, use_reentrant=True, context_fn=lambda: (Log("a"), Log("b")))


def test_a_second_run_that_differs(torch, module, x):
    calls = []

    def changes_shape(x):
        calls.append(1)
        return (x[: len(calls) + 1].sin() * 2).exp().sum()

    with pytest.raises(module.CheckpointError, match="different metadata"):
        module.checkpoint(changes_shape, x, use_reentrant=False).backward()
    calls.clear()

    def saves_less(x):
        calls.append(1)
        return x.exp().exp() if len(calls) == 1 else x.exp()

    with pytest.raises(module.CheckpointError, match="different number of tensors"):
        module.checkpoint(saves_less, x, use_reentrant=False).sum().backward()


def test_backward_of_a_part(torch, module, x):
    w = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
    y = module.checkpoint(lambda x, w: (x.exp().sin(), w.exp().sin()), x, w, use_reentrant=False)
    assert torch.autograd.grad(y[1].sum(), w)[0].tolist() == (w.exp().cos() * w.exp()).tolist()
    torch.autograd.grad(y[0].sum(), x)


def test_reentrant_needs_plain_backward(torch, module, x):
    y = module.checkpoint(segment, x, use_reentrant=True).sum()
    with pytest.raises(RuntimeError, match="use_reentrant"):
        torch.autograd.grad(y, x)
    y = module.checkpoint(segment, x, use_reentrant=True).sum()
    with pytest.raises(RuntimeError, match="use_reentrant"):
        y.backward(inputs=[x])


def test_reentrant_fills_parameters_it_closes_over(torch, module, x):
    w = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    module.checkpoint(lambda x: (x * w).sin(), x, use_reentrant=True).sum().backward()
    assert w.grad is not None and x.grad is not None


def test_warnings(torch, module, x):
    with pytest.warns(UserWarning, match="use_reentrant parameter should be"):
        module.checkpoint(segment, x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        module.checkpoint(segment, x.detach(), use_reentrant=True)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_sequential(torch, module, x, reentrant, segments):
    functions = [torch.sin, torch.exp, torch.tanh, segment, torch.cos]
    y = x
    for f in functions:
        y = f(y)
    (expected,) = torch.autograd.grad(y.sum(), x)
    module.checkpoint_sequential(functions, segments, x, use_reentrant=reentrant).sum().backward()
    assert x.grad.tolist() == expected.tolist()


def test_sequential_of_modules(torch, module):
    nn = importlib.import_module(f"{torch.__name__}.nn")
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = torch.ones(5, 3)
    model(x).sum().backward()
    expected = [p.grad.tolist() for p in model.parameters()]
    model.zero_grad()
    module.checkpoint_sequential(model, 2, x, use_reentrant=False).sum().backward()
    assert [p.grad.tolist() for p in model.parameters()] == expected


# --- the options around it


def test_debug_tells_what_was_called(torch, module, x):
    def failing(**options):
        runs = iter([lambda x: x.exp().sin().cos(), lambda x: x.exp().cos()])
        module.checkpoint(lambda x: next(runs)(x), x, use_reentrant=False, **options).sum().backward()

    with pytest.raises(module.CheckpointError, match=r"(?s)sin"):
        failing(debug=True)
    with module.set_checkpoint_debug_enabled(True), pytest.raises(module.CheckpointError, match="sin"):
        failing()
    for options in ({}, {"debug": True}):
        block = module.set_checkpoint_debug_enabled(False if options else None)
        with block, pytest.raises(module.CheckpointError) as raised:
            failing(**options)
        assert "sin" not in str(raised.value)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_group_runs_a_function_once(torch, module, x, grouped):
    count = []

    def function(x):
        count.append(1)
        return x.exp(), x.sin()

    a, b = module.checkpoint(function, x, use_reentrant=False)
    with module.GraphExecGroup() if grouped else contextlib.nullcontext():
        a.sum().backward()
        b.sum().backward()
    assert len(count) == (2 if grouped else 3)
    assert torch.allclose(x.grad, x.detach().exp() + x.detach().cos())


def test_groups_are_not_nested(module):
    with module.GraphExecGroup(), pytest.raises(RuntimeError, match="cannot be nested"), module.GraphExecGroup():
        pass
    with module.GraphExecGroup():
        pass


def test_policies_and_devices(torch, module):
    assert [policy.name for policy in module.CheckpointPolicy][:2] == ["MUST_SAVE", "PREFER_SAVE"]
    assert module.SelectiveCheckpointContext(is_recompute=False).op_output is None
    assert module.get_device_states(torch.ones(1), [3]) == ([], [])
    module.set_device_states([], [])
    assert module.DefaultDeviceType.get_device_type() == "cpu"
    module.DefaultDeviceType.set_device_type("cuda")
    assert module.DefaultDeviceType.get_device_type() == "cuda"
    module.DefaultDeviceType.set_device_type(None)


def test_selective_checkpoints_are_refused():
    from rushlight.utils.checkpoint import create_selective_checkpoint_contexts

    with pytest.raises(NotImplementedError, match="Checkpoint smaller functions"):
        create_selective_checkpoint_contexts([])
