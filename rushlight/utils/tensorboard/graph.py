"""The operators that a model calls, as the graph that TensorBoard draws."""

import contextlib
import inspect
from dataclasses import dataclass, field

from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.config_pb2 import RunMetadata
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.step_stats_pb2 import DeviceStepStats, StepStats
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.versions_pb2 import VersionDef

from rushlight import _core
from rushlight.nn.modules.hooks import register_module_forward_hook, register_module_forward_pre_hook
from rushlight.utils._pytree import tree_leaves
from rushlight.utils.tensorboard.arrays import require

__all__ = ["graph", "load_onnx_graph"]

_VERSION = VersionDef(producer=22)


def graph(model, args, verbose=False):
    """Calls the model in evaluation mode and returns (GraphDef, RunMetadata) of the calls that its results need.

    Args:
        model: a module, or any callable of tensors.
        args: a tensor, or a sequence of arguments.
        verbose (bool): print a line per node.
    """
    if args is None:
        raise RuntimeError("[add_graph] input_to_model must be a tensor or a tuple of arguments. Received None.")
    args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    record = _Record(model)
    for name, tensor in _named_inputs(model, args):
        record.add_input(name, tensor)
    with _evaluating(model), record.recording():
        result = model(*args)
    nodes = record.needed_by([x for x in tree_leaves(result) if isinstance(x, _core.Tensor)])
    if verbose:
        print("\n".join(f"{node.name} = {node.op}({', '.join(node.inputs)})" for node in nodes))
    stats = RunMetadata(step_stats=StepStats(dev_stats=[DeviceStepStats(device="/device:CPU:0")]))
    return GraphDef(node=[node.proto() for node in nodes], versions=_VERSION), stats


@dataclass
class _Node:
    name: str
    op: str
    inputs: list = field(default_factory=list)  # names; "name:1" is the second result
    results: list = field(default_factory=list)  # shapes
    attributes: str = ""

    def proto(self):
        shapes = [_shape(sizes) for sizes in self.results]
        return NodeDef(
            name=self.name,
            op=self.op,
            input=self.inputs,
            attr={
                "_output_shapes": AttrValue(list=AttrValue.ListValue(shape=shapes)),
                "attr": AttrValue(s=self.attributes.encode()),
            },
        )


def _shape(sizes):
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


class _Record:
    """Nodes in the order of the calls, and which result each tensor is."""

    def __init__(self, model):
        self.nodes = []
        self.uses = {}  # name of a node -> how many further ones were asked for
        self.tensors = []  # keeps all of them alive, so that identities stay their own
        self.sources = {}  # identity of a tensor -> (number of its node, which result)
        self.last = {}  # address of storage -> the same, of the last tensor that shares it
        self.written = {}  # address of storage -> the same, of the last call that wrote into it
        root = getattr(model, "__name__", type(model).__name__)
        self.scopes = [root]
        self.scope_of = {}  # identity of a module -> where it stands in the model
        self.label_of = {}  # identity of a parameter or buffer -> its name in the drawing
        for path, module in model.named_modules() if hasattr(model, "named_modules") else ():
            outer, _, name = path.rpartition(".")
            parent = self.scope_of[id(model.get_submodule(outer))] if path else ""
            scope = self.scope_of[id(module)] = f"{parent}/{type(module).__name__}[{name}]" if path else root
            for kind in (module.named_parameters, module.named_buffers):
                for name, tensor in kind(recurse=False):
                    self.label_of.setdefault(id(tensor), f"{scope}/{name}")

    @contextlib.contextmanager
    def recording(self):
        hooks = [
            register_module_forward_pre_hook(lambda module, args: self.enter(module)),
            register_module_forward_hook(lambda module, args, output: self.leave(), always_call=True),
        ]
        handler = self.called
        _core.observe(handler)
        try:
            yield
        finally:
            _core.unobserve(handler)
            for hook in hooks:
                hook.remove()

    def enter(self, module):
        inside = f"{self.scopes[-1]}/{type(module).__name__}"  # of a module that is not part of the model
        self.scopes.append(self.scope_of.get(id(module), inside))

    def leave(self):
        self.scopes.pop()

    def add_input(self, name, tensor):
        self.add(_Node(self.unique(f"input/{name}"), "IO Node"), [tensor])

    def called(self, op, arguments, results):
        tensors = [x for x in tree_leaves(arguments) if isinstance(x, _core.Tensor)]
        in_place = any(result is x for result in results for x in tensors)
        name = self.unique(f"{self.scopes[-1]}/{op}{'_' * in_place}")
        sources = [self.reference(self.source(x)) for x in tensors]
        node = _Node(name, op, sources, attributes=_attributes_of(op, arguments))
        self.add(node, [x for x in results if x is not None], in_place)

    def add(self, node, results, written=False):
        number = len(self.nodes)
        self.nodes.append(node)
        for k, tensor in enumerate(results):
            node.results.append(tuple(tensor.shape))
            self.tensors.append(tensor)
            self.sources[id(tensor)] = self.last[_storage(tensor)] = (number, k)
            if written:
                self.written[_storage(tensor)] = (number, k)
        return number

    def source(self, tensor):
        """What a tensor's values come from: the call that made it, or a later one that wrote into its storage."""
        label = self.label_of.get(id(tensor))
        known = self.sources.get(id(tensor)) or (None if label else self.last.get(_storage(tensor)))
        if known is None:
            node = _Node(self.unique(label or f"{self.scopes[-1]}/constant"), "Parameter" if label else "Constant")
            known = (self.add(node, [tensor]), 0)
        return max(known, self.written.get(_storage(tensor), known))

    def reference(self, source):
        number, k = source
        return f"{self.nodes[number].name}:{k}" if k else self.nodes[number].name

    def unique(self, name):
        found = name
        while found in self.uses:
            self.uses[name] += 1
            found = f"{name}_{self.uses[name]}"
        self.uses[found] = 0
        return found

    def needed_by(self, outputs):
        """The nodes that lead to the outputs, and a node for each of these."""
        number_of = {node.name: k for k, node in enumerate(self.nodes)}
        sinks = [
            _Node(f"output/output.{k}", "IO Node", [self.reference(self.source(x))], [tuple(x.shape)])
            for k, x in enumerate(outputs, 1)
        ]
        needed, waiting = set(), list(sinks)
        while waiting:
            for name in waiting.pop().inputs:
                number = number_of.get(name, number_of.get(name.rpartition(":")[0]))
                if number is not None and number not in needed:
                    needed.add(number)
                    waiting.append(self.nodes[number])
        return [self.nodes[number] for number in sorted(needed)] + sinks


