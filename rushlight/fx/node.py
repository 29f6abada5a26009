"""A node: one line of a graph."""

import builtins
from collections.abc import Callable
from typing import Any

import rushlight
from rushlight.fx import names, operator_schemas
from rushlight.fx.immutable_collections import immutable_dict, immutable_list

__all__ = ["Node", "map_arg", "map_aggregate", "has_side_effect", "Argument", "Target", "base_types"]

Target = Callable[..., Any] | str
base_types = (
    str, int, float, bool, complex, rushlight.dtype, rushlight.Tensor, rushlight.device, rushlight.memory_format,
    rushlight.layout,
)  # fmt: skip
# What a node takes: other nodes, plain values, and lists, tuples, dicts and slices of them.
Argument = Any

OPS = ("placeholder", "get_attr", "call_function", "call_method", "call_module", "output")
_with_side_effects = {rushlight._assert, rushlight._assert_async}


def has_side_effect(fn):
    """Declares that calls of `fn` are kept where nobody uses their results; returns it."""
    _with_side_effects.add(fn)
    return fn


def map_aggregate(a, fn):
    """`a` with `fn` of each leaf in place of it; lists and dicts become unchangeable ones."""
    if isinstance(a, tuple):
        mapped = tuple(map_aggregate(x, fn) for x in a)
        return a._make(mapped) if hasattr(a, "_make") else mapped
    if isinstance(a, list):
        return immutable_list(map_aggregate(x, fn) for x in a)
    if isinstance(a, dict):
        return immutable_dict((k, map_aggregate(v, fn)) for k, v in a.items())
    if isinstance(a, slice):
        return slice(map_aggregate(a.start, fn), map_aggregate(a.stop, fn), map_aggregate(a.step, fn))
    return fn(a)


def map_arg(a, fn):
    """`a` with `fn` of each node in it in place of the node.

    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> torch.fx.map_arg([x, 2, {"y": x}], lambda node: node.name)
    ['x', 2, {'y': 'x'}]
    """
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


