"""Adagrad."""

import rushlight
from rushlight.optim.rule_optimizer import RuleOptimizer, as_real, scalar

__all__ = ["Adagrad"]


class Adagrad(RuleOptimizer):
    """Gradients divided by the root of the sum of their squares (Duchi et al., 2011).

    s = s + g²;  p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps). A sparse gradient touches only its rows.

    Args:
        lr_decay: how fast the rate falls.
        initial_accumulator_value: what s begins with.
        lr, eps, weight_decay, maximize, differentiable: as for `Adam`.
        foreach, fused: accepted for compatibility.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adagrad([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data
    tensor([0.9000])
    """

    _rule = "adagrad"
    _state = ("sum",)
    _takes_sparse = True

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        if not lr_decay >= 0.0:
            raise ValueError(f"Invalid lr_decay value: {lr_decay}")
        if not initial_accumulator_value >= 0.0:
            raise ValueError(f"Invalid initial_accumulator_value value: {initial_accumulator_value}")
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        for group in self.param_groups:  # the sums exist from the beginning
            for p in group["params"]:
                self.state[p] = {"step": scalar(), **self._start(p, group)}

    def _start(self, p, group):
        value = group["initial_accumulator_value"]
        value = complex(value, value) if p.is_complex() else value
        return {"sum": rushlight.full_like(p, value, memory_format=rushlight.preserve_format, requires_grad=False)}

    def share_memory(self):
        """Moves the sums to memory that processes share: see Tensor.share_memory_."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def _numbers(self, group):
        return tuple(group[name] for name in ("lr", "lr_decay", "eps", "weight_decay", "maximize"))

    @staticmethod
    def _update(param, grad, total, step, lr, lr_decay, eps, weight_decay, maximize):
        step.add_(1)
        rate = lr / (1 + (step.item() - 1) * lr_decay)
        if grad.is_sparse:
            if weight_decay:
                raise RuntimeError("weight_decay option is not compatible with sparse gradients")
            grad = grad.coalesce()
            total.add_(grad * grad)
            scaled = grad.values() / (total.sparse_mask(grad).values().sqrt() + eps)
            step_size = rate if maximize else -rate
            param.add_(rushlight.sparse_coo_tensor(grad.indices(), scaled, grad.shape), alpha=step_size)
            return
        param, grad, total = as_real(param, grad, total)
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * param
        total.add_(grad * grad)
        param.sub_(rate * grad / (total.sqrt() + eps))
