"""Random numbers in workers: of a sample, not of the worker that reads it."""

import random

import numpy
import pytest

import rushlight
from rushlight.utils import data

pytestmark = [pytest.mark.multiprocess, pytest.mark.filterwarnings("ignore:.*workers have .* cores:UserWarning")]


class Noisy(data.Dataset):
    """Samples that draw from all three generators; importable, so that spawned workers find it."""

    def __len__(self):
        return 23

    def __getitem__(self, index):
        return index, rushlight.randn(2), random.random(), numpy.random.rand()


def read(dataset, passes=2, **options):
    rushlight.manual_seed(3)
    loader = data.DataLoader(dataset, 4, shuffle=True, **options)
    return [[member.tolist() for member in batch] for _ in range(passes) for batch in loader]


@pytest.fixture(scope="module")
def inline():
    return read(Noisy(), keyed=True)


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": 1},
        {"num_workers": 2},
        {"num_workers": 3, "prefetch_factor": 1},
        {"num_workers": 1, "workers": "thread"},
        {"num_workers": 3, "workers": "thread", "prefetch_factor": 4},
    ],
    ids=str,
)
def test_results_do_not_depend_on_the_workers(inline, options):
    assert read(Noisy(), **options) == inline
    draws = [value for batch in inline for value in batch[2] + batch[3]]
    assert len(set(draws)) == len(draws)


def test_workers_that_are_spawned_give_the_same(inline):
    assert read(Noisy(), passes=1, num_workers=1, multiprocessing_context="spawn") == inline[:6]


def test_keyed_reading_leaves_the_programs_streams_alone():
    def draw(keyed):
        rushlight.manual_seed(3)
        random.seed(3)
        numpy.random.seed(3)
        list(data.DataLoader(range(8) if not keyed else Noisy(), 4, keyed=keyed))
        return rushlight.rand(2).tolist(), random.random(), numpy.random.rand()

    assert draw(True) == draw(False)


def test_samples_that_repeat_differ():
    sampler = data.RandomSampler(range(2), replacement=True, num_samples=20)
    draws = [batch[2].item() for batch in data.DataLoader(Noisy(), sampler=sampler, keyed=True)]
    assert len(set(draws)) == 20


@pytest.mark.parametrize("workers", ["process", "thread"])
def test_drawing_in_a_worker_leaves_the_programs_streams_alone(workers):
    rushlight.manual_seed(3)
    batches = iter(data.DataLoader(Noisy(), num_workers=1, workers=workers))
    expected = rushlight.rand(3).tolist()
    rushlight.manual_seed(3)
    batches = iter(data.DataLoader(Noisy(), num_workers=1, workers=workers))
    random.seed(5)
    ours = random.random()
    list(batches)
    random.seed(5)
    assert random.random() == ours
    assert rushlight.rand(3).tolist() == expected


def test_threads_draw_from_streams_of_their_own():
    """Functions of a module that were imported from it before are the program's still."""

    class Seeding(data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            rushlight.manual_seed(index)
            random.seed(index)
            numpy.random.seed(index)
            return rushlight.rand(1).item(), random.random(), numpy.random.rand(), rushlight.initial_seed()

    random.seed(1)
    expected = random.random()
    random.seed(1)
    seed = rushlight.initial_seed()
    drawn = list(data.DataLoader(Seeding(), batch_size=None, num_workers=2, workers="thread"))
    assert random.random() == expected and rushlight.initial_seed() == seed
    for index, (ours, pythons, numpys, ours_seed) in enumerate(drawn):
        assert ours == rushlight.rand(1, generator=rushlight.Generator().manual_seed(index)).item()
        assert pythons == random.Random(index).random() and numpys == numpy.random.RandomState(index).rand()
        assert ours_seed == index
