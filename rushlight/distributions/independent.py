"""Dimensions of a batch as dimensions of the event."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import sum_rightmost

__all__ = ["Independent"]


class Independent(Distribution):
    """base_distribution with the last reinterpreted_batch_ndims dimensions of its batch made part of one event.

    Raises ValueError when its batch has fewer dimensions.

    >>> normal = torch.distributions.Normal(torch.zeros(2, 3), 1.0)
    >>> torch.distributions.Independent(normal, 1).log_prob(torch.zeros(2, 3)).shape
    torch.Size([2])
    """

    arg_constraints = {}

    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        batch = base_distribution.batch_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ValueError(
                "[Independent] Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape). "
                f"Received {reinterpreted_batch_ndims} > {len(batch)}."
            )
        cut = len(batch) - reinterpreted_batch_ndims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(batch[:cut], batch[cut:] + base_distribution.event_shape, validate_args=validate_args)

    def _expanded(self, name, value, batch_shape):
        if name == "base_dist":
            return value.expand(batch_shape + self._event_shape[: self.reinterpreted_batch_ndims])
        return super()._expanded(name, value, batch_shape)

    @property
    def has_rsample(self):
        """Whether the base distribution has it."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self):
        """Whether the base distribution has it, and nothing is reinterpreted."""
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @constraints.dependent_property
    def support(self):
        support = self.base_dist.support
        more = self.reinterpreted_batch_ndims
        return constraints.independent(support, more) if more else support

    @property
    def mean(self):
        return self.base_dist.mean

    @property
    def mode(self):
        return self.base_dist.mode

    @property
    def variance(self):
        return self.base_dist.variance

    def sample(self, sample_shape=rushlight.Size()):
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape=rushlight.Size()):
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value):
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self):
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand=True):
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError("[Independent] Enumeration over cartesian product is not implemented.")
        return self.base_dist.enumerate_support(expand)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