class Node:
    """One line of a graph: an input, a call, an attribute or the result.

    Attributes:
        op: "placeholder", "get_attr", "call_function", "call_method", "call_module" or "output".
        target: what is called: a function, or the name of a method, submodule, attribute or input.
        args, kwargs: with what; other nodes stand for their results. Assign new ones to change them.
        users: the nodes that read this one, as the keys of a dict.
        meta: whatever passes note here.
        type: the annotation of its result, or None.
        next, prev: its neighbours; the root, whose op is "root", is before the first and after the last.
    """

    def __init__(self, graph, name, op, target, args, kwargs, return_type=None):
        if op == "call_function" and not callable(target):
            raise ValueError(f"[fx.Node] the target of call_function must be callable. Received {target!r}.")
        if op not in ("call_function", "root") and not isinstance(target, str):
            raise ValueError(f"[fx.Node] the target of {op} must be str. Received {target!r}.")
        self.graph, self.name, self.op, self.target, self.type = graph, name, op, target, return_type
        self.users = {}
        self.meta = {}
        self._repr_fn = None
        self._prev = self._next = self
        self._erased = False
        self._input_nodes = {}
        self._set_arguments(args, kwargs)

    # --- arguments

    def _set_arguments(self, args, kwargs):
        for old in self._input_nodes:
            old.users.pop(self, None)
        self._input_nodes = {}

        def note(node):
            self._input_nodes[node] = None
            node.users[self] = None
            return node

        self._args, self._kwargs = map_arg(tuple(args), note), map_arg(dict(kwargs), note)

    @property
    def args(self):
        """The positional arguments."""
        return self._args

    @args.setter
    def args(self, args):
        self._set_arguments(args, self._kwargs)

    @property
    def kwargs(self):
        """The keyword arguments."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs):
        self._set_arguments(self._args, kwargs)

    @property
    def all_input_nodes(self):
        """The nodes among the arguments, each once."""
        return list(self._input_nodes)

    def update_arg(self, idx, arg):
        """Puts `arg` in place of positional argument `idx`."""
        args = list(self.args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx, arg):
        """Puts `arg` before positional argument `idx`.

        Raises:
            AssertionError: if there is no such place.
        """
        if not 0 <= idx <= len(self.args):
            raise AssertionError(f"[fx.Node] insert_args index must be between 0 and len(self.args). Received {idx}.")
        self.args = (*self.args[:idx], arg, *self.args[idx:])

    def update_kwarg(self, key, arg):
        """Sets keyword argument `key`."""
        self.kwargs = {**self.kwargs, key: arg}

    def replace_input_with(self, old_input, new_input):
        """Reads `new_input` wherever `old_input` was read."""

        def swap(node):
            return new_input if node is old_input else node

        self._set_arguments(map_arg(self.args, swap), map_arg(self.kwargs, swap))

    def replace_all_uses_with(self, replace_with, delete_user_cb=lambda user: True, *, propagate_meta=False):
        """Makes the users of this node read `replace_with`; those for which `delete_user_cb` is false are left.

        Returns:
            The users that were changed.
        """
        if propagate_meta:
            if replace_with.meta:
                raise AssertionError("[fx.Node] propagate_meta wants an empty meta of replace_with.")
            replace_with.meta.update(self.meta)
        changed = [user for user in list(self.users) if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    # --- place

    @property
    def next(self):
        """The node after this one."""
        return self._next

    @property
    def prev(self):
        """The node before this one."""
        return self._prev

    def prepend(self, x):
        """Moves node `x` to the place before this one."""
        if x.graph is not self.graph:
            raise AssertionError("[fx.Node] Attempting to move a Node into a different Graph. Use graph.node_copy().")
        if x is self:
            return
        x._remove_from_list()
        before = self._prev
        before._next, x._prev, x._next, self._prev = x, before, self, x

    def append(self, x):
        """Moves node `x` to the place after this one."""
        self._next.prepend(x)

    def _remove_from_list(self):
        self._prev._next, self._next._prev = self._next, self._prev
        self._prev = self._next = self

    # --- questions

    @property
    def stack_trace(self):
        """Where in the user's program it was made, when the tracer recorded that."""
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace):
        self.meta["stack_trace"] = trace

    def is_impure(self, impure_random=True):
        """Whether it must stay where nobody reads it."""
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_module":
            module = self.graph.owning_module
            if module is None:
                raise AssertionError("[fx.Node] the graph must belong to a module: owning_module is not set.")
            return getattr(module.get_submodule(self.target), "_is_impure", False)
        return self.op == "call_function" and self.target in _with_side_effects

    def normalized_arguments(self, root, arg_types=None, kwarg_types=None, normalize_to_only_use_kwargs=False):
        """The arguments with their defaults, an ArgsKwargsPair; None of what is no call, or has no known signature.

        Args:
            root: the module whose submodules are called.
            normalize_to_only_use_kwargs: all by name.
        """
        if self.op == "call_function":
            return operator_schemas.normalize_function(
                self.target, self.args, self.kwargs, arg_types, kwarg_types, normalize_to_only_use_kwargs
            )
        if self.op == "call_module":
            return operator_schemas.normalize_module(
                root, self.target, self.args, self.kwargs, normalize_to_only_use_kwargs
            )
        return None

    def __repr__(self):
        return self._repr_fn(self) if self._repr_fn else self.name

    def format_node(self, placeholder_names=None, maybe_return_typename=None):
        """The node as a line of text. Of inputs, the declaration is added to `placeholder_names`; of the result, the
        type to `maybe_return_typename`, where these lists are given.

        >>> graph = torch.fx.Graph()
        >>> graph.call_function(torch.add, (graph.placeholder("x"), 1)).format_node()
        '%add : [num_users=0] = call_function[target=torch.add](args = (%x, 1), kwargs = {})'
        """
        of_type = f"{names.type_text(self.type)} " if self.type else ""
        start = f"%{self.name} : {of_type}[num_users={len(self.users)}] = {self.op}[target={self._target_text()}]"
        if self.op == "placeholder":
            if placeholder_names is not None:
                annotation = f": {names.type_text(self.type)}" if self.type else ""
                placeholder_names.append(self.target + annotation)
                return None
            return start + (f"(default={self.args[0]})" if self.args else "")
        if self.op == "get_attr":
            return start
        if self.op == "output":
            if self.type and maybe_return_typename is not None:
                maybe_return_typename[0] = f" -> {names.type_text(self.type)}"
            return f"return {self.args[0]}"
        return f"{start}(args = {_argument_text(self.args)}, kwargs = {_argument_text(self.kwargs)})"

    def _target_text(self):
        if isinstance(self.target, str):
            return self.target
        if getattr(builtins, getattr(self.target, "__name__", ""), None) is self.target:
            return f"builtins.{self.target.__name__}"
        if getattr(self.target, "__module__", None) == "_operator":
            return f"operator.{self.target.__name__}"
        return names.qualified_name(self.target)


def _argument_text(x):
    if isinstance(x, Node):
        return f"%{x.name}"
    if isinstance(x, list):
        return "[" + ", ".join(map(_argument_text, x)) + "]"
    if isinstance(x, tuple):
        return "(" + ", ".join(map(_argument_text, x)) + ("," if len(x) == 1 else "") + ")"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{k}: {_argument_text(v)}" for k, v in x.items()) + "}"
    return str(x)
