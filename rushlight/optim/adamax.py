"""Adamax."""

import rushlight
from rushlight.optim.rule_optimizer import RuleOptimizer, as_real

__all__ = ["Adamax"]


class Adamax(RuleOptimizer):
    """Adam with the largest gradient so far, fading, in place of the mean square (Kingma and Ba, 2014).

    m = beta1 * m + (1 - beta1) * g;  u = max(beta2 * u, |g| + eps);  p -= lr / (1 - beta1^t) * m / u.

    Args: those of `Adam`.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adamax([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.9000])
    """

    _rule = "adamax"
    _state = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _numbers(self, group):
        return (group["lr"], *group["betas"], group["eps"], group["weight_decay"], group["maximize"])

    @staticmethod
    def _update(param, grad, exp_avg, exp_inf, step, lr, beta1, beta2, eps, weight_decay, maximize):
        param, grad, exp_avg, exp_inf = as_real(param, grad, exp_avg, exp_inf)
        step.add_(1)
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * param
        exp_avg.add_((1 - beta1) * (grad - exp_avg))
        exp_inf.copy_(rushlight.maximum(beta2 * exp_inf, grad.abs() + eps))
        param.sub_(lr / (1 - beta1 ** step.item()) * exp_avg / exp_inf)
