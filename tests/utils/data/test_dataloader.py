"""The loader against PyTorch's: order, batches, collation, lengths and refusals."""

from collections import OrderedDict, defaultdict, namedtuple

import numpy
import pytest

import rushlight
from rushlight.utils import data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

Point = namedtuple("Point", ["x", "y"])


def plain(value):
    """Tensors as (dtype name, nested lists), everything else with its type's name, for comparison across frameworks."""
    if isinstance(value, (rushlight.Tensor, torch.Tensor)):
        return str(value.dtype).removeprefix("torch."), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(item) for item in value]
    return value


def both(build):
    results = []
    for framework, module in ((rushlight, data), (torch, torch.utils.data)):
        framework.manual_seed(42)
        loader = build(framework, module)
        # The draw at the end shows that exactly as many random numbers were used.
        results.append([plain(list(loader)), plain(list(loader)), len(loader), framework.rand(3).tolist()])
    return results


@pytest.mark.parametrize("batch_size", [1, 3, 10, None])
@pytest.mark.parametrize("shuffle", [False, True, None])
@pytest.mark.parametrize("own_generator", [False, True])
def test_order_is_torchs(batch_size, shuffle, own_generator):
    def build(framework, module):
        dataset = module.TensorDataset(framework.arange(20).reshape(10, 2), framework.arange(10.0))
        generator = framework.Generator().manual_seed(1) if own_generator else None
        return module.DataLoader(dataset, batch_size, shuffle=shuffle, generator=generator)

    ours, theirs = both(build)
    assert ours == theirs


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("count", [1, 9, 10, 11])
def test_lengths_and_last_batch(drop_last, count):
    ours, theirs = both(lambda framework, module: module.DataLoader(range(count), 5, shuffle=True, drop_last=drop_last))
    assert ours == theirs


def test_samplers_of_ones_own():
    ours, theirs = both(lambda framework, module: module.DataLoader("abcdef", 2, sampler=[5, 1, 3]))
    assert ours == theirs
    ours, theirs = both(lambda framework, module: module.DataLoader(range(6), batch_sampler=[[5], [1, 3, 0]]))
    assert ours == theirs


def test_whole_batches_are_read_at_once_where_offered():
    def build(framework, module):
        class Batched(module.Dataset):
            def __len__(self):
                return 5

            def __getitems__(self, indices):
                return [i * 10 for i in indices]

        return module.DataLoader(Batched(), 2)

    ours, theirs = both(build)
    assert ours == theirs


@pytest.mark.parametrize(
    ("batch_size", "drop_last"),
    [(None, False), (2, False), (3, False), (10, False), (2, True), (3, True), (10, True)],
)
def test_iterable_datasets(batch_size, drop_last):
    def build(framework, module):
        class Count(module.IterableDataset):
            def __iter__(self):
                return iter(range(7))

            def __len__(self):
                return 7

        return module.DataLoader(Count(), batch_size, drop_last=drop_last)

    ours, theirs = both(build)
    assert ours == theirs


def test_an_iterable_dataset_that_yields_more_than_it_said_is_reported():
    class Liar(data.IterableDataset):
        def __iter__(self):
            return iter(range(3))

        def __len__(self):
            return 2

    with pytest.warns(UserWarning, match="Correct its __len__"):
        list(data.DataLoader(Liar()))


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2],
        [1.0, 2.5],
        [True, False],
        ["a", "b"],
        [b"a", b"b"],
        [(1, "a"), (2, "b")],
        [[1, 2.0], [3, 4.0]],
        [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}],
        [OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)],
        [Point(1, 2.0), Point(3, 4.0)],
        [{"p": Point(1, ("x", 2))}, {"p": Point(3, ("y", 4))}],
        [numpy.arange(3), numpy.arange(3)],
        [numpy.float32(1.5), numpy.float32(2.5)],
        [numpy.float64(1.5), numpy.float64(2.5)],
        [numpy.int32(1), numpy.int32(2)],
        [numpy.ones((2, 2), dtype=numpy.float64)],
        [numpy.array(1.5), numpy.array(2.5)],
        [range(3), range(3)],
    ],
    ids=repr,
)
def test_default_collate_and_convert(batch):
    assert plain(data.default_collate(batch)) == plain(torch.utils.data.default_collate(batch))
    assert plain(data.default_convert(batch)) == plain(torch.utils.data.default_convert(batch))


def test_collating_tensors():
    def collate(framework, module):
        return plain(
            module.default_collate([{"x": framework.ones(2, 3) * i, "n": framework.tensor(i)} for i in range(4)])
        )

    assert collate(rushlight, data) == collate(torch, torch.utils.data)


def test_collating_keeps_what_a_mapping_carries():
    batch = [defaultdict(list, a=1), defaultdict(list, a=2)]
    assert data.default_collate(batch).default_factory is list


@pytest.mark.parametrize(
    ("batch", "error"),
    [
        ([None], TypeError),
        ([object()], TypeError),
        ([numpy.array("a")], TypeError),
        ([[1, 2], [3]], RuntimeError),
    ],
    ids=repr,
)
def test_collate_refuses(batch, error):
    with pytest.raises(error):
        torch.utils.data.default_collate(batch)
    with pytest.raises(error, match=r"^\[default_collate\]"):
        data.default_collate(batch)


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"persistent_workers": True},
        {"multiprocessing_context": "fork"},
        {"shuffle": True, "sampler": [0]},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_sampler": [[0]], "shuffle": True},
        {"batch_sampler": [[0]], "sampler": [0]},
        {"batch_sampler": [[0]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
    ],
    ids=repr,
)
def test_contradictory_arguments(options):
    with pytest.raises(ValueError):
        torch.utils.data.DataLoader(range(3), **options)
    with pytest.raises(ValueError, match=r"^\["):
        data.DataLoader(range(3), **options)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}], ids=repr)
def test_iterable_datasets_have_no_other_order(options):
    with pytest.raises(ValueError, match="decides its own order"):
        data.DataLoader(data.ChainDataset([]), **options)


def test_the_order_is_fixed_after_construction():
    loader = data.DataLoader(range(3), 2)
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
        with pytest.raises(ValueError, match="is fixed"):
            setattr(loader, name, None)
    loader.collate_fn = list
    assert next(iter(loader)) == [0, 1]


def test_pinning_without_accelerator_warns():
    with pytest.warns(UserWarning, match="pin_memory"):
        list(data.DataLoader(range(3), pin_memory=True))


def test_batches_of_trainable_tensors_carry_gradients():
    weights = rushlight.ones(4, 2, requires_grad=True)
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(weights), 3)))
    batch.sum().backward()
    assert weights.grad.tolist() == [[1.0, 1.0]] * 3 + [[0.0, 0.0]]
