"""Linear algebra against PyTorch: what is unique of each result, and its gradient."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")

# a [2, 3, 3] any matrix, h Hermitian, p positive definite, t [2, 4, 3] tall, b [2, 3, 2]: real, or complex.
EXPRESSIONS = """
linalg.inv(a)
linalg.det(a)
linalg.slogdet(a)
linalg.solve(a, b)
linalg.solve(a, b.mT, left=False)
linalg.solve_triangular(a, b, upper=True)
linalg.solve_triangular(a, b, upper=False, unitriangular=True)
linalg.cholesky(p)
linalg.cholesky(p, upper=True)
linalg.qr(t).R.abs()
linalg.qr(t.mT).R.abs()
linalg.svdvals(t)
linalg.svd(t, full_matrices=False).U.abs()
linalg.svd(t).Vh.abs()
linalg.eigh(h).eigenvalues
linalg.eigh(h).eigenvectors.abs()
linalg.eigvalsh(h, UPLO="U")
linalg.pinv(t)
linalg.lstsq(t, t @ b).solution
linalg.lu(t)
linalg.lu(t.mT)
linalg.lu_factor(a)[0]
linalg.matrix_exp(a)
linalg.matrix_power(a, -2)
linalg.matrix_power(a, 0)
linalg.matrix_norm(t, "nuc")
linalg.matrix_norm(t, 1)
linalg.matrix_norm(t, -2, keepdim=True)
linalg.norm(t, dim=1)
linalg.cond(a)
linalg.cond(a.detach(), 1)
linalg.householder_product(t.tril(-1), t[:, 0])
linalg.multi_dot([a[0], b[0], b[1].mT])
linalg.vecdot(b, b)
linalg.cross(a, a.flip(0))
linalg.vander(b[0, :, 0], N=4)
linalg.tensorinv(a[0], ind=1)
linalg.matrix_rank(t)
""".strip().splitlines()


def evaluate(package, expression, complex_):
    r = np.random.default_rng(3)

    def draw(*shape):
        return r.normal(size=shape) + (1j * r.normal(size=shape) if complex_ else 0)

    made = [package.tensor(draw(*shape), requires_grad=True) for shape in ((2, 3, 3), (2, 4, 3), (2, 3, 2))]
    a, t, b = made
    names = {"a": a, "t": t, "b": b, "h": a + a.mH, "p": a @ a.mH + package.eye(3), "linalg": package.linalg}
    results = eval(expression, names)
    results = results if isinstance(results, tuple) else (results,)
    parts = [(x * x.conj()).real.sum() for x in results if x.requires_grad]
    if parts:
        sum(parts).backward()
    return [x.detach().resolve_conj().numpy() for x in results], [x.grad for x in made]


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_agrees_with_torch(expression, complex_):
    ours, our_gradients = evaluate(rushlight, expression, complex_)
    theirs, their_gradients = evaluate(torch, expression, complex_)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)
    for received, expected in zip(our_gradients, their_gradients, strict=True):
        assert (received is None) == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(received.numpy(), expected.numpy(), rtol=1e-7, atol=1e-8)


def test_eigenvectors_satisfy_their_equation():
    a = rushlight.tensor(np.random.default_rng(0).normal(size=(2, 4, 4)))
    values, vectors = rushlight.linalg.eig(a)
    residue = a.to(rushlight.complex128) @ vectors - vectors * values.unsqueeze(-2)
    assert residue.abs().max().item() < 1e-12


def test_eigenvalues_have_gradients():
    start = np.random.default_rng(0).normal(size=(3, 3))
    a = rushlight.tensor(start, requires_grad=True)
    b = torch.tensor(start, requires_grad=True)
    for x, package in ((a, rushlight), (b, torch)):
        (package.linalg.eigvals(x).abs() ** 3).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-10)


def test_determinant_of_a_singular_matrix_has_its_gradient():
    a = rushlight.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    rushlight.linalg.det(a).backward()
    np.testing.assert_allclose(a.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-5)


def test_a_product_of_no_reflections_is_on_the_tape():
    x = rushlight.ones(3, 2, requires_grad=True)
    rushlight.linalg.householder_product(x, rushlight.empty(0)).sum().backward()
    assert x.grad.tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("size", [(0,), (3,), (2, 2)])
def test_second_gradients_of_a_norm_at_zero_are_pytorch_s(size):
    def second(package):
        x = package.zeros(size, dtype=package.float64, requires_grad=True)
        gy = package.ones((), dtype=package.float64, requires_grad=True)
        (first,) = package.autograd.grad(package.linalg.norm(x), x, gy, create_graph=True)
        return [g.numpy() for g in package.autograd.grad(first.sum(), (x, gy))]

    for ours, theirs in zip(second(rushlight), second(torch), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_gradients_of_gradients():
    a = rushlight.tensor(np.random.default_rng(1).normal(size=(3, 3)) + 3 * np.eye(3), requires_grad=True)
    for f in (
        rushlight.linalg.inv,
        rushlight.linalg.det,
        lambda x: rushlight.linalg.cholesky(x @ x.mT),
        rushlight.linalg.svdvals,
    ):
        assert rushlight.autograd.gradgradcheck(f, (a,))


@pytest.mark.parametrize("name, matrix", [("inv", [[0.0]]), ("cholesky", [[-1.0]]), ("solve", [[0.0]])])
def test_impossible_matrices_raise(name, matrix):
    arguments = [rushlight.tensor(matrix)] * (2 if name == "solve" else 1)
    with pytest.raises(rushlight.linalg.LinAlgError):
        getattr(rushlight.linalg, name)(*arguments)


def test_info_names_the_failing_place():
    assert rushlight.linalg.inv_ex(rushlight.diag(rushlight.tensor([1.0, 0.0]))).info.item() == 2
    assert rushlight.linalg.cholesky_ex(rushlight.diag(rushlight.tensor([1.0, -1.0]))).info.item() == 2


def test_shapes_and_dtypes_are_checked():
    for bad in (rushlight.ones(2, 3), rushlight.ones(2), rushlight.ones(2, 2, dtype=rushlight.int64)):
        with pytest.raises(RuntimeError):
            rushlight.linalg.inv(bad)
