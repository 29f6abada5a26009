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


def test_as_strided_and_resize_as_change_the_tensor_itself(torch):
    x = torch.arange(6)
    assert x.as_strided_((2, 2), (3, 1), 1) is x and x.tolist() == [[1, 2], [4, 5]]
    assert torch.arange(6)[2:].as_strided_((2,), (1,)).tolist() == [2, 3]
    y = torch.arange(4)
    assert torch.resize_as_(y, torch.zeros(2, 2)) is y and y.tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("stride", [2**63 - 1, 2**62])
def test_as_strided_refuses_strides_that_overflow(stride):
    with pytest.raises(RuntimeError, match="as_strided"):
        rushlight.arange(4).as_strided((2,), (stride,))


def test_as_strided_refuses_a_gradient():
    with pytest.raises(RuntimeError, match="gradient"):
        rushlight.ones(3, requires_grad=True).as_strided_((1,), (1,))


@pytest.mark.parametrize(
    "range_",
    [
        lambda torch: torch.arange(-0.9, 2.1, 2.0, dtype=torch.int64),
        lambda torch: torch.arange(0, 5, 1.5, dtype=torch.int64),
        lambda torch: torch.arange(0, 5, 1.5, dtype=torch.int32),
        lambda torch: torch.linspace(4.3, 50, 50, dtype=torch.int64),
        lambda torch: torch.linspace(torch.tensor(-0.5), torch.tensor(-3.7), 4, dtype=torch.int16, device="cpu"),
        lambda torch: torch.logspace(4.3, -3, 2, 3.0, dtype=torch.int64),
        lambda torch: torch.logspace(3.4, 1, 1, 10.0, dtype=torch.int64),
    ],
)
@pytest.mark.oracle
def test_ranges_of_integers_truncate_as_in_pytorch(range_):
    torch = pytest.importorskip("torch")
    assert range_(rushlight).tolist() == range_(torch).tolist()


def test_ranges_refuse_a_step_that_truncates_to_zero_and_tensors_with_dimensions(torch):
    with pytest.raises(ValueError, match="nonzero"):
        torch.arange(0, 4, 0.5, dtype=torch.int64)
    for range_ in (torch.linspace, torch.logspace):
        with pytest.raises(RuntimeError, match="0-dim"):
            range_(torch.tensor([1, 2]), 3, 4)


def test_fill_writes_an_expanded_tensor(torch):
    x = torch.zeros(2, 1)
    x.expand(2, 3).fill_(3.0)
    assert x.tolist() == [[3.0], [3.0]]
    x.unfold(0, 1, 1).zero_()
    assert x.tolist() == [[0.0], [0.0]]
    with pytest.raises(RuntimeError, match="single memory location"):
        x.expand(2, 3).add_(1)


@pytest.mark.parametrize("dtype", ["int16", "uint8", "int64"])
def test_unravel_index_gives_int64(torch, dtype):
    coordinates = torch.unravel_index(torch.tensor([200], dtype=getattr(torch, dtype)), (2, 300))
    assert [x.tolist() for x in coordinates] == [[0], [200]] and coordinates[0].dtype == torch.int64
