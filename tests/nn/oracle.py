"""Builds the same module in rushlight and in PyTorch and compares everything that can be seen of it."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")


def from_torch(value):
    """Tensors of torch, also inside lists and tuples, as tensors of rushlight with the same values."""
    if isinstance(value, torch.Tensor):
        return rushlight.from_numpy(value.detach().numpy().copy()).requires_grad_(value.requires_grad)
    if isinstance(value, (list, tuple)):
        return type(value)(from_torch(v) for v in value)
    return value


def assert_same(ours, theirs, rtol=1e-5, atol=1e-6, what=""):
    """Values, shapes and dtypes agree."""
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs), what
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, rtol, atol, what)
        return
    if theirs is None:
        assert ours is None, what
        return
    assert tuple(ours.shape) == tuple(theirs.shape), what
    assert str(ours.dtype) == str(theirs.dtype), what
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=atol, err_msg=what)


def tensors_in(value):
    return [t for v in value for t in tensors_in(v)] if isinstance(value, (tuple, list)) else [value]


def backward(module_of, outputs):
    """The gradient of a sum that weighs every element differently."""
    total = None
    for t in tensors_in(outputs):
        if t is not None and t.is_floating_point() and t.requires_grad:
            weights = module_of.arange(1, t.numel() + 1, dtype=t.dtype).reshape(t.shape) / max(t.numel(), 1)
            part = (t * weights).sum()
            total = part if total is None else total + part
    if total is not None:
        total.backward()


def compare_call(ours, theirs, inputs, kwargs=None, rtol=1e-5, atol=1e-6):
    """Calls both with the same tensors (of torch) and compares results and gradients of the inputs."""
    kwargs = kwargs or {}
    their_inputs = [
        i.clone().detach().requires_grad_(i.requires_grad) if isinstance(i, torch.Tensor) else i for i in inputs
    ]
    our_inputs = [from_torch(i) for i in their_inputs]
    expected = theirs(*their_inputs, **kwargs)
    received = ours(*our_inputs, **{k: from_torch(v) for k, v in kwargs.items()})
    assert_same(received, expected, rtol, atol, "output")
    backward(torch, expected)
    backward(rushlight, received)
    for i, (a, b) in enumerate(zip(our_inputs, their_inputs, strict=True)):
        if isinstance(b, torch.Tensor) and b.grad is not None:
            assert_same(a.grad, b.grad, rtol, atol, f"gradient of input {i}")


def compare_module(name, args, inputs, kwargs=None, train=True, rtol=1e-5, atol=1e-6):
    """Initial values, keys, printed form, outputs, gradients and buffers after the call."""
    kwargs = kwargs or {}
    torch.manual_seed(7)
    theirs = getattr(torch.nn, name)(*args, **kwargs).train(train)
    rushlight.manual_seed(7)
    ours = getattr(rushlight.nn, name)(*from_torch(list(args)), **{k: from_torch(v) for k, v in kwargs.items()})
    ours.train(train)
    assert repr(ours) == repr(theirs)
    compare_states(ours, theirs, rtol, atol)
    compare_call(ours, theirs, inputs, rtol=rtol, atol=atol)
    compare_states(ours, theirs, rtol, atol)
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert_same(a.grad, b.grad, rtol, atol, f"gradient of {name}")


def compare_states(ours, theirs, rtol=1e-5, atol=1e-6):
    a, b = ours.state_dict(), theirs.state_dict()
    assert list(a) == list(b)
    assert a._metadata == b._metadata
    for key in b:
        assert_same(a[key], b[key], rtol, atol, key)


def randn(*shape, grad=True, seed=0):
    generator = torch.Generator().manual_seed(seed + len(shape))
    return torch.randn(shape, generator=generator).requires_grad_(grad)


def randint(high, *shape, seed=0):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))
