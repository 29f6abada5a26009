"""Schedules that multiply all rates by one factor, which depends on the epoch alone."""

from bisect import bisect_right
from collections import Counter

from rushlight.optim.lr_scheduler.scheduler import LRScheduler, group_values

__all__ = ["ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR"]


class _FactorSchedule(LRScheduler):
    """A subclass gives the factor of the initial rates in two forms.

    Steps use `_ratio`, so that other schedules may act on the same rates, and `step(epoch)` uses `_factor`.
    """

    def _ratio(self, epoch):
        """The factor at `epoch` by that of the epoch before."""
        raise NotImplementedError

    def _factor(self, epoch):
        raise NotImplementedError

    def _next_rates(self):
        ratio = self._ratio(self.last_epoch)
        return [rate * ratio for rate in group_values(self.optimizer, "lr")]

    def _get_closed_form_lr(self):
        factor = self._factor(self.last_epoch)
        return [base * factor for base in self.base_lrs]


class StepLR(_FactorSchedule):
    """Multiply the rate by `gamma` every `step_size` epochs.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch):
        return self.gamma if epoch != 0 and epoch % self.step_size == 0 else 1

    def _factor(self, epoch):
        return self.gamma ** (epoch // self.step_size)


class MultiStepLR(_FactorSchedule):
    """Multiply the rate by `gamma` at each of the epochs `milestones`.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch):
        return self.gamma ** self.milestones[epoch] if epoch in self.milestones else 1

    def _factor(self, epoch):
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), epoch)


class ConstantLR(_FactorSchedule):
    """Multiply the rate by `factor` until epoch `total_iters`.

    Raises:
        ValueError: if `factor` is not between 0 and 1.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=4).get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if not 0 <= factor <= 1.0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch):
        if epoch == 0:
            return self.factor
        return 1.0 / self.factor if epoch == self.total_iters else 1

    def _factor(self, epoch):
        return self.factor + (epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(_FactorSchedule):
    """The factor of the rate goes linearly from `start_factor` to `end_factor` in `total_iters` epochs.

    Raises:
        ValueError: if a factor is above 1 or negative, or the first one 0.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4)
    >>> optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.625]
    """

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        if not 0 < start_factor <= 1.0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0 <= end_factor <= 1.0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch):
        if epoch == 0:
            return self.start_factor
        if self._is_initial or epoch > self.total_iters:
            return 1
        change = self.end_factor - self.start_factor
        return 1.0 + change / (self.total_iters * self.start_factor + (epoch - 1) * change)

    def _factor(self, epoch):
        change = self.end_factor - self.start_factor
        return self.start_factor + change * min(self.total_iters, epoch) / self.total_iters


class ExponentialLR(_FactorSchedule):
    """Multiply the rate by `gamma` every epoch.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch):
        return 1 if self._is_initial else self.gamma

    def _factor(self, epoch):
        return self.gamma**epoch


class PolynomialLR(_FactorSchedule):
    """The initial rate times (1 - epoch / total_iters) ** power; zero from `total_iters` on.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> for _ in range(2):
    ...     optimizer.step(); scheduler.step()
    >>> round(scheduler.get_last_lr()[0], 6)
    0.25
    """

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _ratio(self, epoch):
        if self._is_initial or epoch > self.total_iters:
            return 1
        return ((1.0 - epoch / self.total_iters) / (1.0 - (epoch - 1) / self.total_iters)) ** self.power

    def _factor(self, epoch):
        return (1.0 - min(self.total_iters, epoch) / self.total_iters) ** self.power
