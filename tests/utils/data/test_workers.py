"""Workers, processes and threads: what they are told, what they hand out and in which order."""

import random
import time

import numpy
import pytest

import rushlight
from rushlight.utils import data
from tests.utils.data import stress

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.multiprocess

KINDS = ["process", "thread"]


class Described:
    """Samples that say who reads them, in either framework."""

    def __init__(self, framework):
        self.framework = framework

    def __len__(self):
        return 12

    def __getitem__(self, index):
        info = self.framework.utils.data.get_worker_info()
        who = info.id, info.num_workers, info.seed, info.dataset is self, self.framework.initial_seed()
        drawn = self.framework.rand(1).item(), random.random(), numpy.random.rand()
        return index, who, drawn, self.framework.get_num_threads()


def note_worker(worker):
    random.seed(worker)


@pytest.mark.oracle
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("init", [None, note_worker])
def test_workers_are_torchs_when_not_keyed(persistent, init):
    def run(framework, **options):
        framework.manual_seed(11)
        loader = framework.utils.data.DataLoader(
            Described(framework), 2, shuffle=True, num_workers=2, collate_fn=list, worker_init_fn=init,
            persistent_workers=persistent, **options,
        )  # fmt: skip
        return [list(loader) for _ in range(2)], framework.rand(2).tolist()

    assert run(rushlight, keyed=False) == run(torch)


@pytest.mark.oracle
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_streams_are_torchs(drop_last, batch_size):
    if batch_size is None and drop_last:
        return

    def run(framework):
        class Uneven(framework.utils.data.IterableDataset):
            """The first worker's share is the longest."""

            def __iter__(self):
                worker = framework.utils.data.get_worker_info().id
                return iter(range(worker * 100, worker * 100 + 7 - 3 * worker))

        loader = framework.utils.data.DataLoader(Uneven(), batch_size, num_workers=2, drop_last=drop_last)
        return [batch.tolist() if batch_size else batch for batch in loader]

    assert run(rushlight) == run(torch)


@pytest.mark.parametrize("workers", KINDS)
@pytest.mark.parametrize("in_order", [True, False])
def test_order(workers, in_order):
    fourth = rushlight.zeros(1).share_memory_()

    class Waiting(data.Dataset):
        """The first sample waits until another worker has read the fourth."""

        def __len__(self):
            return 12

        def __getitem__(self, index):
            fourth[0] += index == 3
            while index == 0 and not fourth:
                time.sleep(0.01)
            return index

    loader = data.DataLoader(Waiting(), num_workers=2, workers=workers, in_order=in_order)
    read = [batch.item() for batch in loader]
    assert sorted(read) == list(range(12))
    assert (read == list(range(12))) == in_order


def keep(batch):
    return batch


@pytest.mark.parametrize("workers", KINDS)
def test_what_a_batch_may_hold(workers):
    samples = [
        {"text": "a", "none": None, "many": [1, 2.5], "empty": rushlight.empty(0, 3), "scalar": rushlight.tensor(2)},
        {"strided": rushlight.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1), "gaps": rushlight.arange(9.0)[::2]},
        {"leaf": rushlight.ones(2, requires_grad=True), "parameter": rushlight.nn.Parameter(rushlight.ones(3))},
        {
            "array": numpy.arange(3),
            "half": rushlight.ones(2, dtype=rushlight.bfloat16),
            "flag": rushlight.tensor([True]),
        },
    ]
    loader = data.DataLoader(samples, batch_size=1, collate_fn=keep, num_workers=2, workers=workers)
    for ((made,),), expected in zip(([batch] for batch in loader), samples, strict=True):
        assert made.keys() == expected.keys()
        for name, value in expected.items():
            if isinstance(value, rushlight.Tensor):
                assert type(made[name]) is type(value) and made[name].dtype is value.dtype, name
                assert made[name].shape == value.shape and made[name].requires_grad == value.requires_grad, name
                assert rushlight.equal(made[name], value), name
                assert name == "gaps" or made[name].stride() == value.stride(), name
            else:
                assert numpy.array_equal(made[name], value) if name == "array" else made[name] == value


class Rows(data.Dataset):
    def __init__(self, count, size=1000):
        self.count, self.size = count, size

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return rushlight.full((self.size,), float(index)), index


def test_batches_lie_in_shared_memory_that_is_used_again():
    seen = set()
    for rows, _ in data.DataLoader(Rows(400, 100_000), 4, num_workers=2):
        assert rows.is_shared()
        seen.add(rows.data_ptr())
    assert len(seen) <= 12  # two in the making for each worker, two being looked at, and one to spare


def test_batches_that_are_kept_stay_as_they_are():
    kept = list(data.DataLoader(Rows(200), 5, num_workers=2))
    views = [rows[2, 10:20] for rows, _ in kept]
    for k, (rows, index) in enumerate(kept):
        assert index.tolist() == list(range(5 * k, 5 * k + 5))
        assert rushlight.equal(rows, index[:, None].expand(5, 1000).float())
        rows.zero_()  # the program may write into its batches
    del kept, rows
    assert all(view.sum().item() == 0 for view in views)


