"""Samplers: for one seed, the order must be PyTorch's."""

import pytest

import rushlight
from rushlight.utils import data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle


def both(build, seed=7, passes=2):
    """Runs ``build(framework, its data module)`` with both frameworks and returns what several passes yield."""
    results = []
    for framework, module in ((rushlight, data), (torch, torch.utils.data)):
        framework.manual_seed(seed)
        sampler = build(framework, module)
        results.append([list(sampler) for _ in range(passes)] + [len(sampler)])
    return results


@pytest.mark.parametrize("count", [1, 2, 10, 100])
@pytest.mark.parametrize("num_samples", [None, 1, 31, 32, 33, 250])
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("own_generator", [False, True])
def test_random_sampler(count, num_samples, replacement, own_generator):
    def build(framework, module):
        generator = framework.Generator().manual_seed(3) if own_generator else None
        return module.RandomSampler(range(count), replacement, num_samples, generator)

    ours, theirs = both(build)
    assert ours == theirs


def test_sequential_sampler():
    ours, theirs = both(lambda framework, module: module.SequentialSampler("abcd"))
    assert ours == theirs


@pytest.mark.parametrize("own_generator", [False, True])
def test_subset_random_sampler(own_generator):
    def build(framework, module):
        return module.SubsetRandomSampler(
            [5, 9, 2, 7, 0], framework.Generator().manual_seed(3) if own_generator else None
        )

    ours, theirs = both(build)
    assert ours == theirs


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("num_samples", [1, 3, 4])
def test_weighted_random_sampler(replacement, num_samples):
    def build(framework, module):
        generator = framework.Generator().manual_seed(11)
        return module.WeightedRandomSampler([0.1, 3.0, 0.5, 1.2, 0.01], num_samples, replacement, generator)

    ours, theirs = both(build, passes=5)
    assert ours == theirs


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 10])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batch_sampler(count, batch_size, drop_last):
    ours, theirs = both(lambda framework, module: module.BatchSampler(range(count), batch_size, drop_last))
    assert ours == theirs


@pytest.mark.parametrize("count", [1, 2, 5, 6, 11])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_distributed_sampler(count, shuffle, drop_last):
    for rank in range(3):

        def build(framework, module, rank=rank):
            sampler = module.DistributedSampler(range(count), 3, rank, shuffle, seed=5, drop_last=drop_last)
            sampler.set_epoch(2)
            return sampler

        ours, theirs = both(build)
        assert ours == theirs


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.RandomSampler([]),
        lambda m: m.RandomSampler([1], num_samples=0),
        lambda m: m.RandomSampler([1], replacement="yes"),
        lambda m: m.WeightedRandomSampler([1.0], 0),
        lambda m: m.WeightedRandomSampler([1.0], True),
        lambda m: m.WeightedRandomSampler([1.0], 1, replacement=None),
        lambda m: m.WeightedRandomSampler([[1.0]], 1),
        lambda m: m.BatchSampler([1], 0, False),
        lambda m: m.BatchSampler([1], True, False),
        lambda m: m.BatchSampler([1], 2, 1),
        lambda m: m.DistributedSampler([1], 2, 2),
        lambda m: m.DistributedSampler([1], 2, -1),
    ],
)
def test_wrong_arguments_raise_what_torch_raises(build):
    with pytest.raises((TypeError, ValueError)) as theirs:
        build(torch.utils.data)
    with pytest.raises(theirs.type, match=r"^\["):
        build(data)
