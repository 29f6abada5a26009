"""Adam."""

import rushlight
from rushlight.optim.optimizer import fused_update, unscaled
from rushlight.optim.rule_optimizer import RuleOptimizer, as_real

__all__ = ["Adam", "adam"]


class Adam(RuleOptimizer):
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
        RuntimeError: if `fused` is combined with `foreach` or `differentiable`; in step(), if a gradient is sparse.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adam([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.9000])
    """

    _instead = "SparseAdam"

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

    def _state_of(self, group):
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def _rule_of(self, group):
        return "adam_amsgrad" if group["amsgrad"] else "adam"

    def _numbers(self, group):
        names = ("eps", "weight_decay", "decoupled_weight_decay", "maximize")
        return (group["lr"], *group["betas"], *(group[name] for name in names))

    @staticmethod
    def _update(param, grad, exp_avg, exp_avg_sq, *rest):
        *max_exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize = rest
        param, grad, exp_avg, exp_avg_sq, *max_exp_avg_sq = as_real(param, grad, exp_avg, exp_avg_sq, *max_exp_avg_sq)
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
            exp_avg_sq = rushlight.maximum(largest.clone(), exp_avg_sq)
            largest.copy_(exp_avg_sq)
        count = step.item()
        denominator = (exp_avg_sq / (1 - beta2**count)).sqrt() + eps
        param.sub_(lr / (1 - beta1**count) * (exp_avg / denominator))


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
    largest = [max_exp_avg_sqs] if amsgrad else []
    lists = (params, unscaled(grads, grad_scale), exp_avgs, exp_avg_sqs, *largest, state_steps)
    numbers = (lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, maximize)
    fused_update("adam_amsgrad" if amsgrad else "adam", lists, numbers, Adam._update, differentiable)
