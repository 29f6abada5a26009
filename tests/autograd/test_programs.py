"""Whole programs: values, first and second derivatives agree with PyTorch's to 1e-10 in float64."""

import pytest


def data(torch, *shape, start=0.3):
    size = 1
    for s in shape:
        size *= s
    return (torch.arange(size, dtype=torch.float64) * 1.7 + start).sin().reshape(shape)


def perceptron(t, x, w1, w2):
    return (t.tanh(x @ w1) @ w2).pow(2).mean()


def softmax_loss(t, x, w1, w2):
    p = t.log_softmax(x @ w1, 1)
    return -(p * t.softmax(w1.sum(0), 0)).sum()


def normalised(t, x, w1, w2):
    h = x @ w1
    h = (h - h.mean(1, keepdim=True)) / (h.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return (h * h * h @ w2).sum()


def attention(t, x, w1, w2):
    q, k = x @ w1, x @ w1 * 0.5
    return (t.softmax(q @ k.transpose(0, 1) / 2.0, -1) @ (x @ w1)).sin().sum()


def gated_recurrence(t, x, w1, w2):
    h = t.zeros(5, dtype=t.float64)
    for row in x.unbind(0):
        z = t.sigmoid(row @ w1 + h)
        h = z * h + (1 - z) * t.tanh(row @ w1 * h.cos())
    return (h @ w2).sum()


def joins_and_indices(t, x, w1, w2):
    y = t.cat([x, x.flip(0)], 0)[t.tensor([0, 2, 2, 5])]
    z = t.stack([y, y * 2], 1)[:, 1, ::2]
    return (z.cumsum(0) * z).sum() + y.gather(1, t.tensor([[0], [1], [2], [0]])).exp().sum()


def choices(t, x, w1, w2):
    h = x @ w1
    return t.where(h > 0, h.exp(), h * h).sum() + h.clamp(-0.5, 0.5).pow(2).sum() + h.max() + t.maximum(h, -h).sum()


def reductions(t, x, w1, w2):
    h = x @ w1
    return t.logsumexp(h, 1).sum() + h.norm() + h.std() + (h * h + 1).prod(1).sum() + h.amax(0).sum()


def broadcasting(t, x, w1, w2):
    return ((x.unsqueeze(2) * w1) ** 2 / (1 + x.sum(0)[:, None].abs())).sum() ** 0.5


def in_place(t, x, w1, w2):
    h = x @ w1
    h[1:] *= h[:-1].clone().cos() + h[:1].clone()
    h.add_(w1.sum()).sin_()
    return (h @ w2).sum()


PROGRAMS = [
    perceptron, softmax_loss, normalised, attention, gated_recurrence, joins_and_indices, choices, reductions,
    broadcasting, in_place,
]  # fmt: skip


def derivatives(torch, program):
    """The value, the gradients, and the gradients of a weighted sum of the gradients."""
    inputs = [data(torch, 4, 3), data(torch, 3, 5, start=1.1), data(torch, 5, 2, start=2.0)]
    for x in inputs:
        x.requires_grad_()
    value = program(torch, *inputs)
    first = torch.autograd.grad(value, inputs, create_graph=True, materialize_grads=True)
    weighted = sum((g * data(torch, *g.shape, start=0.9)).sum() for g in first)
    second = torch.autograd.grad(weighted, inputs, materialize_grads=True)
    return [value, *first, *second]


def flat(torch, tensors):
    return torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()


@pytest.mark.oracle
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_agrees_with_pytorch(program):
    oracle = pytest.importorskip("torch")
    import rushlight

    ours, theirs = flat(rushlight, derivatives(rushlight, program)), flat(oracle, derivatives(oracle, program))
    assert len(ours) == len(theirs) > 70
    assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_passes_gradcheck(torch, program):
    inputs = [data(torch, 4, 3), data(torch, 3, 5, start=1.1), data(torch, 5, 2, start=2.0)]
    for x in inputs:
        x.requires_grad_()
    assert torch.autograd.gradcheck(lambda *args: program(torch, *args), inputs, fast_mode=True)
