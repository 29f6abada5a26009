"""The chi-squared distribution."""

import rushlight
from rushlight.distributions import constraints
from rushlight.distributions.gamma import Gamma

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The distribution of the sum of df squared normal variables: Gamma(df / 2, 1 / 2).

    >>> torch.distributions.Chi2(3.0).variance
    tensor(6.)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df, validate_args=None):
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def _expanded(self, name, value, batch_shape):
        # The parameters of the gamma distribution are no arguments here.
        if isinstance(value, rushlight.Tensor):
            return value.expand(batch_shape)
        return super()._expanded(name, value, batch_shape)

    @property
    def df(self):
        """The degrees of freedom."""
        return self.concentration * 2
