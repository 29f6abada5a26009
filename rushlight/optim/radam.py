"""RAdam."""

import math

from rushlight.optim.rule_optimizer import RuleOptimizer, as_real

__all__ = ["RAdam"]


class RAdam(RuleOptimizer):
    """Adam that trusts its mean square only when it has seen enough steps (Liu et al., 2019).

    With n = 2 / (1 - beta2) - 1 and n_t = n - 2 t beta2^t / (1 - beta2^t): where n_t > 5, the step of Adam times
    sqrt((n_t - 4)(n_t - 2) n / ((n - 4)(n - 2) n_t)); before, p -= lr * m / (1 - beta1^t).

    Args: those of `Adam`.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.RAdam([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.8000])
    """

    _rule = "radam"

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )

    def _numbers(self, group):
        options = (group[name] for name in ("eps", "weight_decay", "decoupled_weight_decay", "maximize"))
        return (group["lr"], *group["betas"], *options)

    @staticmethod
    def _update(param, grad, exp_avg, exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize):
        param, grad, exp_avg, exp_avg_sq = as_real(param, grad, exp_avg, exp_avg_sq)
        step.add_(1)
        if maximize:
            grad = -grad
        if weight_decay:
            if decoupled:
                param.mul_(1 - lr * weight_decay)
            else:
                grad = grad + weight_decay * param
        exp_avg.add_((1 - beta1) * (grad - exp_avg))
        exp_avg_sq.mul_(beta2).add_((1 - beta2) * grad * grad)
        count = step.item()
        change = exp_avg / (1 - beta1**count)
        power, longest = beta2**count, 2 / (1 - beta2) - 1
        length = longest - 2 * count * power / (1 - power)
        if length > 5:
            trust = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            change = change * (trust * math.sqrt(1 - power)) / (exp_avg_sq.sqrt() + eps)
        param.sub_(lr * change)
