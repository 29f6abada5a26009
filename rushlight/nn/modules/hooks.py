"""What modules and optimisers need to carry hooks: putting one in, the hooks of every module, the backward hooks."""

from collections import OrderedDict

import rushlight
from rushlight.utils.hooks import RemovableHandle

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


def add_hook(hooks, hook, *, prepend=False, flags=()):
    """Put `hook` into the ordered dictionary `hooks` and its id into each dictionary of `flags`."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


# Hooks of every module. `any_global` mentions each call hook, so that a call without hooks asks one question.
any_global = OrderedDict()
global_forward_pre = OrderedDict()
global_forward = OrderedDict()
global_forward_with_kwargs = OrderedDict()
global_forward_always = OrderedDict()
global_backward_pre = OrderedDict()
global_backward = OrderedDict()
global_parameter_registration = OrderedDict()
global_buffer_registration = OrderedDict()
global_module_registration = OrderedDict()


def register_module_forward_pre_hook(hook):
    """Call `hook(module, args)` before the forward of every module; a result other than None replaces `args`.

    >>> seen = []
    >>> with torch.nn.modules.module.register_module_forward_pre_hook(lambda m, args: seen.append(type(m).__name__)):
    ...     _ = torch.nn.Sequential(torch.nn.Identity())(torch.ones(1))
    >>> seen
    ['Sequential', 'Identity']
    """
    return add_hook(global_forward_pre, hook, flags=(any_global,))


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """Call `hook(module, args, output)` after the forward of every module; a result replaces the output.

    Args:
        hook: with `with_kwargs` it is called as `hook(module, args, kwargs, output)`.
        always_call: call it also where forward raised.
    """
    flags = [any_global]
    if with_kwargs:
        flags.append(global_forward_with_kwargs)
    if always_call:
        flags.append(global_forward_always)
    return add_hook(global_forward, hook, flags=flags)


def register_module_full_backward_pre_hook(hook):
    """Call `hook(module, grad_output)` before the backward of every module; a result replaces `grad_output`."""
    return add_hook(global_backward_pre, hook, flags=(any_global,))


def register_module_full_backward_hook(hook):
    """Call `hook(module, grad_input, grad_output)` after every module's backward; a result replaces `grad_input`."""
    return add_hook(global_backward, hook, flags=(any_global,))


def register_module_backward_hook(hook):
    """The old name of `register_module_full_backward_hook`."""
    return register_module_full_backward_hook(hook)


def register_module_parameter_registration_hook(hook):
    """Call `hook(module, name, parameter)` when a parameter is registered; a result replaces the parameter."""
    return add_hook(global_parameter_registration, hook)


def register_module_buffer_registration_hook(hook):
    """Call `hook(module, name, buffer)` when a buffer is registered; a result replaces the buffer."""
    return add_hook(global_buffer_registration, hook)


def register_module_module_registration_hook(hook):
    """Call `hook(module, name, child)` when a child is registered; a result replaces the child."""
    return add_hook(global_module_registration, hook)


def registered(hooks, module, name, value):
    """`value` as the registration hooks want it."""
    for hook in hooks.values():
        result = hook(module, name, value)
        if result is not None:
            value = result
    return value


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


