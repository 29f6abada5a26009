"""`Optimizer`, the base of all: groups of parameters, their state, and the way into the core's fused update."""

import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import wraps
from itertools import chain, compress
from types import MappingProxyType
from typing import Any, TypeAlias

import rushlight
from rushlight import _core
from rushlight.nn.modules.hooks import add_hook

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

# The names under which PyTorch's programs annotate what they give to optimisers.
Args: TypeAlias = tuple[Any, ...]
Kwargs: TypeAlias = dict[str, Any]
StateDict: TypeAlias = dict[str, Any]
ParamsT: TypeAlias = Iterable[rushlight.Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, rushlight.Tensor]]
GlobalOptimizerPreHook: TypeAlias = Callable[["Optimizer", Args, Kwargs], tuple[Args, Kwargs] | None]
GlobalOptimizerPostHook: TypeAlias = Callable[["Optimizer", Args, Kwargs], None]


class _Required:
    def __repr__(self):
        return "<required parameter>"


required = _Required()


_global_pre_hooks = OrderedDict()
_global_post_hooks = OrderedDict()


def register_optimizer_step_pre_hook(hook):
    """Call `hook(optimizer, args, kwargs)` before the step of every optimiser; a result replaces the last two.

    >>> def announce(optimizer, args, kwargs):
    ...     print(type(optimizer).__name__)
    >>> with torch.optim.optimizer.register_optimizer_step_pre_hook(announce):
    ...     torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]).step()
    SGD
    """
    return add_hook(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call `hook(optimizer, args, kwargs)` after the step of every optimiser."""
    return add_hook(_global_post_hooks, hook)


def fused_update(rule, lists, numbers, reference, differentiable=False):
    """Apply an update rule to parameters, all in one loop of the core.

    Args:
        rule: its name in the core.
        lists: lists of tensors of equal length: parameters, gradients and their state, in the rule's order.
        numbers: what the rule needs besides tensors.
        reference: the rule in tensor operations, called as `reference(*tensors, *numbers)` per parameter where the
            core's loop does not know the tensors (complex or mixed dtypes, sparse gradients).
        differentiable: use the reference, and let autograd see it.
    """
    if differentiable:
        return _update_with_grad(reference, lists, numbers)
    numbers = tuple(map(float, numbers))
    sparse = [grad.is_sparse for grad in lists[1]]
    if any(sparse):
        with rushlight.no_grad():
            _update_each(reference, chosen(lists, sparse), numbers)
        lists = chosen(lists, [not s for s in sparse])
    if lists[0] and not _core.fused_update(rule, lists, numbers):
        with rushlight.no_grad():
            _update_each(reference, lists, numbers)


def _update_with_grad(reference, lists, numbers):
    """The rule on copies: what it keeps for backward is not changed by the next step."""
    with rushlight.enable_grad():
        for param, grad, *state in zip(*lists, strict=True):
            copies = [tensor.clone() for tensor in (param, *state)]
            reference(copies[0], grad, *copies[1:], *numbers)
            for tensor, copy in zip((param, *state), copies, strict=True):
                tensor.copy_(copy)


def chosen(lists, which):
    """The entries of every list where `which` is true."""
    return tuple(list(compress(entries, which)) for entries in lists)


def _update_each(reference, lists, numbers):
    for tensors in zip(*lists, strict=True):
        reference(*tensors, *numbers)


class Optimizer:
    """Changes parameters by their gradients. A subclass gives `defaults` and defines `step`.

    Args:
        params: tensors, pairs of name and tensor, or dictionaries {"params": tensors, option: value, ...} that set
            options for a group of parameters.
        defaults: the options of groups that do not set them.

    Raises:
        TypeError: if `params` is one tensor or contains something else than tensors.
        ValueError: if it is empty, or a parameter occurs twice or is no leaf of the graph.

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.SGD([weight], lr=0.5)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.item()
    0.0
    """

    OptimizerPreHook: TypeAlias = GlobalOptimizerPreHook
    OptimizerPostHook: TypeAlias = GlobalOptimizerPostHook

    _in_step = False  # hooks surround the outermost step: that of a subclass may call its base's
    # Wrappers of optimisers may leave __init__ out; then they have no hooks.
    _step_hooks = _optimizer_step_pre_hooks = _optimizer_step_post_hooks = MappingProxyType({})

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = cls.profile_hook_step(cls.__dict__["step"])

    @staticmethod
    def profile_hook_step(func):
        """`func`, the step of a subclass, with the hooks around it. Subclasses get it without asking.

        Raises:
            RuntimeError: in the step, if a hook returns something else than None or (args, kwargs).
        """

        @wraps(func)
        def hooked(self, *args, **kwargs):
            self._opt_called = True  # schedulers ask whether a step came before theirs
            if self._in_step or not (self._step_hooks or _global_pre_hooks or _global_post_hooks):
                return func(self, *args, **kwargs)
            self._in_step = True
            try:
                return self._step_with_hooks(func, (self, *args), kwargs)
            finally:
                self._in_step = False

        return hooked

    def _step_with_hooks(self, step, args, kwargs):
        for hook in [*_global_pre_hooks.values(), *self._optimizer_step_pre_hooks.values()]:
            result = hook(self, args, kwargs)
            if result is not None:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        "[register_step_pre_hook] a hook must return None or a tuple (args, kwargs). "
                        f"Received {result!r}."
                    )
                args, kwargs = result
        result = step(*args, **kwargs)
        for hook in [*self._optimizer_step_post_hooks.values(), *_global_post_hooks.values()]:
            hook(self, args, kwargs)
        return result

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._make_hook_dicts()
        if isinstance(params, rushlight.Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + params.type()
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hook_dicts(self):
        for name in (
            "_step_hooks",  # mentions each hook of the next two
            "_optimizer_step_pre_hooks",
            "_optimizer_step_post_hooks",
            "_optimizer_state_dict_pre_hooks",
            "_optimizer_state_dict_post_hooks",
            "_optimizer_load_state_dict_pre_hooks",
            "_optimizer_load_state_dict_post_hooks",
        ):
            setattr(self, name, OrderedDict())

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if "_step_hooks" not in self.__dict__:
            self._make_hook_dicts()
        for group in self.param_groups:  # options that did not exist when the state was written
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def __repr__(self):
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines += [""] * (i > 0) + [f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    # -- groups -------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group):
        """Add a dictionary with "params" and the options that shall differ from the defaults.

        >>> first, second = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
        >>> optimizer = torch.optim.SGD([first], lr=0.1)
        >>> optimizer.add_param_group({"params": [second], "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, rushlight.Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        params = list(params)
        if params and all(isinstance(p, tuple) for p in params):
            param_group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        elif any(isinstance(p, tuple) for p in params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        param_group["params"] = params
        for param in params:
            if not isinstance(param, rushlight.Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + type(param).__name__)
            if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "in future, this will cause an error; see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        known = set(chain.from_iterable(group["params"] for group in self.param_groups))
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        named = "param_names" in param_group
        if any(("param_names" in group) != named for group in self.param_groups):
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {'with' if named else 'without'} names to the optimizer"
            )
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none=True):
        """Drop the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.detach_().zero_()

    def step(self, closure=None):
        """Change the parameters once.

        Args:
            closure: computes the loss and its gradients afresh, and returns the loss.
        """
        raise NotImplementedError

    @staticmethod
    def _loss_of(closure):
        """What `closure` returns, called with gradients enabled; None without one."""
        if closure is None:
            return None
        with rushlight.enable_grad():
            return closure()

    def _step_each(self, closure, update):
        """Call `update(p, p.grad, group)` for each parameter with a gradient; returns what `closure` returns."""
        loss = self._loss_of(closure)
        with rushlight.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        update(p, p.grad, group)
        return loss

    # -- hooks --------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` before `step`; a result other than None replaces the last two.

        `args` begins with the optimiser, as `step` receives it.
        """
        return add_hook(self._optimizer_step_pre_hooks, hook, flags=(self._step_hooks,))

    def register_step_post_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` after `step`."""
        return add_hook(self._optimizer_step_post_hooks, hook, flags=(self._step_hooks,))

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` before `state_dict`."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend=prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` after `state_dict`; a result other than None replaces it."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend=prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` before `load_state_dict`; a result other than None replaces it."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend=prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` after `load_state_dict`."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend=prepend)

    # -- the state dictionary -----------------------------------------------------------------------------------

    def state_dict(self):
        """The state by number of the parameter, and the options of the groups; PyTorch's format.

        >>> torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1).state_dict()["state"]
        {}
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers = {}
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
        groups = []
        for group in self.param_groups:
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            numbers[id(key)] if isinstance(key, rushlight.Tensor) else key: value for key, value in self.state.items()
        }
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, result)
            if replaced is not None:
                result = replaced
        return result

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave, cast to the dtype and device of the parameters.

        Raises:
            ValueError: if the groups or their numbers of parameters do not agree.

        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        >>> optimizer.load_state_dict(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5).state_dict())
        >>> optimizer.param_groups[0]["lr"]
        0.5
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        saved_groups = deepcopy(state_dict["param_groups"])
        if len(saved_groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        for saved, group in zip(saved_groups, self.param_groups, strict=True):
            if len(saved["params"]) != len(group["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
                )
        params = {}
        for saved, group in zip(saved_groups, self.param_groups, strict=True):
            params.update(zip(saved["params"], group["params"], strict=True))
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = _cast(value, params[key])
            else:
                state[key] = value
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)


def _cast(value, param, key=None):
    """`value` of the state of `param` in its dtype and on its device; counts of steps stay as they are."""
    if isinstance(value, rushlight.Tensor):
        if key == "step":
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)
    if isinstance(value, dict):
        return {name: _cast(entry, param, name) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        entries = [_cast(entry, param) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    return value


def check_not_negative(**options):
    """Raise ValueError for the first option that is negative or nan."""
    names = {"lr": "learning rate", "eps": "epsilon value", "momentum": "momentum value"}
    for name, value in options.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {names.get(name, name)}{'' if name in names else ' value'}: {value}")


def check_lr_tensor(lr):
    """Raise ValueError if `lr` is a tensor of several elements."""
    if isinstance(lr, rushlight.Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")


def check_fused(options):
    """Raise RuntimeError if `fused` is asked for together with an option that it excludes."""
    for other in ("differentiable", "foreach"):
        if options.get("fused") and options.get(other):
            raise RuntimeError(f"`fused` and `{other}` cannot be `True` together.")


def unscaled(grads, grad_scale):
    """The gradients without the scale that a GradScaler gave them."""
    return grads if grad_scale is None else [grad / grad_scale for grad in grads]
