"""Operators in Python: one expression, evaluated by both packages, with its gradients."""

import math

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")

# x [3, 4] and y [3, 4] need gradients; v [4] too; i [3, 4] are integers in [0, 3), m [3, 4] is bool.
EXPRESSIONS = """
torch.isclose(x, x + 1e-9)
torch.isclose(i, i + 1, rtol=1.0)
torch.allclose(x, y)
torch.equal(i, i.clone())
torch.isin(i, torch.tensor([0, 2]))
torch.isin(i.repeat(40, 40), torch.arange(1, 60), invert=True)
torch.div(x, y, rounding_mode="floor")
torch.div(i, 2, rounding_mode="trunc")
torch.true_divide(i, 2)
torch.clamp(x, -0.5, 0.5)
torch.clip(x, max=v)
x.clamp(min=y)
torch.where(m, x, 0.0)
torch.where(m)
x.where(m, y)
torch.rsub(x, 2, alpha=3)
torch.float_power(i, 2)
torch.ldexp(x, i)
torch.frexp(x)
torch.mvlgamma(x.abs() + 2, 2)
torch.dist(x, y, 3)
torch.cdist(x, y, 1.0)
torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist")
torch.cross(x[:, :3], y[:, :3], dim=1)
torch.flatten(x.reshape(3, 2, 2), 1)
torch.unflatten(x, 1, (2, -1))
torch.movedim(x.reshape(3, 2, 2), (0, 1), (2, 0))
torch.tile(x, (2, 1, 2))
torch.atleast_3d(v)
torch.rot90(x, 3)
torch.split(x, 3, 1)
torch.split(x, [1, 3], 1)
torch.chunk(x, 3, 1)
torch.tensor_split(x, (1, 3), 1)
torch.hsplit(x, 2)
torch.unbind(x, 1)
torch.diag(v, 1)
torch.diag(x)
torch.diag_embed(x, 1, 0, 2)
torch.diagonal_scatter(x, v[:3])
torch.select_scatter(x, v, 0, 1)
torch.slice_scatter(x, y[:, :2], 1, 0, 4, 2)
torch.block_diag(x, v)
torch.meshgrid(v, v[:2], indexing="xy")
torch.cartesian_prod(v, v[:2])
torch.combinations(v, 2, True)
torch.vander(v.detach(), 3)
torch.tril_indices(3, 4, 1)
torch.hstack([x, y])
torch.vstack([v, x])
torch.dstack([x, y])
torch.column_stack([v, v])
torch.nonzero(m, as_tuple=True)
torch.scatter(x, 1, i, y)
torch.scatter(x.detach(), 1, i, 2.0, reduce="add")
torch.take_along_dim(x, i, 1)
torch.index_reduce(x, 0, torch.tensor([0, 2]), y[:2], "amax")
torch.unravel_index(i, (2, 2))
torch.max(x)
torch.max(x, 1)
torch.min(x, 0, True)
torch.max(x, y)
torch.aminmax(x, dim=1)
torch.var(x, 0, unbiased=False)
torch.std(x, False)
torch.var_mean(x, 1, correction=0)
torch.cov(x)
torch.corrcoef(x)
torch.norm(x, 3, 1)
torch.norm(x)
torch.renorm(x, 2, 0, 0.5)
torch.nansum(torch.where(m, math.nan, x), 1)
torch.nanmean(torch.where(m, math.nan, x))
torch.quantile(x, torch.tensor([0.1, 0.7], dtype=x.dtype), 1)
torch.nanquantile(x, 0.3, 0, True, interpolation="midpoint")
torch.histogram(x.detach(), 4, density=True)
torch.histogramdd(x.detach()[:, :2], [y[0].detach(), torch.tensor([1.0, -1.0, 0.5], dtype=x.dtype)])
torch.diff(x, 2, prepend=y)
torch.diff(x, 0, prepend=y)
torch.gradient(x, spacing=[torch.tensor([0.0, 1.0, 3.0], dtype=x.dtype), v.detach().cumsum(0)], edge_order=2)
torch.trapezoid(x, v.detach())
torch.cumulative_trapezoid(x, dx=0.5, dim=0)
torch.argsort(x, 1, True)
torch.msort(x)
torch.median(x)
torch.nanmedian(x, 1)
torch.unique(i, return_inverse=True, return_counts=True)
torch.unique(i, dim=1)
torch.unique_consecutive(i)
torch.einsum("ij,kj->ik", x, y)
torch.einsum("ij,ij", x, y)
torch.einsum("...j,j->...", x, v)
torch.einsum("ii->i", x[:, :3])
torch.einsum("ij,kj,j->ki", x, y, v)
torch.einsum(x, [0, 1], y, [2, 1], [0, 2])
torch.tensordot(x, y, ([0], [0]))
torch.inner(x, v)
torch.kron(x, v)
torch.chain_matmul(x, y.t(), x)
torch.matrix_power(x[:, :3], 3)
torch.prelu(x, v)
""".strip().splitlines()


