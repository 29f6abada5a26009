"""Bits of any width, which are read as words, and sorting of long lines, which goes digit by digit, against PyTorch."""

import numpy
import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

WHOLE = ("bool", "uint8", "int8", "int16", "int32", "int64")


def both(array):
    return rushlight.from_numpy(array.copy()), torch.from_numpy(array.copy())


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 1025, 70_001])
def test_bitwise(dtype, count):
    source = numpy.random.default_rng(count)
    (a, ta), (b, tb) = (both(source.integers(0, 2 if dtype == "bool" else 100, count).astype(dtype)) for _ in range(2))
    number = True if dtype == "bool" else 77
    for name in ("and", "or", "xor"):
        f, tf = (getattr(t, f"bitwise_{name}") for t in (rushlight, torch))
        assert f(a, b).tolist() == tf(ta, tb).tolist()
        assert f(a, number).tolist() == tf(ta, number).tolist()
        assert f(a[1:], b[1:]).tolist() == tf(ta[1:], tb[1:]).tolist()  # not at the start of a word
        logical, torch_logical = (getattr(t, f"logical_{name}") for t in (rushlight, torch))
        assert logical(a, b).tolist() == torch_logical(ta, tb).tolist()
    assert (~a).tolist() == (~ta).tolist()
    assert a.logical_not().tolist() == ta.logical_not().tolist()
    a &= b
    ta &= tb
    assert a.tolist() == ta.tolist()


def test_logic_in_place_keeps_the_dtype():
    a = rushlight.tensor([0.0, 2.0, 3.0])
    assert a.logical_and_(rushlight.tensor([1.0, 0.0, 5.0])).tolist() == [0.0, 0.0, 1.0]
    assert a.logical_not_().tolist() == [1.0, 1.0, 0.0] and a.dtype == rushlight.float32


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("count", [255, 256, 5000])
def test_sort_is_stable_in_both_directions(dtype, count):
    source = numpy.random.default_rng(count)
    array = source.integers(-50 if dtype[0] != "u" else 0, 50, (3, count)).astype(dtype)
    if dtype[0] == "f":
        array[:, ::7] *= 1e-3
        array[0, :5], array[1, 3], array[2, 9:11] = [numpy.nan, -0.0, 0.0, numpy.inf, -numpy.inf], numpy.nan, -0.0
    ours, theirs = both(array)
    for descending in (False, True):
        values, places = rushlight.sort(ours, descending=descending, stable=True)
        expected, expected_places = torch.sort(theirs, descending=descending, stable=True)
        assert places.tolist() == expected_places.tolist()
        numpy.testing.assert_array_equal(values.numpy(), expected.numpy())
    numpy.testing.assert_array_equal(rushlight.sort(ours.T, 0)[0].numpy(), torch.sort(theirs.T, 0)[0].numpy())
    numpy.testing.assert_array_equal(rushlight.topk(ours, 40)[0].numpy(), torch.topk(theirs, 40)[0].numpy())


def test_clamp_between_shares_no_gradient():
    x = rushlight.tensor([-2.0, 0.5, 3.0], dtype=rushlight.float64, requires_grad=True)
    low = rushlight.tensor(-1.0, dtype=rushlight.float64, requires_grad=True)
    high = rushlight.tensor(1.0, dtype=rushlight.float64, requires_grad=True)
    x.clamp(low, high).sum().backward()
    assert (x.grad.tolist(), low.grad.item(), high.grad.item()) == ([0.0, 1.0, 0.0], 1.0, 1.0)


def test_sizes_and_bits_that_do_not_fit_are_refused():
    with pytest.raises(RuntimeError, match="representable"):
        rushlight.ones(3).repeat(2**62)
    with pytest.raises(RuntimeError, match="must be integer"):
        rushlight._core.bitwise_invert(rushlight.tensor([True, False]))
    assert rushlight.tensor([2**62, 2**62]).sum().item() == -(2**63)  # wraps around, as PyTorch's does
    assert rushlight.arange(4)[slice(3, None, 2**62)].tolist() == [3]
