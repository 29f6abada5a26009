"""Uninitialised tensors of a given layout, conversions by name, copies of a slice: against PyTorch."""

import pytest

import rushlight


@pytest.fixture(params=["rushlight", pytest.param("torch", marks=pytest.mark.oracle)])
def torch(request):
    return rushlight if request.param == "rushlight" else pytest.importorskip("torch")


@pytest.mark.parametrize(
    "size, layout, stride",
    [((2, 3, 5), (1, 2, 0), (1, 10, 2)), ((2, 3), (0, 1), (3, 1)), ((), (), ()), ((0, 2), (1, 0), None)],
)
def test_empty_permuted_lies_in_memory_as_asked(torch, size, layout, stride):
    made = torch.empty_permuted(size, layout, dtype=torch.float64, requires_grad=True)
    assert made.shape == size and made.dtype == torch.float64 and made.requires_grad
    assert stride is None or made.stride() == stride


@pytest.mark.parametrize("layout", [(0, 0), (0,), (0, 2)])
def test_empty_permuted_refuses_what_is_no_permutation(torch, layout):
    with pytest.raises((RuntimeError, IndexError)):
        torch.empty_permuted((2, 3), layout)


@pytest.mark.parametrize("name, dtype", [("byte", "uint8"), ("char", "int8"), ("half", "float16"), ("long", "int64")])
def test_conversions_by_name_take_a_memory_format(torch, name, dtype):
    x = torch.ones(1, 2, 3, 4)
    made = getattr(x, name)(memory_format=torch.channels_last)
    assert made.dtype == getattr(torch, dtype)
    assert made.stride() == (24, 1, 8, 2)


def test_narrow_copy_refuses_a_dimension_out_of_range(torch):
    with pytest.raises(RuntimeError, match="dim"):
        torch.narrow_copy(torch.ones(2, 3), 2, 0, 1)
