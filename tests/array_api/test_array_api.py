"""The array API namespace: what it changes of PyTorch's functions. (The standard's own suite checks the rest.)"""

import numpy
import pytest

import rushlight as torch

xp = torch.ones(1).__array_namespace__()


def test_the_namespace_is_whole():
    assert xp.__array_api_version__ == "2024.12"
    assert torch.ones(1).__array_namespace__(api_version="2022.12") is xp
    with pytest.raises(ValueError, match="api_version"):
        torch.ones(1).__array_namespace__(api_version="1999.01")
    missing = [name for name in xp.__all__ if name != "fft" and not hasattr(xp, name)]
    assert missing == []
    assert [name for name in xp.linalg.__all__ if not hasattr(xp.linalg, name)] == []


def test_zero_dimensional_arrays_promote_as_others_do():
    small, wide = xp.asarray([1], dtype=xp.int8), xp.asarray(1, dtype=xp.int16)
    assert xp.add(small, wide).dtype == xp.int16 and (small + wide).dtype == torch.int8
    assert xp.add(small, 1).dtype == xp.int8 and xp.add(2, small).tolist() == [3]
    assert xp.result_type(small, wide, 1) == xp.int16 and xp.result_type(xp.float32, 1j) == xp.complex64
    assert not xp.can_cast(wide, xp.int8) and xp.can_cast(small, xp.int16)
    with pytest.raises(ValueError, match="at least one"):
        xp.result_type(1, 2)


@pytest.mark.parametrize("x1", [numpy.inf, -numpy.inf, 1.0, -1.0, 0.0, -0.0, numpy.nan])
@pytest.mark.parametrize("x2", [numpy.inf, -numpy.inf, 2.0, -2.0])
def test_division_at_infinity(x1, x2):
    found = xp.floor_divide(xp.asarray(x1), xp.asarray(x2)).item()
    with numpy.errstate(invalid="ignore"):
        expected = numpy.floor(numpy.float64(x1) / x2)
    assert numpy.array_equal(found, expected, equal_nan=True)
    left = xp.remainder(xp.asarray(x1), xp.asarray(x2)).item()
    assert numpy.isnan(left) or left != 0 or numpy.signbit(left) == numpy.signbit(x2)


def test_reductions_take_several_axes_and_none():
    x = xp.reshape(xp.arange(24, dtype=xp.int32), (2, 3, 4))
    array = x.numpy()
    assert xp.sum(x, axis=(0, 2)).tolist() == array.sum((0, 2)).tolist() and xp.sum(x).dtype == xp.int64
    assert xp.prod(x[:, :2], axis=(0, 1)).tolist() == array[:, :2].prod((0, 1)).tolist()
    assert xp.prod(xp.asarray([2, 3], dtype=xp.uint8), dtype=xp.uint8).dtype == xp.uint8
    assert xp.max(x, axis=()).shape == x.shape and xp.all(x, axis=(1, 2), keepdims=True).shape == (2, 1, 1)
    assert xp.count_nonzero(x, axis=2).tolist() == numpy.count_nonzero(array, 2).tolist()
    assert xp.cumulative_sum(xp.asarray([1, 2]), include_initial=True).tolist() == [0, 1, 3]
    assert xp.argmax(x, keepdims=True).shape == (1, 1, 1)
    assert xp.var(xp.asarray([1.0, 3.0])).item() == 1.0


def test_sets():
    x = xp.asarray([[2, 1], [2, 3]])
    values, indices, inverse, counts = xp.unique_all(x)
    assert values.tolist() == [1, 2, 3] and indices.tolist() == [1, 0, 3] and counts.tolist() == [1, 2, 1]
    assert values[inverse].equal(x)
    assert xp.unique_values(xp.asarray([float("nan")] * 2)).shape == (2,)
    assert xp.unique_values(xp.asarray([1j, 1, 1j])).tolist() == [1j, 1]


def test_taking_and_repeating():
    x = xp.asarray([[1, 2, 3], [4, 5, 6]])
    assert xp.take(x, xp.asarray([2, -3]), axis=1).tolist() == [[3, 1], [6, 4]]
    assert xp.take_along_axis(x, xp.asarray([[1]]), axis=-1).tolist() == [[2], [5]]
    assert xp.repeat(x, xp.asarray([1, 2], dtype=xp.int8), axis=0).shape == (3, 3)
    assert xp.linalg.vecdot(x, x).tolist() == [14, 77]
    with pytest.raises(ValueError, match="axis must be given"):
        xp.take(x, xp.asarray([0]))
    with pytest.raises(ValueError, match="size 1"):
        xp.squeeze(x, 0)
    with pytest.raises(ValueError, match="without a copy"):
        xp.reshape(x.mT, (6,), copy=False)


def test_kinds_and_limits():
    assert xp.isdtype(xp.int8, ("bool", "signed integer")) and not xp.isdtype(xp.float32, "integral")
    with pytest.raises(ValueError, match="kind must be one of"):
        xp.isdtype(xp.int8, "whole")
    assert xp.finfo(xp.complex64).dtype == xp.float32 and xp.iinfo(xp.int8).max == 127
    info = xp.__array_namespace_info__()
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert info.default_dtypes()["integral"] == xp.int64 and info.devices() == [torch.device("cpu")]
    with pytest.raises(RuntimeError, match="16 dimensions"):
        xp.ones((1,) * (info.capabilities()["max dimensions"] + 1))
