"""In-place writes and views through the graph: versions, rebased histories, errors."""

import pytest


def leaf(torch, *values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_an_in_place_operator_is_part_of_the_graph(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.mul_(3)
    assert y.grad_fn.name() == "MulBackward0" and y._version == 1
    y.add_(1)
    (y * y).sum().backward()
    assert x.grad.tolist() == [24.0, 42.0]


def test_an_in_place_write_into_a_saved_tensor_is_an_error(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_an_in_place_write_into_a_saved_result_is_an_error(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x.exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_an_in_place_write_into_what_nothing_saved_is_fine(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x + 1
    z = y + 2
    y.mul_(5)
    (z + y).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_leaves_are_not_written_while_recording(torch):
    x = leaf(torch, 1.0, 2.0)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x[0].add_(1)
    with torch.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 3.0] and x.is_leaf and x._version == 1
    x.data.mul_(2)
    assert x.tolist() == [4.0, 6.0] and x._version == 1
    x.detach().mul_(2)
    assert x._version == 2


def test_a_plain_tensor_joins_the_graph_by_an_in_place_write(torch):
    x = leaf(torch, 1.0, 2.0)
    y = torch.zeros(2, dtype=torch.float64)
    y.add_(x * 3)
    assert y.requires_grad and not y.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_writing_through_a_view_changes_the_base(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    y[1:].mul_(10)
    (y * torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)).sum().backward()
    assert y.tolist() == [1.0, 20.0, 30.0] and x.grad.tolist() == [1.0, 20.0, 30.0]


def test_views_see_writes_to_the_base(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    tail, matrix = y[1:], y.view(3, 1)
    y.mul_(2)
    tail.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [0.0, 2.0, 2.0]
    x.grad = None
    tail.mul_(3)
    matrix.sum().backward()
    assert x.grad.tolist() == [2.0, 6.0, 6.0]


def test_views_of_views(torch):
    x = leaf(torch, *range(1, 7))
    y = x * 1
    v = y.view(2, 3).t()[1]
    v.mul_(v.detach() * 10)
    assert y.tolist() == [1.0, 40.0, 3.0, 4.0, 250.0, 6.0]
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 20.0, 1.0, 1.0, 50.0, 1.0]


def test_setitem_with_a_number_and_with_a_tensor(torch):
    x, w = leaf(torch, 1.0, 2.0, 3.0), leaf(torch, 5.0)
    y = x * 2
    y[0] = 7.0
    y[1:2] = w * 3
    assert y.tolist() == [7.0, 15.0, 6.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 2.0] and w.grad.tolist() == [3.0]


def test_setitem_with_a_mask_and_with_an_index(torch):
    x = leaf(torch, 1.0, -2.0, 3.0)
    y = x * 2
    y[y < 0] = 0.0
    y[torch.tensor([2])] = torch.tensor([9.0], dtype=torch.float64)
    assert y.tolist() == [2.0, 0.0, 9.0]
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_copy_and_fill_and_zero(torch):
    x, w = leaf(torch, 1.0, 2.0), leaf(torch, 3.0, 4.0)
    y = x * 2
    y.copy_(w * w)
    y.sum().backward()
    assert w.grad.tolist() == [6.0, 8.0] and (x.grad is None or x.grad.tolist() == [0.0, 0.0])
    x.grad = None
    y = x * 2
    z = y * 3
    y.zero_()
    (y + z).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_a_chain_of_in_place_writes(torch):
    x = leaf(torch, 1.0)
    y = x * 1
    for k in range(1, 6):
        y.mul_(k)
    assert y._version == 5
    y.sum().backward()
    assert x.grad.tolist() == [120.0]


def test_relu_in_place(torch):
    x = leaf(torch, -1.0, 2.0)
    y = (x * 3).relu_()
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0]


def test_versions_are_shared_by_views_and_detached_tensors(torch):
    x = torch.zeros(4)
    v, d = x[1:], x.detach()
    x.add_(1)
    v.add_(1)
    d.add_(1)
    assert x._version == v._version == d._version == 3
    assert x.clone()._version == 0


def test_saved_values_of_a_detached_alias_are_watched(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    z = y * y
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_view_made_without_recording_is_not_written_while_recording(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    with torch.no_grad():
        v = y[:1]
    with pytest.raises(RuntimeError, match="no_grad"):
        v.add_(x[:1])


def test_pieces_are_views_like_any_other(rushlight):
    x = leaf(rushlight, 1.0, 2.0)
    y = x * 1
    a, b = y.unbind()
    a.mul_(3)  # PyTorch refuses this
    (y * y).sum().backward(retain_graph=True)
    assert y.tolist() == [3.0, 2.0] and x.grad.tolist() == [18.0, 4.0]
    x.grad = None
    (a * b).backward()
    assert x.grad.tolist() == [6.0, 3.0]


def test_expanded_tensors_are_not_written(torch):
    x = torch.zeros(1).expand(3)
    with pytest.raises(RuntimeError, match=r"memory location|expand"):
        x.add_(1)


def test_is_view_and_base(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    v = y[:1]
    assert v._is_view() and v._base is y and not y._is_view() and y._base is None


def test_second_order_through_in_place_and_views(torch):
    x = leaf(torch, 1.0, 2.0)

    def f(x):
        y = x * x
        y[0].mul_(x[1])
        return y.sum() * x[0]

    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    assert g.tolist() == [3 * 1 * 2 + 4.0, 1 + 4.0]  # f = x0^3 x1 + x0 x1^2
    (gg,) = torch.autograd.grad(g.sum(), x)
    assert gg.tolist() == [6 * 2 + (3 + 4.0), (3 + 4.0) + 2.0]


def test_gradcheck_with_in_place_writes(torch):
    x, w = leaf(torch, 0.3, -0.7, 1.2), leaf(torch, 0.5, 0.25)

    def f(x, w):
        y = x * 2
        y[:2] *= w
        z = y.view(3, 1).expand(3, 2).clone()
        z[:, 1].sub_(w.sum())
        z[1:, 0] = w.sin()
        return z.tanh()

    assert torch.autograd.gradcheck(f, (x, w)) and torch.autograd.gradgradcheck(f, (x, w))