def _storage(tensor):
    # Tensors without storage, and those without elements, have no address that tells them apart.
    return tensor.untyped_storage().data_ptr() or id(tensor)


def _attributes_of(op, arguments):
    """The arguments that are no tensors, by name. Without quotes: TensorBoard stumbles over them."""
    parameters = _core.op_info(op)["parameters"]
    plain = (
        f"{parameter['name']}={value}"
        for parameter, value in zip(parameters, arguments, strict=True)
        if not any(isinstance(x, _core.Tensor) for x in tree_leaves(value)) and value is not None
    )
    return ", ".join(plain).replace("'", " ")


def _named_inputs(model, args):
    """The tensors among the arguments, by the names of forward's parameters."""
    try:
        bound = inspect.signature(getattr(model, "forward", model)).bind(*args)
        named = bound.arguments.items()
    except (TypeError, ValueError):  # the call itself will say what is wrong
        named = ((f"input.{k}", value) for k, value in enumerate(args, 1))
    for name, value in named:
        tensors = [x for x in tree_leaves(value) if isinstance(x, _core.Tensor)]
        for k, tensor in enumerate(tensors, 1):
            yield name if len(tensors) == 1 else f"{name}.{k}", tensor


@contextlib.contextmanager
def _evaluating(model):
    """The model and its parts in evaluation mode; afterwards each as it was."""
    modules = list(model.modules()) if hasattr(model, "modules") else []
    before = [module.training for module in modules]
    try:
        if hasattr(model, "eval"):
            model.eval()
        yield
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training


def load_onnx_graph(path):
    """The graph of an ONNX file as a GraphDef."""
    model = require("onnx", "onnx", "add_onnx_graph").load(path).graph
    nodes = []
    for value in [*model.input, *model.output]:
        kind = value.type.tensor_type
        shape = _shape(dim.dim_value for dim in kind.shape.dim)
        attributes = {"dtype": AttrValue(type=kind.elem_type), "shape": AttrValue(shape=shape)}
        nodes.append(NodeDef(name=value.name, op="Variable", attr=attributes))
    for node in model.node:
        texts = [" = ".join(str(content) for _, content in attribute.ListFields()) for attribute in node.attribute]
        parameters = AttrValue(s=", ".join(texts).encode())
        nodes.append(NodeDef(name=node.output[0], op=node.op_type, input=node.input, attr={"parameters": parameters}))
    return GraphDef(node=nodes, versions=_VERSION)
