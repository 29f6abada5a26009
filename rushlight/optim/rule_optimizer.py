"""`RuleOptimizer`, the base of optimisers that are nothing but an update rule with state of the parameter's shape."""

import rushlight
from rushlight.optim.optimizer import Optimizer, check_lr_tensor, check_not_negative, fused_update, refuse_sparse


def zeros_like(p):
    """Zeros for the state of a parameter."""
    return rushlight.zeros_like(p, memory_format=rushlight.preserve_format, requires_grad=False)


def as_real(*tensors):
    """Complex tensors as real ones with one dimension more: the two parts are updated like two parameters."""
    return [rushlight.view_as_real(t) if t.is_complex() else t for t in tensors]


class RuleOptimizer(Optimizer):
    """A subclass names its rule and gives, for a group, the state, the numbers and the rule in tensor operations.

    `_update` is called as `_update(param, grad, *state, step, *numbers)`.
    """

    _rule = ""  # its name in the core; empty if the core has none
    _takes_sparse = False  # whether _update takes sparse gradients

    def __init__(self, params, defaults):
        check_lr_tensor(defaults["lr"])
        names = [name for name in ("lr", "eps", "momentum", "weight_decay") if name in defaults]
        check_not_negative(**{name: defaults[name] for name in names})
        for i, beta in enumerate(defaults.get("betas", ())):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        super().__init__(params, defaults)

    def _start(self, p, group):
        """The state of a parameter before its first step, without the count of steps."""
        raise NotImplementedError

    def _rule_of(self, group):
        return self._rule

    def _numbers(self, group):
        """What the rule needs of the options."""
        raise NotImplementedError

    @staticmethod
    def _update(*tensors_and_numbers):
        raise NotImplementedError

    def _state_of(self, p, group):
        state = self.state[p]
        if not state:
            state["step"] = rushlight.tensor(0.0, dtype=rushlight.float32)
            state.update(self._start(p, group))
        return state

    def step(self, closure=None):
        """Change the parameters once; returns what `closure` returns."""
        loss = self._loss_of(closure)
        for group in self.param_groups:
            params, states = [], []
            for p in group["params"]:
                if p.grad is not None:
                    params.append(p)
                    states.append(self._state_of(p, group))
            if not params:
                continue
            if not self._takes_sparse:
                refuse_sparse(type(self).__name__, [p.grad for p in params])
            names = [name for name in states[0] if name != "step"] + ["step"]
            lists = (params, [p.grad for p in params], *([state[name] for state in states] for name in names))
            numbers, rule = self._numbers(group), self._rule_of(group)
            if group.get("differentiable"):
                for tensors in zip(*lists, strict=True):
                    self._update(*tensors, *numbers)
            elif rule:
                fused_update(rule, lists, tuple(map(float, numbers)), self._update)
            else:
                with rushlight.no_grad():
                    for tensors in zip(*lists, strict=True):
                        self._update(*tensors, *map(float, numbers))
        return loss
