"""Adafactor."""

import rushlight
from rushlight.optim.optimizer import Optimizer, check_lr_tensor, check_not_negative
from rushlight.optim.rule_optimizer import scalar, zeros_like

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Gradients divided by the root of their mean square, of which matrices keep row and column means alone (Shazeer
    and Stern, 2018): m + n numbers of state in place of m * n.

    With b = 1 - t^beta2_decay, t the number of the step, and rms(x) = |x| / sqrt(number of elements):
    r = b * r + (1 - b) * mean of g² by rows;  c likewise by columns;  v = r c / mean(r), and for vectors
    v = b * v + (1 - b) * g²;  u = g / sqrt(v);  p *= 1 - lr * weight_decay;
    p -= max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) * u / max(1, rms(u) / d).

    Args:
        params: parameters or groups of them.
        lr: the largest step, relative to the parameter.
        beta2_decay: how the share of the past grows with the steps; not positive.
        eps: (eps1, eps2): the least root of a mean square, by default the dtype's epsilon, and the least size of a
            parameter.
        d: from which size on updates are clipped, at least 1.
        weight_decay: how much parameters shrink, in units of `lr`.
        foreach: accepted for compatibility.
        maximize: ascend instead.

    Raises:
        ValueError: if an option is out of range.
        RuntimeError: in step(), if a parameter is complex or a gradient sparse.

    >>> weight = torch.nn.Parameter(torch.ones(2, 3))
    >>> optimizer = torch.optim.Adafactor([weight], lr=0.1)
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.data[0]
    tensor([0.9000, 0.9000, 0.9000])
    >>> {name: tuple(value.shape) for name, value in optimizer.state[weight].items()}
    {'step': (), 'row_var': (2, 1), 'col_var': (1, 3)}
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        foreach=None,
        maximize=False,
    ):
        check_lr_tensor(lr)
        check_not_negative(lr=lr, eps1=eps[0] or 0.0, eps2=eps[1], weight_decay=weight_decay)
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
            },
        )

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        return self._step_each(closure, self._update)

    def _update(self, p, grad, group):
        for wrong, what in ((p.is_complex(), "complex parameters"), (grad.is_sparse, "sparse gradients")):
            if wrong:
                raise RuntimeError(f"Adafactor does not support {what}")
        state = self.state[p]
        if not state:
            state.update(step=scalar(), **_variances(grad))
        lr, (eps1, eps2) = float(group["lr"]), group["eps"]
        eps1 = rushlight.finfo(p.dtype).eps if eps1 is None else eps1
        step = state["step"].add_(1).item()
        if group["maximize"]:
            grad = -grad
        size = max(eps2, _rms(p)) * min(lr, 1 / step**0.5)
        if group["weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])

        share = step ** group["beta2_decay"]  # of the present gradient
        if grad.ndim > 1:
            rows = state["row_var"].lerp_(grad.norm(dim=-1, keepdim=True).square() / grad.size(-1), share)
            columns = state["col_var"].lerp_(grad.norm(dim=-2, keepdim=True).square() / grad.size(-2), share)
            variance = rows @ columns / rows.mean(dim=-2, keepdim=True).clamp(min=eps1)
        else:
            variance = state["variance"].lerp_(grad * grad, share)
        update = grad * variance.clamp(min=eps1 * eps1).rsqrt()
        p.add_(update, alpha=-size / max(1.0, _rms(update) / group["d"]))


def _variances(grad):
    if grad.ndim < 2:
        return {"variance": zeros_like(grad)}
    return {
        "row_var": grad.new_zeros((*grad.shape[:-1], 1)),
        "col_var": grad.new_zeros((*grad.shape[:-2], 1, grad.shape[-1])),
    }


def _rms(tensor):
    return tensor.norm(2).item() / tensor.numel() ** 0.5
