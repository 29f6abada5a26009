"""L-BFGS."""

import rushlight
from rushlight.optim.optimizer import Optimizer, check_lr_tensor, check_not_negative
from rushlight.optim.rule_optimizer import as_real

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """A quasi-Newton method that remembers the last steps (Nocedal, 1980). `step` needs a closure and calls it often.

    Args:
        params: one group of parameters.
        max_iter: iterations in one call of `step`.
        max_eval: calls of the closure in one call of `step`; 1.25 * max_iter by default.
        tolerance_grad, tolerance_change: stop when the largest gradient, or the change, is not above these.
        history_size: how many steps are remembered.
        line_search_fn: None, or "strong_wolfe" for steps that fulfil Wolfe's conditions.

    >>> weight = torch.nn.Parameter(torch.tensor([3.0]))
    >>> optimizer = torch.optim.LBFGS([weight], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (weight - 1).square().sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> weight.data
    tensor([1.])
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_lr_tensor(lr)
        check_not_negative(lr=lr)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self):
        return self.param_groups[0]["params"]

    def _flat_grad(self):
        grads = [rushlight.zeros_like(p) if p.grad is None else p.grad.to_dense() for p in self._params]
        return rushlight.cat([grad.reshape(-1) for grad in as_real(*grads)])

    def _move(self, distance, direction):
        start = 0
        for p in as_real(*self._params):
            p.add_(distance * direction[start : start + p.numel()].view_as(p))
            start += p.numel()

    def step(self, closure):
        """Minimise for up to `max_iter` iterations; returns the loss at the beginning.

        Args:
            closure: computes the loss and its gradients, and returns the loss.
        """
        with rushlight.no_grad():
            return self._minimise(lambda: self._loss_of(closure))

    def _minimise(self, closure):
        group = self.param_groups[0]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, evaluations = float(first_loss), 1
        state["func_evals"] += 1
        grad = self._flat_grad()
        if grad.abs().max().item() <= group["tolerance_grad"]:
            return first_loss
        direction, distance = state.get("d"), state.get("t")
        old_dirs, old_stps, ro = state.get("old_dirs"), state.get("old_stps"), state.get("ro")
        h_diag, previous_grad, previous_loss = state.get("H_diag"), state.get("prev_flat_grad"), state.get("prev_loss")

        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction, old_dirs, old_stps, ro, h_diag = -grad, [], [], [], 1
            else:
                change, moved = grad - previous_grad, direction * distance
                curvature = change.dot(moved)
                if curvature.item() > 1e-10:
                    if len(old_dirs) == group["history_size"]:
                        for remembered in (old_dirs, old_stps, ro):
                            remembered.pop(0)
                    old_dirs.append(change)
                    old_stps.append(moved)
                    ro.append(1.0 / curvature)
                    h_diag = curvature / change.dot(change)
                factors = state.setdefault("al", [None] * group["history_size"])
                direction = _inverse_hessian_times(-grad, old_dirs, old_stps, ro, h_diag, factors)
            previous_grad, previous_loss = grad.clone(), loss

            lr = float(group["lr"])
            distance = min(1.0, 1.0 / grad.abs().sum().item()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(direction).item()
            if slope > -group["tolerance_change"]:
                break
            calls = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                loss, grad, distance, calls = self._search(closure, distance, direction, loss, grad, slope)
                self._move(distance, direction)
                converged = grad.abs().max().item() <= group["tolerance_grad"]
            else:
                self._move(distance, direction)
                converged = False
                if iteration != group["max_iter"]:
                    loss, grad, calls = float(closure()), self._flat_grad(), 1
                    converged = grad.abs().max().item() <= group["tolerance_grad"]
            evaluations += calls
            state["func_evals"] += calls
            if (
                iteration == group["max_iter"]
                or evaluations >= group["max_eval"]
                or converged
                or (direction * distance).abs().max().item() <= group["tolerance_change"]
                or abs(loss - previous_loss) < group["tolerance_change"]
            ):
                break

        state.update(
            d=direction,
            t=distance,
            old_dirs=old_dirs,
            old_stps=old_stps,
            ro=ro,
            H_diag=h_diag,
            prev_flat_grad=previous_grad,
            prev_loss=previous_loss,
        )
        return first_loss

    def _search(self, closure, distance, direction, loss, grad, slope):
        """A step that fulfils the strong Wolfe conditions; parameters are left where they were."""
        start = [p.clone() for p in self._params]

        def at(t):
            self._move(t, direction)
            value, gradient = float(closure()), self._flat_grad()
            for p, s in zip(self._params, start, strict=True):
                p.copy_(s)
            return value, gradient

        return strong_wolfe(at, distance, direction, loss, grad, slope)


def _inverse_hessian_times(q, changes, moves, ro, h_diag, factors):
    """The two-loop recursion (Nocedal and Wright, Numerical Optimization, algorithm 7.4); fills `factors`."""
    for i in range(len(changes) - 1, -1, -1):
        factors[i] = moves[i].dot(q) * ro[i]
        q = q - factors[i] * changes[i]
    r = q * h_diag
    for i in range(len(changes)):
        r = r + moves[i] * (factors[i] - changes[i].dot(r) * ro[i])
    return r


def _cubic_minimum(x1, f1, g1, x2, f2, g2, low=None, high=None):
    """Where the cubic through two points with their slopes is least, between the bounds."""
    if low is None:
        low, high = min(x1, x2), max(x1, x2)
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (low + high) / 2.0
    d2 = square**0.5
    if x1 <= x2:
        place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        place = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(place, low), high)


def strong_wolfe(at, t, direction, loss, grad, slope, c1=1e-4, c2=0.9, tolerance=1e-9, most=25):
    """A line search for the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6).

    Args:
        at: the loss and gradient at a distance along `direction`.
        slope: that of the loss at distance 0.

    Returns:
        The loss, gradient and distance that were found, and the number of calls of `at`.
    """
    size = direction.abs().max().item()
    new_loss, new_grad = at(t)
    new_slope, calls, tries = new_grad.dot(direction).item(), 1, 0
    before = (0.0, loss, grad, slope)
    done, bracket = False, None
    while tries < most:  # widen until a minimum is enclosed
        now = (t, new_loss, new_grad.clone(), new_slope)
        if new_loss > loss + c1 * t * slope or (tries > 1 and new_loss >= before[1]):
            bracket = [before, now]
            break
        if abs(new_slope) <= -c2 * slope:
            bracket, done = [now], True
            break
        if new_slope >= 0:
            bracket = [before, now]
            break
        least, largest = t + 0.01 * (t - before[0]), t * 10
        t = _cubic_minimum(before[0], before[1], before[3], t, new_loss, new_slope, least, largest)
        before = now
        new_loss, new_grad = at(t)
        new_slope, calls, tries = new_grad.dot(direction).item(), calls + 1, tries + 1
    if tries == most:
        bracket = [(0.0, loss, grad, slope), (t, new_loss, new_grad, new_slope)]

    slow = False
    low, high = (0, 1) if bracket[0][1] <= bracket[-1][1] else (1, 0)
    while not done and tries < most:  # then close in on it
        if abs(bracket[1][0] - bracket[0][0]) * size < tolerance:
            break
        (x1, f1, _, g1), (x2, f2, _, g2) = bracket
        t = _cubic_minimum(x1, f1, g1, x2, f2, g2)
        left, right = min(x1, x2), max(x1, x2)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too near to an end: once is allowed
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        new_loss, new_grad = at(t)
        new_slope, calls, tries = new_grad.dot(direction).item(), calls + 1, tries + 1
        now = (t, new_loss, new_grad.clone(), new_slope)
        if new_loss > loss + c1 * t * slope or new_loss >= bracket[low][1]:
            bracket[high] = now
            low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        else:
            if abs(new_slope) <= -c2 * slope:
                done = True
            elif new_slope * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = now
    if len(bracket) == 1:
        low = 0
    t, new_loss, new_grad, _ = bracket[low]
    return new_loss, new_grad, t, calls
