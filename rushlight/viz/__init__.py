"""Pictures of what was computed.

Example::

  >>> from rushlight.viz import make_dot
  >>> x = torch.ones(2, requires_grad=True)
  >>> graph = make_dot((x * 2).sum(), params={"x": x})
  >>> print(graph.source.splitlines()[0])
  digraph computation_graph {
"""

from rushlight.viz.graph import Graph, make_dot

__all__ = ["Graph", "make_dot"]
