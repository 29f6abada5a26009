"""Ready-made parametrizations of weights: orthogonal, of bounded spectral norm, split into length and direction."""

import rushlight
from rushlight.nn import functional as F
from rushlight.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from rushlight.nn.modules.module import Module
from rushlight.nn.utils.parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

_MAPS = ("matrix_exp", "cayley", "householder")


def _tensor_of(module, name):
    tensor = getattr(module, name, None)
    if not isinstance(tensor, rushlight.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


def _orthonormalised(matrix):
    """The Q of matrix = Q R with R's diagonal positive, which makes it unique."""
    reflectors, tau = rushlight.geqrf(matrix)
    signs = reflectors.diagonal(dim1=-2, dim2=-1).sgn()
    return rushlight.linalg.householder_product(reflectors, tau) * signs.unsqueeze(-2)


def _is_orthonormal(matrix):
    size, columns = matrix.shape[-2:]
    identity = rushlight.eye(columns, dtype=matrix.dtype, device=matrix.device)
    tolerance = 10.0 * size * rushlight.finfo(matrix.dtype).eps
    return rushlight.allclose(matrix.mH @ matrix, identity.expand_as(matrix.mH @ matrix), atol=tolerance)


class _Orthogonal(Module):
    """A matrix [*, n, k] with orthonormal columns (rows where n < k) from the lower triangle of one of that shape.

    With `base` the result is base @ f(X), f(0) = I: a local chart around any orthogonal matrix (Lezcano Casado, 2019).
    """

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True):
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X):
        wide = X.shape[-2] < X.shape[-1]
        if wide:
            X = X.mT
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            below = X.tril(diagonal=-1)
            tau = 2.0 / (1.0 + (below * below).sum(dim=-2))
            Q = rushlight.linalg.householder_product(below, tau)
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            lower = X.tril()
            if n != k:
                lower = rushlight.cat([lower, lower.new_zeros(*X.shape[:-2], n, n - k)], dim=-1)
            skew = lower - lower.mH
            if self.orthogonal_map == "matrix_exp":
                Q = rushlight.matrix_exp(skew)
            else:
                identity = rushlight.eye(n, dtype=skew.dtype, device=skew.device)
                Q = rushlight.linalg.solve(identity - skew / 2, identity + skew / 2)
            if n != k:
                Q = Q[..., :k]
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if wide else Q

    def right_inverse(self, Q):
        """The original that gives Q, or the orthogonal matrix next to it in its QR decomposition."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        target = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
        n, k = target.shape[-2:]
        if hasattr(self, "base"):
            if n != k:
                target = rushlight.cat([target, target.new_empty(*target.shape[:-2], n, n - k).normal_()], dim=-1)
            known = n == k and _is_orthonormal(target)
            self.base = target.clone() if known else _orthonormalised(target)
            original = rushlight.zeros_like(Q)
            original.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # I for every map: householder reads signs on the diagonal
            return original
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        reflectors, _ = rushlight.geqrf(target)
        signs = reflectors.diagonal(dim1=-2, dim2=-1)
        signs.sign_()
        signs.masked_fill_(signs == 0, 1.0)
        return reflectors.mT if Q.shape[-2] < Q.shape[-1] else reflectors


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    """Keep the columns of a matrix [*, n, k] orthonormal, or its rows where n < k; returns `module`.

    Args:
        orthogonal_map: what makes it so: "matrix_exp" (default for square and complex matrices), "cayley"
            ((I + A/2)(I - A/2)^-1, A skew-symmetric), or "householder" (products of reflections; default otherwise).
        use_trivialization: start from the present weight, and let a weight be assigned. It costs a buffer [*, n, n].

    Raises:
        ValueError: if there is no such tensor, it is no matrix, or the map is unknown or not for complex numbers.

    >>> layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(3, 3))
    >>> torch.allclose(layer.weight @ layer.weight.T, torch.eye(3), atol=1e-5)
    True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    parametrization = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, parametrization, unsafe=True)


class _WeightNorm(Module):
    """g * v / |v|, the norm over all dimensions but `dim`."""

    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return weight_v * (weight_g / rushlight.norm_except_dim(weight_v, 2, self.dim))

    def right_inverse(self, weight):
        return rushlight.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    """Split a weight into length and direction, w = g * v / |v| (Salimans and Kingma, 2016); returns `module`.

    The originals are g (`original0`) and v (`original1`). A state_dict of `torch.nn.utils.weight_norm` is understood.

    Args:
        dim: the dimension that keeps a length for each index; None for one length of the whole.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict, prefix, *rest):
        for i, old in enumerate((f"{prefix}{name}_g", f"{prefix}{name}_v")):
            if old in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(old)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """The weight over its largest singular value, which power iteration estimates."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._as_matrix(weight)
            for key, size in zip(("_u", "_v"), matrix.shape, strict=True):
                self.register_buffer(key, F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _as_matrix(self, weight):
        return weight.movedim(self.dim, 0).flatten(1)

    def _iterate(self, matrix, times):
        with rushlight.no_grad():
            for _ in range(times):
                self._u.copy_(F.normalize(matrix @ self._v, dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matrix.mH @ self._u, dim=0, eps=self.eps))

    def forward(self, weight):
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # the next call changes them, but backward needs these
        return weight / rushlight.vdot(u, matrix @ v)

    def right_inverse(self, value):
        return value  # its norm may be anything: forward will bound it


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide a weight by its largest singular value (Miyato et al., 2018); returns `module`.

    Args:
        n_power_iterations: steps of the estimate for each reading of the weight in training.
        dim: the rows of the matrix whose singular value it is; by default 1 for transposed convolutions, else 0.

    Raises:
        ValueError: if there is no such tensor, or n_power_iterations is not positive.

    >>> _ = torch.manual_seed(0)
    >>> layer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(20, 40))
    >>> torch.linalg.matrix_norm(layer.weight, 2) < 1.1
    tensor(True)
    """
    weight = _tensor_of(module, name)
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
