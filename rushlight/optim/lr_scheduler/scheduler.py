"""`LRScheduler`, the base of the schedules, and how they read and write the options of an optimiser's groups."""

import types
import warnings

import rushlight
from rushlight.optim.optimizer import Optimizer


def _copied(value):
    return value.clone() if isinstance(value, rushlight.Tensor) else value


def group_values(optimizer, name):
    """An option of every group. Tensors are copied: the optimiser's own must not change behind its back."""
    return [_copied(group[name]) for group in optimizer.param_groups]


def set_group_value(group, name, value):
    """Write an option of a group; one that is a tensor stays the same tensor."""
    if isinstance(group[name], rushlight.Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def per_group(optimizer, value, name):
    """`value`, the argument called `name`, as a list with one entry per group.

    Raises:
        ValueError: if it is a list of another length.
    """
    groups = len(optimizer.param_groups)
    values = value if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups:
        raise ValueError(
            f"[lr_scheduler] {name} must have the same length as optimizer.param_groups. "
            f"Received {len(values)} values for {groups} groups."
        )
    return [_copied(v) for v in values]


def check_optimizer(optimizer):
    """Raise TypeError if `optimizer` is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def function_state(function):
    """What a state dictionary keeps of a function: the attributes if it is an object, else nothing."""
    plain = isinstance(function, (types.FunctionType, types.BuiltinFunctionType, types.NoneType))
    return None if plain else function.__dict__.copy()


def warn_of_epoch():
    """Warn whoever called `step` with an epoch; `step` calls this."""
    warnings.warn(
        "The epoch parameter of `scheduler.step()` is deprecated: call `scheduler.step()` once per epoch.",
        UserWarning,
        stacklevel=3,
    )


class LRScheduler:
    """Base of the schedules. A subclass defines `get_lr`, which returns the rates for `self.last_epoch`.

    Args:
        optimizer: whose groups' "lr" is changed.
        last_epoch: the epoch to go on from; -1 starts, and the rates found are the initial ones.

    Raises:
        TypeError: if `optimizer` is none.
        KeyError: if `last_epoch` is given and a group has no "initial_lr".

    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [rate / 2**self.last_epoch for rate in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0. Load the optimizer's state_dict before, or leave last_epoch out."
                )
        self.base_lrs = group_values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self):
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self):
        """Everything but the optimiser."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The rates that the last step set."""
        return self._last_lr

    def get_lr(self):
        """The rates for `self.last_epoch`, one per group; called by `step`. For the present ones: `get_last_lr`."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        return self._next_rates()

    def _next_rates(self):
        raise NotImplementedError

    def step(self, epoch=None):
        """Go on by one epoch (or to `epoch`, which is deprecated) and set the rates."""
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                "`optimizer.step()` before `lr_scheduler.step()`; else the first rate of the schedule is skipped.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed_form = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            rates = (closed_form or self.get_lr)()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_group_value(group, "lr", rate)
        self._last_lr = group_values(self.optimizer, "lr")
