"""Schedules along a cosine (Loshchilov and Hutter, 2016)."""

import math

from rushlight.optim.lr_scheduler.scheduler import LRScheduler, group_values

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class _CosineSchedule(LRScheduler):
    """What both have in common: the rate falls from its initial value to `eta_min` along half a cosine."""

    def _rates_at(self, epoch, period):
        """The rates when `epoch` of `period` epochs down are done."""
        height = (1 + math.cos(math.pi * epoch / period)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]


class CosineAnnealingLR(_CosineSchedule):
    """The rate follows half a cosine from its initial value to `eta_min` in `T_max` epochs, then back.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _next_rates(self):
        rates = group_values(self.optimizer, "lr")
        if self._is_initial:
            return rates
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # at the bottom the quotient would be 0 / 0
            rise = 1 - math.cos(math.pi / self.T_max)
            return [rate + (base - self.eta_min) * rise / 2 for base, rate in zip(self.base_lrs, rates, strict=True)]
        now = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        before = 1 + math.cos(math.pi * (self.last_epoch - 1) / self.T_max)
        return [now / before * (rate - self.eta_min) + self.eta_min for rate in rates]

    def _get_closed_form_lr(self):
        return self._rates_at(self.last_epoch, self.T_max)


class CosineAnnealingWarmRestarts(_CosineSchedule):
    """`CosineAnnealingLR` that starts afresh after `T_0` epochs, and after `T_mult` times as many each time.

    Raises:
        ValueError: if `T_0` or `T_mult` is no positive integer, or `eta_min` no number.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> for epoch in (0.5, 1, 2):  # a fraction of an epoch, to step after each batch
    ...     scheduler.step(epoch)
    ...     print(round(scheduler.get_last_lr()[0], 2))
    0.85
    0.5
    1.0
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0  # the length of the present period
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = last_epoch  # the epoch in the present period
        super().__init__(optimizer, last_epoch)

    def _next_rates(self):
        return self._rates_at(self.T_cur, self.T_i)

    def step(self, epoch=None):
        """Go on by one epoch, or to the (fractional) `epoch`, and set the rates.

        Raises:
            ValueError: if `epoch` is negative.
        """
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = epoch or 0
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            start, self.T_i = 0, self.T_0
            while self.T_mult > 1 and epoch >= start + self.T_i:
                start += self.T_i
                self.T_i *= self.T_mult
            self.T_cur = epoch - start if self.T_mult > 1 else epoch % self.T_0
        self._update_lr(math.floor(epoch))
