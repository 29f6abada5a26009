"""Adam for sparse gradients."""

import rushlight
from rushlight.optim.optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """`Adam` (Kingma and Ba, 2014) on the rows that a sparse gradient names; means of other rows do not decay.

    The cost of a step is that of the rows in use, however large the table.

    Args:
        params: strided parameters, or groups of them, whose gradients are sparse, as of `Embedding(sparse=True)`.
        lr: learning rate.
        betas: (beta1, beta2), each in [0, 1).
        eps: added to the denominator.
        maximize: ascend instead.

    Raises:
        ValueError: if an option is out of range or a parameter is sparse.
        RuntimeError: in step(), if a gradient is not sparse.

    >>> table = torch.nn.Embedding(1000, 2, sparse=True)
    >>> optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> table(torch.tensor([7, 7])).sum().backward()
    >>> table.weight.grad.coalesce().indices()
    tensor([[7]])
    >>> optimizer.step()
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        if not lr > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        sparse = [
            [i, k]
            for i, group in enumerate(self.param_groups)
            for k, p in enumerate(group["params"])
            if p.layout is not rushlight.strided
        ]
        if sparse:
            raise ValueError(f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors")

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        return self._step_each(closure, self._update)

    def _update(self, p, grad, group):
        if not grad.is_sparse:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        state = self.state[p]
        if not state:
            state.update(step=0, exp_avg=rushlight.zeros_like(p), exp_avg_sq=rushlight.zeros_like(p))
        state["step"] += 1
        grad = (-grad if group["maximize"] else grad).coalesce()
        if not grad._nnz():
            return
        beta1, beta2 = group["betas"]
        values = grad.values()
        mean = _moved(state["exp_avg"], grad, values, 1 - beta1)
        square = _moved(state["exp_avg_sq"], grad, values * values, 1 - beta2)
        step_size = group["lr"] * (1 - beta2 ** state["step"]) ** 0.5 / (1 - beta1 ** state["step"])
        p.sub_(_at(grad, step_size * mean / (square.sqrt() + group["eps"])))


def _at(grad, values):
    return rushlight.sparse_coo_tensor(grad.indices(), values, grad.shape, is_coalesced=True)


def _moved(average, grad, values, weight):
    """Moves the running average towards the values at the places of grad; returns its new values there."""
    old = average.sparse_mask(grad).values()
    change = (values - old) * weight
    average.add_(_at(grad, change))
    return old + change
