"""`RuleOptimizer`, the base of optimisers that are nothing but an update rule with state of the parameter's shape."""

import rushlight
from rushlight.optim.optimizer import (
    Optimizer,
    check_fused,
    check_lr_tensor,
    check_not_negative,
    fused_update,
)


def zeros_like(p):
    """Zeros for the state of a parameter."""
    return rushlight.zeros_like(p, memory_format=rushlight.preserve_format, requires_grad=False)


def scalar(value=0.0):
    """A number of the state, such as the count of steps, as PyTorch keeps it: 0-d, float64 if that is the default."""
    double = rushlight.get_default_dtype() == rushlight.float64
    return rushlight.tensor(float(value), dtype=rushlight.float64 if double else rushlight.float32)


def as_real(*tensors):
    """Complex tensors as real ones with one dimension more: the two parts are updated like two parameters."""
    return [rushlight.view_as_real(t) if t.is_complex() else t for t in tensors]


class RuleOptimizer(Optimizer):
    """A subclass names its rule and its state, and gives the numbers of a group and the rule in tensor operations.

    `_update` is called as `_update(param, grad, *state, step, *numbers)`.
    """

    _rule = None  # its name in the core
    _state = ("exp_avg", "exp_avg_sq")  # the names of the state, without the count of steps
    _takes_sparse = False  # whether _update takes sparse gradients
    _instead = ""  # the optimiser that takes them

    def __init__(self, params, defaults):
        check_lr_tensor(defaults["lr"])
        names = [name for name in ("lr", "eps", "momentum", "weight_decay") if name in defaults]
        check_not_negative(**{name: defaults[name] for name in names})
        for i, beta in enumerate(defaults.get("betas", ())):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        check_fused(defaults)
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for entry in self.state.values():  # the count was a number once
            if "step" in entry and not isinstance(entry["step"], rushlight.Tensor):
                entry["step"] = scalar(entry["step"])

    def _state_of(self, group):
        """The names of the state with these options."""
        return self._state

    def _rule_of(self, group):
        """The name of the rule with these options."""
        return self._rule

    def _start(self, p, group):
        """The state of a parameter before its first step, without the count of steps."""
        return {name: zeros_like(p) for name in self._state_of(group)}

    def _numbers(self, group):
        """What the rule needs of the options."""
        raise NotImplementedError

    @staticmethod
    def _update(*tensors_and_numbers):
        raise NotImplementedError

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        loss = self._loss_of(closure)
        all_state = self.state
        for group in self.param_groups:
            params, grads, states = [], [], []
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    state = all_state[p]
                    if not state:
                        state.update(step=scalar(), **self._start(p, group))
                    params.append(p)
                    grads.append(grad)
                    states.append(state)
            lists = (params, grads, *([state[name] for state in states] for name in (*self._state_of(group), "step")))
            update = self._update if self._takes_sparse else self._refuse_sparse
            fused_update(self._rule_of(group), lists, self._numbers(group), update, group.get("differentiable"))
        return loss

    def _refuse_sparse(self, param, grad, *state_and_numbers):
        if grad.is_sparse:
            cure = f", please consider {self._instead} instead" if self._instead else ""
            raise RuntimeError(f"{type(self).__name__} does not support sparse gradients{cure}")
        self._update(param, grad, *state_and_numbers)
