"""Schedules that are a function of the user's."""

from rushlight.optim.lr_scheduler.scheduler import LRScheduler, function_state, group_values, per_group

__all__ = ["LambdaLR", "MultiplicativeLR"]


class _FunctionSchedule(LRScheduler):
    """What the two have in common: one function per group, of which a state keeps only the attributes of objects."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        self.lr_lambdas = per_group(optimizer, lr_lambda, "lr_lambda")
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """Everything but the optimiser; of the functions, the attributes of those that are objects."""
        state = super().state_dict()
        functions = state.pop("lr_lambdas")
        return {**state, "lr_lambdas": [function_state(function) for function in functions]}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave."""
        functions = self.lr_lambdas
        super().load_state_dict({**state_dict, "lr_lambdas": functions})
        for function, attributes in zip(functions, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_FunctionSchedule):
    """The initial rate times `lr_lambda(epoch)`.

    Args:
        lr_lambda: a function of the epoch, or one per group.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.25).get_last_lr()
    [0.25]
    """

    def _next_rates(self):
        return [base * function(self.last_epoch) for function, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_FunctionSchedule):
    """The present rate times `lr_lambda(epoch)`.

    Args:
        lr_lambda: a function of the epoch, or one per group.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> for _ in range(2):
    ...     optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def _next_rates(self):
        rates = group_values(self.optimizer, "lr")
        if self._is_initial:
            return rates
        return [rate * function(self.last_epoch) for function, rate in zip(self.lr_lambdas, rates, strict=True)]
