"""ASGD."""

from rushlight.optim.rule_optimizer import RuleOptimizer, as_real, scalar, zeros_like

__all__ = ["ASGD"]


class ASGD(RuleOptimizer):
    """Gradient descent whose average over the steps is kept beside the parameters (Polyak and Juditsky, 1992).

    p = p * (1 - lambd * eta) - eta * g, with eta = lr / (1 + lambd * lr * t)^alpha; the state "ax" is the mean of p
    from step `t0` on.

    Args:
        lambd: how fast parameters decay.
        alpha: the power with which the rate falls.
        t0: where averaging begins.
        lr, weight_decay, maximize, differentiable: as for `Adam`.
        foreach, capturable: accepted for compatibility.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.ASGD([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.8000])
    """

    _rule = "asgd"
    _state = ("ax", "eta", "mu")

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _start(self, p, group):
        return {"eta": scalar(group["lr"]), "mu": scalar(1), "ax": zeros_like(p)}

    def _numbers(self, group):
        return tuple(group[name] for name in ("lr", "lambd", "alpha", "t0", "weight_decay", "maximize"))

    @staticmethod
    def _update(param, grad, ax, eta, mu, step, lr, lambd, alpha, t0, weight_decay, maximize):
        param, grad, ax = as_real(param, grad, ax)
        step.add_(1)
        count, rate = step.item(), eta.item()
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * param
        param.mul_(1 - lambd * rate)
        param.sub_(rate * grad)
        if mu.item() == 1:
            ax.copy_(param)
        else:
            ax.add_((param - ax) * mu.item())
        eta.fill_(lr / (1 + lambd * lr * count) ** alpha)
        mu.fill_(1 / max(1, count - t0))
