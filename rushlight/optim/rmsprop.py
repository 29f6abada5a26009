"""RMSprop."""

from rushlight.optim.rule_optimizer import RuleOptimizer, as_real

__all__ = ["RMSprop"]


class RMSprop(RuleOptimizer):
    """Gradients divided by the root of their running mean square (Tieleman and Hinton, 2012).

    v = alpha * v + (1 - alpha) * g²;  p -= lr * g / (sqrt(v) + eps).

    Args:
        alpha: the share of v that is kept.
        momentum: the share of the last step that is kept.
        centered: subtract the square of the running mean of g from v (Graves, 2013).
        lr, eps, weight_decay, maximize, differentiable: as for `Adam`.
        capturable, foreach: accepted for compatibility.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.RMSprop([weight], lr=0.01)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        if not alpha >= 0.0:
            raise ValueError(f"Invalid alpha value: {alpha}")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _state_of(self, group):
        return ["square_avg"] + ["momentum_buffer"] * (group["momentum"] > 0) + ["grad_avg"] * group["centered"]

    def _rule_of(self, group):
        return "rmsprop" + "_momentum" * (group["momentum"] > 0) + "_centered" * group["centered"]

    def _numbers(self, group):
        return tuple(group[name] for name in ("lr", "alpha", "eps", "weight_decay", "momentum", "maximize"))

    @staticmethod
    def _update(param, grad, square_avg, *rest):
        *more, step, lr, alpha, eps, weight_decay, momentum, maximize = rest
        param, grad, square_avg, *more = as_real(param, grad, square_avg, *more)
        step.add_(1)
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * param
        square_avg.mul_(alpha).add_((1 - alpha) * grad * grad)
        variance = square_avg
        if len(more) == 2 or (more and momentum <= 0):  # centred
            grad_avg = more[-1]
            grad_avg.add_((1 - alpha) * (grad - grad_avg))
            variance = square_avg - grad_avg * grad_avg
        change = grad / (variance.sqrt() + eps)
        if momentum > 0:
            change = more[0].mul_(momentum).add_(change)
        param.sub_(lr * change)
