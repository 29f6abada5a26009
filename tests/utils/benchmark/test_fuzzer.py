"""Fuzzer: for one seed the same tensors as PyTorch's, number for number."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.utils import benchmark
from rushlight.utils.benchmark import FuzzedParameter, FuzzedSparseTensor, FuzzedTensor, Fuzzer, ParameterAlias


def fuzzer(m, t, seed):
    parameters = [
        m.FuzzedParameter("dim", 1, 3, distribution="uniform", strict=True),
        [m.FuzzedParameter(f"k{i}", 1, 64, distribution="loguniform") for i in range(3)],
        m.FuzzedParameter("step", 1, 3, distribution="uniform"),
        m.FuzzedParameter("p", 0.0, 1.0, distribution="uniform"),
    ]
    tensors = [
        m.FuzzedTensor("x", ("k0", "k1", "k2"), ("step", 2), 0.25, 4, 5000, 1 << 20, dim_parameter="dim"),
        m.FuzzedTensor("i", ("k0", 3), dtype=t.int64, probability_contiguous=0),
        m.FuzzedTensor("made", ("k1",), tensor_constructor=lambda size, dtype, p, **_: t.full(size, p, dtype=dtype)),
    ]
    return m.Fuzzer(parameters, tensors, [lambda params: params["k0"] != 7], seed)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_same_tensors(seed):
    oracle = pytest.importorskip("torch")
    import torch.utils.benchmark as oracle_benchmark

    ours, theirs = fuzzer(benchmark, torch, seed), fuzzer(oracle_benchmark, oracle, seed)
    for a, b in zip(ours.take(12), theirs.take(12), strict=True):
        assert a[2] == b[2]
        for name in b[0]:
            assert a[0][name].stride() == b[0][name].stride()
            np.testing.assert_array_equal(a[0][name].numpy(), b[0][name].numpy())
            about, expected = a[1][name], b[1][name]
            assert about.pop("order").tolist() == expected.pop("order").tolist() and about == expected
    assert ours.rejection_rate == theirs.rejection_rate > 0


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # of PyTorch's
def test_the_same_sparse_tensors():
    oracle = pytest.importorskip("torch")
    import torch.utils.benchmark as oracle_benchmark

    def drawn(m, t):
        parameters = [
            m.FuzzedParameter("n", 4, 20, distribution="uniform"),
            m.FuzzedParameter("density", 0.1, 0.5, distribution="uniform"),
            m.FuzzedParameter("coalesced", 0, 1, distribution="uniform"),
            m.FuzzedParameter("sparse_dim", 1, 2, distribution="uniform"),
        ]
        tensors = [m.FuzzedSparseTensor("x", ("n", "n"), sparse_dim="sparse_dim", coalesced="coalesced")]
        for tensors_, about, _ in m.Fuzzer(parameters, tensors, seed=3).take(8):
            yield tensors_["x"].to_dense().tolist(), {k: v for k, v in about["x"].items() if k != "shape"}

    assert list(drawn(benchmark, torch)) == list(drawn(oracle_benchmark, oracle))


def test_choices_and_aliases():
    parameters = [
        FuzzedParameter("n", 2, 9, distribution="uniform"),
        FuzzedParameter("m", distribution={1: 0.5, ParameterAlias("n"): 0.5}),
    ]
    seen = {params["m"] == 1 or params["m"] == params["n"] for *_, params in Fuzzer(parameters, [], seed=0).take(20)}
    assert seen == {True}
    assert repr(ParameterAlias("n")) == "ParameterAlias[alias_to: n]"
    circle = [FuzzedParameter(a, distribution={ParameterAlias(b): 1.0}) for a, b in ("xy", "yx")]
    with pytest.raises(ValueError, match="cycle"):
        next(Fuzzer(circle, []).take(1))


def test_errors():
    for wrong in ({"distribution": "normal"}, {"distribution": {1: 0.5}}, {"minval": 1, "distribution": {1: 1.0}}):
        with pytest.raises(AssertionError, match="FuzzedParameter"):
            FuzzedParameter("x", **wrong)
    n = FuzzedParameter("n", 1, 2, distribution="uniform")
    with pytest.raises(ValueError, match="names of their own"):
        Fuzzer([n], [FuzzedTensor("n", (2,))])
    with pytest.raises(ValueError, match="Failed to generate"):
        next(Fuzzer([n], [FuzzedTensor("x", ("n",), min_elements=3)]).take(1))
    with pytest.raises(AssertionError, match="density must be at most 1"):
        sparse = FuzzedSparseTensor("x", (2,))
        sparse._make_tensor({"density": 2.0, "coalesced": True}, None)
