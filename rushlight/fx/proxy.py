"""Proxies: what stands for a value while a program is traced, and notes what is done with it."""

import dis
import inspect
import linecache
import operator
import sys
import traceback
from collections import OrderedDict
from dataclasses import fields, is_dataclass

import rushlight
from rushlight.fx import names
from rushlight.fx.code import FORMATS
from rushlight.fx.node import Node, base_types, map_aggregate
from rushlight.overrides import is_tensor_method_or_property

__all__ = ["TracerBase", "GraphAppendingTracer", "TraceError", "Proxy", "Attribute", "ParameterProxy"]


class TraceError(ValueError):
    """A program does what depends on values, which a trace does not have."""


def _refuse(proxy, what, cure):
    frame, place = names.user_frame(), ""
    if frame is not None:
        file, line = frame.f_code.co_filename, frame.f_lineno
        place = f" in {frame.f_code.co_name}, {file}:{line}"
        if text := linecache.getline(file, line, frame.f_globals).strip():
            place += f", `{text}`"
    raise TraceError(f"[fx] {what}. Received the proxy '{proxy.node.name}'{place}. {cure}")


class TracerBase:
    """Makes nodes of what proxies are told."""

    graph = None
    record_stack_traces = False
    proxy_buffer_attributes = False
    module_stack = ()

    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None):
        """Adds a node to the graph."""
        node = self.graph.create_node(kind, target, args, kwargs, name, type_expr)
        if self.module_stack:
            node.meta["nn_module_stack"] = self.module_stack.copy()
        if self.record_stack_traces and (frame := names.user_frame()) is not None:
            node.stack_trace = "".join(traceback.StackSummary.extract([(frame, frame.f_lineno)]).format())
        return node

    def proxy(self, node):
        """The proxy of a node."""
        return Proxy(node, self)

    def create_proxy(self, kind, target, args, kwargs, name=None, type_expr=None, proxy_factory_fn=None):
        """Adds a node, whose arguments may hold proxies, and gives its proxy."""
        args, kwargs = self.create_arg(args), self.create_arg(kwargs)
        node = self.create_node(kind, target, args, kwargs, name, type_expr)
        return proxy_factory_fn(node) if proxy_factory_fn else self.proxy(node)

    def create_arg(self, a):
        """`a` as the argument of a node: nodes in place of proxies.

        Raises:
            NotImplementedError: for what no node can hold.
        """
        if isinstance(a, Proxy):
            return a.node
        if hasattr(a, "__fx_create_arg__"):
            return a.__fx_create_arg__(self)
        if isinstance(a, tuple):
            parts = tuple(self.create_arg(x) for x in a)
            return a._make(parts) if hasattr(a, "_make") else parts
        if isinstance(a, list):
            return [self.create_arg(x) for x in a]
        if isinstance(a, dict):
            return {self._create_key(k): self.create_arg(v) for k, v in a.items()}
        if isinstance(a, (slice, range)):
            return type(a)(self.create_arg(a.start), self.create_arg(a.stop), self.create_arg(a.step))
        if is_dataclass(a) and not isinstance(a, type):
            kwargs = {field.name: self.create_arg(getattr(a, field.name)) for field in fields(a)}
            return self.create_node("call_function", type(a), (), kwargs)
        if isinstance(a, base_types) or a is None or a is ... or callable(a):
            return a
        raise NotImplementedError(
            f"[fx] an argument must be a tensor, a proxy, a plain value or a container of them. argument of type: "
            f"{type(a)}. Give the class a method __fx_create_arg__(tracer)."
        )

    def _create_key(self, key):
        made = self.create_arg(key)
        found = []
        map_aggregate(made, lambda x: found.append(x) if isinstance(x, Node) else None)
        if found:
            raise RuntimeError(
                "[fx] Keys for dictionaries used as an argument cannot contain a Node. "
                f"Got key: {made}. Use names as keys."
            )
        return made

    # --- what depends on values. A tracer may answer.

    def to_bool(self, obj):
        """The truth of a proxy: raises TraceError."""
        _refuse(
            obj,
            "symbolically traced variables cannot be used as inputs to control flow",
            "Use torch.where(), give the argument as concrete_args, or move the branch into a function that "
            "torch.fx.wrap() keeps whole.",
        )

    def iter(self, obj):
        """What comes out of a proxy: raises TraceError."""
        _refuse(
            obj,
            "Proxy object cannot be iterated: how many there are is not known (in a loop, or as *args or **kwargs)",
            "Take the elements by index, unpack them into so many names, or move the loop into a function that "
            "torch.fx.wrap() keeps whole.",
        )

    def keys(self, obj):
        """obj.keys(), for **obj."""
        return Attribute(obj, "keys")()


class GraphAppendingTracer(TracerBase):
    """Adds what its proxies are told to a graph that exists: for passes."""

    def __init__(self, graph):
        self.graph = graph
        self.module_stack = OrderedDict()


