"""Tensors: indexing, views, promotion, memory shared with others, errors. PyTorch is the oracle."""

import copy
import gc
import pickle
import weakref

import numpy
import pytest
import torch as oracle

import rushlight

pytestmark = pytest.mark.oracle
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
DTYPES += ["complex64", "complex128"]


def pair(array):
    """The same data as a tensor of each library."""
    return rushlight.from_numpy(array.copy()), oracle.from_numpy(array.copy())


def same(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.tolist() == theirs.tolist()


def outcome(run):
    """The result of a call, or the class of what it raised."""
    try:
        return run(), None
    except Exception as error:
        return None, type(error)


KEYS = [
    "0", "-1", "3", "-5", "1:", "::2", "1:1", "-2:", "5:9", "...", "None", "True", "False", "0, 1", "1, 2, 3",
    "0, :, 1", ":, 0", "..., 0", "..., None", "None, 1", "1, ..., 2", ":, None, 1", "0, 0, 0, 0", "..., ...",
    "::-1", "'a'", "1.5", "[0, 1]", "[0, 1], [1, 2]", "[[0], [1]], [0, 2]", ":, [0, 2]", "[0, 1], :, [0, 3]",
    "0, [1, 2]", "[2], 1, [3]", "[], ", "[3]", "[-3]", "x > 10", "x[0] > 5", "x.sum(-1) > 20, 1",
    "x[:, 0, 0] > 3", ":, x[0, :, 0] >= 4", "x == x.max()", "t(1)", "t(7)", "t([0, 1])",
    "t([[0, 1], [1, 0]]), t([1, 2])", "t([True, False])", "t([]), 0", "slice(0, 2)", "(0, 1)", "True, 0",
    "0, False", "..., [1]", "t([0, 1]), None, 1", "None, t([0, 1]), 1",
]  # fmt: skip


def evaluate(key, x, library):
    return eval(f"x[{key}]", {"x": x, "t": library.tensor})


@pytest.mark.parametrize("key", KEYS)
def test_reading_by_index(key):
    ours, theirs = pair(numpy.arange(24.0).reshape(2, 3, 4))
    got, raised = outcome(lambda: evaluate(key, ours, rushlight))
    expected, error = outcome(lambda: evaluate(key, theirs, oracle))
    assert (raised is None) == (error is None), (raised, error)
    if error is None:
        same(got, expected)


@pytest.mark.parametrize("key", KEYS)
def test_writing_by_index(key):
    ours, theirs = pair(numpy.arange(24.0).reshape(2, 3, 4))
    for x, library in ((ours, rushlight), (theirs, oracle)):
        outcome(lambda x=x, library=library: exec(f"x[{key}] = -1.0", {"x": x, "t": library.tensor}))
    same(ours, theirs)


@pytest.mark.parametrize(
    "key", ["0", ":, 1", "..., 2", "[0, 1], [1, 2]", "x > 10", "t([1, 0])", "None", "1, :, [0, 3]"]
)
def test_gradients_through_indexing(key):
    ours = rushlight.arange(24.0).reshape(2, 3, 4).requires_grad_()
    theirs = oracle.arange(24.0).reshape(2, 3, 4).requires_grad_()
    for x, library in ((ours, rushlight), (theirs, oracle)):
        (evaluate(key, x, library) ** 2).sum().backward()
    same(ours.grad, theirs.grad)


def test_writing_a_tensor_by_index_broadcasts_and_records():
    for library in (rushlight, oracle):
        base = library.zeros(3, 4)
        value = library.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
        base[1:] = value
        base[0, 0] = value[3] * 2
        (base * 2).sum().backward()
        assert value.grad.tolist() == [4.0, 4.0, 4.0, 8.0]


@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("first", DTYPES)
def test_promotion(first, second):
    if "float16" in (first, second) and "complex" in first + second:
        pytest.skip("PyTorch has a complex dtype of two halves here, which Rushlight has not")
    complex_half = "float16" in (first, second)

    def results(library):
        a, b = getattr(library, first), getattr(library, second)
        x, y = library.ones(2, dtype=a), library.ones(2, dtype=b)
        return [
            str(d)
            for d in (
                library.promote_types(a, b),
                library.result_type(x, y),
                library.result_type(x, y[0]),
                library.result_type(x[0], y),
                (x * y).dtype,
                (x * y[0]).dtype,
                (x[0] * y).dtype,
                (x * 2).dtype,
                (x * 2.5).dtype,
                (x * True).dtype,
                (x * (2 if complex_half else 2j)).dtype,
                (2.5 * x[0]).dtype,
            )
        ]

    assert results(rushlight) == results(oracle)


def test_views_share_memory_and_count_writes():
    x = rushlight.zeros(3, 4)
    view = x.t()[1:3]
    view += 5
    assert x.tolist() == [[0.0, 5.0, 5.0, 0.0]] * 3
    assert x._version == view._version == 1
    assert x.data_ptr() == x.view(12).data_ptr()


def test_numpy_shares_memory_both_ways():
    array = numpy.arange(6.0).reshape(2, 3)
    x = rushlight.from_numpy(array.T)
    x[0, 1] = 50
    assert array[1, 0] == 50
    back = x.numpy()
    back[2, 0] = -1
    assert x[2, 0].item() == -1 and numpy.shares_memory(back, array)
    assert numpy.asarray(x).dtype == numpy.float64 and (numpy.sin(x).numpy() == numpy.sin(array.T)).all()
    del array, back
    gc.collect()
    assert x[2, 0].item() == -1


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bfloat16"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_numpy_of_every_dtype(dtype, shape):
    x = rushlight.ones(shape, dtype=getattr(rushlight, dtype))
    array = x.numpy()
    assert array.dtype == numpy.dtype(dtype) and array.shape == shape and (array == 1).all()
    same(rushlight.from_numpy(array) if shape else rushlight.tensor(array), x)


def test_dlpack_both_ways():
    x = rushlight.arange(6.0).reshape(2, 3)
    array = numpy.from_dlpack(x)
    array[0, 0] = 9
    assert x[0, 0].item() == 9
    theirs = oracle.from_dlpack(x.t())
    theirs[1, 1] = 7
    assert x[1, 1].item() == 7
    ours = rushlight.from_dlpack(theirs)
    assert ours.data_ptr() == x.data_ptr() and ours.stride() == (1, 3)
    with pytest.raises(RuntimeError, match="require gradient"):
        rushlight.ones(1, requires_grad=True).__dlpack__()


def test_copies_pickles_and_references():
    x = rushlight.randn(3, 2, requires_grad=True)
    deep, shallow, loaded = copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))
    assert deep.data_ptr() != x.data_ptr() == shallow.data_ptr()
    for y in (deep, shallow, loaded):
        same(y.detach(), x.detach())
        assert y.requires_grad and y.is_leaf
    assert {x: 1}[x] == 1 and x in [x] and x.__hash__() == x.__hash__()
    x.note = "kept"
    reference = weakref.ref(x)
    assert reference().note == "kept"
    del x
    gc.collect()
    assert reference() is None


