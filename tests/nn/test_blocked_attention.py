"""Attention by blocks: the values of PyTorch, the derivatives of the plain form, memory that grows with the length."""

import os
import re
import subprocess
import sys

import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.nn import functional as F
from rushlight.nn.functional import blocked_attention
from tests.nn.oracle import compare_call, torch

CASES = {
    "plain": ((2, 3, 20, 4), (2, 3, 30, 4), {}),
    "causal": ((2, 3, 20, 4), (2, 3, 20, 4), {"is_causal": True}),
    "causal, more keys": ((2, 3, 20, 4), (2, 3, 30, 4), {"is_causal": True}),
    "causal, fewer keys": ((2, 3, 30, 4), (2, 3, 20, 4), {"is_causal": True}),
    "no batch": ((40, 4), (50, 4), {}),
    "grouped heads": ((2, 4, 30, 4), (2, 2, 20, 4), {"enable_gqa": True, "scale": 0.3}),
    "many small samples": ((40, 3, 4), (40, 3, 4), {}),
}
MASKS = {
    "bool for all": torch.rand(30, 20, generator=torch.Generator().manual_seed(0)) > 0.5,
    "bool for keys, some blind": torch.rand(2, 1, 1, 20, generator=torch.Generator().manual_seed(0)) > 0.9,
    "numbers for heads": torch.randn(3, 30, 20, dtype=torch.float64),
    "numbers for queries": torch.randn(2, 1, 30, 1, dtype=torch.float64),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocked_attention, "_SCORES_AT_ONCE", 200)


def randn(*shape, seed):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def compare(query, key, kwargs):
    inputs = [randn(*query, seed=0), randn(*key, seed=1), randn(*key[:-1], 5, seed=2)]
    compare_call(F.scaled_dot_product_attention, torch.nn.functional.scaled_dot_product_attention, inputs, kwargs)


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_against_pytorch(case):
    compare(*CASES[case])


@pytest.mark.oracle
@pytest.mark.parametrize("mask", MASKS)
def test_masks(mask):
    compare((2, 3, 30, 4), (2, 3, 20, 4), {"attn_mask": MASKS[mask]})


@pytest.mark.parametrize("wrong", [(30, 19), (31, 20), (5, 30, 20)])
def test_a_mask_that_does_not_fit(wrong):
    query, key = rushlight.randn(2, 30, 4), rushlight.randn(2, 20, 4)
    with pytest.raises(RuntimeError, match="broadcast"):
        F.scaled_dot_product_attention(query, key, key, rushlight.ones(wrong, dtype=rushlight.bool))


def test_key_and_value_of_other_lengths():
    query = rushlight.randn(2, 30, 4)
    with pytest.raises(RuntimeError, match="query must be"):
        F.scaled_dot_product_attention(query, query, rushlight.randn(2, 40, 4))


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"dropout_p": 0.3}])
def test_derivatives(options):
    inputs = [rushlight.randn(2, 12, 3, dtype=rushlight.float64, requires_grad=True) for _ in range(3)]

    def attention(*inputs):
        rushlight.manual_seed(0)
        return F.scaled_dot_product_attention(*inputs, **options)

    assert gradcheck(attention, inputs)
    assert gradgradcheck(attention, inputs)


@pytest.mark.parametrize("masks", [1, 3])
def test_derivatives_of_a_mask(masks):
    query = rushlight.randn(3, 12, 2, dtype=rushlight.float64)
    mask = rushlight.randn(masks, 12, 12, dtype=rushlight.float64, requires_grad=True)
    assert gradcheck(lambda mask: F.scaled_dot_product_attention(query, query, query, mask), [mask])


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak of a process is read from /proc")
def test_memory_grows_with_the_length():
    """16,384 queries and keys: the scores alone would be 1 GiB; of 8,192, with their gradients, more than that."""
    program = (
        "import rushlight as torch\n"
        "attention = torch.nn.functional.scaled_dot_product_attention\n"
        "x = torch.randn(1, 16384, 2)\n"
        "attention(x, x, x, is_causal=True)\n"
        "x = torch.randn(1, 8192, 2, requires_grad=True)\n"
        "attention(x, x, x).sum().backward()\n"
        "print(open('/proc/self/status').read())"
    )
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert int(re.search(r"VmHWM:\s+(\d+) kB", found.stdout)[1]) < 200_000
