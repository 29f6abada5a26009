"""vmap: dimensions in and out, nesting, random numbers, writes, and what it refuses."""

import functools

import numpy
import pytest

import rushlight
from rushlight import func
from rushlight.func import vmap

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]  # PyTorch warns about itself


def data(*shape, seed=0):
    return numpy.random.RandomState(seed).standard_normal(shape)


def both(f, *arrays):
    """f(library, *tensors) for Rushlight and PyTorch, as arrays."""
    ours = f(rushlight, *(rushlight.tensor(a) for a in arrays))
    theirs = f(torch, *(torch.tensor(a) for a in arrays))
    return rushlight.utils._pytree.tree_leaves(ours), torch.utils._pytree.tree_leaves(theirs)


def same(f, *arrays):
    for ours, theirs in zip(*both(f, *arrays), strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert str(ours.dtype) == str(theirs.dtype)
        numpy.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


X, Y = data(3, 4, 5), data(3, 4, 5, seed=1)

MAPS = [
    lambda t, x, y: t.func.vmap(lambda a: a * 2 + 1)(x),
    lambda t, x, y: t.func.vmap(t.mul, (0, 0))(x, y),
    lambda t, x, y: t.func.vmap(t.mul, (2, None), 1)(x, y[0, :, 0]),
    lambda t, x, y: t.func.vmap(lambda a, b: (a.sum(), b.mT), (-1, 1), (0, 2))(x, y.permute(0, 2, 1)),
    lambda t, x, y: t.func.vmap(lambda p: {"s": p["a"].sum(0), "b": [p["b"][0]]}, ({"a": 0, "b": None},))(
        {"a": x, "b": y}
    ),
    lambda t, x, y: t.func.vmap(lambda a, b: {"s": a, "t": b}, (0, 1), {"s": 1, "t": -1})(x, y.permute(1, 0, 2)),
    lambda t, x, y: t.func.vmap(lambda a, *, b: a - b)(x, b=y),
    lambda t, x, y: t.func.vmap(lambda a: y[0, 0, 0] * 2)(x),
    lambda t, x, y: t.func.vmap(lambda a: t.zeros(2))(x),
    lambda t, x, y: t.func.vmap(lambda a, n: a * n, (0, None))(x, 3),
    lambda t, x, y: t.func.vmap(lambda a: a.sum(), chunk_size=2)(x),
    lambda t, x, y: t.func.vmap(lambda a: (a, a.sum()), out_dims=(1, 0), chunk_size=1)(x),
    lambda t, x, y: t.func.vmap(t.func.vmap(t.dot))(x, y),
    lambda t, x, y: t.func.vmap(t.func.vmap(t.mul, (None, 0)), (0, None))(x[:, 0, 0], y[0, 0]),
    lambda t, x, y: t.func.vmap(t.func.vmap(t.func.vmap(lambda a, b: a * b + a)), 1, 1)(x, y),
    lambda t, x, y: t.func.vmap(lambda a: t.func.vmap(lambda b: a @ b.mT)(y))(x),
    lambda t, x, y: t.func.vmap(lambda a: t.stack([a, y[0]], -1))(x),
    lambda t, x, y: t.func.vmap(lambda a: t.cat([a, y[0], a]))(x),
    lambda t, x, y: t.func.vmap(lambda a: t.einsum("ij,kj->ik", a, y[0]))(x),
    lambda t, x, y: t.func.vmap(lambda a, b: t.nn.functional.scaled_dot_product_attention(a, b, b))(
        x.unsqueeze(1), y.unsqueeze(1)
    ),
    lambda t, x, y: t.func.vmap(lambda a: a.softmax(-1).max(0))(x),
    lambda t, x, y: t.func.vmap(lambda a: t.linalg.inv(a @ a.mT + t.eye(4, dtype=a.dtype)))(x),
    lambda t, x, y: t.func.vmap(lambda a: a.var(dim=1, keepdim=True))(x),
]


@pytest.mark.parametrize("f", MAPS, ids=range(len(MAPS)))
def test_maps_as_pytorch_does(f):
    same(f, X, Y)


# Indices that differ between examples, that do not, and both.
INDEXING = [
    lambda t, x, i: t.func.vmap(lambda a, k: a[k])(x, i),
    lambda t, x, i: t.func.vmap(lambda a, k: a[:, k])(x, i),
    lambda t, x, i: t.func.vmap(lambda a, k: a[k, k])(x, i),
    lambda t, x, i: t.func.vmap(lambda k: x[k])(i),
    lambda t, x, i: t.func.vmap(lambda k: x[:, k])(i),
    lambda t, x, i: t.func.vmap(lambda k: x[k, :, k])(i),
    lambda t, x, i: t.func.vmap(lambda k: x[0, k, :, None])(i),
    lambda t, x, i: t.func.vmap(lambda a: a[i[0]])(x),
    lambda t, x, i: t.func.vmap(lambda a: a[..., i[0]])(x),
    lambda t, x, i: t.func.vmap(lambda a: a.unsqueeze(0)[i[0] * 0, :, i[0]])(x),
    lambda t, x, i: t.func.vmap(lambda a: a.unsqueeze(0)[0, 1:, 2:4])(x),
    lambda t, x, i: t.func.vmap(lambda a: a[None, ..., -1])(x),
    lambda t, x, i: t.func.vmap(lambda a: a[[0, 2]])(x),
    lambda t, x, i: t.func.vmap(lambda a: a[t.tensor([True, False, True, False])])(x),
    lambda t, x, i: t.func.vmap(lambda a, k: a.gather(0, k[None].expand(1, 2).clone()))(x, i),
    lambda t, x, i: t.func.vmap(lambda a, k: a.index_select(1, k))(x, i),
    lambda t, x, i: t.func.vmap(lambda a, k: a.take(k))(x, i),
]


@pytest.mark.parametrize("f", INDEXING, ids=range(len(INDEXING)))
def test_indexing(f):
    same(f, X, numpy.array([[0, 2], [1, 1], [2, 0]]))


@pytest.mark.parametrize("key", [(slice(None), "k"), ("k",), ("k", "k"), ("k", slice(1, 3)), (0, "k")])
@pytest.mark.parametrize("value", [(), (5,), "full"])
def test_writes_by_index_that_differs(key, value):
    x = rushlight.tensor(X)
    index = rushlight.tensor([[0, 2], [1, 1], [3, 0]])

    def at(k):
        return tuple(k if part == "k" else part for part in key)

    shape = x[0][at(index[0])].shape if value == "full" else value
    if len(shape) and shape[-1] != x[0][at(index[0])].shape[-1]:
        pytest.skip("does not broadcast")
    v = rushlight.tensor(data(3, *shape, seed=2))

    def write(a, k, v):
        a = a.clone()
        a[at(k)] = v
        return a

    # Of two writes to one place the last one counts, so places are different here.
    index = rushlight.tensor([[0, 2], [1, 3], [3, 0]])
    expected = rushlight.stack([write(*row) for row in zip(x, index, v, strict=True)])
    assert rushlight.equal(vmap(write)(x, index, v), expected)


WRITES = [
    lambda t, x, y: t.func.vmap(lambda a, b: a.clone().add_(b).mul_(2))(x, y),
    lambda t, x, y: t.func.vmap(lambda a, b: a.clone().copy_(b[0]))(x, y),
    lambda t, x, y: t.func.vmap(lambda a: a.clone().unsqueeze_(0).transpose_(0, 1))(x),
    lambda t, x, y: t.func.vmap(lambda a: a.clone().zero_().fill_(3.0))(x),
    lambda t, x, y: t.func.vmap(lambda a: t.zeros_like(a).add_(a))(x),
    lambda t, x, y: t.func.vmap(lambda a: a.new_zeros(4, 5).add_(a))(x),
    lambda t, x, y: t.func.vmap(lambda a: a.clone().masked_fill_(a > 0, 0.5))(x),
    lambda t, x, y: t.func.vmap(lambda a: a.clone().clamp_(-0.5, 0.5))(x),
]


@pytest.mark.parametrize("f", WRITES, ids=range(len(WRITES)))
def test_writes(f):
    same(f, X, Y)


def test_writes_reach_the_argument():
    x = rushlight.zeros(3, 2)
    vmap(lambda a: a.add_(1))(x)
    vmap(lambda a: a[0].mul_(5))(x)
    assert x.tolist() == [[5.0, 1.0]] * 3


def test_a_view_is_one_or_refused():
    x = rushlight.zeros(4, 5, 3)
    vmap(lambda a: a.view(20).add_(1), in_dims=2)(x)
    assert (x == 1).all()
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        vmap(lambda a: a.view(-1), in_dims=1)(x)


def test_a_mask_that_differs_fills_with_one_value():
    def f(a):
        a = a.clone()
        a[a > 0] = 7.0
        return a

    x = rushlight.tensor(X)
    assert rushlight.equal(vmap(f)(x), f(x))


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "int64", "bool", "complex64"])
@pytest.mark.parametrize("other", ["float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("dims", [((), (2,)), ((2,), ()), ((), ())])
@pytest.mark.parametrize("batched", [(0, 0), (0, None), (None, 0)])
def test_promotion_counts_the_dimensions_of_an_example(name, other, dims, batched):
    a = rushlight.ones(dims[0], dtype=getattr(rushlight, name))
    b = rushlight.ones(dims[1], dtype=getattr(rushlight, other))
    expected = (a + b).dtype
    stacked = [x if d is None else rushlight.stack([x, x, x]) for x, d in zip((a, b), batched, strict=True)]
    assert vmap(rushlight.add, batched)(*stacked).dtype == expected
    assert vmap(rushlight.eq, batched)(*stacked).dtype == rushlight.bool


def test_a_tensor_inside_describes_one_example():
    def f(x):
        assert isinstance(x, rushlight.Tensor) and rushlight.is_tensor(x)
        assert x.shape == (4, 5) and x.ndim == x.dim() == 2 and x.size(1) == 5 and x.numel() == 20 and len(x) == 4
        assert x.dtype == rushlight.float64 and x.is_floating_point() and str(x.device) == "cpu"
        assert [tuple(row.shape) for row in x] == [(5,)] * 4 and x.mT.shape == x.T.shape == (5, 4)
        assert x.nbytes == 160 and not x.requires_grad and x.is_leaf and x.grad is None
        assert "shape=[4, 5], level=1" in repr(x) and f"{x}" == repr(x)
        assert rushlight.result_type(x, 1j) == rushlight.complex128
        assert func.debug_unwrap(x).shape == (3, 4, 5)
        with pytest.raises(IndexError, match=r"Dimension out of range .*\[-2, 1\], but got 2"):
            x.sum(2)
        with pytest.raises(IndexError, match="too many indices for tensor of dimension 2"):
            x[0, 0, 0]
        return x

    vmap(f)(rushlight.tensor(X))


def test_a_gradient_flows_through_a_map():
    x = rushlight.tensor(X, requires_grad=True)
    f = functools.partial(vmap, in_dims=1, out_dims=-1)
    assert rushlight.autograd.gradcheck(f(lambda a: a.sin() @ a.mT), (x,))
    assert rushlight.autograd.gradgradcheck(f(lambda a: a.softmax(0).prod(1)), (x,))


# --- random numbers
DRAWS = [
    lambda x: rushlight.rand(3),
    lambda x: rushlight.randn(2, 2) + x.sum(),
    lambda x: rushlight.randint(0, 1000, (3,)),
    lambda x: rushlight.randperm(20),
    lambda x: rushlight.normal(0.0, 1.0, (3,)),
    lambda x: rushlight.rand_like(x),
    lambda x: rushlight.bernoulli(x.sigmoid() * 0 + 0.5),
    lambda x: rushlight.multinomial(x * 0 + 1, 5, replacement=True),
    lambda x: x.clone().uniform_(),
    lambda x: rushlight.nn.functional.dropout(x * 0 + 1),
    lambda x: rushlight.nn.functional.dropout(rushlight.ones(30)),
    lambda x: rushlight.nn.functional.alpha_dropout(x * 0 + 1, training=True),
    lambda x: rushlight.normal(x * 0, x * 0 + 1),
]


@pytest.mark.parametrize("f", DRAWS, ids=range(len(DRAWS)))
def test_randomness(f):
    x = rushlight.zeros(4, 30)
    with pytest.raises(RuntimeError, match="randomness='error'"):
        vmap(f)(x)
    rushlight.manual_seed(1)
    different = vmap(f, randomness="different")(x)
    assert not rushlight.equal(different[0], different[1])
    rushlight.manual_seed(1)
    assert rushlight.equal(different, vmap(f, randomness="different")(x))
    same = vmap(f, randomness="same")(x)
    assert rushlight.equal(same[0].expand(same.shape), same)


def test_randomness_of_nested_maps():
    def f(x):
        return vmap(lambda y: rushlight.rand(()), randomness="same")(x)

    drawn = vmap(f, randomness="different")(rushlight.zeros(3, 4))
    assert (drawn[:, :1] == drawn).all() and len(set(drawn[:, 0].tolist())) == 3
    assert vmap(lambda x: rushlight.nn.functional.dropout(x, training=False))(rushlight.ones(3)).tolist() == [1.0] * 3


# --- what it refuses
X3 = rushlight.ones(3, 2)
PLAIN = rushlight.zeros(2)
REFUSED = [
    (lambda x: x.sum().item(), RuntimeError, r"item\(\) must not be called"),
    (lambda x: float(x.sum()), RuntimeError, r"item\(\) must not be called"),
    (lambda x: x.tolist(), RuntimeError, r"item\(\) must not be called"),
    (lambda x: [1, 2, 3][x.sum().long()], RuntimeError, r"item\(\) must not be called"),
    (lambda x: x if x.sum() > 0 else -x, RuntimeError, "data-dependent control flow.*torch.where"),
    (lambda x: 1.0 in x, RuntimeError, "data-dependent control flow"),
    (lambda x: rushlight.equal(x, x), RuntimeError, "vmap"),
    (lambda x: x.numpy(), RuntimeError, r"numpy\(\) must not be called"),
    (lambda x: numpy.asarray(x), RuntimeError, r"numpy\(\) must not be called"),
    (lambda x: rushlight.tensor(x), RuntimeError, r"numpy\(\) must not be called"),
    (lambda x: rushlight.tensor([x.sum(), x.sum()]), RuntimeError, "torch.stack"),
    (lambda x: x.data_ptr(), RuntimeError, "data_ptr must not be used"),
    (lambda x: x.untyped_storage(), RuntimeError, "untyped_storage must not be used"),
    (lambda x: memoryview(x), TypeError, "bytes-like"),
    (lambda x: x.no_such_thing, AttributeError, "no_such_thing"),
    (lambda x: rushlight.nonzero(x), RuntimeError, "dynamic shape"),
    (lambda x: x[x > 0], RuntimeError, "dynamic shape"),
    (lambda x: PLAIN[x > 0], RuntimeError, "dynamic shape"),
    (lambda x: PLAIN.clone().add_(x), RuntimeError, "must write into a tensor of the batch"),
    (lambda x: PLAIN.clone().__setitem__(0, x[0]), RuntimeError, "must write into a tensor of the batch"),
    (lambda x: PLAIN.clone().__setitem__(slice(None), x), RuntimeError, "must write into a tensor of the batch"),
    (lambda x: PLAIN.clone().copy_(x), RuntimeError, "must write into a tensor of the batch"),
    (lambda x: rushlight.add(x, x, out=rushlight.zeros(2)), RuntimeError, "out= under vmap"),
    (lambda x: rushlight.add(x, x, alpha=x.sum()), RuntimeError, r"item\(\) must not be called"),
    (lambda x: rushlight.zeros(2).reshape(x.sum().long(), 1), RuntimeError, r"item\(\) must not be called"),
    (lambda x: x.as_strided((1,), (1,)), RuntimeError, "reads memory by address"),
    (lambda x: x.requires_grad_(), RuntimeError, "torch.func.grad"),
    (lambda x: x.sum().backward(), RuntimeError, "torch.func.grad"),
    (lambda x: x.register_hook(print), RuntimeError, "register_hook must not be used"),
    (lambda x: x.resize_(1), RuntimeError, "resize_ must not be used"),
    (lambda x: setattr(PLAIN.clone(), "data", x), TypeError, "must be a Tensor"),
    (lambda x: len(x.sum()), TypeError, "0-d"),
    (lambda x: rushlight.linspace(0, 1, x.sum().long()), RuntimeError, r"item\(\)|vmap"),
]


@pytest.mark.parametrize(("f", "kind", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refuses(f, kind, message):
    with pytest.raises(kind, match=message):
        vmap(lambda x: f(x) and x)(X3)


CALLS = [
    (lambda t: (lambda x: x, {"in_dims": (0, 0)}, 1), ValueError, "not compatible with the structure of `inputs`"),
    (lambda t: (lambda x: x, {"in_dims": 2}, 1), ValueError, "Got in_dim=2 for some input"),
    (lambda t: (lambda x: x, {"in_dims": None}, 1), ValueError, "expected `in_dims` to be int or a"),
    (lambda t: (lambda x: x, {"in_dims": ("a",)}, 1), ValueError, "must be either an integer dimension or None"),
    (lambda t: (lambda x: x, {"in_dims": (None,)}, 1), ValueError, "at least one"),
    (lambda t: (lambda x, y: x, {}, 2), ValueError, "same size in the mapped dimension"),
    (lambda t: (lambda: 0, {}, 0), ValueError, "got no inputs"),
    (lambda t: (lambda x: 3, {}, 1), ValueError, "return only Tensors|only return Tensors"),
    (lambda t: (lambda x: x, {"out_dims": None}, 1), ValueError, "can not return a "),
    (lambda t: (lambda x: x, {"out_dims": (0, 1)}, 1), ValueError, "out_dims is not compatible"),
    (lambda t: (lambda x: x, {"out_dims": 5}, 1), IndexError, "out_dims must be in the range"),
    (lambda t: (lambda x: x, {"randomness": "some"}, 1), RuntimeError, "Only allowed values for randomness"),
    (lambda t: (lambda x: x, {"chunk_size": 0}, 1), ValueError, "chunk_size should be None or greater than 0"),
]


@pytest.mark.parametrize(("make", "kind", "message"), CALLS, ids=range(len(CALLS)))
def test_wrong_calls(make, kind, message):
    f, options, count = make(rushlight)
    with pytest.raises(kind, match=message):
        vmap(f, **options)(*[rushlight.ones(k + 2, 2) for k in range(count)])


def test_a_tensor_that_has_escaped_says_so():
    kept = []
    vmap(lambda x: kept.append(x) or x)(X3)
    assert "its vmap has returned" in repr(kept[0])
    for use in (
        lambda x: x + 1,
        lambda x: x[0],
        lambda x: rushlight.stack([x, x]),
        lambda x: vmap(lambda y: y + x)(X3),
    ):
        with pytest.raises(RuntimeError, match="escaped from level 1"):
            use(kept[0])


def test_an_error_inside_leaves_no_level_behind():
    def fail(x):
        raise KeyError("mine")

    with pytest.raises(KeyError):
        vmap(vmap(fail))(X3)
    assert rushlight.rand(2).shape == (2,)  # no map is running that could object
    assert vmap(lambda x: x * 2)(X3).shape == (3, 2)


def test_empty_batches():
    x = rushlight.zeros(0, 4)
    assert vmap(lambda a: a.sin().sum(0))(x).shape == (0,)
    assert vmap(lambda a: a.reshape(2, -1) @ rushlight.ones(2, 3))(x).shape == (0, 2, 3)
    with pytest.raises(RuntimeError, match="the batch must not be empty"):
        vmap(rushlight.histc)(x)


@pytest.mark.parametrize("name", ["lu", "eig", "lstsq", "cholesky_ex", "matrix_rank", "pinv", "svdvals", "slogdet"])
def test_what_reads_its_elements_runs_example_by_example(name):
    x = rushlight.tensor(data(3, 4, 4))
    f = getattr(rushlight.linalg, name)
    call = (lambda a: f(a, a)) if name == "lstsq" else f
    leaves = rushlight.utils._pytree.tree_leaves
    rows = zip(*(leaves(call(a)) for a in x), strict=True)
    for found, row in zip(leaves(vmap(call)(x)), rows, strict=True):
        rushlight.testing.assert_close(found, rushlight.stack(row))


@pytest.mark.parametrize(
    "f",
    [
        lambda t, x: t.nn.functional.layer_norm(x[0], (3, 5)),
        lambda t, x: t.nn.functional.rms_norm(x[0], (3, 5)),
        lambda t, x: t.nn.functional.group_norm(x[0], 1),
        lambda t, x: t.bmm(x.unsqueeze(0), t.ones(2, 5, 3)),
        lambda t, x: t.addmm(t.ones(2, 4, 4), x, x.mT),
        lambda t, x: t.tril(x[0]),
        lambda t, x: x @ x,
        lambda t, x: t.nn.functional.conv1d(x, t.ones(2, 3, 1)),
        lambda t, x: x.reshape(3, 20),
        lambda t, x: x.expand(3, 5),
        lambda t, x: x.permute(0),
        lambda t, x: x.add_(t.ones(3, 4, 5)),
    ],
)
def test_the_batch_is_no_dimension_of_an_example(f):
    """What would fit the tensor with its batch does not fit an example."""
    x = rushlight.ones(3, 4, 5)
    with pytest.raises((RuntimeError, IndexError)):
        f(rushlight, x[0].clone())
    with pytest.raises((RuntimeError, IndexError)):
        vmap(lambda x: f(rushlight, x))(x)
