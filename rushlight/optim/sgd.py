"""Stochastic gradient descent."""

import rushlight
from rushlight.optim.optimizer import Optimizer, check_lr_tensor, check_not_negative, fused_update

__all__ = ["SGD", "sgd"]


class SGD(Optimizer):
    """Gradient descent with momentum (Sutskever et al., 2013).

    g = grad + weight_decay * p;  buf = momentum * buf + (1 - dampening) * g, and buf = g at first;
    p -= lr * (g + momentum * buf if nesterov, else buf).

    Args:
        params: parameters or groups of them.
        lr: learning rate.
        momentum: share of the last step that is kept.
        dampening: share of the gradient that does not enter the momentum.
        weight_decay: factor of the L2 penalty.
        nesterov: look ahead along the momentum.
        maximize: ascend instead.
        differentiable: let autograd see the step.
        foreach, fused: accepted for compatibility; the core's loop serves all parameters of a group at once.

    Raises:
        ValueError: if an option is negative, or `nesterov` without momentum or with dampening.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     weight.square().sum().backward()
    ...     optimizer.step()
    >>> weight.data
    tensor([0.4600])
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_lr_tensor(lr)
        check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        loss = self._loss_of(closure)
        state = self.state
        for group in self.param_groups:
            momentum = group["momentum"]
            params, grads, buffers = [], [], []  # with a buffer already, or without need of one
            new_params, new_grads, new_buffers = [], [], []
            for p in group["params"]:
                grad = p.grad
                if grad is None:
                    continue
                if momentum == 0:
                    params.append(p)
                    grads.append(grad)
                    continue
                buffer = state[p].get("momentum_buffer")
                if buffer is not None:
                    params.append(p)
                    grads.append(grad)
                    buffers.append(buffer)
                else:
                    new_params.append(p)
                    new_grads.append(grad)
                    buffer = state[p]["momentum_buffer"] = rushlight.zeros_like(
                        p, memory_format=rushlight.preserve_format, requires_grad=False
                    )
                    new_buffers.append(buffer)
            options = {name: group[name] for name in _OPTIONS}
            differentiable = group["differentiable"]
            if params:
                sgd(params, grads, buffers, first=False, differentiable=differentiable, **options)
            if new_params:
                sgd(new_params, new_grads, new_buffers, first=True, differentiable=differentiable, **options)
        return loss


_OPTIONS = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")


def sgd(
    params,
    grads,
    momentum_buffers,
    *,
    lr,
    momentum=0.0,
    dampening=0.0,
    weight_decay=0.0,
    nesterov=False,
    maximize=False,
    first=False,
    differentiable=False,
):
    """One step for lists of tensors.

    Args:
        momentum_buffers: one per parameter, or empty without momentum.
        first: the buffers hold nothing yet.
    """
    lists = (params, grads, momentum_buffers) if momentum_buffers else (params, grads)
    numbers = (lr, momentum, dampening, weight_decay, nesterov, maximize, first)
    if differentiable:
        for tensors in zip(*lists, strict=True):
            _update(*tensors, *numbers)
    else:
        fused_update("sgd_momentum" if momentum_buffers else "sgd", lists, tuple(map(float, numbers)), _update)


def _update(param, grad, *rest):
    *buffer, lr, momentum, dampening, weight_decay, nesterov, maximize, first = rest
    if maximize:
        grad = -grad
    if weight_decay:
        grad = grad + weight_decay * param
    if buffer:
        (buffer,) = buffer
        if first:
            buffer.copy_(grad)
        else:
            buffer.mul_(momentum).add_((1 - dampening) * grad)
        grad = momentum * buffer + grad if nesterov else buffer
    param.add_(-lr * grad)
