"""The tracer: runs a module's forward once on proxies, and keeps the calls."""

import builtins
import functools
import inspect
import math
import sys
import types
import warnings
from collections import OrderedDict
from contextlib import ExitStack, contextmanager

import rushlight
from rushlight.fx.graph import Graph, _PyTreeCodeGen
from rushlight.fx.graph_module import GraphModule
from rushlight.fx.node import base_types, has_side_effect, map_aggregate
from rushlight.fx.proxy import ParameterProxy, Proxy, TracerBase
from rushlight.type_info import defining_module
from rushlight.utils import _pytree

__all__ = ["PH", "PHBase", "Tracer", "symbolic_trace", "wrap", "ProxyableClassMeta", "is_fx_tracing"]

_wrapped_functions = {}  # (id of a module's globals, name) -> the globals
_wrapped_methods = []  # (class, name)
_proxyable_classes = set()
_tracing = [0]


class PHBase:
    """What stands for an input among concrete arguments."""

    def __repr__(self):
        return "PH"


PH = PHBase()


def is_fx_tracing():
    """Whether a trace is going on."""
    return _tracing[0] > 0


@has_side_effect
def _assert_is_none(value, msg):
    assert value is None, msg


class ProxyableClassMeta(type):
    """The metaclass of classes whose objects may be made of proxies in a trace: making one becomes a node."""

    def __init__(cls, name, bases, attrs):
        _proxyable_classes.add(cls)
        super().__init__(name, bases, attrs)

    def __call__(cls, *args, **kwargs):
        made = cls.__new__(cls)
        found = _find_proxy(args, kwargs)
        cls.__init__(made, *args, **kwargs)
        if is_fx_tracing() and found is not None:
            return found.tracer.create_proxy("call_function", cls, args, kwargs)
        return made


def wrap(fn_or_name):
    """Makes a trace keep calls of a function whole; written at the top level of its module, or as its decorator.

    Args:
        fn_or_name: the function, or its name in the module: that of a builtin, such as "len", too.

    Raises:
        RuntimeError: if it is no function or text.
        NotImplementedError: if it is not called at the top level of a module.
    """
    if not isinstance(fn_or_name, str) and not callable(fn_or_name):
        raise RuntimeError(
            f"[fx.wrap] Unsupported type for global function! Must be either a callable or string name. "
            f"Received {type(fn_or_name).__name__}."
        )
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    frame = sys._getframe(1)
    if frame.f_code.co_name != "<module>":
        raise NotImplementedError(
            "[fx.wrap] wrap must be called at the top level of a module. Move it there, or decorate the function."
        )
    _wrapped_functions[id(frame.f_globals), name] = frame.f_globals
    return fn_or_name


def _find_proxy(*values):
    found = []
    map_aggregate(values, lambda x: found.append(x) if isinstance(x, Proxy) else x)
    return found[0] if found else None