class Growing(Rows):
    """Every batch is larger than the one before."""

    def __getitem__(self, index):
        return rushlight.full((index * 5000,), float(index)), index


def test_batches_of_growing_size():
    for index, (rows, label) in enumerate(data.DataLoader(Growing(120), batch_size=None, num_workers=2)):
        assert label == index and rows.shape == (index * 5000,) and rows.eq(index).all()


class Caching(Rows):
    """What a worker keeps is not overwritten by its later batches."""

    def __getitem__(self, index):
        if not hasattr(self, "first"):
            self.first = data.default_collate([rushlight.arange(50.0)] * 2)
        return rushlight.equal(self.first, rushlight.arange(50.0).expand(2, 50))


def test_what_a_worker_keeps_stays_as_it_is():
    assert all(batch.all() for batch in data.DataLoader(Caching(200), 2, num_workers=1))


@pytest.mark.parametrize("workers", KINDS)
def test_persistent_workers(workers):
    class Counting(data.Dataset):
        reads = 0

        def __len__(self):
            return 4

        def __getitem__(self, index):
            self.reads += 1
            return self.reads

    loader = data.DataLoader(Counting(), num_workers=1, workers=workers, persistent_workers=True)
    assert [batch.item() for batch in loader] == [1, 2, 3, 4]
    batches = iter(loader)
    assert next(batches).item() == 5
    list(loader)  # a pass given up does not leak into the next
    assert iter(loader) is batches


@pytest.mark.parametrize("workers", KINDS)
def test_whole_batches_and_orders_of_ones_own(workers):
    class Batched(data.Dataset):
        def __getitems__(self, indices):
            return [i * 10 for i in indices]

    options = {"num_workers": 2, "workers": workers}
    loader = data.DataLoader(Batched(), batch_sampler=[[3, 1], [2]], **options)
    assert [batch.tolist() for batch in loader] == [[30, 10], [20]]
    loader = data.DataLoader("abcd", batch_sampler=[(3, 1), iter([2]), rushlight.tensor([0])], **options)
    assert list(loader) == [["d", "b"], ["c"], ["a"]]
    loader = data.DataLoader({"a": 1, "b": 2}, batch_size=None, sampler=["b", "a"], **options)
    assert list(loader) == [2, 1]
    loader = data.DataLoader(data.TensorDataset(rushlight.arange(6)), 2, sampler=rushlight.tensor([5, 0, 1]), **options)
    assert [batch[0].tolist() for batch in loader] == [[5, 0], [1]]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"multiprocessing_context": "thread"}, ValueError),
        ({"multiprocessing_context": 3}, TypeError),
        ({"prefetch_factor": -1}, ValueError),
    ],
    ids=str,
)
def test_refusals(options, error):
    with pytest.raises(error):
        torch.utils.data.DataLoader(range(3), num_workers=1, **options)
    with pytest.raises(error, match=r"^\[DataLoader\]"):
        data.DataLoader(range(3), num_workers=1, **options)
    for own in ({"workers": "fibre"}, {"on_error": "ignore"}):
        with pytest.raises(ValueError, match="must be"):
            data.DataLoader(range(3), **own)


def test_more_workers_than_cores_are_remarked_upon():
    with pytest.warns(UserWarning, match="workers have"):
        data.DataLoader(range(3), num_workers=1000)


def test_an_iterator_is_not_pickled():
    with pytest.raises(NotImplementedError, match="state_dict"):
        data.DataLoader(range(3)).__iter__().__getstate__()


def test_pytorchs_deep_paths():
    from rushlight.utils.data import _utils, dataloader

    assert _utils.collate.default_collate is dataloader.default_collate is data.default_collate
    assert _utils.worker.get_worker_info is data.get_worker_info and _utils.worker.WorkerInfo
    assert set(_utils.collate.default_collate_fn_map) >= {rushlight.Tensor, int, float, str, bytes}


def test_own_types_can_be_collated():
    class Own:
        pass

    from rushlight.utils.data._utils.collate import collate, default_collate_fn_map

    functions = {**default_collate_fn_map, Own: lambda batch, *, collate_fn_map=None: len(batch)}
    assert collate([(Own(), 1), (Own(), 2)], collate_fn_map=functions)[0] == 2


class Texts(data.Dataset):
    """Samples that are no tensors go through the socket, whatever their size."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return str(index) * 3_000_000


def test_large_messages_in_both_directions():
    texts = list(data.DataLoader(Texts(), batch_size=None, num_workers=2))
    assert [len(text) for text in texts] == [3_000_000] * 6 and texts[3][0] == "3"
    many = data.DataLoader(range(1_000_000), batch_size=250_000, num_workers=2)
    assert sum(len(batch) for batch in many) == 1_000_000


def test_memory_does_not_grow():
    first, *_, last = stress.watch_memory(20_000)
    assert last < first + 8


def test_many_batches_that_are_kept_need_few_descriptors():
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        kept = list(data.DataLoader(Rows(200, 250_000), num_workers=2))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [int(index) for _, index in kept] == list(range(200))
    assert all((rows == k).all() for k, (rows, _) in enumerate(kept))
