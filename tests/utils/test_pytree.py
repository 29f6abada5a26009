"""Nested containers."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

import rushlight
from rushlight.utils import _pytree as pytree

Point = namedtuple("Point", "x, y")
TREES = [
    1,
    None,
    [],
    (1, [2, {"a": 3}]),
    {"b": 1, "a": (2, None)},
    OrderedDict(b=1, a=[2]),
    defaultdict(list, {"a": 1}),
    deque([1, 2], maxlen=3),
    Point(1, Point(2, [3])),
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_round_trip(tree):
    leaves, spec = pytree.tree_flatten(tree)
    again = pytree.tree_unflatten(leaves, spec)
    assert again == tree and type(again) is type(tree)
    assert spec == pytree.tree_structure(tree) and spec.num_leaves == len(leaves)
    assert pytree.tree_leaves(pytree.tree_map(lambda x: (x,), tree)) == leaves
    assert "TreeSpec" in repr(spec) or spec.is_leaf()


def test_results_of_operators_are_containers():
    found = pytree.tree_map(lambda x: x + 0, rushlight.max(rushlight.ones(2, 2), 0))
    assert isinstance(found, rushlight.return_types.max)
    assert type(pytree.tree_map(lambda x: x, rushlight.ones(2).sort())).__name__ == "sort"


def test_maps_over_several_trees():
    assert pytree.tree_map(lambda a, b: a + b, {"a": 1, "b": [2]}, {"b": [20], "a": 10}) == {"a": 11, "b": [22]}
    assert pytree.tree_map_only(int, lambda x: -x, [1, "a"]) == [-1, "a"]
    assert pytree.tree_any(lambda x: x > 1, [1, (2,)]) and not pytree.tree_all(lambda x: x > 1, [1, (2,)])
    assert pytree.tree_leaves([(1, 2), 3], is_leaf=lambda x: isinstance(x, tuple)) == [(1, 2), 3]
    for wrong in ({"a": 1}, {"a": 1, "b": 2}, [1, 2], {"a": 1, "b": [1, 2]}):
        with pytest.raises(ValueError, match="one shape"):
            pytree.tree_map(lambda a, b: a, {"a": 1, "b": [2]}, wrong)
    with pytest.raises(ValueError, match="number of leaves must be 2"):
        pytree.tree_unflatten([1], pytree.tree_structure([1, 2]))


def test_broadcast():
    spec = pytree.tree_structure(([1, 2], {"a": 3}))
    assert pytree._broadcast_to_and_flatten(0, spec) == [0, 0, 0]
    assert pytree._broadcast_to_and_flatten((0, {"a": 1}), spec) == [0, 0, 1]
    assert pytree._broadcast_to_and_flatten((0, [1]), spec) is None


def test_a_class_may_become_a_container():
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    pytree.register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda children, _: Pair(*children))
    assert pytree.tree_map(lambda x: x * 2, [Pair(1, 2)])[0].b == 4
    with pytest.raises(ValueError, match="already registered"):
        pytree.register_pytree_node(Pair, None, None)
