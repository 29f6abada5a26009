"""The cross entropy of a linear map's output: by rows, and all at once."""

import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.nn import LinearCrossEntropyOptions as Options
from rushlight.nn import functional as F
from tests.nn.oracle import compare_call, torch

VARIANTS = {
    "mean": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "bias": {"linear_bias": torch.randn(6)},
    "weight": {"weight": torch.rand(6)},
    "ignored": {"ignore_index": 2, "weight": torch.rand(6)},
}


def operands(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x, w = (torch.randn(n, 3, generator=generator).requires_grad_() for n in (7, 6))
    return [x, w, torch.tensor([0, 2, 5, 1, 2, 3, 4])]


@pytest.mark.oracle
@pytest.mark.parametrize("rows", [None, 1, 3, 100])
@pytest.mark.parametrize("variant", VARIANTS)
def test_against_pytorch(variant, rows):
    def ours(*args, **kwargs):
        options = None if rows is None else Options(batch_chunk_size=rows)
        return F.linear_cross_entropy(*args, options=options, **kwargs)

    compare_call(ours, torch.nn.functional.linear_cross_entropy, operands(), VARIANTS[variant])


@pytest.mark.oracle
def test_logits_of_several_dimensions_and_one_sample():
    x, target = torch.randn(4, 3), torch.randint(6, (4, 2))
    compare_call(F.linear_cross_entropy, torch.nn.functional.linear_cross_entropy, [x, torch.randn(6, 2, 3), target])
    compare_call(
        F.linear_cross_entropy, torch.nn.functional.linear_cross_entropy, [x[0], torch.randn(6, 3), target[0, 0]]
    )


@pytest.mark.parametrize("method", ["auto", "aspect_ratio", "aspect_ratio:4"])
def test_the_method_finds_the_rows(method):
    x, w, y = rushlight.randn(64, 4), rushlight.randn(32, 4), rushlight.arange(64) % 32
    whole = F.linear_cross_entropy(x, w, y)
    assert rushlight.allclose(F.linear_cross_entropy(x, w, y, options=Options(chunking_method=method)), whole)


def test_derivatives_by_rows():
    x, w, b = (rushlight.randn(n, dtype=rushlight.float64, requires_grad=True) for n in ((5, 3), (4, 3), (4,)))
    target = rushlight.tensor([0, 3, 1, 1, 2])

    def loss(x, w, b):
        return F.linear_cross_entropy(x, w, target, linear_bias=b, options=Options(batch_chunk_size=2))

    assert gradcheck(loss, [x, w, b])
    assert gradgradcheck(loss, [x, w, b])


def test_the_layer_learns():
    rushlight.manual_seed(0)
    loss = rushlight.nn.LinearCrossEntropyLoss(4, 4, bias=True, options=Options(batch_chunk_size=1))
    optimizer = rushlight.optim.Adam(loss.parameters(), lr=0.1)
    x, y = rushlight.eye(4), rushlight.arange(4)
    for _ in range(50):
        optimizer.zero_grad()
        value = loss(x, y)
        value.backward()
        optimizer.step()
    assert value.item() < 0.1


def test_what_options_cannot_do_is_done_at_once():
    x, w, y = rushlight.randn(4, 3), rushlight.randn(5, 3), rushlight.tensor([0, 1, 2, 3])
    with pytest.warns(UserWarning, match="options ignored"):
        F.linear_cross_entropy(x, w, y, label_smoothing=0.1, options=Options())


def test_errors():
    x, w, y = rushlight.zeros(2, 3), rushlight.zeros(5, 3), rushlight.tensor([0, 5])
    with pytest.raises(IndexError, match="target must be from 0 to 4"):
        F.linear_cross_entropy(x, w, y, options=Options())
    with pytest.raises(RuntimeError, match="last dimensions"):
        F.linear_cross_entropy(x, rushlight.zeros(5, 4), y)
    with pytest.raises(RuntimeError, match="ignore_index cannot be specified"):
        F.linear_cross_entropy(x, w, rushlight.zeros(2, 5), ignore_index=1)
    with pytest.raises(ValueError, match="different sizes of a chunk"):
        F.linear_cross_entropy(x, w, y, options=Options(batch_chunk_size=2, chunking_method="aspect_ratio:9"))
    for wrong in ({"batch_chunk_size": 0}, {"chunking_method": "rows"}, {"acc_policy": "best"}, {"acc_dtype": int}):
        with pytest.raises(ValueError, match=r"must be|invalid"):
            Options(**wrong)
