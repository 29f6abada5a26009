"""Programs as graphs: a module is traced, its graph is changed, and it is a module again.

>>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
>>> traced = torch.fx.symbolic_trace(model)
>>> for node in traced.graph.nodes:
...     if node.op == "call_module" and isinstance(traced.get_submodule(node.target), torch.nn.ReLU):
...         with traced.graph.inserting_after(node):
...             gelu = traced.graph.call_function(torch.nn.functional.gelu, node.args)
...         node.replace_all_uses_with(gelu)
...         traced.graph.erase_node(node)
[output]
>>> traced.recompile().src.strip().splitlines()[3].strip()
'gelu = torch.nn.functional.gelu(_0);  _0 = None'
"""

from rushlight.fx import _pytree, immutable_collections, passes  # noqa: F401
from rushlight.fx._symbolic_trace import PH, ProxyableClassMeta, Tracer, symbolic_trace, wrap
from rushlight.fx.graph import CodeGen, Graph
from rushlight.fx.graph_module import GraphModule
from rushlight.fx.interpreter import Interpreter, Transformer
from rushlight.fx.node import Node, has_side_effect, map_arg
from rushlight.fx.proxy import Proxy
from rushlight.fx.subgraph_rewriter import replace_pattern

__all__ = [
    "PH",
    "CodeGen",
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "ProxyableClassMeta",
    "Tracer",
    "Transformer",
    "has_side_effect",
    "immutable_collections",
    "map_arg",
    "replace_pattern",
    "symbolic_trace",
    "wrap",
]
