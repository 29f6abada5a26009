"""The shape and dtype of each node, by running the graph."""

from typing import NamedTuple

import rushlight
from rushlight.fx.interpreter import Interpreter
from rushlight.fx.node import map_aggregate

__all__ = ["TensorMetadata", "ShapeProp"]


class TensorMetadata(NamedTuple):
    """What is known of a tensor without its elements."""

    shape: rushlight.Size
    dtype: rushlight.dtype
    requires_grad: bool
    stride: tuple
    memory_format: object  # None where it is neither contiguous nor channels last
    is_quantized: bool = False
    qparams: dict = {}  # noqa: RUF012  (a field's default, as PyTorch's)


def _metadata(x):
    formats = (rushlight.contiguous_format, rushlight.channels_last, rushlight.channels_last_3d)
    ranks = {rushlight.channels_last: 4, rushlight.channels_last_3d: 5}
    in_format = (f for f in formats if ranks.get(f, x.ndim) == x.ndim and x.is_contiguous(memory_format=f))
    return TensorMetadata(x.shape, x.dtype, x.requires_grad, x.stride(), next(in_format, None), False, {})


class ShapeProp(Interpreter):
    """Runs a graph and notes at each node meta["tensor_meta"], a TensorMetadata, and meta["type"].

    >>> traced = torch.fx.symbolic_trace(torch.nn.Linear(3, 2))
    >>> _ = torch.fx.passes.shape_prop.ShapeProp(traced).propagate(torch.ones(4, 3))
    >>> traced.graph.output_node().meta["tensor_meta"].shape
    torch.Size([4, 2])
    """

    def run_node(self, n):
        """What node `n` gives, which is noted."""
        try:
            result = super().run_node(n)
        except Exception as error:
            raise RuntimeError(
                f"[fx.ShapeProp] ShapeProp error for: node={n.format_node()} with meta={n.meta}. {error}"
            ) from error
        found = []

        def note(x):
            if not isinstance(x, rushlight.Tensor):
                return x
            found.append(x)
            return _metadata(x)

        meta = map_aggregate(result, note)
        if found:
            n.meta["tensor_meta"] = meta
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args):
        """What the module gives for these inputs; the nodes are noted at."""
        return super().run(*args)
