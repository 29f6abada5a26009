"""Interpreters run a graph node by node; a Transformer's run makes a new graph."""

import inspect

from rushlight.fx._symbolic_trace import Tracer
from rushlight.fx.graph import Graph
from rushlight.fx.graph_module import GraphModule, _get_attr
from rushlight.fx.node import map_aggregate, map_arg
from rushlight.fx.proxy import Proxy

__all__ = ["Interpreter", "Transformer"]


class Interpreter:
    """Runs a GraphModule node by node. A subclass changes what a kind of node does.

    Args:
        module: what has the submodules and attributes.
        garbage_collect_values: values that nobody reads any more are let go.
        graph: what is run, in place of module.graph.

    >>> class Spoken(torch.fx.Interpreter):
    ...     def call_function(self, target, args, kwargs):
    ...         print(target.__name__)
    ...         return super().call_function(target, args, kwargs)
    >>> Spoken(torch.fx.symbolic_trace(lambda x: torch.relu(x) + 1)).run(torch.ones(1))
    relu
    add
    tensor([2.])
    """

    def __init__(self, module, garbage_collect_values=True, graph=None):
        self.module = module
        self.graph = module.graph if graph is None else graph
        self.submodules = dict(module.named_modules())
        self.env = {}
        self.name = "Interpreter"
        self.extra_traceback = True
        self.garbage_collect_values = garbage_collect_values
        self.user_to_last_uses = {}
        if garbage_collect_values:
            seen = set()
            for node in reversed(self.graph.nodes):
                for read in node.all_input_nodes:
                    if read not in seen:
                        seen.add(read)
                        self.user_to_last_uses.setdefault(node, []).append(read)

    def run(self, *args, initial_env=None, enable_io_processing=True):
        """What the graph gives for these inputs; `initial_env` holds values of nodes that are not run.

        Raises:
            RuntimeError: if an input is missing.
        """
        self.env = {} if initial_env is None else initial_env
        if enable_io_processing:
            args = self.graph.process_inputs(*args)
        self.args_iter = iter(args)
        for node in self.graph.nodes:
            if node in self.env:
                continue
            try:
                self.env[node] = self.run_node(node)
            except Exception as error:
                if self.extra_traceback:
                    error.add_note(f"While executing {node.format_node()}")
                raise
            for gone in self.user_to_last_uses.get(node, ()):
                del self.env[gone]
            if node.op == "output":
                result = self.env[node]
                return self.graph.process_outputs(result) if enable_io_processing else result
        return None

    def boxed_run(self, args_list):
        """run(), which empties the list of inputs, so that they can be let go."""
        args = list(args_list)
        args_list.clear()
        return self.run(*args)

    def run_node(self, n):
        """What node `n` gives."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def placeholder(self, target, args, kwargs):
        """The next input, or its default."""
        if target.startswith("**"):
            return next(self.args_iter, {})
        if target.startswith("*"):
            return list(self.args_iter)
        try:
            return next(self.args_iter)
        except StopIteration:
            if args:
                return args[0]
            raise RuntimeError(
                f"[fx.Interpreter] Expected positional argument for parameter {target}, but one was not passed in! "
                "Give run() all inputs."
            ) from None

    def get_attr(self, target, args, kwargs):
        """An attribute of the module."""
        return self.fetch_attr(target)

    def call_function(self, target, args, kwargs):
        """What the function gives."""
        return target(*args, **kwargs)

    def call_method(self, target, args, kwargs):
        """What the method of args[0] gives."""
        return getattr(args[0], target)(*args[1:], **kwargs)

    def call_module(self, target, args, kwargs):
        """What the submodule gives."""
        return self.fetch_attr(target)(*args, **kwargs)

    def output(self, target, args, kwargs):
        """The result."""
        return args[0]

    def fetch_attr(self, target):
        """The attribute of the module under a qualified name.

        Raises:
            RuntimeError: if there is none.
        """
        try:
            return _get_attr(self.module, target)
        except AttributeError:
            raise RuntimeError(
                f"[fx.Interpreter] Node referenced nonexistent target {target}. Add it to the module."
            ) from None

    def fetch_args_kwargs_from_env(self, n):
        """The arguments of node `n`, with values in place of nodes."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args, n):
        """`args` with values in place of nodes; `n` reads them."""

        def value(node):
            if node not in self.env:
                raise RuntimeError(
                    f"[fx.Interpreter] Node {n} referenced nonexistent value {node}! Run Graph.lint() to diagnose such "
                    "issues"
                )
            return self.env[node]

        return map_arg(args, value)


class _TransformerTracer(Tracer):
    def __init__(self, graph):
        super().__init__()
        self.graph = graph
        self.tensor_attrs = {}

    def is_leaf_module(self, m, module_qualified_name):
        return True


class Transformer(Interpreter):
    """Runs a graph on proxies, which gives a new one. A subclass changes what a kind of node becomes.

    >>> class Swap(torch.fx.Transformer):
    ...     def call_function(self, target, args, kwargs):
    ...         return super().call_function(torch.sigmoid if target is torch.relu else target, args, kwargs)
    >>> Swap(torch.fx.symbolic_trace(lambda x: torch.relu(x))).transform().graph.find_nodes(op="call_function")
    [sigmoid]
    """

    def __init__(self, module):
        super().__init__(module)
        self.new_graph = Graph(tracer_cls=module.graph._tracer_cls)
        self.new_graph.set_codegen(module.graph._codegen)
        self.tracer = _TransformerTracer(self.new_graph)
        self.tracer.root = module

    def placeholder(self, target, args, kwargs):
        """An input of the new graph."""
        default = args[0] if args else inspect.Signature.empty
        node = self.new_graph.placeholder(target, default_value=... if default is inspect.Signature.empty else default)
        return Proxy(node, self.tracer)

    def get_attr(self, target, args, kwargs):
        """An attribute, as a node."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target, args, kwargs):
        """A call of a submodule, as a node."""
        return self.tracer.call_module(self.fetch_attr(target), lambda *a, **k: None, args, kwargs)

    def call_function(self, target, args, kwargs):
        """A call of a function, as a node."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self):
        """The GraphModule of the new graph."""
        result = self.run(enable_io_processing=False)
        if result is not None:

            def node_of(x):
                return x.node if isinstance(x, Proxy) else x

            made = self.new_graph.output(map_aggregate(result, node_of))
            old = self.graph.output_node()
            made.meta, made.type = dict(old.meta), old.type
        return GraphModule(self.module, self.new_graph, type(self.module).__name__)

    def run_node(self, n):
        """What node `n` becomes; it keeps the note on the original."""
        made = super().run_node(n)
        if isinstance(made, Proxy) and n.op != "output":
            made.node.type = n.type
            for key, value in n.meta.items():
                made.node.meta.setdefault(key, value)
        return made
