"""Products of matrices beyond what every row is tested for."""

import pytest

import rushlight as torch


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("factors", [{}, {"alpha": 2.0315}, {"beta": 3.4445}, {"alpha": 0.3, "beta": -4.775}], ids=str)
def test_half_types_round_once(dtype, factors):
    torch.manual_seed(0)
    a, b, c = (torch.randn(16, 16).to(dtype) for _ in range(3))
    expected = torch.addmm(c.float(), a.float(), b.float(), **factors).to(dtype)
    received = torch.addmm(c, a, b, **factors)
    # Sums of another order may fall on the other side of a rounding boundary, by one unit in the last place.
    assert torch.equal(received, expected) or torch.allclose(received, expected, rtol=torch.finfo(dtype).eps, atol=0)
    assert (received != expected).sum() <= 3


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1), (3, 4)], ids=str)
@pytest.mark.parametrize("beta", [0, 1, 0.5])
def test_addends_broadcast_and_are_left_alone(shape, beta):
    torch.manual_seed(0)
    start, column, row = torch.randn(shape), torch.randn(3), torch.randn(4)
    kept = start.clone()
    product = column[:, None] * row
    for received in (
        torch.addr(start, column, row, beta=beta, alpha=2.0),
        torch.addmm(start, column[:, None], row[None], beta=beta, alpha=2.0),
    ):
        torch.testing.assert_close(received, beta * start + 2 * product)
        assert received.is_contiguous() and received.shape == (3, 4)
    assert torch.equal(start, kept)
