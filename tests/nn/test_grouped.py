"""Products in groups and with scales against PyTorch's."""

import pytest

import rushlight
from rushlight.nn import functional as F
from tests.nn.oracle import compare_call, torch


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("a", "b", "ends"),
    [
        ((2, 8, 8), (2, 8, 16), None),
        ((16, 8), (2, 8, 16), [8, 16]),
        ((8, 16), (16, 8), [8, 16]),
        ((2, 8, 8), (8, 16), [8, 16]),
    ],
)
def test_grouped_mm(a, b, ends):
    kwargs = {} if ends is None else {"offs": torch.tensor(ends, dtype=torch.int32)}
    inputs = [torch.randn(shape).requires_grad_() for shape in (a, b)]
    compare_call(F.grouped_mm, torch.nn.functional.grouped_mm, inputs, kwargs, 1e-4, 1e-5)


def test_rows_after_the_last_group_are_zero():
    a, b = rushlight.ones(5, 2), rushlight.ones(2, 2, 3)
    result = F.grouped_mm(a, b, offs=rushlight.tensor([1, 3], dtype=rushlight.int32))
    assert result.sum(1).tolist() == [6.0, 6.0, 6.0, 0.0, 0.0]


def test_scales():
    a, b = rushlight.randn(4, 8), rushlight.randn(8, 5)
    rows, columns = rushlight.rand(4, 1), rushlight.rand(1, 5)
    kind = F.ScalingType.RowWise
    result = F.scaled_mm(a, b, rows, kind, columns, kind, output_dtype=rushlight.float32)
    assert rushlight.allclose(result, (a * rows) @ (b * columns), atol=1e-6)
    grouped = F.scaled_grouped_mm(a[None], b[None], rows, kind, columns, kind, output_dtype=rushlight.float32)
    assert rushlight.equal(grouped[0], result)


def test_errors():
    a, one = rushlight.ones(2, 2), rushlight.ones(1)
    with pytest.raises(RuntimeError, match="offs must be given"):
        F.grouped_mm(a, a)
    with pytest.raises(RuntimeError, match="inner dimensions must agree"):
        F.grouped_mm(a[None], rushlight.ones(1, 3, 2))
    with pytest.raises(NotImplementedError, match="TensorWise or RowWise"):
        F.scaled_mm(a, a, one, F.ScalingType.BlockWise1x16, one, F.ScalingType.TensorWise)
    with pytest.raises(ValueError, match="wants 2 scales"):
        F.scaled_mm(a, a, one, F.ScalingType.RowWise, one, F.ScalingType.TensorWise)
