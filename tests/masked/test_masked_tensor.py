"""MaskedTensor: what each kind of operator does with the mask, gradients, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest

import rushlight
from rushlight.masked import MaskedTensor, as_masked_tensor, is_masked_tensor, masked_tensor

torch = pytest.importorskip("torch")

CALLS = """
a + b
1 + a
a / b
a ** 2
a < 3
(-a).exp()
torch.maximum(a, b)
a.clone().add_(2)
torch.ones_like(a)
a + d
torch.where(m, a, b)
torch.where(m, a, d)
a[0]
a[:, 1]
a.t()
a.mT
a.reshape(3, 2)
a.expand(2, 2, 3)
torch.cat([a, b], 1)
torch.stack([a, b])
a.chunk(2)[1]
a.double()
a.sum()
a.sum(1, keepdim=True)
a.mean(1)
a.prod(0)
a.amax(0)
a.amin(1)
a.argmax(1)
a.var()
a.std()
(a > 1).all()
a.softmax(1)
torch.nn.functional.softmax(a, 0)
""".strip().splitlines()


def parts(package, call):
    d = package.arange(6.0).reshape(2, 3)
    m = package.tensor([[True, False, True], [False, False, True]])
    names = {"torch": package, "d": d, "m": m}
    names |= {"a": package.masked.masked_tensor(d, m), "b": package.masked.masked_tensor(d + 1, m)}
    result = eval(call, names)
    return result.get_data().numpy(), result.get_mask().numpy(), repr(result)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("call", CALLS)
def test_agrees_with_torch(call):
    (ours, our_mask, our_text), (theirs, their_mask, their_text) = parts(rushlight, call), parts(torch, call)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(our_mask, their_mask)
    np.testing.assert_allclose(ours[our_mask], theirs[their_mask], rtol=1e-6)
    if ours.dtype == np.float32:
        assert our_text == their_text


def test_gradients_reach_the_data_and_stay_under_the_mask():
    x = rushlight.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mask = rushlight.tensor([True, False, True])
    (as_masked_tensor(x, mask) ** 2).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 6.0]
    a = masked_tensor(x, mask, requires_grad=True)
    assert a.is_leaf and a.requires_grad and a.grad is None
    (a * a).sum().backward()
    assert is_masked_tensor(a.grad)
    assert a.grad.to_tensor(-1).tolist() == [2.0, -1.0, 6.0]


def test_a_copy_is_a_copy():
    x, mask = rushlight.zeros(2), rushlight.tensor([True, True])
    copy, same = masked_tensor(x, mask), as_masked_tensor(x, mask)
    x.add_(1)
    assert copy.get_data().tolist() == [0.0, 0.0]
    assert same.get_data().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("through", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_copies_and_files_keep_the_mask_and_what_is_trained(through):
    a = masked_tensor(rushlight.ones(2), rushlight.tensor([True, False]), requires_grad=True)
    a.sum().backward()
    received = through(a)
    assert is_masked_tensor(received) and repr(received) == repr(a)
    assert received.requires_grad and received.is_leaf


def test_iteration_keeps_the_mask():
    a = masked_tensor(rushlight.ones(2, 2), rushlight.tensor([[True, False], [False, False]]))
    assert [row.get_mask().tolist() for row in a] == [[True, False], [False, False]]
    assert not a[1, 1].get_mask()


@pytest.mark.parametrize(
    "call, error",
    [
        ("MaskedTensor(1.0, m)", TypeError),
        ("MaskedTensor(d, 1.0)", TypeError),
        ("MaskedTensor(a, m)", TypeError),
        ("MaskedTensor(d, m.long())", TypeError),
        ("MaskedTensor(d, m[0])", ValueError),
        ("a + MaskedTensor(d, ~m)", ValueError),
        ("a @ a", TypeError),
        ("d.add_(a)", TypeError),
        ("a.sort()", TypeError),
        ("a.numpy()", RuntimeError),
        ("a.tolist()", RuntimeError),
        ("a.__setitem__(0, 1.0)", TypeError),
        ("rushlight.fft.fft(a)", RuntimeError),
    ],
)
def test_what_would_lose_the_mask_is_refused(call, error):
    d, m = rushlight.ones(2, 2), rushlight.tensor([[True, False], [True, True]])
    with pytest.raises(error):
        eval(call, {**globals(), "a": MaskedTensor(d, m), "d": d, "m": m})
