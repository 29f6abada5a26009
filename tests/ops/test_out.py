"""out=: what it may not share memory with, and which dtypes it may have."""

import pytest

import rushlight


@pytest.fixture(params=["rushlight", pytest.param("torch", marks=pytest.mark.oracle)])
def torch(request):
    return rushlight if request.param == "rushlight" else pytest.importorskip("torch")


@pytest.mark.parametrize(
    "call",
    [
        lambda torch, x, i: torch.kthvalue(x, 2, out=(x, torch.empty(0, dtype=torch.int64))),
        lambda torch, x, i: torch.masked_select(x, x > 0, out=x),
        lambda torch, x, i: torch.take(x, i, out=x),
        lambda torch, x, i: torch.index_select(x, 0, i, out=x),
        lambda torch, x, i: torch.gather(i, 0, i[1:], out=i[:1]),
        lambda torch, x, i: torch.cat((x, x), out=x[:2]),
        lambda torch, x, i: torch.stack((x, x), out=x),
        lambda torch, x, i: torch.index_select(x, 0, i, out=torch.zeros(1).expand(3)),
    ],
)
def test_out_apart_from_the_arguments(torch, call):
    with pytest.raises(RuntimeError, match="single memory location"):
        call(torch, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2, 1, 0]))


@pytest.mark.parametrize(
    "call",
    [
        lambda torch, x, i, out: torch.kthvalue(x, 2, out=(out, torch.empty(0, dtype=torch.int64))),
        lambda torch, x, i, out: torch.masked_select(x, x > 0, out=out),
        lambda torch, x, i, out: torch.take(x, i, out=out),
        lambda torch, x, i, out: torch.index_select(x, 0, i, out=out),
        lambda torch, x, i, out: torch.gather(x, 0, i, out=out),
        lambda torch, x, i, out: torch.multinomial(x, 2, out=out),
        lambda torch, x, i, out: torch.complex(x, x, out=torch.empty(3, dtype=torch.complex128)),
        lambda torch, x, i, out: torch.polar(x, x, out=torch.empty(3, dtype=torch.complex128)),
        lambda torch, x, i, out: torch.aminmax(x, dim=0, out=(out, out)),
    ],
)
def test_out_of_the_dtype_of_the_result(torch, call):
    with pytest.raises(RuntimeError):
        call(torch, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2, 1, 0]), torch.empty(0, dtype=torch.float64))


def test_out_of_a_pointwise_operator_may_be_its_argument(torch):
    x = torch.tensor([1.0, 2.0])
    assert torch.add(x, x, out=x) is x and x.tolist() == [2.0, 4.0]