def arguments(package):
    """The names that an expression may use, made by one of the packages from the same numbers."""
    r = np.random.default_rng(7)
    floats = {name: r.normal(size=shape) for name, shape in (("x", (3, 4)), ("y", (3, 4)), ("v", (4,)))}
    leaves = {name: package.tensor(values, requires_grad=True) for name, values in floats.items()}
    others = {"i": package.tensor(r.integers(0, 3, (3, 4))), "m": package.tensor(r.random((3, 4)) < 0.5)}
    return leaves, {**leaves, **others, "torch": package, "math": math}


def parts(result):
    return [p for r in result for p in parts(r)] if isinstance(result, (tuple, list)) else [result]


def evaluate(package, expression):
    """The results, and the gradients of the leaves."""
    leaves, names = arguments(package)
    results = parts(eval(expression, names))
    total = sum((r * r).sum() for r in results if getattr(r, "requires_grad", False))
    if not isinstance(total, int):
        total.backward()
    return results, {name: leaf.grad for name, leaf in leaves.items()}


@pytest.mark.filterwarnings("ignore:.*deprecated", "ignore:.*beta")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_agrees_with_torch(expression):
    ours, our_gradients = evaluate(rushlight, expression)
    theirs, their_gradients = evaluate(torch, expression)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if not isinstance(b, torch.Tensor):
            assert a == b
            continue
        assert (tuple(a.shape), str(a.dtype)) == (tuple(b.shape), str(b.dtype))
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)
    for name, expected in their_gradients.items():
        received = our_gradients[name]
        assert (received is None) == (expected is None), name
        if expected is not None:
            np.testing.assert_allclose(received.numpy(), expected.numpy(), rtol=1e-7, atol=1e-10, err_msg=name)


def test_pieces_are_views():
    for cut in (
        lambda x: x.split(1)[1],
        lambda x: x.chunk(2)[1],
        lambda x: x.unbind()[1],
        lambda x: x.tensor_split(2)[1],
    ):
        x = rushlight.zeros(2, 2)
        cut(x).fill_(1)
        assert x.tolist() == [[0, 0], [1, 1]]


def test_in_place_forms_write_into_their_input():
    x = rushlight.tensor([-2.0, 0.5, 4.0])
    assert x.clamp_(-1, 1) is x
    assert x.tolist() == [-1.0, 0.5, 1.0]
    assert x.div_(2, rounding_mode="floor").tolist() == [-1.0, 0.0, 0.0]


def test_out_receives_the_result():
    out = rushlight.empty(0)
    assert rushlight.hstack((rushlight.ones(1), rushlight.zeros(1)), out=out) is out
    assert out.tolist() == [1.0, 0.0]
    with pytest.raises(RuntimeError, match="can't be cast"):
        rushlight.nansum(rushlight.ones(2), out=rushlight.empty((), dtype=rushlight.int64))


@pytest.mark.parametrize(
    "error, call",
    [
        (RuntimeError, lambda t: t.div(t.ones(1), 1, rounding_mode="up")),
        (RuntimeError, lambda t: t.clamp(t.ones(1))),
        (IndexError, lambda t: t.flatten(t.ones(2), 3)),
        (RuntimeError, lambda t: t.split(t.ones(3), [1, 1])),
        (RuntimeError, lambda t: t.einsum("ij->k", t.ones(2, 2))),
        (RuntimeError, lambda t: t.einsum("ij,jk", t.ones(2, 2), t.ones(3, 2))),
        (RuntimeError, lambda t: t.max(t.ones(0))),
        (RuntimeError, lambda t: t.quantile(t.ones(2), 1.5)),
        (RuntimeError, lambda t: t.scatter(t.ones(2), 0, t.tensor([0]), 1.0, reduce="mean")),
        (RuntimeError, lambda t: t.meshgrid(t.ones(2, 2))),
    ],
)
def test_wrong_input_raises_what_torch_raises(error, call):
    for package in (rushlight, torch):
        with pytest.raises(error):
            call(package)
