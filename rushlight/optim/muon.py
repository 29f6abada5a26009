"""Muon."""

import math

import rushlight
from rushlight.optim.optimizer import Optimizer, check_lr_tensor, check_not_negative
from rushlight.optim.rule_optimizer import zeros_like

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum whose matrix is made orthogonal before the step, for the matrices of hidden layers (Jordan, 2024).

    buf = momentum * buf + (1 - momentum) * g;  u = momentum * buf + (1 - momentum) * g if nesterov, else buf;
    p *= 1 - lr * weight_decay;  p -= lr * scale * orthogonal(u). Other parameters want another optimiser.

    Args:
        params: matrices, or groups of them.
        lr: learning rate.
        weight_decay: how much parameters shrink, in units of `lr`.
        momentum: share of the buffer that is kept.
        nesterov: look ahead along the momentum.
        ns_coefficients: (a, b, c) of the Newton-Schulz iteration.
        eps: the least norm that matrices are divided by.
        ns_steps: the number of its iterations.
        adjust_lr_fn: the scale for p [m, n]: "original" (like None) is sqrt(max(1, m / n)); "match_rms_adamw",
            0.2 * sqrt(max(m, n)), makes steps as long as those of AdamW (Liu et al., 2025).

    Raises:
        ValueError: if an option is out of range, or a parameter is no matrix.
        RuntimeError: in step(), if a parameter is complex or a gradient sparse.

    >>> weight = torch.nn.Parameter(torch.eye(2))
    >>> optimizer = torch.optim.Muon([weight], lr=0.5)
    >>> weight.sum().backward()
    >>> optimizer.step()
    >>> weight.diagonal().tolist() == [weight[0, 0].item()] * 2
    True
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        check_lr_tensor(lr)
        check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if adjust_lr_fn not in _SCALES:
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(f"Muon only supports 2D parameters. Received one of size {tuple(p.shape)}.")

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        return self._step_each(closure, self._update)

    def _update(self, p, grad, group):
        for wrong, what in ((p.is_complex(), "complex parameters"), (grad.is_sparse, "sparse gradients")):
            if wrong:
                raise RuntimeError(f"Muon does not support {what}")
        state = self.state[p]
        if not state:
            state["momentum_buffer"] = zeros_like(grad)
        lr, momentum = float(group["lr"]), group["momentum"]
        buffer = state["momentum_buffer"].lerp_(grad, 1 - momentum)
        update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
        update = _orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(update, alpha=-lr * _SCALES[group["adjust_lr_fn"]](*p.shape))


_SCALES = {
    None: lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "original": lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "match_rms_adamw": lambda rows, columns: 0.2 * math.sqrt(max(rows, columns)),
}


def _orthogonal(matrix, coefficients, steps, eps):
    """The matrix with all singular values near 1, in bfloat16, by Newton and Schulz's iteration of fifth order.

    The iteration x = a x + b (x xᵀ) x + c (x xᵀ)² x need not converge: values between 0.5 and 1.5 serve as well.
    """
    if steps >= 100:
        raise ValueError(f"[Muon] ns_steps must be less than 100. Received {steps}.")
    if len(coefficients) != 3:
        raise ValueError(f"[Muon] ns_coefficients must be three numbers. Received {coefficients}.")
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.bfloat16()
    x = x.T if tall else x  # the smaller of the two products
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = rushlight.addmm(x, rushlight.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
