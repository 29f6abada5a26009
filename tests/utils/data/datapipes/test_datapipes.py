"""Data pipes against PyTorch's: items, orders, lengths, refusals, and how a loader shares and seeds them."""

import importlib
import itertools
import operator
import pickle

import pytest

import rushlight
from rushlight.utils import data

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def pipes(framework, kind="iter"):
    return importlib.import_module(f"{framework.__name__}.utils.data.datapipes.{kind}")


def is_even(x):
    return x % 2 == 0


def identity(x):
    return x


def third(x):
    return x % 3


ITER = {
    "map": lambda p: p.map(str),
    "map of a column": lambda p: p.map(lambda x: (x, x + 1, x + 2)).map(operator.neg, input_col=1),
    "map of columns": lambda p: p.map(lambda x: [x, x + 1, x + 2]).map(operator.add, input_col=[0, 2]),
    "map to a column": lambda p: p.map(lambda x: {"a": x}).map(operator.neg, input_col="a", output_col="b"),
    "map to a new column": lambda p: p.map(lambda x: (x,)).map(operator.neg, input_col=0, output_col=-1),
    "filter": lambda p: p.filter(is_even),
    "filter a column": lambda p: p.map(lambda x: (x, x + 1)).filter(is_even, input_col=1),
    "batch": lambda p: p.batch(4),
    "batch, full": lambda p: p.batch(4, drop_last=True),
    "unbatch": lambda p: p.batch(2).batch(3).unbatch(unbatch_level=2),
    "unbatch all": lambda p: p.batch(2).batch(3).unbatch(-1),
    "shuffle": lambda p: p.shuffle(),
    "shuffle, small buffer": lambda p: p.shuffle(buffer_size=3),
    "shuffle off": lambda p: p.shuffle().set_shuffle(False),
    "shuffle, seed": lambda p: p.shuffle().set_seed(5),
    "group": lambda p: p.groupby(third),
    "group, keys": lambda p: p.groupby(third, keep_key=True, group_size=2),
    "group, buffer": lambda p: p.groupby(third, buffer_size=5, group_size=3, guaranteed_group_size=1),
    "group, drop": lambda p: p.groupby(third, buffer_size=4, group_size=3, drop_remaining=True),
    "concat": lambda p: p.concat(p.map(str)),
    "zip": lambda p: p.fork(2)[0].zip(),
    "fork": lambda p: operator.methodcaller("zip", p)(p) if False else p.fork(2)[1],
    "demux": lambda p: p.demux(3, third)[1],
    "mux": lambda p: p.mux(type(p)("abc")),
    "share": lambda p: p.sharding_filter(),
    "collate": lambda p: p.batch(2).collate(sum),
}


@pytest.mark.parametrize("name", ITER)
def test_iter_pipes(name):
    results = []
    for framework in (rushlight, torch):
        framework.manual_seed(3)
        pipe = ITER[name](pipes(framework).IterableWrapper(range(11)))
        items = [list(pipe), list(pipe)] if name != "fork" and name != "demux" and name != "zip" else [list(pipe)]
        try:
            length = len(pipe)
        except TypeError:
            length = None
        results.append((items, length))
    assert results[0] == results[1]


def test_forks_read_in_turn():
    for framework in (rushlight, torch):
        a, b = pipes(framework).IterableWrapper(range(5)).fork(2)
        assert [x for pair in zip(a, b, strict=True) for x in pair] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
        a, b = pipes(framework).IterableWrapper(range(5)).fork(2, buffer_size=2)
        with pytest.raises(BufferError):
            list(a)


MAP = {
    "map": lambda p: p.map(str.upper),
    "concat": lambda p: p.concat(p),
    "zip": lambda p: p.zip(p),
    "batch": lambda p: p.batch(2),
    "batch, full": lambda p: p.batch(2, drop_last=True),
}


@pytest.mark.parametrize("name", MAP)
def test_map_pipes(name):
    made = [MAP[name](pipes(f, "map").SequenceWrapper("abcde")) for f in (rushlight, torch)]
    ours, theirs = ([pipe[k] for k in range(len(pipe))] for pipe in made)
    assert ours == theirs


def test_shuffled_map_pipes():
    orders = []
    for framework in (rushlight, torch):
        framework.manual_seed(3)
        pipe = pipes(framework, "map").SequenceWrapper("abcde").shuffle()
        orders.append([list(pipe), list(pipe.set_seed(4)), sorted(pipe.set_shuffle(False))])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("shuffle", [None, True, False])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.multiprocess
