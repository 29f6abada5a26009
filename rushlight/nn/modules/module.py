"""`Module`, the base of everything that has parameters.

Parameters, buffers and children are ordinary attributes of the instance, so that `self.weight` costs what any
attribute costs. The dictionaries `_parameters`, `_buffers` and `_modules` list them by kind, in the order in
which they were registered; whatever is written into one of these appears as an attribute, too.
"""

import warnings
from collections import OrderedDict
from typing import TypeVar

import rushlight
from rushlight.nn.modules import hooks as _hooks
from rushlight.nn.modules.hooks import *  # noqa: F403  (their public home is nn.modules.module)
from rushlight.nn.modules.hooks import BackwardHook, add_hook, any_global, registered
from rushlight.nn.modules.layer_error import name_layer
from rushlight.nn.modules.registry import MISSING, Registry
from rushlight.nn.modules.state_dict import StateDict
from rushlight.nn.modules.state_dict import _IncompatibleKeys as _IncompatibleKeys  # PyTorch has it here
from rushlight.nn.modules.summary import summarize
from rushlight.nn.modules.text import block, cannot_assign, indented, type_name
from rushlight.nn.parameter import Buffer, Parameter

__all__ = ["Module", *_hooks.__all__]

_REGISTRIES = ("_parameters", "_buffers", "_modules")


