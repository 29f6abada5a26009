"""Rprop."""

import rushlight
from rushlight.optim.rule_optimizer import RuleOptimizer, as_real, zeros_like

__all__ = ["Rprop"]


class Rprop(RuleOptimizer):
    """Steps of their own for all elements, which depend on the sign of the gradient alone (Riedmiller and Braun, 1993).

    A step grows by `etas[1]` while the gradient keeps its sign, shrinks by `etas[0]` and is left out when it changes.

    Args:
        lr: the first step.
        step_sizes: the smallest and the largest step.
        maximize, differentiable: as for `Adam`.
        capturable, foreach: accepted for compatibility.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Rprop([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.9000])
    """

    _rule = "rprop"
    _state = ("prev", "step_size")

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _start(self, p, group):
        first = float(group["lr"])
        first = complex(first, first) if p.is_complex() else first
        return {"prev": zeros_like(p), "step_size": rushlight.full_like(p, first, requires_grad=False)}

    def _numbers(self, group):
        return (*group["etas"], *group["step_sizes"], group["maximize"])

    @staticmethod
    def _update(param, grad, prev, step_size, step, shorter, longer, least, most, maximize):
        param, grad, prev, step_size = as_real(param, grad, prev, step_size)
        step.add_(1)
        if maximize:
            grad = -grad
        agreement = grad * prev
        factor = rushlight.ones_like(agreement).masked_fill(agreement > 0, longer).masked_fill(agreement < 0, shorter)
        step_size.mul_(factor).clamp_(least, most)
        grad = grad.masked_fill(agreement < 0, 0.0)
        param.sub_(grad.sign() * step_size)
        prev.copy_(grad)