def test_the_object_of_a_parameter_outlives_its_last_name():
    weight = rushlight.nn.Parameter(rushlight.ones(2))
    weight.note = 5
    y = weight * 2
    del weight
    gc.collect()
    found = y.grad_fn.next_functions[0][0].variable
    assert type(found) is rushlight.nn.Parameter and found.note == 5


def test_size_is_a_tuple_with_arithmetic():
    size = rushlight.ones(2, 3, 4).shape
    assert size == (2, 3, 4) and size.numel() == 24 and repr(size) == "torch.Size([2, 3, 4])"
    assert type(size[1:]) is rushlight.Size and type(size + (1,)) is rushlight.Size
    assert pickle.loads(pickle.dumps(size)) == size


def test_protocols():
    x = rushlight.tensor([[1, 2], [3, 4]])
    assert len(x) == 2 and [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x and 9 not in x and bool(x[0, 0]) and int(x[1, 1]) == 4 and [10, 20][x[0, 0]] == 20
    assert f"{x[0, 0].float():.2f}" == "1.00" and (x == 3).any() and abs(-x).tolist() == x.tolist()
    assert (x // 2).tolist() == [[0, 1], [1, 2]] and (7 % x).tolist() == [[0, 1], [1, 3]] and (2**x)[1, 0].item() == 8


ERRORS = [
    "torch.ones(2, 3) + torch.ones(4)",
    "torch.ones(2, 3) @ torch.ones(2, 3)",
    "torch.ones(3).view(2)",
    "torch.ones(2, 3).t().view(6)",
    "torch.ones(3)[4]",
    "torch.ones(3).sum(2)",
    "torch.zeros(-1)",
    "torch.zeros(2**62, 2**62)",
    "torch.ones(0).max()",
    "torch.ones(0, 3).argmax(0)",
    "bool(torch.ones(2))",
    "torch.ones(2).item()",
    "len(torch.tensor(1))",
    "list(torch.tensor(1))",
    "torch.tensor([1, [2]])",
    "torch.tensor(['a'])",
    "torch.tensor(object())",
    "torch.ones(2) + 'a'",
    "torch.ones(2, dtype=torch.int64).requires_grad_()",
    "torch.ones(2, requires_grad=True).add_(1)",
    "torch.ones(2, requires_grad=True).numpy()",
    "torch.ones(2).expand(3).add_(1)",
    "torch.ones(1).expand(3).add_(1)",
    "torch.ones(2, dtype=torch.int64).div_(2)",
    "torch.ones(3)[torch.tensor([0.0])]",
    "torch.cat([])",
    "torch.stack([torch.ones(2), torch.ones(3)])",
    "torch.ones(2, 2).transpose(0, 2)",
    "torch.ones(2, 2).permute(0, 0)",
    "torch.arange(0, 5, -1)",
    "torch.ones(2).backward()",
    "torch.ones(2, requires_grad=True).exp().backward()",
    "torch.ones(2, device='nonsense')",
    "torch.full((2,), 'a')",
    "torch.randn(2, dtype=torch.int64)",
    "-torch.ones(2, dtype=torch.bool)",
    "torch.ones(2, dtype=torch.bool) - torch.ones(2, dtype=torch.bool)",
    "torch.ones(2).bool() @ torch.ones(2).bool()",
    "torch.ones(4).chunk(0)",
    "torch.tensor([1, 2]) // 0",
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors_have_pytorchs_class_and_say_what_was_received(call):
    with pytest.raises(Exception) as expected:
        eval(call, {"torch": oracle})
    with pytest.raises(Exception) as got:
        eval(call, {"torch": rushlight})
    assert got.type is expected.type or (got.type, expected.type) == (NotImplementedError, RuntimeError)
    assert len(str(got.value)) > 15


def test_running_out_of_memory_leaves_the_process_usable():
    with pytest.raises(RuntimeError, match="not enough memory"):
        rushlight.empty(2**45)
    assert rushlight.ones(3).sum().item() == 3


def test_results_do_not_depend_on_the_number_of_threads():
    rushlight.manual_seed(0)
    x = rushlight.randn(300, 1000)
    weight = rushlight.randn(1000, 64)

    def run():
        y = (x.tanh() @ weight).softmax(1)
        return [y.sum().item(), x.sum(0).tolist(), x.exp().mean().item(), y.std().item(), y.tolist()]

    before = rushlight.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            rushlight.set_num_threads(threads)
            results.append(run())
    finally:
        rushlight.set_num_threads(before)
    assert results[0] == results[1] == results[2]