class Module(StateDict):
    r"""Base class of all layers and models: holds parameters, buffers and other modules, and is called.

    A subclass calls `super().__init__()` first, assigns its parameters and children as attributes, and defines
    `forward`.

    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, input):
    ...         return self.factor * input
    >>> Scale()(torch.ones(2)).tolist()
    [2.0, 2.0]
    """

    T_destination = TypeVar("T_destination", bound=dict)
    dump_patches = False
    call_super_init = False
    _is_full_backward_hook = None  # of the hooks that are registered
    _version = 1

    def __init__(self, *args, **kwargs):
        if not self.call_super_init and (args or kwargs):
            given = f"keyword argument '{next(iter(kwargs))}'" if kwargs else f"{len(args)} positional arguments"
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected {given}")
        state = self.__dict__
        state["training"] = True
        state["_parameters"] = Registry(self)
        state["_buffers"] = Registry(self)
        state["_modules"] = Registry(self)
        state["_non_persistent_buffers_set"] = set()
        self._make_hook_dicts()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def _make_hook_dicts(self):
        state = self.__dict__
        for name in (
            "_forward_pre_hooks",
            "_forward_pre_hooks_with_kwargs",
            "_forward_hooks",
            "_forward_hooks_with_kwargs",
            "_forward_hooks_always_called",
            "_backward_pre_hooks",
            "_backward_hooks",
            "_state_dict_pre_hooks",
            "_state_dict_hooks",
            "_load_state_dict_pre_hooks",
            "_load_state_dict_pre_hooks_with_module",
            "_load_state_dict_post_hooks",
        ):
            if name not in state:
                state[name] = OrderedDict()

    # -- calling ------------------------------------------------------------------------------------------------

    def forward(self, *input):
        """The computation. Every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, input=MISSING, /, *args, **kwargs):
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or any_global
        ):
            return self._call_with_hooks(args if input is MISSING else (input, *args), kwargs)
        try:
            if not args and not kwargs and input is not MISSING:  # nothing to pack and unpack
                return self.forward(input)
            return self.forward(**kwargs) if input is MISSING else self.forward(input, *args, **kwargs)
        except Exception as error:
            name_layer(error, self)
            raise

    def _call_impl(self, *args, **kwargs):
        return Module.__call__(self, *args, **kwargs)

    def _call_with_hooks(self, args, kwargs):
        called = set()
        result = None
        try:
            for id, hook in [*_hooks.global_forward_pre.items(), *self._forward_pre_hooks.items()]:
                if id in self._forward_pre_hooks_with_kwargs:
                    replaced = hook(self, args, kwargs)
                    if replaced is None:
                        continue
                    if not (isinstance(replaced, tuple) and len(replaced) == 2):
                        raise RuntimeError(
                            "[register_forward_pre_hook] a hook with kwargs must return None or (args, kwargs). "
                            f"Received {type(replaced).__name__}."
                        )
                    args, kwargs = replaced
                else:
                    replaced = hook(self, args)
                    if replaced is not None:
                        args = replaced if isinstance(replaced, tuple) else (replaced,)

            enclosing = None
            if self._backward_hooks or self._backward_pre_hooks or _hooks.global_backward or _hooks.global_backward_pre:
                enclosing = BackwardHook(
                    self,
                    [*_hooks.global_backward.values(), *self._backward_hooks.values()],
                    [*_hooks.global_backward_pre.values(), *self._backward_pre_hooks.values()],
                )
                args = enclosing.setup_input_hook(args)
            try:
                result = self.forward(*args, **kwargs)
            except Exception as error:
                name_layer(error, self)
                raise
            for id, hook in self._all_forward_hooks():
                called.add(id)
                replaced = self._call_forward_hook(id, hook, args, kwargs, result)
                if replaced is not None:
                    result = replaced
            if enclosing is not None:
                result = enclosing.setup_output_hook(result)
            return result
        except Exception:
            for id, hook in self._all_forward_hooks():
                always = id in self._forward_hooks_always_called or id in _hooks.global_forward_always
                if always and id not in called:
                    try:
                        replaced = self._call_forward_hook(id, hook, args, kwargs, result)
                        if replaced is not None:
                            result = replaced
                    except Exception as error:
                        warnings.warn(
                            f"a forward hook with always_call=True raised {error!r} after forward had raised",
                            stacklevel=2,
                        )
            raise

    def _all_forward_hooks(self):
        return [*_hooks.global_forward.items(), *self._forward_hooks.items()]

    def _call_forward_hook(self, id, hook, args, kwargs, result):
        if id in self._forward_hooks_with_kwargs or id in _hooks.global_forward_with_kwargs:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call `hook(module, args)` before forward; a result other than None replaces the positional arguments.

        Args:
            hook: with `with_kwargs` it is called as `hook(module, args, kwargs)` and returns None or both.
            prepend: put it before the hooks that are already there.

        Returns:
            A handle whose `remove()` takes the hook away.

        >>> layer = torch.nn.Identity()
        >>> _ = layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
        >>> layer(torch.ones(1))
        tensor([2.])
        """
        flags = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return add_hook(self._forward_pre_hooks, hook, prepend=prepend, flags=flags)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call `hook(module, args, output)` after forward; a result other than None replaces the output.

        Args:
            hook: with `with_kwargs` it is called as `hook(module, args, kwargs, output)`.
            prepend: put it before the hooks that are already there.
            always_call: call it also where forward raised.

        >>> layer = torch.nn.Identity()
        >>> _ = layer.register_forward_hook(lambda module, args, output: -output)
        >>> layer(torch.ones(1))
        tensor([-1.])
        """
        flags = []
        if with_kwargs:
            flags.append(self._forward_hooks_with_kwargs)
        if always_call:
            flags.append(self._forward_hooks_always_called)
        return add_hook(self._forward_hooks, hook, prepend=prepend, flags=flags)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call `hook(module, grad_output)` when the gradients of the outputs are known; a result replaces them."""
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call `hook(module, grad_input, grad_output)` when both are known; a result replaces `grad_input`.

        Both are tuples with one entry per positional input and per output, None where there is no gradient.

        >>> layer = torch.nn.Linear(1, 1)
        >>> _ = layer.register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_output))
        >>> layer(torch.ones(1, 1, requires_grad=True)).sum().backward()
        (tensor([[1.]]),)
        """
        return self._add_backward_hook(hook, prepend, full=True)

    def register_backward_hook(self, hook):
        """The old form of `register_full_backward_hook`. A module has hooks of one form: RuntimeError otherwise."""
        return self._add_backward_hook(hook, False, full=False)

    def _add_backward_hook(self, hook, prepend, full):
        if self._backward_hooks and self._is_full_backward_hook != full:
            raise RuntimeError(
                "[register_backward_hook] a module cannot use both regular backward hooks and full backward hooks. "
                "Register all with register_full_backward_hook."
            )
        self._is_full_backward_hook = full
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    # -- attributes ---------------------------------------------------------------------------------------------

    def __setattr__(self, name, value):
        state = self.__dict__
        if isinstance(value, Parameter):
            self._require_init("parameters")
            self._drop(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._require_init("module")
            self._drop(name, "_parameters", "_buffers")
            state["_modules"][name] = registered(_hooks.global_module_registration, self, name, value)
        elif "_parameters" not in state:
            if isinstance(value, Buffer):
                self._require_init("buffers")
            object.__setattr__(self, name, value)
        elif name in state["_parameters"]:
            if value is not None:
                raise TypeError(cannot_assign(value, "parameter", name, "torch.nn.Parameter or None"))
            self.register_parameter(name, None)
        elif name in state["_modules"]:
            if value is not None:
                raise TypeError(cannot_assign(value, "child module", name, "torch.nn.Module or None"))
            state["_modules"][name] = registered(_hooks.global_module_registration, self, name, None)
        elif name in state["_buffers"]:
            if not (value is None or isinstance(value, rushlight.Tensor)):
                raise TypeError(cannot_assign(value, "buffer", name, "torch.nn.Buffer, torch.Tensor or None"))
            if isinstance(value, Buffer):
                self._set_persistence(name, value.persistent)
            state["_buffers"][name] = registered(_hooks.global_buffer_registration, self, name, value)
        elif isinstance(value, Buffer):
            state.pop(name, None)
            self.register_buffer(name, value, value.persistent)
        elif name in _REGISTRIES:
            self._replace_registry(name, value)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name):
        for registry in _REGISTRIES:
            entries = self.__dict__.get(registry, ())
            if name in entries:
                del entries[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def _require_init(self, what):
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")

    def _drop(self, name, *registries):
        """Forget what else goes by `name`, before another kind of member takes it."""
        state = self.__dict__
        for registry in registries:
            if name in state[registry]:
                del state[registry][name]
                state["_non_persistent_buffers_set"].discard(name)
        if not any(name in state[registry] for registry in _REGISTRIES):
            state.pop(name, None)

    def _set_persistence(self, name, persistent):
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def _replace_registry(self, registry, entries):
        state = self.__dict__
        for name, value in (state.get(registry) or {}).items():
            if state.get(name, MISSING) is value:
                del state[name]
        state[registry] = Registry(self, entries)

    def __dir__(self):
        return sorted(name for name in {*dir(type(self)), *self.__dict__} if not name[0].isdigit())

    def __setstate__(self, state):
        self.__dict__.update(state)
        for registry in _REGISTRIES:
            self.__dict__[registry] = Registry(self, self.__dict__.get(registry, ()))
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self._make_hook_dicts()

    def _check_name(self, name, what, registry):
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain "."' + (f", got: {name}" if what == "module" else ""))
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        free = name == "summary" and name not in self.__dict__  # a method that PyTorch has not: models may use the name
        if hasattr(self, name) and name not in registry and not free:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name, param):
        """Add a parameter under `name`; None reserves the name.

        Raises:
            AttributeError: before `Module.__init__` was called.
            KeyError: if the name is empty, contains a dot or is taken by another attribute.
            TypeError: if `param` is neither a Parameter nor None.
            ValueError: if `param` was computed from other tensors.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name(name, "parameter", self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{type_name(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. A parameter is created, not computed: "
                    "compute the value in forward, from parameters."
                )
            param = registered(_hooks.global_parameter_registration, self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name, tensor, persistent=True):
        """Add a buffer under `name`: a tensor that is saved and moved with the module, but not trained.

        Args:
            tensor: the tensor, or None to reserve the name.
            persistent: whether `state_dict` contains it.

        >>> module = torch.nn.Module()
        >>> module.register_buffer("count", torch.zeros(1))
        >>> module.state_dict()
        OrderedDict([('count', tensor([0.]))])
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, rushlight.Tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = registered(_hooks.global_buffer_registration, self, name, tensor)
        self._set_persistence(name, persistent)

    def add_module(self, name, module):
        """Add a child under `name`; None reserves the name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        self._check_name(name, "module", self._modules)
        self._modules[name] = registered(_hooks.global_module_registration, self, name, module)

    def register_module(self, name, module):
        """The same as `add_module`."""
        self.add_module(name, module)

    # -- members by path ----------------------------------------------------------------------------------------

    def get_submodule(self, target):
        """The module at the path `target`, such as `"encoder.0"`; this one for the empty path.

        Raises:
            AttributeError: if a step of the path does not exist or is no module.
        """
        module = self
        for step in target.split(".") if target else ():
            if not hasattr(module, step):
                raise AttributeError(f"{type(module).__name__} has no attribute `{step}`")
            module = getattr(module, step)
            if not isinstance(module, Module):
                raise AttributeError(f"`{step}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False):
        """Put `module` at the path `target`.

        Args:
            strict: the place must hold a module already.
        """
        if not target:
            raise ValueError("[set_submodule] target must be a path. Received an empty string.")
        if not isinstance(module, Module):
            raise ValueError(f"[set_submodule] module must be a Module. Received {type(module).__name__}.")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{type(parent).__name__} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The parameter at the path `target`."""
        return self._get_member(target, lambda value: isinstance(value, Parameter), "is not an nn.Parameter")

    def get_buffer(self, target):
        """The buffer at the path `target`."""
        path, _, name = target.rpartition(".")
        if hasattr(self.get_submodule(path), name) and name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return self._get_member(target, lambda value: True, "is not a buffer")

    def _get_member(self, target, accept, complaint):
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        value = getattr(module, name)
        if not accept(value):
            raise AttributeError(f"`{name}` {complaint}")
        return value

    # -- iterators ----------------------------------------------------------------------------------------------

    def _named_members(self, get_members_fn, prefix="", recurse=True, remove_duplicate=True):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """Pairs of path and parameter, in order of registration.

        >>> [name for name, _ in torch.nn.Sequential(torch.nn.Linear(1, 1)).named_parameters()]
        ['0.weight', '0.bias']
        """
        yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """The parameters of the module and, with `recurse`, of its descendants."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """Pairs of path and buffer, in order of registration."""
        yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers of the module and, with `recurse`, of its descendants."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self):
        """Pairs of name and child; a child that occurs twice is named once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self):
        """The modules directly below this one."""
        for _, module in self.named_children():
            yield module

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Pairs of path and module: this one first, then its descendants, depth first.

        >>> [name for name, _ in torch.nn.Sequential(torch.nn.ReLU()).named_modules()]
        ['', '0']
        """
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate=True):
        """This module and all its descendants; with `remove_duplicate` each once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    # -- changing all parameters and buffers --------------------------------------------------------------------

    def apply(self, fn):
        """Call `fn` on every module below this one, then on this one.

        >>> _ = torch.nn.Sequential(torch.nn.ReLU()).apply(print)
        ReLU()
        Sequential(
          (0): ReLU()
        )
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def _apply(self, fn, recurse=True):
        """Replace every parameter, its gradient and every buffer by `fn` of it; parameters keep their identity."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with rushlight.no_grad():
                parameter.data = fn(parameter.data)
                if parameter.grad is not None:
                    grad = fn(parameter.grad.data)
                    parameter.grad = None  # data and gradient may differ in dtype for a moment only
                    parameter.grad = grad.requires_grad_(False)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """Move the module to a device, a floating point dtype, or those of a tensor; in place.

        Forms: `to(device=None, dtype=None, non_blocking=False)`, `to(dtype)`, `to(tensor)`,
        `to(memory_format=...)`. Integer tensors change their device only.

        Raises:
            TypeError: if the dtype is neither floating point nor complex.

        >>> torch.nn.Linear(1, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
        non_blocking, memory_format = kwargs.pop("non_blocking", False), kwargs.pop("memory_format", None)
        other = kwargs.pop("tensor", None)
        if kwargs:
            raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
        for position, arg in enumerate(args):
            if isinstance(arg, rushlight.Tensor):
                other = arg
            elif isinstance(arg, rushlight.dtype):
                dtype = arg
            elif isinstance(arg, bool):
                non_blocking = arg
            elif position == 0 and arg is not None:
                device = arg
            elif arg is not None:
                raise TypeError(f"[to] expected a device, a dtype or a tensor. Received {type(arg).__name__}.")
        if other is not None:
            device, dtype = other.device, other.dtype
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if device is not None:
            device = rushlight.device(device)

        def convert(tensor):
            options = {}
            if dtype is not None and (tensor.is_floating_point() or tensor.is_complex()):
                options["dtype"] = dtype
            if device is not None:
                options["device"] = device
            if memory_format is not None and tensor.ndim in (4, 5):
                options["memory_format"] = memory_format
            return tensor.to(**options, non_blocking=non_blocking) if options else tensor

        return self._apply(convert)

    def to_empty(self, *, device, recurse=True):
        """Move to a device without copying the values."""
        return self._apply(lambda t: rushlight.empty_like(t, device=device), recurse=recurse)

    def cpu(self):
        """Move to the CPU; in place."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device=None):
        """Move to a GPU; in place."""
        return self._apply(lambda t: t.cuda(device))

    def ipu(self, device=None):
        """Refused: tensors live on the processor."""
        return self._to_absent("ipu", device)

    def mtia(self, device=None):
        """Refused: tensors live on the processor."""
        return self._to_absent("mtia", device)

    def xpu(self, device=None):
        """Refused: tensors live on the processor."""
        return self._to_absent("xpu", device)

    def _to_absent(self, kind, index):
        return self.to(kind if index is None else f"{kind}:{index}")

    def type(self, dst_type):
        """Cast all parameters and buffers to `dst_type`; in place."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self):
        """Cast floating point parameters and buffers to float32; in place."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self):
        """Cast floating point parameters and buffers to float64; in place."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self):
        """Cast floating point parameters and buffers to float16; in place."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self):
        """Cast floating point parameters and buffers to bfloat16; in place."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def share_memory(self):
        """Moves parameters and buffers to memory that processes share: see Tensor.share_memory_. Returns the module."""
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.share_memory_()
        return self

    def train(self, mode=True):
        """Set training mode here and below. Dropout and batch normalisation ask for it.

        Raises:
            ValueError: if `mode` is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self):
        """Set evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Say of all parameters whether they are trained; in place.

        >>> torch.nn.Linear(1, 1).requires_grad_(False).weight.requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drop the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is not None:
                if set_to_none:
                    parameter.grad = None
                else:
                    parameter.grad = rushlight.zeros_like(grad) if grad.grad_fn is not None else grad.detach().zero_()

    # -- programs that are compiled -----------------------------------------------------------------------------

    def compile(self, *args, **kwargs):
        """Accepted, with the arguments of `torch.compile`: the module runs as it is written.

        >>> layer = torch.nn.ReLU()
        >>> layer.compile()
        >>> layer(torch.tensor(-1.0))
        tensor(0.)
        """
        rushlight.compile(self._call_impl, *args, **kwargs)

    # -- text ---------------------------------------------------------------------------------------------------

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What the printed form says between the parentheses; subclasses define it."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        lines = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return block(self._get_name(), extra, lines)

    def summary(self, *inputs, depth=None, **kwargs):
        """A table of the module and the layers below it: output shapes, parameters, multiply-adds.

        Shapes and multiply-adds (those of matrix products and convolutions) are of one forward with `inputs` and
        `kwargs`, in evaluation mode and without gradients; without them the table has parameters alone.

        Args:
            depth: how many levels below the module are shown; None for all.

        Returns:
            An object that prints as the table, with `layers`, `parameters`, `trainable_parameters`, `multiply_adds`.

        >>> torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU()).summary(torch.ones(2, 4))
        Layer        Output shape  Parameters  Multiply-adds
        ----------------------------------------------------
        Sequential   [2, 8]                40             64
          0: Linear  [2, 8]                40             64
          1: ReLU    [2, 8]                 0              0
        ----------------------------------------------------
        Parameters: 40 (40 trainable, 0 frozen)
        Multiply-adds: 64
        """
        return summarize(self, inputs, kwargs, depth)
