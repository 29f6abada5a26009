"""The categorical distribution of one-hot vectors."""

import rushlight
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.categorical import CategoricalVector
from rushlight.distributions.distribution import validated
from rushlight.nn.functional import one_hot

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(CategoricalVector):
    """The samples of Categorical as one-hot vectors [*, K].

    >>> torch.distributions.OneHotCategorical(torch.tensor([0.0, 1.0])).sample()
    tensor([0., 1.])
    """

    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return self._one_hot(self.probs.argmax(-1))

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def _one_hot(self, index):
        return one_hot(index, self._event_shape[0]).to(self.probs.dtype)

    def sample(self, sample_shape=rushlight.Size()):
        with no_grad():
            return self._one_hot(self._categorical.sample(sample_shape))

    @validated
    def log_prob(self, value):
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self):
        return self._categorical.entropy()

    def enumerate_support(self, expand=True):
        return self._enumerated(rushlight.eye(self._event_shape[0], dtype=self.probs.dtype), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """OneHotCategorical whose samples have the gradient of probs (Bengio, Léonard & Courville, 2013).

    >>> probs = torch.tensor([0.5, 0.5], requires_grad=True)
    >>> torch.distributions.OneHotCategoricalStraightThrough(probs).rsample()[0].backward()
    >>> probs.grad
    tensor([ 0.5000, -0.5000])
    """

    has_rsample = True

    def rsample(self, sample_shape=rushlight.Size()):
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