def test_loaders_share_and_seed_pipes(shuffle, workers):
    orders = []
    for framework in (rushlight, torch):
        framework.manual_seed(3)
        pipe = pipes(framework).IterableWrapper(range(20)).shuffle().sharding_filter()
        loader = framework.utils.data.DataLoader(pipe, 3, shuffle=shuffle, num_workers=workers)
        orders.append([[batch.tolist() for batch in loader] for _ in range(2)] + [framework.rand(1).item()])
    assert orders[0] == orders[1]
    assert sorted(itertools.chain(*orders[0][0])) == list(range(20))


def test_only_the_latest_iterator_is_valid():
    for framework in (rushlight, torch):
        pipe = pipes(framework).IterableWrapper(range(3))
        first = iter(pipe)
        next(first)
        assert list(pipe) == [0, 1, 2]
        with pytest.raises(RuntimeError, match="This iterator has been invalidated"):
            next(first)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda p: p.batch(0), AssertionError),
        (lambda p: p.shuffle(buffer_size=0), AssertionError),
        (lambda p: list(p.filter(identity)), ValueError),
        (lambda p: list(p.unbatch()), IndexError),
        (lambda p: list(p.demux(2, third)[0]), ValueError),
        (lambda p: p.fork(0), ValueError),
        (lambda p: p.map(str, output_col=1), ValueError),
        (lambda p: p.concat([1]), TypeError),
        (lambda p: p.nothing(), AttributeError),
        (lambda p: len(p.filter(is_even)), TypeError),
        (lambda p: list(p.groupby(third, buffer_size=3, group_size=3)), RuntimeError),
    ],
)
def test_refusals(call, error):
    for framework in (rushlight, torch):
        with pytest.raises(error):
            call(pipes(framework).IterableWrapper(range(7)))


def test_sharing_out_twice_is_refused():
    pipe = pipes(rushlight).IterableWrapper(range(9)).sharding_filter().map(str).sharding_filter()
    with pytest.raises(RuntimeError, match="Sharding twice"):
        list(data.DataLoader(pipe))


def test_files(tmp_path):
    (tmp_path / "b.txt").write_text("bbb")
    (tmp_path / "a.txt").write_text("aa")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.bin").write_bytes(b"c")
    for options in ({}, {"masks": "*.txt"}, {"recursive": True, "masks": ["*.bin", "a*"]}):
        ours, theirs = (sorted(pipes(f).FileLister(str(tmp_path), **options)) for f in (rushlight, torch))
        assert ours == theirs
    lister = pipes(rushlight).FileLister(str(tmp_path), "*.txt")
    read = pipes(rushlight).FileOpener(lister, "rb").read_from_stream(2)
    assert [(path[-5:], piece) for path, piece in read] == [("a.txt", b"aa"), ("b.txt", b"bb"), ("b.txt", b"b")]


def test_decorators():
    module = data

    class Ints(module.IterDataPipe[int]):
        def __init__(self, items):
            self.items = items

        @module.runtime_validation
        def __iter__(self):
            yield from self.items

    with pytest.raises(RuntimeError, match="Expected an instance as subtype"):
        list(Ints([1, "a"]))
    with module.runtime_validation_disabled():
        assert list(Ints([1, "a"])) == [1, "a"]

    @module.argument_validation
    def use(pipe: module.IterDataPipe):
        return pipe

    with pytest.raises(TypeError, match="as a IterDataPipe"):
        use([1])
    uncertain = module.non_deterministic(lambda items: len(items) > 1)(Ints)
    with module.guaranteed_datapipes_determinism():
        assert list(uncertain([1])) == [1]
        with pytest.raises(TypeError, match="non-deterministic"):
            uncertain([1, 2])
        with pytest.raises(TypeError, match="non-deterministic"):
            module.non_deterministic(Ints)([1])
    assert list(uncertain([1, 2])) == [1, 2]


def test_pipes_are_pickled():
    pipe = pipes(rushlight).IterableWrapper([1, 2]).map(str).shuffle()
    copy = pickle.loads(pickle.dumps(pipe))
    assert sorted(copy) == ["1", "2"] and repr(copy) == "Shuffler"
