"""Averages of weights over the course of training, and the schedule and statistics that go with them."""

import math
from copy import deepcopy
from itertools import chain

import rushlight
from rushlight.nn import Module
from rushlight.nn.modules.batchnorm import _BatchNorm
from rushlight.optim.lr_scheduler import LRScheduler
from rushlight.optim.lr_scheduler.scheduler import group_values, per_group

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay=0.999):
    """The exponential moving average for one parameter, an `avg_fn` of `AveragedModel`.

    Args:
        decay: the share of the average that is kept at every update.

    Raises:
        ValueError: if `decay` is not between 0 and 1.

    >>> average = torch.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(torch.tensor(1.0), torch.tensor(5.0), 1)
    tensor(2.)
    """
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    @rushlight.no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The mean of all updates (Izmailov et al., 2018) for one parameter, an `avg_fn` of `AveragedModel`.

    >>> average = torch.optim.swa_utils.get_swa_avg_fn()
    >>> average(torch.tensor(1.0), torch.tensor(4.0), 2)  # the mean of two updates, and the third one
    tensor(2.)
    """

    @rushlight.no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def _of_lists(average, weight=None):
    """The average of one parameter as one that changes lists of them in place.

    `weight(num_averaged)` is the share of the present parameter: known, it spares floating point numbers a temporary.
    """

    @rushlight.no_grad()
    def update(averaged_params, current_params, num_averaged):
        share = weight and weight(num_averaged)
        for averaged, current in zip(averaged_params, current_params, strict=True):
            if share is not None and (averaged.is_floating_point() or averaged.is_complex()):
                averaged.lerp_(current, share)
            else:
                averaged.copy_(average(averaged, current, num_averaged))

    return update


def get_ema_multi_avg_fn(decay=0.999):
    """The average of `get_ema_avg_fn` for lists, in place: a `multi_avg_fn` of `AveragedModel`.

    >>> averages = [torch.tensor(1.0)]
    >>> torch.optim.swa_utils.get_ema_multi_avg_fn(0.75)(averages, [torch.tensor(5.0)], 1)
    >>> averages
    [tensor(2.)]
    """
    return _of_lists(get_ema_avg_fn(decay), lambda num_averaged: 1 - decay)


def get_swa_multi_avg_fn():
    """The average of `get_swa_avg_fn` for lists, in place: a `multi_avg_fn` of `AveragedModel`.

    >>> averages = [torch.tensor(1.0)]
    >>> torch.optim.swa_utils.get_swa_multi_avg_fn()(averages, [torch.tensor(4.0)], 2)
    >>> averages
    [tensor(2.)]
    """
    return _of_lists(get_swa_avg_fn(), lambda num_averaged: 1 / (int(num_averaged) + 1))


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over the updates.

    The first update copies the parameters, each further one averages. Without a function the average is the mean of
    all updates (stochastic weight averaging; Izmailov et al., 2018).

    Args:
        model: what is copied, to `device` if that is given.
        avg_fn: called as `avg_fn(average, parameter, updates so far)`; returns the new average.
        multi_avg_fn: called with lists of those of one device and dtype; changes the averages in place.
        use_buffers: average the buffers too; else they are copied at each update.

    Raises:
        AssertionError: if both functions are given.

    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> averaged = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged(torch.ones(1)).item()
    3.0
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", rushlight.tensor(0, dtype=rushlight.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args, **kwargs):
        """What the averaged model makes of the arguments."""
        return self.module(*args, **kwargs)

    @rushlight.no_grad()
    def update_parameters(self, model):
        """Let the present parameters of `model` enter the average."""
        averaged = _tensors_of(self.module, self.use_buffers)
        current = [t.to(a.device) for a, t in zip(averaged, _tensors_of(model, self.use_buffers), strict=True)]
        if self.n_averaged == 0:
            _copy(averaged, current)
        else:
            update = self.multi_avg_fn or (_of_lists(self.avg_fn) if self.avg_fn else get_swa_multi_avg_fn())
            kinds = {}
            for a, t in zip(averaged, current, strict=True):
                averages, tensors = kinds.setdefault((a.device, a.dtype), ([], []))
                averages.append(a)
                tensors.append(t)
            for (device, _), (averages, tensors) in kinds.items():
                update(averages, tensors, self.n_averaged.to(device))
        if not self.use_buffers:
            _copy(self.module.buffers(), model.buffers())
        self.n_averaged += 1


def _tensors_of(module, with_buffers):
    return [t.detach() for t in chain(module.parameters(), module.buffers() if with_buffers else ())]


def _copy(targets, sources):
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)


@rushlight.no_grad()
def update_bn(loader, model, device=None):
    """Compute the running statistics of the batch norms of `model` afresh, in one pass over the data.

    Args:
        loader: batches, which are tensors, or lists or tuples that begin with the model's input.
        device: where batches are moved to.

    >>> model = torch.nn.BatchNorm1d(1)
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])], model)
    >>> model.running_mean
    tensor([4.])
    """
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the plain mean of all batches
    for batch in loader:
        if isinstance(batch, (list, tuple)):
            batch = batch[0]
        model(batch if device is None else batch.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """The rate goes from its present value to `swa_lr` in `anneal_epochs` epochs and stays there.

    Args:
        swa_lr: the last rate, or one per group.
        anneal_strategy: "cos" or "linear".

    Raises:
        ValueError: if the strategy is another one, `anneal_epochs` no integer from 0 on, or `swa_lr` does not fit the
            groups.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step(); scheduler.step()
    ...     print(scheduler.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        for rate, group in zip(per_group(optimizer, swa_lr, "swa_lr"), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t):
        """The share of `swa_lr` in the rate when the share `t` of the epochs is over."""
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def _next_rates(self):
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(max(0, min(1, s / max(1, self.anneal_epochs)))) for s in (step - 1, step))
        rates = []
        for rate, last in zip(group_values(self.optimizer, "lr"), group_values(self.optimizer, "swa_lr"), strict=True):
            first = last if before == 1 else (rate - before * last) / (1 - before)
            rates.append(last * now + first * (1 - now))
        return rates
