"""Weight normalisation by a hook: the older form of `torch.nn.utils.parametrizations.weight_norm`."""

import warnings

import rushlight
from rushlight.nn.parameter import Parameter, is_lazy

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook that computes the weight from its length `<name>_g` and direction `<name>_v`, before each forward."""

    def __init__(self, name, dim):
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module):
        """g * v / |v|."""
        length, direction = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return direction * (length / rushlight.norm_except_dim(direction, 2, self.dim))

    @staticmethod
    def apply(module, name, dim):
        """Register the hook and split the weight; returns the hook."""
        if any(isinstance(hook, WeightNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "[weight_norm] the parameters must be initialized. Call the lazy module once before it is normalised."
            )
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(rushlight.norm_except_dim(weight, 2, hook.dim).data))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module):
        """Make the weight a parameter again, of its present value."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"], module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module, name="weight", dim=0):
    """Split a weight into length and direction, w = g * v / |v| (Salimans and Kingma, 2016); returns `module`.

    Deprecated in favour of `torch.nn.utils.parametrizations.weight_norm`, whose `module.<name>` is never out of date.

    Args:
        dim: the dimension that keeps a length for each index; None for one length of the whole.
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module, name="weight"):
    """Take the hook of `weight_norm` away, and make the weight a parameter again; returns `module`.

    Raises:
        ValueError: if there is none.
    """
    for id, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[id]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
