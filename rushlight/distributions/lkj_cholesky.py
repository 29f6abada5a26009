"""The LKJ distribution of correlation matrices."""

import math

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.beta import Beta
from rushlight.distributions.distribution import Distribution, validated

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Lower Cholesky factors [*, dim, dim] of correlation matrices, of a density proportional to the determinant to the
    power concentration - 1 (Lewandowski, Kurowicka & Joe, "Generating random correlation matrices based on vines and
    extended onion method", 2009).

    Raises ValueError unless dim >= 2.

    >>> factor = torch.distributions.LKJCholesky(3, 0.5).sample()
    >>> ((factor @ factor.T).diagonal() - 1).abs().max() < 1e-5
    tensor(True)
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(f"[LKJCholesky] Expected dim to be an integer greater than or equal to 2. Received {dim}.")
        self.dim = dim
        self._set(validate_args, (dim, dim), concentration=concentration)

    def _squared_radii(self):
        """The distributions of what the entries left of the diagonal contribute to the norm of each row [*, dim]."""
        after_first = rushlight.arange(self.dim - 1, dtype=self.concentration.dtype)
        offset = rushlight.cat([after_first[:1], after_first])
        top = self.concentration + 0.5 * (self.dim - 2)
        return Beta(offset + 0.5, top.unsqueeze(-1) - 0.5 * offset)

    def sample(self, sample_shape=rushlight.Size()):
        # The onion method: each row is a direction, of a radius between 0 and 1, and what is left for the diagonal.
        with no_grad():
            squared = self._squared_radii().sample(sample_shape).unsqueeze(-1)
            normal = rushlight.randn(self._extended_shape(sample_shape), dtype=squared.dtype).tril(-1)
            norm = normal.norm(dim=-1, keepdim=True)
            rows = squared.sqrt() * rushlight.where(norm > 0, normal / norm, 0.0)  # the first row is empty
            left = 1 - (rows**2).sum(-1)
            return rows + left.clamp(min=rushlight.finfo(left.dtype).tiny).sqrt().diag_embed()

    @validated
    def log_prob(self, value):
        # The density of the correlation matrix (page 1999), times the Jacobian determinant of L -> L L^T.
        order = rushlight.arange(2, self.dim + 1, dtype=self.concentration.dtype)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        log_density = (order * value.diagonal(0, -2, -1)[..., 1:].log()).sum(-1)
        rows = self.dim - 1
        top = self.concentration + 0.5 * rows
        return log_density - 0.5 * rows * math.log(math.pi) - (top - 0.5).mvlgamma(rows) + top.lgamma() * rows
