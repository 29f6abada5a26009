"""vmap over every row of the registry: mapped, a sample gives what its examples give one by one."""

import functools
import itertools

import pytest

import rushlight
from rushlight.utils import _pytree as pytree
from tests.ops.samples import errors, evaluate, samples
from tests.ops.test_every_row import INFO, RANDOM, ours

SIZE = 3
CASES = [(name, line) for name in INFO for line in samples(name)]
DRAWS = RANDOM | {"dropout", "native_dropout"}
# What refuses under vmap: results whose size depends on the data, reads of memory by address.
REFUSES = {
    "as_strided", "as_strided_scatter", "bincount", "masked_select", "nonzero", "part_scatter", "part_view",
    "repeat_interleave", "strided_add", "strided_scatter", "strided_view", "unique_consecutive_dim",
    "unique_consecutive_flat", "unique_dim", "unique_sorted",
}  # fmt: skip
UNINITIALISED = {"empty", "empty_like"}


def examples(name, line):
    """SIZE times the arguments of a sample, with different values in its tensors but one structure."""
    return [evaluate(line, rushlight, seed) for seed in range(SIZE)]


def outcome(call):
    try:
        return call()
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        return error


def subsets(count):
    """Which of the tensors carry the batch: every choice of up to three, else all, each and all but each."""
    if count <= 3:
        return [s for r in range(1, count + 1) for s in itertools.combinations(range(count), r)]
    everything = tuple(range(count))
    return [everything, *((k,) for k in everything), *(everything[:k] + everything[k + 1 :] for k in everything)]


@pytest.mark.parametrize(("name", "line"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)])
def test_mapped_is_the_loop(name, line):
    if name in DRAWS | UNINITIALISED:
        pytest.skip("no values to compare: see test_vmap.py")
    given = examples(name, line)
    flat = [pytree.tree_flatten(g) for g in given]
    spec = flat[0][1]
    tensors = [k for k, x in enumerate(flat[0][0]) if isinstance(x, rushlight.Tensor)]
    function = ours(name)
    for chosen in subsets(len(tensors)):
        if INFO[name]["forms"] == ["inplace"] and 0 not in chosen:
            continue  # the tensor that is written must have the batch
        batched = {tensors[c] for c in chosen}
        shared = flat[0][0]
        rows = [[leaves[k] if k in batched else shared[k] for k in range(len(shared))] for leaves, _ in flat]

        def call(*leaves, spec=spec):
            args, kwargs = pytree.tree_unflatten(leaves, spec)
            return function(*args, **kwargs)

        expected = [outcome(lambda row=row: call(*row)) for row in rows]
        for dim in (0, -1):
            stacked = [
                rushlight.stack([row[k] for row in rows], dim) if k in batched else shared[k]
                for k in range(len(shared))
            ]
            in_dims = tuple(dim if k in batched else None for k in range(len(shared)))
            mapped = functools.partial(rushlight.func.vmap(call, in_dims=in_dims), *stacked)
            found = outcome(mapped)
            compare(name, f"{line} batched {chosen} at {dim}", found, expected)


def compare(name, where, found, expected):
    failure = next((e for e in expected if isinstance(e, Exception)), None)
    if failure is not None or isinstance(found, Exception):
        if name in REFUSES and "[vmap]" in str(found):
            return
        assert isinstance(found, Exception), f"{where}: the loop raised {failure}"
        assert failure is not None, f"{where}: {found!r}"
        return
    leaves, _spec = pytree.tree_flatten(found)
    columns = zip(*(pytree.tree_leaves(e) for e in expected), strict=True)
    for got, column in zip(leaves, columns, strict=True):
        wanted = rushlight.stack(column)
        assert got.dtype == wanted.dtype, f"{where}: {got.dtype} for {wanted.dtype}"
        assert got.shape == wanted.shape, f"{where}: {got.shape} for {wanted.shape}"
        rushlight.testing.assert_close(got, wanted, equal_nan=True, msg=lambda m: f"{where}: {m}")


# Rows that have no gradient to compare.
NO_GRADIENT = DRAWS | UNINITIALISED | REFUSES


@pytest.mark.parametrize(("name", "line"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)])
def test_its_gradient_is_that_of_the_loop(name, line):
    if name in NO_GRADIENT or not INFO[name]["differentiable"]:
        pytest.skip("no gradient to compare")
    flat = [pytree.tree_flatten(example) for example in examples(name, line)]
    spec = flat[0][1]
    places = [k for k, x in enumerate(flat[0][0]) if isinstance(x, rushlight.Tensor)]
    function = ours(name)

    def call(*leaves):
        args, kwargs = pytree.tree_unflatten(leaves, spec)
        return function(*args, **kwargs)

    def gradients(run):
        inputs = [rushlight.stack([leaves[k] for leaves, _ in flat]) for k in places]
        wanted = [x.requires_grad_() for x in inputs if x.is_floating_point() or x.is_complex()]
        outputs = [y for y in pytree.tree_leaves(run(inputs)) if y.requires_grad]
        total = sum((y.abs() * rushlight.arange(1.0, y.numel() + 1).reshape(y.shape).cos()).sum() for y in outputs)
        if not outputs:
            return []
        return rushlight.autograd.grad(total, wanted, allow_unused=True, materialize_grads=True)

    def mapped(inputs):
        leaves = list(flat[0][0])
        for k, x in zip(places, inputs, strict=True):
            leaves[k] = x
        in_dims = tuple(0 if k in places else None for k in range(len(leaves)))
        return rushlight.func.vmap(call, in_dims=in_dims)(*leaves)

    def looped(inputs):
        rows = []
        for example in range(SIZE):
            leaves = list(flat[example][0])
            for k, x in zip(places, inputs, strict=True):
                leaves[k] = x[example]
            rows.append(pytree.tree_leaves(call(*leaves)))
        return [rushlight.stack(column) for column in zip(*rows, strict=True)]

    expected, found = outcome(lambda: gradients(looped)), outcome(lambda: gradients(mapped))
    if isinstance(expected, Exception):
        return
    assert not isinstance(found, Exception), found
    for a, b in zip(found, expected, strict=True):
        rushlight.testing.assert_close(a, b, equal_nan=True)


ERRORS = [(name, arguments, kind) for name in INFO for arguments, kind, _ in errors(name)]


@pytest.mark.parametrize(("name", "arguments", "kind"), ERRORS, ids=[f"{e[0]}-{i}" for i, e in enumerate(ERRORS)])
def test_what_an_example_refuses_the_map_refuses(name, arguments, kind):
    leaves, spec = pytree.tree_flatten(evaluate(arguments, rushlight))
    if not any(isinstance(x, rushlight.Tensor) for x in leaves) or ".t()" in arguments:
        pytest.skip("no tensors to map, or not of this layout when they are stacked")
    in_dims = tuple(0 if isinstance(x, rushlight.Tensor) else None for x in leaves)
    stacked = [x if d is None else rushlight.stack([x] * SIZE) for x, d in zip(leaves, in_dims, strict=True)]

    def call(*leaves):
        args, kwargs = pytree.tree_unflatten(leaves, spec)
        return ours(name)(*args, **kwargs)

    with pytest.raises((kind, RuntimeError)):
        rushlight.func.vmap(call, in_dims=in_dims, randomness="different")(*stacked)
