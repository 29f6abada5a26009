"""Masked reductions and normalisations: against PyTorch, and against the same without what the mask leaves out."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")

REDUCTIONS = ("sum", "prod", "amax", "amin", "mean", "norm", "var", "std", "logsumexp")
ALONG_ONE = ("argmax", "argmin", "median", "cumsum", "cumprod", "softmax", "log_softmax", "softmin")
DIMS = [None, 1, (0, 2), -1, ()]


def arguments(package, dtype="float64", requires_grad=False):
    r = np.random.default_rng(7)
    x = r.normal(size=(2, 3, 4))
    if dtype == "complex128":
        x = x + 1j * r.normal(size=x.shape)
    mask = r.random((2, 3, 4)) < 0.6
    mask[..., 0, 0] = True
    x = package.tensor(x * (5 if dtype == "int64" else 1)).to(getattr(package, dtype))
    return x.requires_grad_(requires_grad), package.tensor(mask)


def check(call, dtype="float64"):
    """call(torch.masked, x, mask), values and gradients alike."""
    results = []
    for package in (rushlight, torch):
        x, mask = arguments(package, dtype, requires_grad=dtype in ("float64", "complex128"))
        y = call(package.masked, x, mask)
        if y.requires_grad:
            finite = y if y.is_complex() else y.nan_to_num(0, 0, 0)
            (finite * finite.conj()).abs().sum().backward()
        made = [y.detach(), x.grad] if x.grad is not None else [y.detach()]
        results.append([t.resolve_conj().numpy() for t in made])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5 if dtype == "float32" else 1e-9, atol=1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_agree_with_torch(name, dim):
    for options in ({}, {"keepdim": True}):
        check(lambda m, x, mask, o=options: getattr(m, name)(x, dim=dim, mask=mask, **o))
        check(lambda m, x, mask, o=options: getattr(m, name)(x, dim=dim, **o))


@pytest.mark.oracle
@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("name", ALONG_ONE)
def test_functions_along_one_dimension_agree_with_torch(name, dim):
    check(lambda m, x, mask: getattr(m, name)(x, dim, mask=mask[0] if dim else mask))
    check(lambda m, x, mask: getattr(m, name)(x, dim))


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["complex128", "int64", "int8", "float32"])
@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod", "var", "std", "logsumexp"])
def test_dtypes_agree_with_torch(name, dtype):
    check(lambda m, x, mask: getattr(m, name)(x, 1, mask=mask), dtype)


@pytest.mark.oracle
def test_those_with_further_arguments_agree_with_torch():
    for order in (1, 2.5, np.inf, -np.inf):
        check(lambda m, x, mask, order=order: m.norm(x, order, 1, mask=mask))
    check(lambda m, x, mask: m.normalize(x, 2.0, 1, mask=mask))
    check(lambda m, x, mask: m.normalize(x, 1.0, -1, eps=3.0))
    check(lambda m, x, mask: m.var(x, (0, 1), False, mask=mask))
    check(lambda m, x, mask: m.std(x, 1, correction=0.5, mask=mask))
    check(lambda m, x, mask: m.logaddexp(x, x * 2, input_mask=mask, other_mask=mask[0]))
    check(lambda m, x, mask: m.amax(x, 1, mask=mask, dtype=m.mean(x).dtype))


@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_the_mask_leaves_out_does_not_matter(name):
    x, mask = arguments(rushlight)
    expected = getattr(rushlight.masked, name)(x[mask])
    x = rushlight.where(mask, x, rushlight.nan)
    np.testing.assert_allclose(getattr(rushlight.masked, name)(x, mask=mask).item(), expected.item(), rtol=1e-12)


def test_a_norm_of_negative_order_ignores_it_too():
    """PyTorch counts it as 0, which such a norm divides by."""
    x, mask = rushlight.tensor([2.0, 9.0, 2.0]), rushlight.tensor([True, False, True])
    assert rushlight.masked.norm(x, -1, mask=mask).item() == 1.0


def test_a_mask_that_leaves_nothing():
    x, mask = rushlight.ones(2), rushlight.zeros(2, dtype=rushlight.bool)
    values = {name: getattr(rushlight.masked, name)(x, mask=mask).item() for name in REDUCTIONS}
    wanted = {"sum": 0, "prod": 1, "amax": -np.inf, "amin": np.inf, "norm": 0, "logsumexp": -np.inf}
    assert {name: values[name] for name in wanted} == wanted
    assert all(np.isnan(values[name]) for name in ("mean", "var", "std"))


def test_scalars_and_empty_tensors():
    assert rushlight.masked.sum(rushlight.tensor(2.0), 0, mask=rushlight.tensor(False)).item() == 0
    assert rushlight.masked.amax(rushlight.zeros(0, 3), 1).shape == (0,)
    with pytest.raises(IndexError):
        rushlight.masked.amax(rushlight.zeros(0, 3), 0)


def test_gradients_of_gradients():
    x, mask = arguments(rushlight, requires_grad=True)
    for name in ("prod", "mean", "var", "norm", "logsumexp", "amax"):
        function = getattr(rushlight.masked, name)
        assert rushlight.autograd.gradgradcheck(lambda t, f=function: f(t, dim=-1, mask=mask), x)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "call, error",
    [
        ("sum(x, mask=mask.unsqueeze(0))", IndexError),
        ("sum(x, mask=mask[:, :, :2])", RuntimeError),
        ("sum(x, 3)", IndexError),
        ("sum(x, (0, 0))", RuntimeError),
        ("mean(x.long())", ValueError),
        ("mean(x, dtype=torch.int64)", ValueError),
        ("median(x.long(), 0, mask=mask & False)", ValueError),
        ("amax(x > 0, mask=mask)", NotImplementedError),
        ("amax(x + 0j, mask=mask)", TypeError),
        ("var(x, unbiased=True, correction=1)", AssertionError),
        ("norm(x.long(), 2.0)", RuntimeError),
    ],
)
def test_errors_are_those_of_torch(call, error):
    for package in (rushlight, torch):
        x, mask = arguments(package)
        namespace = {name: getattr(package.masked, name) for name in ("sum", "mean", "median", "amax", "var", "norm")}
        with pytest.raises(error):
            eval(call, {**namespace, "x": x, "mask": mask, "torch": package})


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["sum", "amax", "var", "norm", "softmax", "normalize", "median"])
def test_a_masked_tensor_brings_its_mask(name):
    x, mask = arguments(rushlight)
    further = {"normalize": (2.0, 1), "norm": (2.0, 1)}.get(name, (1,))
    function, a = getattr(rushlight.masked, name), rushlight.masked.masked_tensor(x, mask)
    for more in (None, mask.flip(0)):
        expected = function(x, *further, mask=mask if more is None else mask & more)
        np.testing.assert_array_equal(function(a, *further, mask=more).numpy(), expected.numpy())
