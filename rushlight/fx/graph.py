"""A graph: nodes in the order in which they run."""

import contextlib
import copy

import rushlight
from rushlight.fx import names
from rushlight.fx.code import CodeGen, PythonCode
from rushlight.fx.node import Node, map_aggregate, map_arg

__all__ = ["CodeGen", "Graph", "PythonCode"]


class _NodeList:
    """The nodes of a graph, which may be changed while they are walked through."""

    def __init__(self, graph, direction="_next"):
        self.graph, self.direction = graph, direction

    def __len__(self):
        return self.graph._len

    def __iter__(self):
        node = getattr(self.graph._root, self.direction)
        while node is not self.graph._root:
            if not node._erased:
                yield node
            node = getattr(node, self.direction)

    def __reversed__(self):
        return iter(_NodeList(self.graph, "_prev" if self.direction == "_next" else "_next"))


class Graph:
    """A program of calls on inputs: made by a tracer, or by hand; a GraphModule runs it.

    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> _ = graph.output(graph.call_function(torch.relu, (x,)))
    >>> print(graph)
    graph():
        %x : [num_users=1] = placeholder[target=x]
        %relu : [num_users=1] = call_function[target=torch.relu](args = (%x,), kwargs = {})
        return relu
    >>> torch.fx.GraphModule(torch.nn.Module(), graph)(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, owning_module=None, tracer_cls=None, tracer_extras=None):
        self._root = Node(self, "", "root", "", (), {})
        self._insert = self._root.prepend
        self._len = 0
        self._namespace = names.Namespace()
        self._tracer_cls, self._tracer_extras = tracer_cls, tracer_extras
        self._codegen = CodeGen()
        self._owners = 0
        self._owning_module = owning_module

    @property
    def nodes(self):
        """The nodes in order. While they are walked through, nodes may be added and erased."""
        return _NodeList(self)

    @property
    def owning_module(self):
        """The GraphModule that runs it; None without one, or with several."""
        return self._owning_module

    @owning_module.setter
    def owning_module(self, module):
        self._owners += module is not None
        self._owning_module = module if self._owners <= 1 else None

    def output_node(self):
        """The node of the result."""
        return next(node for node in reversed(self.nodes) if node.op == "output")

    def find_nodes(self, *, op, target=None, sort=True):
        """The nodes with this op, and this target where it is given."""
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    # --- nodes are made

    def create_node(self, op, target, args=None, kwargs=None, name=None, type_expr=None):
        """Adds a node where nodes are inserted, by default at the end; `name` is made unique."""
        args, kwargs = () if args is None else args, {} if kwargs is None else kwargs
        if not isinstance(args, tuple) or not isinstance(kwargs, dict):
            raise AssertionError(
                "[fx.Graph] args must be a tuple and kwargs a dict. "
                f"Received {type(args).__name__} and {type(kwargs).__name__}."
            )
        name = self._namespace.create_name(self._target_to_str(target) if name is None else name)
        node = Node(self, name, op, target, args, kwargs, type_expr)
        self._insert(node)
        self._len += 1
        return node

    def _target_to_str(self, target):
        text = names.node_name(target) if callable(target) else target
        if text.startswith("__") and text.endswith("__"):
            text = text[2:-2]
        return names.snake_case(text)

    def placeholder(self, name, type_expr=None, default_value=...):
        """An input; *name or **name takes what is left."""
        return self.create_node(
            "placeholder", name, () if default_value is ... else (default_value,), type_expr=type_expr
        )

    def get_attr(self, qualified_name, type_expr=None):
        """A parameter, buffer or other attribute of the module: "layer.weight"."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_function(self, the_function, args=None, kwargs=None, type_expr=None, name=None):
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def call_method(self, method_name, args=None, kwargs=None, type_expr=None):
        """A call of a method of args[0]."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_module(self, module_name, args=None, kwargs=None, type_expr=None):
        """A call of a submodule: "layer.0"."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def output(self, result, type_expr=None):
        """The result; the last node."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node, arg_transform=lambda x: x):
        """A copy of `node`, which may be of another graph; `arg_transform` gives for a node that it reads the one that
        the copy reads."""
        args, kwargs = map_arg(node.args, arg_transform), map_arg(node.kwargs, arg_transform)
        made = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        made.meta = copy.copy(node.meta)
        return made

    def graph_copy(self, g, val_map, return_output_node=False):
        """Copies the nodes of graph `g`, except its inputs that `val_map` has a node for; fills `val_map`.

        Returns:
            What `g` returns, in nodes of this graph; with return_output_node, that and the node; None if `g` returns
            nothing.
        """
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], val_map.__getitem__)
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, val_map.__getitem__)
        return None

    def __deepcopy__(self, memo=None):
        copied = Graph(tracer_cls=self._tracer_cls, tracer_extras=self._tracer_extras)
        copied._codegen = copy.deepcopy(self._codegen)
        of = {}
        result = copied.graph_copy(self, of, return_output_node=True)
        if result is not None:
            value, old = result
            made = copied.output(value, type_expr=old.type)
            made.meta = copy.copy(old.meta)
            of[old] = made
        for made in of.values():
            copied._namespace.rename(made, made.name)
        if memo is not None:
            memo[id(self)] = copied
        return copied

    def __reduce__(self):
        # Nodes by number: pickle would follow the chain of nodes as deep as it is long. Notes (meta) are left out.
        number = {node: _Numbered(k) for k, node in enumerate(self.nodes)}
        lines = [
            (n.op, n.target, map_arg(n.args, number.get), map_arg(n.kwargs, number.get), n.name, n.type)
            for n in self.nodes
        ]
        return _graph_of_lines, (lines, self._tracer_cls, self._codegen)

    # --- places

    @contextlib.contextmanager
    def _inserting(self, insert):
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def inserting_before(self, n=None):
        """A block in which new nodes come before node `n`; without it, before all."""
        return self._inserting(self._root._next.prepend if n is None else self._of_mine(n).prepend)

    def inserting_after(self, n=None):
        """A block in which each new node comes right after node `n`, so that the last is the first; without it, before
        all."""
        return self._inserting(self._root.append if n is None else self._of_mine(n).append)

    def _of_mine(self, n):
        if n.graph is not self:
            raise AssertionError("[fx.Graph] Node to insert at is not in graph. Take one of graph.nodes.")
        return n

    # --- nodes go

    def erase_node(self, to_erase):
        """Takes a node out.

        Raises:
            RuntimeError: if others read it.
        """
        if to_erase.users:
            raise RuntimeError(
                f"[fx.Graph] Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in the graph: "
                f"{to_erase.users}! Call replace_all_uses_with() first."
            )
        if to_erase.graph is not self:
            raise RuntimeError(f"[fx.Graph] Attempting to remove {to_erase} from wrong graph. Take one of graph.nodes.")
        if to_erase._erased:
            return
        to_erase._set_arguments((), {})
        # It keeps its neighbours: a walk that stands on it goes on.
        to_erase._prev._next, to_erase._next._prev = to_erase._next, to_erase._prev
        to_erase._erased = True
        self._len -= 1

    def eliminate_dead_code(self, is_impure_node=None):
        """Takes out what nobody reads and has no side effects; returns whether anything was.

        `is_impure_node(node)` tells what stays in any case, in place of node.is_impure().
        """
        self.lint()
        impure = is_impure_node or Node.is_impure
        before = self._len
        for node in reversed(self.nodes):
            if not node.users and not impure(node):
                self.erase_node(node)
        changed = self._len < before
        for node in self.find_nodes(op="call_module") if self.owning_module is not None else ():
            child = self.owning_module.get_submodule(node.target)
            if isinstance(child, rushlight.fx.GraphModule) and child.graph.eliminate_dead_code(is_impure_node):
                child.recompile()
                changed = True
        return changed

    # --- text

    def python_code(self, root_module, *, verbose=False):
        """The graph as the text of a function and its global names; `root_module` is what the module is called there.

        >>> graph = torch.fx.Graph()
        >>> _ = graph.output(graph.call_method("relu", (graph.placeholder("x"),)))
        >>> print(graph.python_code("self").src.strip())
        def forward(self, x):
            relu = x.relu();  x = None
            return relu
        """
        namespace = names.Namespace()
        nodes = list(self.nodes)
        before = [node._repr_fn for node in nodes]
        for node in nodes:
            node._repr_fn = lambda n: namespace.create_name(n.name, n)
        try:
            return self._codegen._gen_python_code(nodes, root_module, namespace, verbose=verbose)
        finally:
            for node, shown in zip(nodes, before, strict=True):
                node._repr_fn = shown

    def __str__(self):
        return "\n    ".join(["graph():", *(node.format_node() for node in self.nodes)])

    def print_tabular(self):
        """Prints the nodes as a table."""
        head = ("opcode", "name", "target", "args", "kwargs")
        rows = [head, *((n.op, n.name, str(n.target), str(n.args), str(n.kwargs)) for n in self.nodes)]
        width = [max(len(row[k]) for row in rows) for k in range(len(head))]
        rows.insert(1, tuple("-" * w for w in width))
        for row in rows:
            print("  ".join(text.ljust(w) for text, w in zip(row, width, strict=True)).rstrip())

    def lint(self):
        """Raises RuntimeError if a node reads what is not there yet, names clash, or a target does not exist."""
        seen, taken = set(), set()
        for node in self.nodes:
            if node.op not in rushlight.fx.node.OPS:
                raise RuntimeError(f"[fx.Graph.lint] Node {node} had unknown opcode {node.op}!")
            if node.graph is not self:
                raise RuntimeError(f"[fx.Graph.lint] Node '{node}' does not belong to this Graph!")
            for read in node.all_input_nodes:
                if read.graph is not self:
                    raise RuntimeError(
                        f"[fx.Graph.lint] Argument '{read}' of Node '{node}' does not belong to this Graph, but was "
                        "used as an argument! If you are copying nodes from another graph, use node_copy() and its "
                        "arg_transform."
                    )
                if read not in seen:
                    raise RuntimeError(
                        f"[fx.Graph.lint] Argument '{read}' of Node '{node}' was used before it has been defined! "
                        "Move one with append() or prepend()."
                    )
            if node.name in taken:
                raise RuntimeError(f"[fx.Graph.lint] Node redefined name {node.name}!")
            seen.add(node)
            taken.add(node.name)
            if self.owning_module is not None and node.op in ("get_attr", "call_module"):
                self._check_target(node)

    def _check_target(self, node):
        place = self.owning_module
        for part in node.target.split("."):
            if not hasattr(place, part):
                raise RuntimeError(
                    f"[fx.Graph.lint] Node {node} target {node.target} references nonexistent attribute {part} of "
                    f"{type(place).__name__}. Use add_submodule(), or register_buffer()."
                )
            place = getattr(place, part)
        if node.op == "call_module" and not isinstance(place, rushlight.nn.Module):
            raise RuntimeError(
                f"[fx.Graph.lint] Node {node} target {node.target} does not reference an nn.Module. Use get_attr."
            )

    # --- how code is written

    def set_codegen(self, codegen):
        """Sets the CodeGen that writes the code."""
        self._codegen = codegen

    def process_inputs(self, *args):
        """The function's arguments as the graph's inputs."""
        return self._codegen.process_inputs(*args)

    def process_outputs(self, out):
        """The graph's results as the function's."""
        return self._codegen.process_outputs(out)

    @contextlib.contextmanager
    def on_generate_code(self, make_transformer):
        """A block in which `make_transformer(the present one, or None)` gives a function that changes the lines of
        generated code."""
        before = self._codegen._body_transformer
        self._codegen._body_transformer = make_transformer(before)
        try:
            yield
        finally:
            self._codegen._body_transformer = before


class _Numbered(int):
    """A node in a pickle."""


def _graph_of_lines(lines, tracer_cls, codegen):
    graph = Graph(tracer_cls=tracer_cls)
    graph.set_codegen(codegen)
    made = []

    def node(x):
        return made[x] if isinstance(x, _Numbered) else x

    for op, target, args, kwargs, name, kind in lines:
        made.append(graph.create_node(op, target, map_aggregate(args, node), map_aggregate(kwargs, node), name, kind))
    return graph


class _PyTreeCodeGen(CodeGen):
    """Of functions whose arguments are nested containers: the graph's inputs are their leaves."""

    def __init__(self, arguments, in_spec):
        super().__init__()
        self.arguments, self.in_spec, self.out_spec = arguments, in_spec, None

    def process_inputs(self, *args):
        return rushlight.fx._pytree.tree_flatten_spec(list(args), self.in_spec)

    def process_outputs(self, outputs):
        return outputs if self.out_spec is None else rushlight.utils._pytree.tree_unflatten(outputs, self.out_spec)

    def gen_fn_def(self, free_vars, maybe_return_annotation):
        head = super().gen_fn_def(list(self.arguments), maybe_return_annotation)
        if not free_vars:
            return head
        leaves = [text.partition(":")[0].partition("=")[0].strip() for text in free_vars]
        given = ", ".join(a.partition(":")[0].partition("=")[0].strip() for a in self.arguments)
        return f"{head}\n    {', '.join(leaves)}, = fx_pytree.tree_flatten_spec([{given}], self._in_spec)"

    def generate_output(self, output_args, *, repr_fn=repr):
        return f"return pytree.tree_unflatten({repr_fn(output_args)}, self._out_spec)"
