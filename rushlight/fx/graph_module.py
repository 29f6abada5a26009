"""GraphModule: a module whose forward is written from a graph."""

import copy
import itertools
import linecache
import sys
import traceback

import rushlight
from rushlight.fx.graph import Graph, _PyTreeCodeGen

__all__ = ["GraphModule"]

_count = itertools.count()


def _function_of(code):
    """The function of generated code; tracebacks show its lines."""
    file = f"<eval_with_key>.{next(_count)}"
    linecache.cache[file] = (len(code.src), None, code.src.splitlines(True), file)
    names = {**code.globals, "__name__": file}
    exec(compile(code.src, file, "exec"), names)
    return names["forward"]


def _get_attr(module, target):
    for part in target.split("."):
        module = getattr(module, part)
    return module


def _owner(module, target, make):
    """The submodule that holds `target`, made of empty modules where it is missing and `make` says so; None else."""
    *path, _ = target.split(".")
    for part in path:
        child = getattr(module, part, None)
        if not isinstance(child, rushlight.nn.Module):
            if not make:
                return None
            child = rushlight.nn.Module()
            setattr(module, part, child)
        module = child
    return module


def _assign_attr(value, module, target):
    owner, name = _owner(module, target, make=True), target.rpartition(".")[2]
    if isinstance(value, rushlight.Tensor) and not isinstance(value, rushlight.nn.Parameter):
        owner.register_buffer(name, value)
    else:
        setattr(owner, name, value)


def _copy_attr(source, module, target):
    """Puts what `source` has under a qualified name into `module`; what its owner was, an empty module stands for."""
    place, own = source, module
    for part in target.split(".")[:-1]:
        place, own = getattr(place, part), getattr(own, part, None)
        if place is own:  # the owner itself is there already
            return
    _assign_attr(_get_attr(source, target), module, target)