def _kept_whole(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        proxy = _find_proxy(args, kwargs)
        if proxy is None:
            return function(*args, **kwargs)
        made = proxy.tracer.create_proxy("call_function", function, args, kwargs)
        made.node.meta["is_wrapped"] = True
        return made

    call._wraps = function
    return call


class _Patches:
    """Entries of dicts and attributes that are other ones for the time of a trace."""

    def __init__(self):
        self.undo = ExitStack()
        self.searched = set()

    def entry(self, place, name, value):
        """place[name] = value"""
        if name in place:
            self.undo.callback(place.__setitem__, name, place[name])
        else:
            self.undo.callback(place.pop, name)
        place[name] = value

    def attribute(self, owner, name, value):
        """owner.name = value, of a class"""
        if name in vars(owner):
            self.undo.callback(setattr, owner, name, vars(owner)[name])
        else:
            self.undo.callback(delattr, owner, name)
        setattr(owner, name, value)

    def wrap_functions(self, place, ids):
        """Keeps the functions whole that are found in `place`, a module's globals, and are among `ids`."""
        if id(place) in self.searched:
            return
        self.searched.add(id(place))
        for name, value in list(place.items()):
            if callable(value) and not name.startswith("_") and id(value) in ids:
                self.entry(place, name, _kept_whole(value))


class Tracer(TracerBase):
    """Makes a graph of a module or a function. Subclasses say what is kept whole, and what nodes are made.

    Args:
        autowrap_modules: modules whose functions are kept whole; math by default.
        autowrap_functions: further functions that are.
        param_shapes_constant: shapes of parameters are read, rather than become nodes.

    >>> class Leaves(torch.fx.Tracer):
    ...     def is_leaf_module(self, m, module_qualified_name):
    ...         return True
    >>> model = torch.nn.Sequential(torch.nn.Sequential(torch.nn.ReLU()))
    >>> [node.target for node in Leaves().trace(model).nodes]
    ['input', '0', 'output']
    """

    def __init__(self, autowrap_modules=(math,), autowrap_functions=(), param_shapes_constant=False):
        self._autowrap_ids = {id(f) for f in autowrap_functions}
        for module in autowrap_modules:
            self._autowrap_ids |= {id(f) for k, f in vars(module).items() if not k.startswith("_") and callable(f)}
        self._autowrap_search = list(autowrap_modules)
        self.param_shapes_constant = param_shapes_constant
        self.module_stack = OrderedDict()
        self.root = self._paths = None

    # --- what a subclass may answer

    def is_leaf_module(self, m, module_qualified_name):
        """Whether calls of submodule `m` are one node: those of torch.nn, other than Sequential."""
        return defining_module(type(m)).startswith("rushlight.nn") and not isinstance(m, rushlight.nn.Sequential)

    def path_of_module(self, mod):
        """The qualified name of a submodule.

        Raises:
            NameError: if it is not one of the root's.
        """
        if self._paths is None:
            self._paths = {id(module): name for name, module in self.root.named_modules()}
        if id(mod) in self._paths:
            return self._paths[id(mod)]
        raise NameError(
            f"[fx.Tracer] module is not installed as a submodule. Received {type(mod).__name__}. Assign it to an "
            "attribute of the root."
        )

    def call_module(self, m, forward, args, kwargs):
        """What a call of submodule `m` gives: a node of its own, or what `forward` makes of it."""
        path = self.path_of_module(m)
        self.module_stack[path] = (path, type(m))
        try:
            if self.is_leaf_module(m, path):
                return self.create_proxy("call_module", path, args, kwargs)
            return forward(*args, **kwargs)
        finally:
            del self.module_stack[path]

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        """What reading attribute `attr` of a module gives: a proxy of a parameter, or the value."""
        kinds = [(rushlight.nn.Parameter, self.root.named_parameters)]
        if self.proxy_buffer_attributes:
            kinds.append((rushlight.Tensor, self.root.named_buffers))
        for kind, named in kinds:
            if not isinstance(attr_val, kind):
                continue
            for name, value in named():
                if value is attr_val:
                    if name not in parameter_proxy_cache:
                        factory = None
                        if self.param_shapes_constant:
                            factory = lambda node, name=name: ParameterProxy(self, node, name, attr_val)  # noqa: E731
                        parameter_proxy_cache[name] = self.create_proxy(
                            "get_attr", name, (), {}, proxy_factory_fn=factory
                        )
                    return parameter_proxy_cache[name]
        return attr_val

    def create_arg(self, a):
        """`a` as the argument of a node: parameters, buffers and other tensors are attributes of the module."""
        if isinstance(a, rushlight.nn.Parameter):
            for name, parameter in self.root.named_parameters():
                if a is parameter:
                    return self.create_node("get_attr", name, (), {})
            raise NameError("[fx.Tracer] parameter is not a member of this module. Assign it to an attribute.")
        if isinstance(a, rushlight.Tensor):
            for name, buffer in self.root.named_buffers():
                if a is buffer:
                    return self.create_node("get_attr", name, (), {})
            return self.create_node("get_attr", self._constant(a, "_tensor_constant"), (), {})
        if isinstance(a, rushlight.nn.Module):
            for name, module in self.root.named_modules():
                if a is module:
                    return self.create_node("get_attr", name, (), {})
        if isinstance(a, tuple) and hasattr(a, "_make"):
            return self.create_node("call_function", type(a), tuple(self.create_arg(x) for x in a), {})
        if type(a) in _proxyable_classes:
            name = self._constant(a, f"_{type(a).__name__}_constant_")
            return self.create_node("get_attr", name, (), {})
        return super().create_arg(a)

    def _constant(self, value, prefix):
        """The qualified name of a value in the root, where it is put if it is nowhere."""
        name = self.tensor_attrs.get(value)
        if name is None:
            k = 0
            while hasattr(self.root, f"{prefix}{k}"):
                k += 1
            name = self.tensor_attrs[value] = f"{prefix}{k}"
            setattr(self.root, name, value)
        return name

    # --- the trace

    def trace(self, root, concrete_args=None):
        """The graph of a module, or of a function; `concrete_args` are arguments that are no inputs.

        Raises:
            TraceError: if the program asks for the value of a tensor.
        """
        is_module = isinstance(root, rushlight.nn.Module)
        if is_module:
            self.root, function = root, type(root).forward
        else:
            self.root, function = rushlight.nn.Module(), root
        self.graph, self._paths = Graph(tracer_cls=type(self)), None
        self.tensor_attrs = dict(_tensors_of(self.root, ()))
        function, args = self.create_args_for_root(function, is_module, concrete_args)
        with _counted(), self._patched(function):
            self.create_node(
                "output",
                "output",
                (self.create_arg(function(*args)),),
                {},
                type_expr=getattr(function, "__annotations__", {}).get("return"),
            )
        return self.graph

    @contextmanager
    def _patched(self, function):
        parameter_cache = {}
        Module = rushlight.nn.Module
        plain_call, plain_read = Module.__call__, Module.__getattribute__
        asking = []
        patches = _Patches()

        def call(mod, *args, **kwargs):
            patches.wrap_functions(getattr(mod.forward, "__globals__", {}), self._autowrap_ids)
            return self.call_module(mod, functools.partial(plain_call, mod), args, kwargs)

        def read(mod, attr):
            value = plain_read(mod, attr)
            if asking or not isinstance(value, (rushlight.Tensor, Module)):
                return value
            asking.append(attr)
            try:
                return self.getattr(attr, value, parameter_cache)
            finally:
                asking.pop()

        with patches.undo:
            patches.attribute(Module, "__getattribute__", read)
            patches.attribute(Module, "__call__", call)
            for (_, name), place in list(_wrapped_functions.items()):
                if name in place or hasattr(builtins, name):
                    patches.entry(place, name, _kept_whole(place.get(name, getattr(builtins, name, None))))
            patches.wrap_functions(getattr(function, "__globals__", {}), self._autowrap_ids)
            for module in self._autowrap_search:
                patches.wrap_functions(vars(module), self._autowrap_ids)
            yield

    def create_args_for_root(self, root_fn, is_module, concrete_args=None):
        """The function to run, and the proxies and concrete arguments to run it with."""
        analysed = inspect.unwrap(root_fn)
        code = analysed.__code__
        signature = inspect.signature(analysed)
        names = iter(code.co_varnames)
        args = []
        if is_module:
            next(names)
            args.append(self.root)
        positional = [next(names) for _ in range(code.co_argcount + code.co_kwonlyargcount - is_module)]
        if isinstance(concrete_args, tuple):
            if len(concrete_args) != len(positional):
                raise RuntimeError(
                    f"[fx.Tracer] Tracing expected {len(positional)} arguments but got {len(concrete_args)} concrete "
                    "arguments. Give a dict of some of them."
                )
            concrete_args = dict(zip(positional, concrete_args, strict=True))
        concrete_args = concrete_args or {}
        for name in positional:
            default = signature.parameters[name].default
            defaults = () if default is inspect.Parameter.empty else (default,)
            if name in concrete_args:
                args.append(self._placeholder_of(name, defaults, concrete_args[name]))
            else:
                annotation = analysed.__annotations__.get(name)
                args.append(self.create_proxy("placeholder", name, defaults, {}, type_expr=annotation))
        varying = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        for flag, stars in ((inspect.CO_VARARGS, "*"), (inspect.CO_VARKEYWORDS, "**")):
            if code.co_flags & flag:
                args.append(self.create_proxy("placeholder", stars + next(names), (), {}))
        if varying or code.co_kwonlyargcount:
            root_fn = _with_positional_arguments(root_fn, len(args))
        flat, spec = _pytree.tree_flatten(tuple(args))
        if all(child.is_leaf() for child in spec.children):
            return root_fn, args
        self.graph.set_codegen(_PyTreeCodeGen(positional, _without_root(spec, is_module)))

        def of_leaves(*leaves):
            flat_result, out_spec = _pytree.tree_flatten(root_fn(*_pytree.tree_unflatten(list(leaves), spec)))
            self.graph._codegen.out_spec = out_spec
            return flat_result

        return of_leaves, flat

    def _placeholder_of(self, name, defaults, given):
        """The argument `name`, of which some is given: each leaf is an input, checked to have the value it had."""
        count = 0

        def leaf(x):
            nonlocal count
            count += 1
            proxy = self.create_proxy("placeholder", f"{name}_{count}", defaults, {})
            if isinstance(x, PHBase):
                return proxy
            text = f"{name} has been specialized to have value {x} but got another value"
            if x is None:
                self.create_proxy("call_function", _assert_is_none, (proxy, text), {})
            elif isinstance(x, base_types) and not isinstance(x, rushlight.Tensor):
                self.create_proxy("call_function", rushlight._assert, (proxy == x, text), {})
            else:
                warnings.warn(
                    f"[fx.Tracer] no check is made that argument {name} has the value that it was traced with: "
                    f"{type(x).__name__} is no plain value.",
                    stacklevel=2,
                )
            return x

        return _pytree.tree_map(leaf, given)


def _tensors_of(module, path):
    """The tensors that are plain attributes of a module and its submodules, with their qualified names."""
    for name, value in vars(module).items():
        if isinstance(value, rushlight.Tensor) or type(value) in _proxyable_classes:
            yield value, ".".join((*path, name))
    for name, child in module.named_children():
        yield from _tensors_of(child, (*path, name))


def _with_positional_arguments(function, count):
    """The function with all its arguments by position; what *args would hold is what is given there."""
    code = function.__code__
    flags = code.co_flags & ~(inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    code = code.replace(co_flags=flags, co_argcount=count, co_posonlyargcount=0, co_kwonlyargcount=0)
    made = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    return made


def _without_root(spec, is_module):
    """The structure of the arguments that a call gives, as a list."""
    return _pytree.TreeSpec(list, None, spec.children[is_module:])


@contextmanager
def _counted():
    _tracing[0] += 1
    try:
        yield
    finally:
        _tracing[0] -= 1


def symbolic_trace(root, concrete_args=None):
    """The GraphModule of a module or a function: its forward is run once, on proxies.

    Args:
        root: what depends on values, other than through tensors, cannot be traced: `if x.sum() > 0`.
        concrete_args: {name: value} of arguments that are no inputs. In a container, PH stands for an input.

    Raises:
        TraceError: if the program asks for the value of a tensor; it names the line.

    >>> def f(x, negative=False):
    ...     return -x if negative else torch.relu(x) + 1
    >>> print(torch.fx.symbolic_trace(f, concrete_args={"negative": False}).code.strip())
    def forward(self, x, negative_1 = False):
        eq = negative_1 == False;  negative_1 = None
        _assert = torch._assert(eq, 'negative has been specialized to have value False but got another value');  eq = \
_assert = None
        relu = torch.relu(x);  x = None
        add = relu + 1;  relu = None
        return add
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, rushlight.nn.Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
