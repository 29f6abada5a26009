"""Nested containers as a list of leaves and a `TreeSpec` that puts them together again.

Containers are dict, OrderedDict, defaultdict, list, deque, tuple, named tuple and the results of operators with several
values, and what `register_pytree_node` adds; everything else is a leaf, None included.
"""

from collections import OrderedDict, defaultdict, deque, namedtuple

__all__ = [
    "LeafSpec",
    "TreeSpec",
    "register_pytree_node",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_iter",
    "tree_leaves",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_structure",
    "tree_unflatten",
    "treespec_pprint",
]

Node = namedtuple("Node", "flatten, unflatten")  # container -> (children, context); (children, context) -> container


def _of_dict(kind):
    return Node(lambda d: (list(d.values()), list(d)), lambda children, keys: kind(zip(keys, children, strict=True)))


_NODES = {
    dict: _of_dict(dict),
    OrderedDict: _of_dict(OrderedDict),
    defaultdict: Node(
        lambda d: (list(d.values()), (d.default_factory, list(d))),
        lambda children, context: defaultdict(context[0], zip(context[1], children, strict=True)),
    ),
    list: Node(lambda x: (list(x), None), lambda children, _: list(children)),
    tuple: Node(lambda x: (list(x), None), lambda children, _: tuple(children)),
    deque: Node(lambda x: (list(x), x.maxlen), lambda children, longest: deque(children, longest)),
}
_NAMED = Node(lambda x: (list(x), type(x)), lambda children, kind: kind(*children))
_RESULTS = Node(lambda x: (list(x), type(x)), lambda children, kind: kind(children))


def register_pytree_node(cls, flatten_fn, unflatten_fn, **kwargs):
    """Makes `cls` a container: `flatten_fn(object)` gives its children and a context, `unflatten_fn` undoes it.

    Raises:
        ValueError: it is one already.
    """
    if cls in _NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _NODES[cls] = Node(flatten_fn, unflatten_fn)


def _node(x):
    """How to take `x` apart; None for a leaf."""
    kind = type(x)
    found = _NODES.get(kind)
    if found is None and isinstance(x, tuple):
        if hasattr(kind, "n_fields") or hasattr(kind, "n_sequence_fields"):
            return _RESULTS
        if hasattr(kind, "_fields"):
            return _NAMED
    return found


class TreeSpec:
    """The shape of a tree: the containers without the leaves."""

    __slots__ = ("children", "context", "num_leaves", "type")

    def __init__(self, type, context, children):
        self.type = type
        self.context = context
        self.children = children
        self.num_leaves = sum(child.num_leaves for child in children) if type else 1

    def is_leaf(self):
        """Whether the tree is one leaf."""
        return self.type is None

    def unflatten(self, leaves):
        """The tree with these leaves."""
        return tree_unflatten(leaves, self)

    def __eq__(self, other):
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return (self.type, self.context, self.children) == (other.type, other.context, other.children)

    def __hash__(self):
        return hash((self.type, self.num_leaves))

    def __repr__(self):
        if self.is_leaf():
            return "*"
        return f"TreeSpec({self.type.__name__}, {self.context}, {self.children})"


class LeafSpec(TreeSpec):
    """The shape of a single leaf."""

    __slots__ = ()

    def __init__(self):
        super().__init__(None, None, [])


_LEAF = LeafSpec()


def tree_flatten(tree, is_leaf=None):
    """(leaves, spec) of a tree. `is_leaf(x)` may declare further leaves.

    >>> from rushlight.utils import _pytree
    >>> _pytree.tree_flatten({"a": 1, "b": [2, (3,)]})[0]
    [1, 2, 3]
    """
    leaves = []

    def visit(x):
        node = None if is_leaf is not None and is_leaf(x) else _node(x)
        if node is None:
            leaves.append(x)
            return _LEAF
        children, context = node.flatten(x)
        return TreeSpec(type(x), context, [visit(child) for child in children])

    return leaves, visit(tree)


def tree_unflatten(leaves, treespec):
    """The tree of this spec with these leaves. Raises ValueError when their number does not fit."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"[tree_unflatten] the number of leaves must be {treespec.num_leaves}. Received {len(leaves)} for "
            f"{treespec}."
        )
    rest = iter(leaves)

    def build(spec):
        if spec.is_leaf():
            return next(rest)
        children = [build(child) for child in spec.children]
        node = _NODES.get(spec.type) or (_NAMED if hasattr(spec.type, "_make") else _RESULTS)
        return node.unflatten(children, spec.context)

    return build(treespec)


def tree_leaves(tree, is_leaf=None):
    """The leaves of a tree, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree, is_leaf=None):
    """The leaves of a tree, one by one."""
    yield from tree_leaves(tree, is_leaf)


def tree_structure(tree, is_leaf=None):
    """The spec of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """The tree with func(leaf, ...) for each leaf; `rests` are trees of the same shape.

    >>> from rushlight.utils import _pytree
    >>> _pytree.tree_map(lambda x: 2 * x, {"a": 1, "b": (2, 3)})
    {'a': 2, 'b': (4, 6)}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(_flatten_up_to(spec, rest) for rest in rests)]
    return tree_unflatten([func(*xs) for xs in zip(*columns, strict=True)], spec)


def tree_map_(func, tree, *rests, is_leaf=None):
    """Calls func(leaf, ...) for its effect; returns `tree`."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kinds, func, tree, is_leaf=None):
    """As `tree_map`, but leaves that are not of these types stay."""
    return tree_map(lambda x: func(x) if isinstance(x, kinds) else x, tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    """Whether pred(leaf) holds for every leaf."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    """Whether pred(leaf) holds for some leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def treespec_pprint(treespec):
    """A text that shows the spec with a * for each leaf."""
    return repr(tree_unflatten(["*"] * treespec.num_leaves, treespec)).replace("'*'", "*")


def _children_like(tree, spec):
    """The children of `tree` in the order of `spec`; None when it is another container."""
    if type(tree) is not spec.type:
        return None
    if isinstance(tree, dict):
        keys = spec.context[1] if spec.type is defaultdict else spec.context
        return [tree[key] for key in keys] if tree.keys() == set(keys) else None
    children, context = _node(tree).flatten(tree)
    return children if len(children) == len(spec.children) and context == spec.context else None


def _flatten_up_to(spec, tree):
    """What stands in `tree` where `spec` has leaves."""
    if spec.is_leaf():
        return [tree]
    children = _children_like(tree, spec)
    if children is None:
        raise ValueError(f"[pytree] trees must have one shape: expected {spec}. Received {tree!r}.")
    return [x for child, part in zip(spec.children, children, strict=True) for x in _flatten_up_to(child, part)]


def _broadcast_to_and_flatten(tree, treespec, is_leaf=None):
    """The leaves of `tree`, each repeated for the subtree of `treespec` below it; None where it does not fit."""
    if (is_leaf is not None and is_leaf(tree)) or _node(tree) is None:
        return [tree] * treespec.num_leaves
    children = None if treespec.is_leaf() else _children_like(tree, treespec)
    if children is None:
        return None
    parts = [_broadcast_to_and_flatten(c, s, is_leaf) for c, s in zip(children, treespec.children, strict=True)]
    return None if any(part is None for part in parts) else [x for part in parts for x in part]