class GraphModule(rushlight.nn.Module):
    """A module that runs a graph, with the submodules, parameters and buffers that the graph names.

    When nodes of its graph were changed, `recompile()` writes its code anew; assigning a graph does so too.

    Args:
        root: a module that has what the graph names, or a dict of {qualified name: value}.
        graph: the program.
        class_name: what its class is called.

    Raises:
        RuntimeError: if `root` lacks what the graph names.

    >>> module = torch.fx.symbolic_trace(torch.nn.Sequential(torch.nn.ReLU()))
    >>> print(module.code.strip())
    def forward(self, input):
        input_1 = input
        _0 = getattr(self, "0")(input_1);  input_1 = None
        return _0
    """

    def __new__(cls, *args, **kwargs):
        # Each has a forward of its own, and so a class of its own, below the one that the user named.
        base = next(t for t in cls.__mro__ if t.__qualname__.split(".")[-1] != "GraphModuleImpl")

        class GraphModuleImpl(base):
            pass

        return super().__new__(GraphModuleImpl)

    def __init__(self, root, graph, class_name="GraphModule"):
        super().__init__()
        type(self).__name__ = class_name
        targets = dict.fromkeys(n.target for n in graph.nodes if n.op in ("get_attr", "call_module"))
        if isinstance(root, rushlight.nn.Module):
            self.training = root.training
            for target in targets:
                _copy_attr(root, self, target)
        elif isinstance(root, dict):
            for target in sorted(targets, key=lambda t: t.count(".")):  # owners before what they own
                if target not in root:
                    raise RuntimeError(
                        f"[fx.GraphModule] a node referenced target {target} but that target was not provided in "
                        f"``root``! Received {list(root)}."
                    )
                _assign_attr(root[target], self, target)
        else:
            raise RuntimeError(
                f"[fx.GraphModule] Unsupported type {type(root).__name__} passed for root! Give a Module or a dict."
            )
        self.graph = graph
        self._tracer_cls = (
            graph._tracer_cls if "<locals>" not in getattr(graph._tracer_cls, "__qualname__", "") else None
        )
        self.meta = {}

    @property
    def graph(self):
        """The program."""
        return self._graph

    @graph.setter
    def graph(self, g):
        if not isinstance(g, Graph):
            raise AssertionError(f"[fx.GraphModule] Expected a Graph instance, but got {type(g)}. Trace it.")
        self._graph = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self):
        """The text of its forward."""
        return self._code

    def recompile(self):
        """Writes forward anew from the graph; returns its text and names, a PythonCode."""
        if isinstance(self._graph._codegen, _PyTreeCodeGen):
            self._in_spec, self._out_spec = self._graph._codegen.in_spec, self._graph._codegen.out_spec
        code = self._graph.python_code(root_module="self")
        self._code = code.src
        type(self).forward = _function_of(code)
        return code

    def __call__(self, *args, **kwargs):
        try:
            return super().__call__(*args, **kwargs)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            if last.filename.startswith("<eval_with_key>"):
                lines = linecache.getlines(last.filename)
                shown = ["    " + line.rstrip() for line in lines[last.lineno - 2 : last.lineno + 2]]
                shown.insert(2, "    " + "~" * len(lines[last.lineno - 1].rstrip()) + " <--- HERE")
                print(
                    f"Call using an FX-traced Module, line {last.lineno} of the traced Module's generated forward "
                    "function:",
                    *shown,
                    sep="\n",
                    file=sys.stderr,
                )
            raise

    # --- submodules

    def add_submodule(self, target, m):
        """Adds a submodule under a qualified name, with empty modules above it; False if that is no place for one."""
        *path, name = target.split(".")
        owner = self
        for part in path:
            child = getattr(owner, part, None)
            if child is None:
                child = rushlight.nn.Module()
                setattr(owner, part, child)
            if not isinstance(child, rushlight.nn.Module):
                return False
            owner = child
        owner.add_module(name, m)
        return True

    def delete_submodule(self, target):
        """Deletes a submodule; False if there is none."""
        owner, name = _owner(self, target, make=False), target.rpartition(".")[2]
        if owner is None or not isinstance(getattr(owner, name, None), rushlight.nn.Module):
            return False
        delattr(owner, name)
        return True

    def delete_all_unused_submodules(self):
        """Deletes the submodules that no node calls or reads."""
        used = set()
        for node in self.graph.nodes:
            if node.op not in ("call_module", "get_attr"):
                continue
            path = node.target.split(".")
            used.update(".".join(path[:k]) for k in range(1, len(path) + 1))
            if node.op == "call_module":  # it needs what is below it
                used.update(f"{node.target}.{name}" for name, _ in self.get_submodule(node.target).named_modules())
        for name in [name for name, _ in self.named_modules() if name and name not in used]:
            self.delete_submodule(name)

    # --- copies, files and text

    def __deepcopy__(self, memo):
        holder = rushlight.nn.Module()
        memo[id(self)] = holder  # until the copy is there; what points back to it finds that
        state = {k: v for k, v in self.__dict__.items() if k != "_graph"}
        holder.__dict__ = copy.deepcopy(state, memo)
        made = GraphModule.__new__(type(self))
        made.__dict__.update(holder.__dict__)
        memo[id(self)] = made
        type(made).__name__ = "GraphModule"  # as PyTorch's copies are called
        made.graph = copy.deepcopy(self._graph, memo)
        return made

    def __copy__(self):
        made = GraphModule(self, self.graph)
        made.meta = self.meta
        return made

    def __reduce__(self):
        state = {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}
        return _rebuilt, (state, self._graph, type(self).__name__)

    def __str__(self):
        hint = "# To see more debug info, please use `graph_module.print_readable()`"
        return "\n".join([super().__str__(), self._code, hint])

    def print_readable(self, print_output=True):
        """Prints its class as a program, and those of the GraphModules in it; returns the text."""
        text = self._readable(type(self).__name__)
        if print_output:
            print(text)
        return text

    def _readable(self, name):
        body = self._graph.python_code("self", verbose=True).src.lstrip("\n")
        text = _indented(f"class {name}(torch.nn.Module):\n{body}")
        parts = ["", *(m._readable(n) for n, m in self.named_children() if isinstance(m, GraphModule))]
        return text + _indented("\n".join(parts))


def _indented(text):
    """The text with its lines, but for the first, further in."""
    first, *rest = text.split("\n")
    return "\n".join([first, *("    " + line if line.strip() else line.strip() for line in rest)])


def _rebuilt(state, graph, name):
    """A GraphModule out of its pickle."""
    made = GraphModule.__new__(GraphModule)
    made.__dict__.update(state)
    type(made).__name__ = name
    made.graph = graph
    return made
