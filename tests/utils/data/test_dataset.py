"""Data sets and random_split, compared with PyTorch's."""

import warnings

import pytest

import rushlight
from rushlight.utils import data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle
MODULES = (data, torch.utils.data)


@pytest.mark.parametrize("lengths", [[4, 6], [10], [0, 10], [0.5, 0.5], [0.3, 0.3, 0.4], [0.15, 0.85], [1.0]])
@pytest.mark.parametrize("own_generator", [False, True])
def test_random_split_draws_as_torch(lengths, own_generator):
    results = []
    for framework, module in ((rushlight, data), (torch, torch.utils.data)):
        framework.manual_seed(5)
        options = {"generator": framework.Generator().manual_seed(9)} if own_generator else {}
        results.append([list(part) for part in module.random_split(range(100, 110), lengths, **options)])
    assert results[0] == results[1]


def test_random_split_leftovers_go_to_the_first_parts():
    ours, theirs = ([len(part) for part in module.random_split(range(11), [0.5, 0.3, 0.2])] for module in MODULES)
    assert ours == theirs


@pytest.mark.parametrize("lengths", [[3, 3], [0.5, 0.2], [2.0, -1.0]])
def test_random_split_refuses(lengths):
    with pytest.raises(ValueError):
        torch.utils.data.random_split(range(10), lengths)
    with pytest.raises(ValueError, match=r"^\[random_split\]"):
        data.random_split(range(10), lengths)


def test_random_split_warns_of_an_empty_part():
    with pytest.warns(UserWarning, match="part 1 is empty"):
        data.random_split(range(3), [0.9, 0.1])


def test_tensor_dataset():
    x, y = rushlight.arange(6).reshape(3, 2), rushlight.tensor([7, 8, 9])
    dataset = data.TensorDataset(x, y)
    assert len(dataset) == 3
    assert [t.tolist() for t in dataset[1]] == [[2, 3], 8]
    assert [t.tolist() for t in dataset[0:2]] == [[[0, 1], [2, 3]], [7, 8]]
    with pytest.raises(AssertionError, match=r"first size. Received shapes \[\(3, 2\), \(2,\)\]"):
        data.TensorDataset(x, y[:2])


def test_concat_dataset():
    dataset = data.ConcatDataset([range(3), range(10, 12)])
    assert list(dataset) == [0, 1, 2, 10, 11]
    assert dataset[-1] == 11
    assert dataset.cumulative_sizes == [3, 5]
    with pytest.raises(ValueError):
        dataset[-6]
    with pytest.raises(IndexError):
        dataset[5]
    with pytest.raises(AssertionError):
        data.ConcatDataset([])


def test_addition_concatenates():
    class Letters(data.Dataset):
        def __init__(self, letters):
            self.letters = letters

        def __getitem__(self, index):
            return self.letters[index]

        def __len__(self):
            return len(self.letters)

    assert list(Letters("ab") + Letters("c")) == ["a", "b", "c"]


class Count(data.IterableDataset):
    def __init__(self, stop):
        self.stop = stop

    def __iter__(self):
        return iter(range(self.stop))

    def __len__(self):
        return self.stop


def test_chain_dataset():
    chain = Count(2) + Count(3)
    assert isinstance(chain, data.ChainDataset)
    assert list(chain) == [0, 1, 0, 1, 2]
    assert len(chain) == 5
    with pytest.raises(AssertionError):
        list(data.ChainDataset([range(3)]))
    with pytest.raises(AssertionError, match="ChainDataset"):
        data.ConcatDataset([Count(2)])


def test_stack_dataset():
    assert data.StackDataset("abc", [1, 2, 3])[1] == ("b", 2)
    named = data.StackDataset(x="abc", y=[1, 2, 3])
    assert named[2] == {"x": "c", "y": 3}
    assert named.__getitems__([0, 2]) == [{"x": "a", "y": 1}, {"x": "c", "y": 3}]
    assert data.StackDataset(named, "xyz").__getitems__([1]) == [({"x": "b", "y": 2}, "y")]
    assert len(named) == 3
    for bad in (
        lambda: data.StackDataset("ab", [1]),
        lambda: data.StackDataset(),
        lambda: data.StackDataset("a", b="c"),
    ):
        with pytest.raises(ValueError):
            bad()


def test_subset():
    subset = data.Subset(data.TensorDataset(rushlight.arange(10)), [3, 1, 4])
    assert [item[0].item() for item in subset] == [3, 1, 4]
    assert subset[[0, 2]][0].tolist() == [3, 4]
    assert data.Subset(data.Subset("abcdef", [5, 3, 1]), [2, 0]).__getitems__([0, 1]) == ["b", "f"]
    assert len(subset) == 3


def test_base_class_says_what_to_define():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        data.Dataset()[0]


def test_no_warning_when_every_part_has_samples():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.random_split(range(10), [0.9, 0.1])
