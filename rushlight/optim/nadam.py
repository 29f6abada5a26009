"""NAdam."""

from rushlight.optim.rule_optimizer import RuleOptimizer, as_real, scalar, zeros_like

__all__ = ["NAdam"]


class NAdam(RuleOptimizer):
    """Adam with Nesterov's momentum (Dozat, 2016).

    mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2); the step of Adam with, in place of m / (1 - beta1^t),
    (1 - mu_t) / (1 - product of mu to t) * g + mu_(t+1) / (1 - product of mu to t + 1) * m.

    Args:
        momentum_decay: how fast the momentum reaches beta1.
        The others are those of `Adam`.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.NAdam([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.8944])
    """

    _rule = "nadam"
    _state = ("exp_avg", "exp_avg_sq", "mu_product")

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        if not momentum_decay >= 0.0:
            raise ValueError(f"Invalid momentum_decay value: {momentum_decay}")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _start(self, p, group):
        return {"mu_product": scalar(1), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def _numbers(self, group):
        names = ("eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "maximize")
        return (group["lr"], *group["betas"], *(group[name] for name in names))

    @staticmethod
    def _update(
        param,
        grad,
        exp_avg,
        exp_avg_sq,
        mu_product,
        step,
        lr,
        beta1,
        beta2,
        eps,
        weight_decay,
        momentum_decay,
        decoupled,
        maximize,
    ):
        param, grad, exp_avg, exp_avg_sq = as_real(param, grad, exp_avg, exp_avg_sq)
        step.add_(1)
        count = step.item()
        if maximize:
            grad = -grad
        if weight_decay:
            if decoupled:
                param.mul_(1 - lr * weight_decay)
            else:
                grad = grad + weight_decay * param
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (count * momentum_decay))
        mu_next = beta1 * (1.0 - 0.5 * 0.96 ** ((count + 1) * momentum_decay))
        mu_product.mul_(mu)
        product = mu_product.item()
        exp_avg.add_((1 - beta1) * (grad - exp_avg))
        exp_avg_sq.mul_(beta2).add_((1 - beta2) * grad * grad)
        root = (exp_avg_sq / (1 - beta2**count)).sqrt() + eps
        param.sub_(lr * (1 - mu) / (1 - product) * grad / root)
        param.sub_(lr * mu_next / (1 - product * mu_next) * exp_avg / root)
