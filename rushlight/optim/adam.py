"""Adam."""

import rushlight
from rushlight.optim.optimizer import Optimizer, check_lr_tensor, check_not_negative, fused_update, refuse_sparse

__all__ = ["Adam", "adam"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square (Kingma and Ba, 2014).

    m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g²;
    p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps), with t the number of the step.

    Args:
        params: parameters or groups of them.
        lr: learning rate.
        betas: (beta1, beta2), each in [0, 1).
        eps: added to the denominator.
        weight_decay: factor of the L2 penalty, which is added to the gradient; see `decoupled_weight_decay`.
        amsgrad: divide by the largest v so far (Reddi et al., 2018).
        maximize: ascend instead.
        differentiable: let autograd see the step.
        decoupled_weight_decay: shrink the parameter itself instead, as AdamW does.
        foreach, capturable, fused: accepted for compatibility; the core's loop serves all parameters of a group at
            once.

    Raises:
        ValueError: if an option is out of range.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adam([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        check_lr_tensor(lr)
        check_not_negative(lr=lr, eps=eps)
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        check_not_negative(weight_decay=weight_decay)
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        for entry in self.state.values():  # the count was a number once
            if "step" in entry and not isinstance(entry["step"], rushlight.Tensor):
                entry["step"] = rushlight.tensor(float(entry["step"]), dtype=rushlight.float32)

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        loss = self._loss_of(closure)
        all_state = self.state
        for group in self.param_groups:
            amsgrad = group["amsgrad"]
            params, grads, steps, exp_avgs, exp_avg_sqs, max_exp_avg_sqs = [], [], [], [], [], []
            for p in group["params"]:
                grad = p.grad
                if grad is None:
                    continue
                state = all_state[p]
                if not state:
                    _start(state, p, amsgrad)
                params.append(p)
                grads.append(grad)
                steps.append(state["step"])
                exp_avgs.append(state["exp_avg"])
                exp_avg_sqs.append(state["exp_avg_sq"])
                if amsgrad:
                    max_exp_avg_sqs.append(state["max_exp_avg_sq"])
            if params:
                refuse_sparse("Adam", grads, ", please consider SparseAdam instead")
                beta1, beta2 = group["betas"]
                adam(
                    params,
                    grads,
                    exp_avgs,
                    exp_avg_sqs,
                    max_exp_avg_sqs,
                    steps,
                    amsgrad=amsgrad,
                    beta1=beta1,
                    beta2=beta2,
                    lr=group["lr"],
                    weight_decay=group["weight_decay"],
                    eps=group["eps"],
                    maximize=group["maximize"],
                    differentiable=group["differentiable"],
                    decoupled_weight_decay=group["decoupled_weight_decay"],
                )
        return loss


def _start(state, p, amsgrad):
    state["step"] = rushlight.tensor(0.0, dtype=rushlight.float32)
    for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if amsgrad else ("exp_avg", "exp_avg_sq"):
        state[name] = rushlight.zeros_like(p, memory_format=rushlight.preserve_format, requires_grad=False)


def adam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    max_exp_avg_sqs,
    state_steps,
    foreach=None,
    capturable=False,
    differentiable=False,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_complex=False,
    decoupled_weight_decay=False,
    *,
    amsgrad,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
    maximize,
):
    """One step for lists of tensors; `state_steps` are counts of steps, float32 0-d, and are advanced.

    `grad_scale` divides the gradients first; the step is left out where `found_inf` is not zero.
    """
    if found_inf is not None and found_inf.item():
        return
    if grad_scale is not None:
        grads = [grad / grad_scale for grad in grads]
    if amsgrad:
        lists = (params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps)
    else:
        lists = (params, grads, exp_avgs, exp_avg_sqs, state_steps)
    numbers = (lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, maximize)
    if differentiable:
        for tensors in zip(*lists, strict=True):
            _update(*tensors, *numbers)
    else:
        fused_update("adam_amsgrad" if amsgrad else "adam", lists, tuple(map(float, numbers)), _update)


def _update(param, grad, exp_avg, exp_avg_sq, *rest):
    *max_exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize = rest
    if param.is_complex():  # the real and the imaginary part are two parameters
        param, grad, exp_avg, exp_avg_sq = map(rushlight.view_as_real, (param, grad, exp_avg, exp_avg_sq))
        max_exp_avg_sq = list(map(rushlight.view_as_real, max_exp_avg_sq))
    step.add_(1)
    if maximize:
        grad = -grad
    if weight_decay:
        if decoupled:
            param.mul_(1 - lr * weight_decay)
        else:
            grad = grad + weight_decay * param
    exp_avg.mul_(beta1).add_((1 - beta1) * grad)
    exp_avg_sq.mul_(beta2).add_((1 - beta2) * grad * grad)
    if max_exp_avg_sq:
        (largest,) = max_exp_avg_sq
        largest.copy_(rushlight.maximum(largest, exp_avg_sq))
        exp_avg_sq = largest
    count = step.item()
    denominator = (exp_avg_sq / (1 - beta2**count)).sqrt() + eps
    param.sub_(lr / (1 - beta1**count) * exp_avg / denominator)
