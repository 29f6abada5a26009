"""PyTorch's compiler of bytecode, as far as programs set it up: nothing is compiled, and settings are kept."""

from rushlight.compat.torch._dynamo import config
from rushlight.compiler import allow_in_graph, disable, is_compiling, list_backends, reset
from rushlight.unsupported import ABSENT, refusal, refused_class

__all__ = ["OptimizedModule", "allow_in_graph", "config", "disable", "is_compiling", "list_backends", "reset"]

OptimizedModule = refused_class("_dynamo.OptimizedModule", ABSENT["_dynamo"])
explain = refusal("_dynamo.explain", ABSENT["_dynamo"])
export = refusal("_dynamo.export", ABSENT["_dynamo"])


def is_dynamo_supported():
    """False."""
    return False


def mark_dynamic(t, index, **limits):
    """Accepted: nothing is compiled for a size."""


maybe_mark_dynamic = mark_static = mark_unbacked = mark_static_address = mark_dynamic


def graph_break(msg=""):
    """Accepted: nothing is compiled."""


def optimize(backend="inductor", **options):
    """A decorator that gives the function itself."""
    return lambda function: function