class BackwardHook:
    """The backward hooks of one call of one module.

    Two identity nodes enclose the module on the tape. The one behind the outputs receives all of
    `grad_output` at once, the one before the inputs all of `grad_input`; there the hooks are called.

    Args:
        module (Module): is passed to the hooks.
        user_hooks (list): called as `hook(module, grad_input, grad_output)`; a result replaces `grad_input`.
        user_pre_hooks (list): called as `hook(module, grad_output)`; a result replaces `grad_output`.

    >>> from rushlight.utils.hooks import BackwardHook
    >>> x = torch.ones(1, requires_grad=True)
    >>> hook = BackwardHook(None, [lambda module, grad_input, grad_output: print(grad_input, grad_output)], [])
    >>> (inside,) = hook.setup_input_hook((x,))
    >>> hook.setup_output_hook(inside * 3).backward()
    (tensor([3.]),) (tensor([1.]),)
    """

    def __init__(self, module, user_hooks, user_pre_hooks):
        self.module = module
        self.hooks = user_hooks
        self.pre_hooks = user_pre_hooks
        self.grad_output = None
        self.count_inputs = 0
        self.positions = None  # of the inputs that the node before the inputs carries

    def setup_input_hook(self, args):
        """`args` with the tensors that require a gradient led through the first node."""
        self.count_inputs = len(args)
        if not self.hooks or not rushlight.is_grad_enabled():
            return args
        positions = [i for i, a in enumerate(args) if isinstance(a, rushlight.Tensor) and a.requires_grad]
        if not positions:
            return args
        self.positions = positions
        led = _as_tuple(_node().apply(self._at_inputs, *(args[i] for i in positions)))
        args = list(args)
        for i, tensor in zip(positions, led, strict=True):
            args[i] = tensor
        return tuple(args)

    def setup_output_hook(self, output):
        """`output`, a tensor or a tuple, list or dictionary of them, led through the second node."""
        if not rushlight.is_grad_enabled():
            return output
        if isinstance(output, dict):
            led = self._lead(list(output.values()))
            return type(output)(zip(output, led, strict=True))
        if isinstance(output, (tuple, list)):
            led = self._lead(list(output))
            return type(output)(*led) if hasattr(output, "_fields") else type(output)(led)
        return self._lead([output])[0]

    def _lead(self, values):
        positions = [i for i, v in enumerate(values) if isinstance(v, rushlight.Tensor) and v.requires_grad]
        if positions:
            self._output_positions, self._count_outputs = positions, len(values)
            for i, tensor in zip(
                positions, _as_tuple(_node().apply(self._at_outputs, *(values[i] for i in positions))), strict=True
            ):
                values[i] = tensor
        return values

    def _at_outputs(self, grads):
        full = [None] * self._count_outputs
        for i, grad in zip(self._output_positions, grads, strict=True):
            full[i] = grad
        grad_output = tuple(full)
        for hook in self.pre_hooks:
            result = hook(self.module, grad_output)
            if result is not None:
                grad_output = self._replaced(result, grad_output, "pre hook")
        self.grad_output = grad_output
        if self.positions is None:  # no input requires a gradient: nothing will arrive at the first node
            nothing = (None,) * self.count_inputs
            for hook in self.hooks:
                if hook(self.module, nothing, grad_output) is not None:
                    raise RuntimeError(
                        "[register_full_backward_hook] a hook may replace grad_input only where an input requires "
                        f"a gradient. Received a result from the hook of {type(self.module).__name__}, none of whose "
                        "inputs does. Return None from the hook."
                    )
        return tuple(grad_output[i] for i in self._output_positions)

    def _at_inputs(self, grads):
        full = [None] * self.count_inputs
        for i, grad in zip(self.positions, grads, strict=True):
            full[i] = grad
        grad_input = tuple(full)
        for hook in self.hooks:
            result = hook(self.module, grad_input, self.grad_output)
            if result is not None:
                grad_input = self._replaced(result, grad_input, "hook")
        self.grad_output = None
        return tuple(grad_input[i] for i in self.positions)

    def _replaced(self, result, grads, what):
        result = _as_tuple(result)
        if len(result) != len(grads):
            raise RuntimeError(
                f"[register_full_backward_{what.replace(' ', '_')}] a hook must return as many gradients as it was "
                f"given. Received {len(result)} for {len(grads)}. Return None to leave them as they are."
            )
        return result


_identity_node = None


def _node():
    """The autograd function of the identity nodes; made at first use, since few programs have backward hooks."""
    global _identity_node
    if _identity_node is None:

        class ModuleBackwardHook(rushlight.autograd.Function):
            @staticmethod
            def forward(ctx, at_backward, *tensors):
                ctx.at_backward = at_backward
                return tuple(t.view_as(t) for t in tensors)

            @staticmethod
            def backward(ctx, *grads):
                return (None, *ctx.at_backward(grads))

        _identity_node = ModuleBackwardHook
    return _identity_node
