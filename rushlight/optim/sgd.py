"""Stochastic gradient descent."""

from rushlight.optim.optimizer import (
    Optimizer,
    check_fused,
    check_lr_tensor,
    check_not_negative,
    chosen,
    fused_update,
    unscaled,
)
from rushlight.optim.rule_optimizer import zeros_like

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
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        check_fused(defaults)
        super().__init__(params, defaults)

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        loss = self._loss_of(closure)
        all_state = self.state
        for group in self.param_groups:
            momentum = group["momentum"]
            params, grads, buffers = [], [], []
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    params.append(p)
                    grads.append(grad)
                    if momentum:
                        buffers.append(all_state[p].get("momentum_buffer"))
            new = [i for i, buffer in enumerate(buffers) if buffer is None]
            sgd(
                params,
                grads,
                buffers,
                differentiable=group["differentiable"],
                weight_decay=group["weight_decay"],
                momentum=momentum,
                lr=group["lr"],
                dampening=group["dampening"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
            )
            for i in new:
                all_state[params[i]]["momentum_buffer"] = buffers[i]
        return loss


def sgd(
    params,
    d_p_list,
    momentum_buffer_list,
    has_sparse_grad=False,
    foreach=None,
    fused=None,
    grad_scale=None,
    found_inf=None,
    differentiable=False,
    *,
    weight_decay,
    momentum,
    lr,
    dampening,
    nesterov,
    maximize,
):
    """One step for lists of tensors.

    Args:
        momentum_buffer_list: one per parameter; None at first, which is replaced. Empty without momentum.
        grad_scale: divides the gradients `d_p_list` first.
        found_inf: the step is left out where it is not zero.
    """
    if found_inf is not None and found_inf.item():
        return
    grads = unscaled(d_p_list, grad_scale)
    numbers = (lr, momentum, dampening, weight_decay, nesterov, maximize)
    if not momentum:
        fused_update("sgd", (params, grads), (*numbers, False), _update, differentiable)
        return
    lists = (params, grads, momentum_buffer_list)
    new = [buffer is None for buffer in momentum_buffer_list]
    if any(new):
        for i, p in enumerate(params):
            if new[i]:
                momentum_buffer_list[i] = zeros_like(p)
        fused_update("sgd_momentum", chosen(lists, new), (*numbers, True), _update, differentiable)
        lists = chosen(lists, [not n for n in new])
    fused_update("sgd_momentum", lists, (*numbers, False), _update, differentiable)


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
