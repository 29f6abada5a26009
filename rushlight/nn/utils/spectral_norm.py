"""Spectral normalisation by a hook: the older form of `torch.nn.utils.parametrizations.spectral_norm`."""

import rushlight
from rushlight.nn import functional as F
from rushlight.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from rushlight.nn.parameter import Parameter, is_lazy

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that divides `<name>_orig` by its largest singular value, before each forward.

    Buffers `<name>_u` and `<name>_v` hold the singular vectors as power iteration estimates them.
    """

    _version = 1  # of what state_dict contains: v since version 1

    def __init__(self, name="weight", n_power_iterations=1, dim=0, eps=1e-12):
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight):
        """The weight [rows, columns], the rows those of `dim`."""
        return weight.movedim(self.dim, 0).flatten(1)

    def compute_weight(self, module, do_power_iteration):
        """The weight over its norm; the estimate of that is improved first, if so said."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with rushlight.no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t() @ u, dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix @ v, dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()  # the next call changes them, but backward needs these
        return weight / rushlight.dot(u, matrix @ v)

    def remove(self, module):
        """Make the weight a parameter again, of its present value."""
        with rushlight.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        delattr(module, self.name)
        for suffix in ("_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    @staticmethod
    def apply(module, name, n_power_iterations, dim, eps):
        """Register the hook and what it needs; returns it."""
        if any(isinstance(hook, SpectralNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "[spectral_norm] the parameters must be initialized. Call the lazy module once before it is normalised."
            )
        with rushlight.no_grad():
            matrix = hook.reshape_weight_to_matrix(weight)
            u, v = (F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps) for size in matrix.shape)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)  # a plain attribute: hooks and initializers may look for it
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(hook._note_version)
        return hook

    def _note_version(self, module, state_dict, prefix, local_metadata):
        local_metadata.setdefault("spectral_norm", {})[self.name + ".version"] = self._version


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide a weight by its largest singular value (Miyato et al., 2018); returns `module`.

    `torch.nn.utils.parametrizations.spectral_norm` is the newer form.

    Args:
        n_power_iterations: steps of the estimate for each forward in training.
        dim: the rows of the matrix whose singular value it is; by default 1 for transposed convolutions, else 0.

    >>> layer = torch.nn.utils.spectral_norm(torch.nn.Linear(20, 40))
    >>> layer.weight_u.shape
    torch.Size([40])
    """
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module, name="weight"):
    """Take the hook of `spectral_norm` away, and make the weight a parameter again; returns `module`.

    Raises:
        ValueError: if there is none.

    >>> layer = torch.nn.utils.spectral_norm(torch.nn.Linear(2, 2))
    >>> list(torch.nn.utils.remove_spectral_norm(layer).state_dict())
    ['bias', 'weight']
    """
    found = [(id, hook) for id, hook in module._forward_pre_hooks.items() if isinstance(hook, SpectralNorm)]
    for id, hook in found:
        if hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[id]
            for key, method in list(module._state_dict_hooks.items()):
                if getattr(method, "__self__", None) is hook:
                    del module._state_dict_hooks[key]
            return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")
