"""Distributions of functions of random variables."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution, validated
from rushlight.distributions.independent import Independent
from rushlight.distributions.transforms import ComposeTransform, Transform
from rushlight.distributions.utils import sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of y = transforms(x) for x of base_distribution: the density is that of x less the logarithm of
    the Jacobian determinant.

    Raises ValueError unless transforms is a Transform or a list of them, and base_distribution has the dimensions that
    they take.

    >>> D = torch.distributions
    >>> logistic = [D.SigmoidTransform().inv, D.AffineTransform(loc=0.0, scale=2.0)]
    >>> D.TransformedDistribution(D.Uniform(0.0, 1.0), logistic).log_prob(torch.tensor(0.0))
    tensor(-2.0794)
    """

    arg_constraints = {}

    def __init__(self, base_distribution, transforms, validate_args=None):
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(
                f"[TransformedDistribution] transforms must be a Transform or a list of Transforms. "
                f"Received {transforms}."
            )
        whole = self._whole
        before = base_distribution.batch_shape + base_distribution.event_shape
        needed = whole.domain.event_dim
        if len(before) < needed:
            raise ValueError(
                f"[TransformedDistribution] base_distribution needs to have shape with size at least {needed}. "
                f"Received {tuple(before)}."
            )
        after = whole.forward_shape(before)
        widened = whole.inverse_shape(after)  # the transforms' parameters may broadcast the batch
        if widened != before:
            batch = widened[: len(widened) - len(base_distribution.event_shape)]
            base_distribution = base_distribution.expand(batch)
        missing = needed - len(base_distribution.event_shape)
        self.base_dist = Independent(base_distribution, missing) if missing > 0 else base_distribution
        gained = whole.codomain.event_dim - needed
        event_dim = max(whole.codomain.event_dim, len(self.base_dist.event_shape) + gained)
        cut = len(after) - event_dim
        super().__init__(after[:cut], after[cut:], validate_args=validate_args)

    @property
    def _whole(self):
        return ComposeTransform(self.transforms)

    def _expanded(self, name, value, batch_shape):
        if name == "base_dist":
            shape = self._whole.inverse_shape(batch_shape + self._event_shape)
            return value.expand(shape[: len(shape) - len(value.event_shape)])
        return super()._expanded(name, value, batch_shape)

    @constraints.dependent_property(is_discrete=False)
    def support(self):
        if not self.transforms:
            return self.base_dist.support
        reached = self.transforms[-1].codomain
        more = len(self._event_shape) - reached.event_dim
        return constraints.independent(reached, more) if more > 0 else reached

    @property
    def has_rsample(self):
        """Whether the base distribution has it."""
        return self.base_dist.has_rsample

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=rushlight.Size()):
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    @validated
    def log_prob(self, value):
        event_dim = len(self._event_shape)
        jacobians = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            jacobian = transform.log_abs_det_jacobian(x, y)
            jacobians = jacobians + sum_rightmost(jacobian, event_dim - transform.domain.event_dim)
            y = x
        return sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape)) - jacobians

    def _monotonize_cdf(self, value):
        """The probability of the other side where the transforms decrease."""
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value):
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self.base_dist._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value):
        return self._forward(self.base_dist.icdf(self._monotonize_cdf(value)))