class Proxy:
    """Stands for the value of a node. What is done with it becomes nodes of the graph.

    >>> graph = torch.fx.Graph()
    >>> x = torch.fx.Proxy(graph.placeholder("x"))
    >>> torch.relu(x + 1).node
    relu
    """

    def __init__(self, node, tracer=None):
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer
        self.node = node

    def __repr__(self):
        return f"Proxy({self.node.name})"

    def __getattr__(self, k):
        if k in ("node", "tracer") or (k.startswith("__") and k.endswith("__")):
            raise AttributeError(k)  # it is being made, or asked by a protocol that it does not follow
        return Attribute(self, k)

    def __deepcopy__(self, memo):
        return Proxy(self.node, self.tracer)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __bool__(self):
        return self.tracer.to_bool(self)

    def __iter__(self):
        frame = sys._getframe(1)
        for instruction in dis.get_instructions(frame.f_code):
            if instruction.offset == frame.f_lasti and instruction.opname == "UNPACK_SEQUENCE":
                return (self[i] for i in range(instruction.argval))
        return self.tracer.iter(self)

    def __len__(self):
        raise RuntimeError(
            "[fx] 'len' is not supported in symbolic tracing by default. If you want this call to be recorded, please "
            "call torch.fx.wrap('len') at module scope"
        )

    def __abs__(self):
        return self.tracer.create_proxy("call_function", operator.abs, (self,), {})

    def keys(self):
        """What **proxy asks for."""
        return self.tracer.keys(self)

    @classmethod
    def __torch_function__(cls, orig_method, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tracers = {}
        map_aggregate((args, kwargs), lambda x: tracers.update({id(x.tracer): x.tracer}) if isinstance(x, Proxy) else x)
        if len(tracers) > 1:
            raise RuntimeError(
                "[fx] a call must be of proxies of one tracer. Found multiple different tracers "
                f"{list(tracers.values())} while trying to trace operations {orig_method}. Trace them together."
            )
        (tracer,) = tracers.values()
        if is_tensor_method_or_property(orig_method):
            return tracer.create_proxy("call_method", orig_method.__name__, args, kwargs)
        args, kwargs = _in_full(orig_method, args, kwargs)
        return tracer.create_proxy("call_function", orig_method, args, kwargs)


# Functions of torch.nn.functional that are no Python in PyTorch: a trace shows their arguments as they were given.
_SHOWN_AS_CALLED = frozenset(
    (
        "adaptive_avg_pool1d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "bilinear", "celu_", "channel_shuffle",
        "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
        "cosine_similarity", "elu_", "gelu", "hardshrink", "hardtanh_", "leaky_relu_", "linear", "logsigmoid",
        "native_channel_shuffle", "one_hot", "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "prelu",
        "relu_", "rrelu_", "scaled_dot_product_attention", "selu_", "softplus", "softshrink", "threshold_",
    )
)  # fmt: skip


def _in_full(function, args, kwargs):
    """The call as PyTorch's Python functions tell of it: what has a default by name, whether it was given or not."""
    path = getattr(function, "path", "")
    name = getattr(function, "__name__", "")
    if name in _SHOWN_AS_CALLED or getattr(rushlight.nn.functional, name, None) is not function:
        return args, kwargs
    if path and not path.startswith("rushlight.nn.functional:"):
        return args, kwargs
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    parameters = signature.parameters.values()
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return args, kwargs
    required = [p.name for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
    given = dict(bound.arguments)
    return tuple(given.pop(k) for k in required), given


class Attribute(Proxy):
    """An attribute of a proxy. It becomes a node when it is read; called, it is a method."""

    def __init__(self, root, attr):
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node = None

    @property
    def node(self):
        """The node that reads the attribute."""
        if self._node is None:
            self._node = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {}).node
        return self._node

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """A proxy that knows a parameter's shape."""

    def __init__(self, tracer, node, name, param):
        super().__init__(node, tracer)
        self.param, self.name = param, name

    def __repr__(self):
        return f"ParameterProxy({self.name})"

    shape = property(lambda self: self.param.shape)
    ndim = property(lambda self: self.param.ndim)

    def size(self, *args):
        """The parameter's size."""
        return self.param.size(*args)

    def dim(self):
        """The parameter's number of dimensions."""
        return self.param.dim()

    def numel(self):
        """The parameter's number of elements."""
        return self.param.numel()

    def nelement(self):
        """The parameter's number of elements."""
        return self.param.nelement()


def _operator(name):
    target = getattr(operator, name)

    def method(self, *args):
        return self.tracer.create_proxy("call_function", target, (self, *args), {})

    def reflected(self, other):
        return self.tracer.create_proxy("call_function", target, (other, self), {})

    return method, reflected


_REFLECTED = (
    "add", "sub", "mul", "floordiv", "truediv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor", "matmul",
)  # fmt: skip
for _name in FORMATS:
    _method, _mirrored = _operator(_name)
    _plain = _name.strip("_")
    setattr(Proxy, f"__{_plain}__", _method)
    if _name in _REFLECTED:
        setattr(Proxy, f"__r{_plain}__", _mirrored)
