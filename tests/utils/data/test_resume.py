"""Interrupted passes: samplers and loaders go on at the exact sample, with other workers too, with the same bits."""

import itertools
import json
import random

import numpy
import pytest

import rushlight as torch
from rushlight.utils import data


class Noisy(data.Dataset):
    """Samples that draw from all three generators."""

    def __len__(self):
        return 23

    def __getitem__(self, index):
        return index, torch.randn(2), random.random(), numpy.random.rand()


class Permuted(data.Sampler):
    """A sampler without a state that draws from two generators."""

    def __init__(self, count):
        self.count = count

    def __iter__(self):
        order = torch.randperm(self.count).tolist()
        random.shuffle(order)
        return iter(order)

    def __len__(self):
        return self.count


class Stateful(Permuted):
    """A sampler of one's own with a state."""

    position, start = 0, 5

    def __iter__(self):
        for position in range(self.start, self.count):
            self.position = position
            yield position

    def state_dict(self):
        return {"position": self.position}

    def load_state_dict(self, state):
        self.start = state["position"] + 1


def generator(seed):
    return torch.Generator().manual_seed(seed)


SAMPLERS = {
    "sequential": lambda seed: data.SequentialSampler(range(10)),
    "random": lambda seed: data.RandomSampler(range(10)),
    "random, more than once": lambda seed: data.RandomSampler(range(4), num_samples=10),
    "random, own generator": lambda seed: data.RandomSampler(range(10), generator=generator(seed)),
    "replacement": lambda seed: data.RandomSampler(range(10), True, 70, generator(seed)),
    "subset": lambda seed: data.SubsetRandomSampler(range(3, 13)),
    "weighted": lambda seed: data.WeightedRandomSampler([1.0, 2.0, 3.0], 10),
    "distributed": lambda seed: data.DistributedSampler(range(20), 2, 1),
    "batches": lambda seed: data.BatchSampler(data.RandomSampler(range(10)), 3, False),
    "batches of a list": lambda seed: data.BatchSampler([5, 3, 1, 2], 3, False),
    "batches of one's own": lambda seed: data.BatchSampler(Permuted(10), 3, False),
    "with a state": lambda seed: Stateful(12),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_samplers_go_on(name, count):
    torch.manual_seed(1)
    random.seed(1)
    sampler = SAMPLERS[name](1)
    order = iter(sampler)
    for _ in range(count):
        next(order)
    state = sampler.state_dict()
    if count == 0:  # nothing was drawn: a generator of its own is all there is
        torch.manual_seed(1)
        random.seed(1)
    here = torch.get_rng_state()
    rest = list(order)
    resumed = SAMPLERS[name](2)
    torch.set_rng_state(here) if count == 0 else torch.manual_seed(7)
    random.seed(1 if count == 0 else 7)
    resumed.load_state_dict(state)
    undisturbed = torch.get_rng_state()
    if name != "with a state" or count:
        assert list(resumed) == rest
    if count:
        assert torch.equal(torch.get_rng_state(), undisturbed)


def test_a_state_says_what_it_is_not():
    for sampler in (data.SequentialSampler(range(3)), data.BatchSampler(range(3), 2, False)):
        with pytest.raises(ValueError, match="a state must hold"):
            sampler.load_state_dict({"model": 1})
    with pytest.raises(ValueError, match="a state must be"):
        data.DataLoader(range(3)).load_state_dict([])


def plain(batch):
    return [member.tolist() for member in batch]


ORDERS = {
    "sequential": lambda: {},
    "shuffle": lambda: {"shuffle": True},
    "shuffle, own generator": lambda: {"shuffle": True, "generator": generator(3)},
    "replacement": lambda: {"sampler": data.RandomSampler(Noisy(), True, 23)},
    "one's own": lambda: {"sampler": Permuted(23)},
    "batch sampler": lambda: {"batch_sampler": data.BatchSampler(Permuted(23), 4, False), "batch_size": 1},
}


def loader(order, **options):
    return data.DataLoader(Noisy(), **({"batch_size": 4} | ORDERS[order]() | {"keyed": True} | options))


@pytest.mark.multiprocess
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("count", [0, 1, 4, 6])
def test_a_loader_goes_on_with_other_workers(order, count):
    torch.manual_seed(5)
    random.seed(5)
    first = loader(order, num_workers=2, workers="thread")
    batches = iter(first)
    for _ in range(count):
        next(batches)
    state, streams = first.state_dict(), torch.get_rng_state()
    ours = random.getstate()
    rest = [plain(batch) for batch in batches] + [plain(batch) for batch in first]
    assert len(rest) == 6 - count + 6
    for options in ({}, {"num_workers": 1}, {"num_workers": 2, "workers": "thread", "prefetch_factor": 3}):
        resumed = loader(order, **options)
        torch.set_rng_state(streams)
        random.setstate(ours)
        resumed.load_state_dict(state)
        again = [plain(batch) for batch in resumed] + [plain(batch) for batch in resumed]
        assert again == rest, options


def test_a_state_is_plain_data():
    def check(value):
        if isinstance(value, (list, tuple, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                check(item)
        else:
            assert value is None or isinstance(value, (bool, int, float, str, torch.Tensor)), value

    for order in ORDERS:
        made = loader(order, num_workers=2, workers="thread")
        batches = iter(made)
        next(batches)
        check(made.state_dict())
    json.dumps(loader("sequential").state_dict())


def test_a_finished_pass_is_followed_by_the_next():
    torch.manual_seed(5)
    first = loader("shuffle, own generator")
    list(first)
    state = first.state_dict()
    expected = [plain(batch) for batch in first]
    resumed = loader("shuffle, own generator")
    resumed.load_state_dict(state)
    torch.manual_seed(5)
    assert [plain(batch)[0] for batch in resumed] == [batch[0] for batch in expected]


def test_a_loop_that_was_left_can_be_resumed():
    torch.manual_seed(5)
    first = loader("shuffle")
    for k, _ in enumerate(first):
        if k == 2:
            break
    resumed = loader("shuffle")
    resumed.load_state_dict(first.state_dict())
    assert resumed.state_dict() == first.state_dict()
    assert sum(len(batch[0]) for batch in resumed) == 23 - 12


class Stream(data.IterableDataset):
    """The share of a worker; draws random numbers."""

    def __init__(self):
        self.reads = 0

    def __iter__(self):
        info = data.get_worker_info()
        for k in range(self.reads, 11):
            self.reads = k + 1
            if info is None or k % info.num_workers == info.id:
                yield k, torch.rand(1)


class StatefulStream(Stream):
    def state_dict(self):
        return {"reads": self.reads}

    def load_state_dict(self, state):
        self.reads = state["reads"]


class Counter(data.IterableDataset):
    """A data set whose iterator has the state."""

    def __iter__(self):
        return CountingIterator()


class CountingIterator:
    count = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        if self.count > 7:
            raise StopIteration
        return self.count, 0.0

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


@pytest.mark.parametrize("kind", [Stream, StatefulStream, Counter])
@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.filterwarnings("ignore:.*has no state_dict:UserWarning")
@pytest.mark.multiprocess
def test_streams_go_on(kind, workers):
    def loader():
        return data.DataLoader(kind(), 2, num_workers=workers, keyed=True)

    for count in (0, 1, 3):
        torch.manual_seed(5)
        first = loader()
        batches = iter(first)
        for _ in range(count):
            next(batches)
        state = first.state_dict()
        rest = [plain(batch) for batch in batches]
        resumed = loader()
        resumed.load_state_dict(state)
        assert [plain(batch) for batch in resumed] == rest


def test_streams_without_a_state_are_read_again_and_say_so():
    first = data.DataLoader(Stream(), 2)
    next(iter(first))
    state = first.state_dict()
    with pytest.warns(UserWarning, match="first 2 samples are read again"):
        data.DataLoader(Stream(), 2).load_state_dict(state)
    with pytest.raises(ValueError, match="as many workers"):
        data.DataLoader(Stream(), 2, num_workers=2).load_state_dict(state)
    with pytest.raises(ValueError, match="another kind"):
        data.DataLoader(range(3)).load_state_dict(state)


def test_batches_out_of_order_are_neither_lost_nor_read_twice():
    first = data.DataLoader(range(30), 2, num_workers=2, workers="thread", in_order=False)
    batches = iter(first)
    seen = [next(batches).tolist() for _ in range(5)]
    resumed = data.DataLoader(range(30), 2, num_workers=1, workers="thread", in_order=False)
    resumed.load_state_dict(first.state_dict())
    seen += [batch.tolist() for batch in resumed]
    assert sorted(itertools.chain(*seen)) == list(range(30))
