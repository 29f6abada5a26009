"""Adadelta."""

from rushlight.optim.rule_optimizer import RuleOptimizer, as_real

__all__ = ["Adadelta"]


class Adadelta(RuleOptimizer):
    """Steps in the units of the parameter, from running mean squares of gradients and of steps (Zeiler, 2012).

    v = rho * v + (1 - rho) * g²;  d = sqrt(u + eps) / sqrt(v + eps) * g;  u = rho * u + (1 - rho) * d²;  p -= lr * d.

    Args:
        rho: the share of the running means that is kept.
        lr, eps, weight_decay, maximize, differentiable: as for `Adam`.
        capturable, foreach: accepted for compatibility.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adadelta([weight], lr=1.0, eps=1e-2)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.6877])
    """

    _rule = "adadelta"
    _state = ("square_avg", "acc_delta")

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def _numbers(self, group):
        return tuple(group[name] for name in ("lr", "rho", "eps", "weight_decay", "maximize"))

    @staticmethod
    def _update(param, grad, square_avg, acc_delta, step, lr, rho, eps, weight_decay, maximize):
        param, grad, square_avg, acc_delta = as_real(param, grad, square_avg, acc_delta)
        step.add_(1)
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * param
        square_avg.mul_(rho).add_((1 - rho) * grad * grad)
        delta = (acc_delta + eps).sqrt() / (square_avg + eps).sqrt() * grad
        acc_delta.mul_(rho).add_((1 - rho) * delta * delta)
        param.sub_(lr * delta)
