"""Schedules that are made of schedules."""

from bisect import bisect_right

from rushlight.optim.lr_scheduler.plateau import ReduceLROnPlateau
from rushlight.optim.lr_scheduler.scheduler import LRScheduler, group_values, set_group_value

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Composition(LRScheduler):
    """What both have in common: the list `_schedulers`, whose states are part of the state."""

    def _check_schedulers(self, schedulers, optimizer):
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        optimizer = optimizer or schedulers[0].optimizer
        for i, scheduler in enumerate(schedulers):
            received = f"Received {type(scheduler).__name__} at index {i}"
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"[{name}] a scheduler must have the attribute `optimizer`. {received} without it.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"[{name}] no scheduler may need a metric. {received}. Step it apart.")
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer. {received} with another one."
                )
        return optimizer

    def state_dict(self):
        """Everything but the optimiser, with the states of the schedules."""
        state = super().state_dict()
        schedulers = state.pop("_schedulers")
        return {**state, "_schedulers": [scheduler.state_dict() for scheduler in schedulers]}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave."""
        super().load_state_dict({**state_dict, "_schedulers": self._schedulers})
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(_Composition):
    """Several schedules one after another; each starts at one of the epochs `milestones`.

    Raises:
        ValueError: if there are no schedules, one of them belongs to another optimiser or needs a metric, or there is
            not one milestone less than schedules.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> S = torch.optim.lr_scheduler
    >>> parts = [S.ConstantLR(optimizer, factor=0.5, total_iters=2), S.ExponentialLR(optimizer, gamma=0.5)]
    >>> S.SequentialLR(optimizer, parts, milestones=[2]).get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        self._check_schedulers(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "[SequentialLR] there must be one milestone less than schedulers. "
                f"Received {len(milestones)} milestones for {len(schedulers)} schedulers."
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        for group in optimizer.param_groups:  # undo the first steps that the schedules made when they were created
            set_group_value(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched=None):
        """Take back one epoch of every schedule below `sched`, by default of all."""
        scheduler = self if sched is None else sched
        if hasattr(scheduler, "_schedulers"):
            for part in scheduler._schedulers:
                self.recursive_undo(part)
        elif hasattr(scheduler, "last_epoch"):
            scheduler.last_epoch -= 1

    def step(self):
        """Go on by one epoch and set the rates."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Composition):
    """Several schedules that act one upon the other at every step.

    Raises:
        ValueError: if there are no schedules, or one of them belongs to another optimiser or needs a metric.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> S = torch.optim.lr_scheduler
    >>> chain = S.ChainedScheduler([S.ConstantLR(optimizer, factor=0.5), S.ExponentialLR(optimizer, gamma=0.5)])
    >>> optimizer.step(); chain.step()
    >>> chain.get_last_lr()
    [0.25]
    """

    def __init__(self, schedulers, optimizer=None):
        optimizer = self._check_schedulers(schedulers, optimizer)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = group_values(optimizer, "lr")

    def step(self):
        """Let every schedule go on by one epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = group_values(self.optimizer, "lr")
