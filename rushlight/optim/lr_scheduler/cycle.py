"""Schedules that go up and down, and move the momentum the other way."""

import math

from rushlight.optim.lr_scheduler.scheduler import (
    LRScheduler,
    check_optimizer,
    function_state,
    per_group,
    set_group_value,
)

__all__ = ["CyclicLR", "OneCycleLR"]


class _MomentumCycle(LRScheduler):
    """What both have in common: momentum, or Adam's beta1, that moves against the rate."""

    def _start_momenta(self, base_momentum, max_momentum, last_epoch):
        """Find out which of the two the optimiser has, and begin with the highest; returns both ends per group."""
        optimizer = self.optimizer
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        lows = per_group(optimizer, base_momentum, "base_momentum")
        highs = per_group(optimizer, max_momentum, "max_momentum")
        if last_epoch == -1:
            for low, high, group in zip(lows, highs, optimizer.param_groups, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"] = high
                group["base_momentum"] = low
        return lows, highs

    def _set_momentum(self, group, value):
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_MomentumCycle):
    """The rate goes up and down between `base_lr` and `max_lr` (Smith, 2015). Step it after every batch.

    Args:
        base_lr, max_lr: numbers, or lists with one per group; so are base_momentum, max_momentum.
        step_size_up, step_size_down: steps per half cycle; the second is like the first by default.
        mode: "triangular", "triangular2" (the amplitude halves each cycle) or "exp_range" (gamma ** steps).
        scale_fn: a function of one's own for the amplitude, of the cycle or the iteration as `scale_mode` says.
        cycle_momentum: move momentum (or beta1) against the rate, between `max_momentum` and `base_momentum`.

    Raises:
        ValueError: if `mode` is unknown, a list is of another length than the groups, or the optimiser has no momentum.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> for _ in range(4):
    ...     optimizer.step(); scheduler.step()
    ...     print(scheduler.get_last_lr()[0], round(optimizer.param_groups[0]["momentum"], 2))
    0.5 0.85
    1.0 0.8
    0.5 0.85
    0.0 0.9
    """

    def __init__(
        self,
        optimizer,
        base_lr,
        max_lr,
        step_size_up=2000,
        step_size_down=None,
        mode="triangular",
        gamma=1.0,
        scale_fn=None,
        scale_mode="cycle",
        cycle_momentum=True,
        base_momentum=0.8,
        max_momentum=0.9,
        last_epoch=-1,
    ):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = per_group(optimizer, base_lr, "base_lr")
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_group_value(group, "lr", rate)
        self.max_lrs = per_group(optimizer, max_lr, "max_lr")
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            ends = self._start_momenta(base_momentum, max_momentum, last_epoch)
            self.base_momentums, self.max_momentums = ends
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x):
        """The factor of the amplitude in cycle (or iteration) `x`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def _next_rates(self):
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            ends = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, ends, strict=True):
                self._set_momentum(group, high - (high - low) * height * scale)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self):
        """Everything but the optimiser; of a scale function, the attributes if it is an object."""
        state = super().state_dict()
        function = state.pop("_scale_fn_custom")
        return {**state, "_scale_fn_custom": function_state(function)}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave."""
        function = self._scale_fn_custom
        super().load_state_dict({**state_dict, "_scale_fn_custom": function})
        attributes = state_dict["_scale_fn_custom"]
        if attributes is not None:
            function.__dict__.update(attributes)


class OneCycleLR(_MomentumCycle):
    """One cycle of the rate, from `max_lr / div_factor` up to `max_lr`, then down far below (Smith and Topin, 2017).
    Step it after every batch.

    Args:
        max_lr: the peak, or one per group.
        total_steps: the number of steps; or give `epochs` and `steps_per_epoch`.
        pct_start: the share of the steps that go up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: move momentum (or beta1) against the rate, between `max_momentum` and `base_momentum`.
        final_div_factor: the last rate is the first one divided by it.
        three_phase: come down to the first rate symmetrically before the last phase.

    Raises:
        ValueError: if an argument is out of range or the optimiser has no momentum; in step(), after `total_steps`.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, anneal_strategy="linear")
    >>> for _ in range(2):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [1.0]
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        if total_steps is not None:
            counts = {"total_steps": total_steps}
        elif epochs is not None and steps_per_epoch is not None:
            counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        for name, count in counts.items():
            if not isinstance(count, int) or count <= 0:
                raise ValueError(f"Expected positive integer {name}, but got {count}")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.total_steps = math.prod(counts.values())
        top, last = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        if three_phase:
            self._schedule_phases = [
                _phase(top, "initial", "max", "max", "base"),
                _phase(float(2 * pct_start * self.total_steps) - 2, "max", "initial", "base", "max"),
                _phase(last, "initial", "min", "max", "max"),
            ]
        else:
            self._schedule_phases = [
                _phase(top, "initial", "max", "max", "base"),
                _phase(last, "max", "min", "base", "max"),
            ]
        self._anneal_func_type = anneal_strategy
        peaks = per_group(optimizer, max_lr, "max_lr")
        if last_epoch == -1:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["initial_lr"] = peak / div_factor
                group["max_lr"] = peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momenta(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _anneal(self, start, end, share):
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start

    def _next_rates(self):
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        share = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                momentum = self._anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], share)
                self._set_momentum(group, momentum)
        return rates


def _phase(end_step, start_lr, end_lr, start_momentum, end_momentum):
    """Until when a phase lasts, and between which options of the groups rate and momentum go."""
    return {
        "end_step": end_step,
        "start_lr": f"{start_lr}_lr",
        "end_lr": f"{end_lr}_lr",
        "start_momentum": f"{start_momentum}_momentum",
        "end_momentum": f"{end_momentum}_momentum",
    }
