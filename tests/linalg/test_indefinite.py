"""LDL factors: against PyTorch, and the systems that they solve."""

import pytest

import rushlight as torch

pytest.importorskip("scipy")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (0, 0), (2, 0, 0)])
def test_factors_solve_the_system(dtype, hermitian, shape):
    a = torch.randn(shape, dtype=dtype)
    a = a + (a.mH if hermitian else a.mT)
    b = torch.randn(*shape[:-1], 2, dtype=dtype)
    packed, pivots, info = torch.linalg.ldl_factor_ex(a, hermitian=hermitian)
    x = torch.linalg.ldl_solve(packed, pivots, b, hermitian=hermitian)
    assert torch.allclose(a @ x, b, atol=1e-3) and not info.any()


@pytest.mark.oracle
def test_factors_are_pytorch_s():
    oracle = pytest.importorskip("torch")
    for a in ([[0.0, 1.0], [1.0, 0.0]], [[2.0, 1.0], [1.0, -3.0]], [[0.0, 0.0], [0.0, 0.0]]):
        found, expected = torch.linalg.ldl_factor_ex(torch.tensor(a)), oracle.linalg.ldl_factor_ex(oracle.tensor(a))
        for x, y in zip(found, expected, strict=True):
            assert x.tolist() == y.tolist()


@pytest.mark.parametrize("pivots", [[3, 1], [1, -2], [0, 1], [-2, 1]])
def test_pivots_that_are_none_are_refused(pivots):
    with pytest.raises(RuntimeError, match="pivots must be those of ldl_factor"):
        torch.linalg.ldl_solve(torch.eye(2), torch.tensor(pivots), torch.ones(2, 1))


def test_errors():
    with pytest.raises(torch.linalg.LinAlgError, match="zero on its diagonal"):
        torch.linalg.ldl_factor(torch.zeros(2, 2))
    with pytest.raises(RuntimeError, match="Expected pivots to be integers"):
        torch.linalg.ldl_solve(torch.eye(2), torch.ones(2), torch.ones(2, 1))
    with pytest.raises(RuntimeError, match="with 2 rows"):
        torch.linalg.ldl_solve(torch.eye(2), torch.tensor([1, 2]), torch.ones(3, 1))
