"""Every distribution against PyTorch: what it says of itself, its formulas, its samples for one seed, its gradients."""

import warnings

import numpy as np
import pytest

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.oracle

# Calls in the namespace of torch.distributions; v(...) is a float64 parameter that asks for a gradient,
# s(...) one that is made symmetric, f(...) one of float32, c(...) a constant.
CASES = """
Bernoulli(v(0.2, 0.5, 0.7))
Bernoulli(logits=v(-1.0, 0.3))
Bernoulli(0.3)
Beta(v(0.4, 2.0), v(1.5, 3.0))
Beta(2.0, 3.0)
Binomial(4, v(0.2, 0.9))
Binomial(4, logits=v(-0.2, 0.9))
Binomial(c([2.0], [5.0]), v(0.2, 0.9))
Categorical(v([0.2, 0.5, 0.3], [1.0, 2.0, 1.0]))
Categorical(logits=v(0.2, -0.5, 0.3))
Cauchy(v(0.0, 1.0), v(1.0, 2.0))
Chi2(v(0.5, 3.0))
ContinuousBernoulli(v(0.2, 0.4995, 0.7))
ContinuousBernoulli(logits=v(-1.0, 0.0, 2.0))
Dirichlet(v(0.5, 1.5, 2.0))
Dirichlet(v([0.5, 0.7], [3.0, 2.0]))
Exponential(v(0.5, 2.0))
FisherSnedecor(v(1.0, 5.0), v(3.0, 6.0))
Gamma(v(0.3, 5.0), v(2.0, 0.5))
GeneralizedPareto(f(0.0, 1.0, -1.0), f(1.0, 2.0, 1.5), f(0.3, 0.0, -0.4))
Geometric(v(0.2, 0.7))
Geometric(logits=v(0.2, -0.7))
Gumbel(v(0.0, 1.0), v(1.0, 2.0))
HalfCauchy(v(1.0, 2.0))
HalfNormal(v(1.0, 2.0))
Independent(Normal(v([0.0, 1.0], [2.0, 3.0]), v(1.0, 2.0)), 1)
Independent(Bernoulli(v(0.2, 0.7)), 0)
InverseGamma(v(0.5, 3.0), v(1.0, 2.0))
Kumaraswamy(v(0.5, 3.0), v(2.0, 0.5))
LKJCholesky(3, v(0.5, 2.0))
LKJCholesky(2)
Laplace(v(0.0, 1.0), v(1.0, 2.0))
LogNormal(v(0.0, 1.0), v(0.5, 1.0))
LogisticNormal(v([0.0, 1.0], [0.5, 0.1]), v(0.5, 1.0))
LowRankMultivariateNormal(v(0.0, 1.0, 2.0), v([1.0], [0.5], [0.2]), v(1.0, 2.0, 0.5))
LowRankMultivariateNormal(v([0.0, 1.0], [2.0, 3.0]), v([1.0], [0.5]), v(1.0, 2.0))
MixtureSameFamily(Categorical(v(0.2, 0.8)), Normal(v(0.0, 1.0), v(1.0, 2.0)))
MixtureSameFamily(Categorical(v(0.2, 0.8)), Independent(Normal(v([0.0, 1.0], [2.0, 3.0]), v(1.0, 2.0)), 1))
Multinomial(5, v(0.2, 0.5, 0.3))
Multinomial(3, logits=v([0.2, 0.5], [0.1, -0.3]))
MultivariateNormal(v(0.0, 1.0), s([2.0, 0.5], [0.5, 1.0]))
MultivariateNormal(v(0.0, 1.0), precision_matrix=s([2.0, 0.5], [0.5, 1.0]))
MultivariateNormal(v([0.0, 1.0], [2.0, 3.0]), scale_tril=v([2.0, 0.0], [0.5, 1.0]).tril())
MultivariateNormal(v(0.0, 1.0), scale_tril=v([[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [0.2, 0.7]]).tril())
NegativeBinomial(v(0.5, 3.2), v(0.2, 0.6))
NegativeBinomial(3, logits=v(0.2, -0.6))
Normal(v(0.0, 1.0), v([1.0], [2.0]))
Normal(0.0, 1.0)
OneHotCategorical(v([0.2, 0.5, 0.3], [1.0, 2.0, 1.0]))
OneHotCategoricalStraightThrough(logits=v(0.2, 0.5, 0.3))
Pareto(v(1.0, 2.0), v(0.5, 3.0))
Poisson(v(0.5, 4.0, 30.0))
RelaxedBernoulli(c(0.7), v(0.2, 0.6))
RelaxedBernoulli(c(0.7), logits=v(0.2, -0.6))
RelaxedOneHotCategorical(c(0.7), v([0.2, 0.5, 0.3], [1.0, 2.0, 1.0]))
RelaxedOneHotCategorical(c(0.7), logits=v(0.2, 0.5, 0.3))
StudentT(v(0.8, 1.5, 3.0), v(0.0, 1.0, 2.0), v(1.0, 2.0, 0.5))
TransformedDistribution(Normal(v(0.0, 1.0), v(1.0, 2.0)), [ExpTransform(), AffineTransform(1.0, -2.0)])
TransformedDistribution(Normal(v(0.0), v(1.0)), AffineTransform(v(0.0, 1.0), v([2.0], [3.0])))
TransformedDistribution(Normal(v(0.0, 1.0), v(1.0, 2.0)), [])
TransformedDistribution(Normal(v(0.0, 1.0, 0.5), v(1.0)), [StickBreakingTransform(), ReshapeTransform((4,), (2, 2))])
Uniform(v(0.0, 1.0), v(2.0, 4.0))
VonMises(v(0.0, 1.0, 3.0), v(0.3, 1.0, 20.0))
VonMises(c(0.0, 1.0), c(1e-6))
Weibull(v(1.0, 2.0), v(0.5, 3.0))
Wishart(v(3.0), s([2.0, 0.5], [0.5, 1.0]))
Wishart(v(3.0, 5.0), precision_matrix=s([2.0, 0.5], [0.5, 1.0]))
Wishart(v(4.0), scale_tril=v([2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.1, 0.2, 0.8]).tril())
""".strip().splitlines()


class Made:
    """A distribution made by one package, with its parameters."""

    def __init__(self, package, call, parameters=None):
        self.package = package
        self.given = iter(parameters) if parameters else None
        self.parameters = []
        names = {name: getattr(package.distributions, name) for name in torch.distributions.__all__}
        self.made = eval(call, {**names, "v": self.variable, "s": self.symmetric, "f": self.single, "c": self.constant})

    def constant(self, *values):
        return self.package.tensor(values[0] if len(values) == 1 else values, dtype=self.package.float64)

    def variable(self, *values):
        self.parameters.append(next(self.given) if self.given else self.constant(*values).requires_grad_())
        return self.parameters[-1]

    def symmetric(self, *values):
        matrix = self.variable(*values)
        return (matrix + matrix.mT) / 2

    def single(self, *values):
        return self.variable(*values).detach().float()

    def tensor(self, array):
        return self.package.from_numpy(np.array(array))

    def gradients(self, result):
        """The gradients of a weighted sum of result, None for a parameter without."""
        weights = self.tensor(np.linspace(0.5, 1.5, result.numel()).reshape(tuple(result.shape)))
        total = (result * weights.to(result.dtype)).sum()
        if not (self.parameters and total.requires_grad):
            return None
        found = self.package.autograd.grad(total, self.parameters, allow_unused=True, retain_graph=True)
        return [None if g is None else g.numpy() for g in found]


@pytest.fixture
def unvalidated():
    rushlight.distributions.Distribution.set_default_validate_args(False)
    yield
    rushlight.distributions.Distribution.set_default_validate_args(True)


@pytest.fixture(params=CASES)
def both(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Made(rushlight, request.param), Made(torch, request.param)


def outcome(action):
    """The result of action, or the class of what it raises."""
    try:
        return action()
    except (NotImplementedError, ValueError, AttributeError) as failure:
        return type(failure)


# PyTorch has Bessel functions of seven digits, a factorial in float32, and isclose() with a float32 zero.
SINGLE = ("VonMises", "Multinomial", "GeneralizedPareto")


def tolerance(made, dtype):
    return 1e-5 if "32" in str(dtype) or type(made).__name__ in SINGLE else 1e-8


def assert_same(both, action, gradients=True, gradient_rtol=1e-6):
    """action(distribution, Made) gives the same values of the same shape and dtype, the same gradients, or errors."""
    ours, theirs = (outcome(lambda m=m: action(m.made, m)) for m in both)
    if isinstance(theirs, type) or isinstance(ours, type):
        assert ours is theirs
        return
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype)
    rtol = tolerance(both[0].made, ours.dtype)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=rtol / 10)
    if gradients:
        gradient_rtol = max(gradient_rtol, 10 * rtol)
        received, expected = both[0].gradients(ours), both[1].gradients(theirs)
        assert (received is None) == (expected is None)
        for a, b in zip(received or [], expected or [], strict=True):
            assert (a is None) == (b is None)
            if b is not None:
                finite = np.isfinite(b)  # PyTorch's are nan where a formula that was not chosen is infinite
                np.testing.assert_allclose(a[finite], b[finite], rtol=gradient_rtol, atol=1e-7)


def samples_of(both, shape=()):
    """What PyTorch draws, as an array that both may be asked about."""
    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return both[1].made.sample(shape).numpy()


def test_describes_itself_alike(both):
    ours, theirs = (m.made for m in both)
    assert repr(ours) == repr(theirs)
    assert type(ours).arg_constraints is not None
    assert {k: repr(c) for k, c in ours.arg_constraints.items()} == {
        k: repr(c) for k, c in theirs.arg_constraints.items()
    }
    assert repr(ours.support) == repr(theirs.support)
    for name in ("event_dim", "is_discrete"):
        assert getattr(ours.support, name) == getattr(theirs.support, name)
    for name in ("batch_shape", "event_shape", "has_rsample", "has_enumerate_support", "param_shape"):
        if hasattr(theirs, name):
            assert getattr(ours, name) == getattr(theirs, name), name


ATTRIBUTES = [
    "mean", "mode", "variance", "stddev", "probs", "logits", "loc", "scale", "low", "high", "rate", "concentration",
    "concentration0", "concentration1", "df", "alpha", "total_count", "temperature", "cov_factor", "cov_diag",
    "scale_tril", "covariance_matrix", "precision_matrix",
]  # fmt: skip


def test_attributes(both):
    for name in ATTRIBUTES:
        assert_same(both, lambda made, m, n=name: m.package.as_tensor(getattr(made, n)))


@pytest.mark.parametrize("name", ["entropy", "perplexity"])
def test_entropy(both, name):
    assert_same(both, lambda made, _: getattr(made, name)())


@pytest.mark.parametrize("expand", [True, False])
def test_enumerate_support(both, expand):
    assert_same(both, lambda made, _: made.enumerate_support(expand))


def drawn(method):
    """Samples of a fixed seed, by the method of that name: of Wishart what comes before its search for singular ones,
    by which PyTorch replaces every sample.
    """

    def action(made, m, shape=(4,)):
        m.package.manual_seed(3)
        if isinstance(made, (rushlight.distributions.Wishart, torch.distributions.Wishart)):
            with m.package.set_grad_enabled(method == "rsample"):
                return made._bartlett_sampling(m.package.Size(shape))
        return getattr(made, method)(shape)

    return action


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_samples_are_those_of_torch(both, shape):
    assert_same(both, lambda made, m: drawn("sample")(made, m, shape))


# PyTorch's derivatives of gamma and Dirichlet samples are approximations; test_implicit.py has exact ones.
APPROXIMATE = ("Gamma", "Chi2", "InverseGamma", "Beta", "Dirichlet", "FisherSnedecor", "StudentT", "Wishart")


def test_gradients_of_samples(both):
    assert_same(both, drawn("rsample"), gradient_rtol=1e-2 if type(both[0].made).__name__ in APPROXIMATE else 1e-6)


@pytest.mark.parametrize("shape", [(), (5,)])
def test_log_prob(both, shape):
    value = samples_of(both, shape)
    assert_same(both, lambda made, m: made.log_prob(m.tensor(value)), gradient_rtol=1e-5)


@pytest.mark.parametrize("call", [call for call in CASES if "v(" in call])
def test_second_derivatives(call, unvalidated):
    """Of log_prob() by the parameters and, where that is continuous, by the value."""
    made = Made(rushlight, call)
    rushlight.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = made.made.sample()

        def log_prob(*inputs):
            return Made(rushlight, call, inputs[:-1]).made.log_prob(inputs[-1])

        continuous = not made.made.support.is_discrete and not call.startswith(("LKJ", "Wishart"))
        inputs = [p.detach().requires_grad_() for p in made.parameters]
        inputs.append(value.detach().double().requires_grad_(continuous))
        assert gradcheck(log_prob, inputs)
        assert gradgradcheck(log_prob, inputs)


@pytest.mark.parametrize(
    "call", ["Normal(e, e + 1)", "Gamma(e + 1, e + 1)", "Poisson(e)", "Dirichlet(e.new_ones(0, 3))"]
)
def test_empty_batches(call):
    distribution = eval(call, {**vars(rushlight.distributions), "e": rushlight.zeros(0), "ones": rushlight.ones})
    sample = distribution.sample((2,))
    assert sample.shape == (2, 0, *distribution.event_shape)
    assert distribution.log_prob(sample).shape == (2, 0)


def test_parameters_may_be_strided_and_expanded():
    loc = rushlight.arange(6.0).reshape(2, 3).T
    distribution = rushlight.distributions.Normal(loc, rushlight.ones(1).expand(3, 2))
    rushlight.manual_seed(0)
    strided = distribution.sample((2,))
    rushlight.manual_seed(0)
    assert rushlight.equal(strided, rushlight.distributions.Normal(loc.contiguous(), rushlight.ones(3, 2)).sample((2,)))
    assert rushlight.equal(distribution.log_prob(strided.mT.contiguous().mT), distribution.log_prob(strided))


def test_cdf_and_its_inverse(both):
    value = samples_of(both, (4,))
    by_concentration = type(both[0].made).__name__ in ("Gamma", "Chi2", "InverseGamma")  # PyTorch has no gradient there
    assert_same(both, lambda made, m: made.cdf(m.tensor(value)), gradients=not by_concentration)
    levels = np.linspace(0.05, 0.95, value.size).reshape(value.shape)
    assert_same(both, lambda made, m: made.icdf(m.tensor(levels)))


def test_expand(both):
    for m in both:
        m.made = m.made.expand((2, *m.made.batch_shape))
    ours, theirs = (m.made for m in both)
    assert repr(ours) == repr(theirs)
    assert ours.batch_shape == theirs.batch_shape
    value = samples_of(both)
    assert_same(both, lambda made, m: made.log_prob(m.tensor(value)), gradient_rtol=1e-5)
    assert_same(both, drawn("sample"))
    for name in ("mean", "variance"):
        assert_same(both, lambda made, _, n=name: getattr(made, n))


def test_refuses_what_is_outside_the_support(both):
    ours, theirs = (m.made for m in both)
    for value in (-1.5, 0.37, np.nan, 4.0):
        array = np.full(tuple(theirs.batch_shape + theirs.event_shape), value)
        for name in ("log_prob", "cdf"):
            raised = [outcome(lambda m=m, n=name, v=array: getattr(m.made, n)(m.tensor(v))) for m in both]
            received, expected = (r if isinstance(r, type) else None for r in raised)
            assert received == expected, (name, value)
    with pytest.raises(ValueError, match="must be a Tensor"):
        ours.log_prob(1.0)
    if ours.batch_shape:
        with pytest.raises(ValueError, match=r"not broadcastable|right-most size"):
            ours.log_prob(both[0].tensor(np.zeros(7)))


# Calls that PyTorch refuses, in the namespace of torch.distributions, and the beginning of our message.
REFUSED = """
Uniform(1.0, 0.0) => ValueError: [Uniform] Expected parameter low
Normal(0.0, -1.0) => ValueError: [Normal] Expected parameter scale (Tensor of shape ()) of distribution Normal(loc: 0.0
Normal("a", 1.0) => ValueError: [broadcast_all] Input arguments must all be
Categorical(c(1.0)) => ValueError: [Categorical] `probs` parameter must be at least one-dimensional
Bernoulli() => ValueError: [Bernoulli] Either `probs` or `logits` must be specified
Bernoulli(0.5, 0.5) => ValueError: [Bernoulli] Either
NegativeBinomial(3) => ValueError: [NegativeBinomial] Either
Geometric(0.0) => ValueError: [Geometric] Expected parameter probs to be positive
MultivariateNormal(c(0.0, 0.0)) => ValueError: [MultivariateNormal] Exactly one of
MultivariateNormal(c(1.0), c([1.0], [1.0])) => ValueError: [MultivariateNormal] loc must be
MultivariateNormal(c(0.0, 0.0), c([1.0, 2.0], [2.0, 1.0])) => ValueError: [MultivariateNormal] Expected parameter covar
MultivariateNormal(c([0.0]), c([1.0])) => ValueError: [MultivariateNormal] covariance_matrix must be at least two-dim
LKJCholesky(1) => ValueError: [LKJCholesky] Expected dim
LowRankMultivariateNormal(c(0.0, 0.0), c([1.0], [1.0], [1.0]), c(1.0, 1.0)) => ValueError: [LowRankMultivariateNormal] c
LowRankMultivariateNormal(c(0.0, 0.0), c([1.0], [1.0]), c(1.0, 1.0, 1.0)) => ValueError: [LowRankMultivariateNormal] cov
LowRankMultivariateNormal(c(0.0), c([1.0], [1.0]), c(1.0, 1.0)) => ValueError: [LowRankMultivariateNormal] loc must be
LowRankMultivariateNormal(c([0.0], [0.0]), c([[1.0]], [[1.0]], [[1.0]]), c([1.0])) => ValueError: [LowRankMultivariateNo
Wishart(c(0.5), c([1.0, 0.0], [0.0, 1.0])) => ValueError: [Wishart] df must be greater
Multinomial(c(2.0), c(0.5, 0.5)) => NotImplementedError: [Multinomial] inhomogeneous total_count
MixtureSameFamily(Normal(0.0, 1.0), Normal(0.0, 1.0)) => ValueError: [MixtureSameFamily] mixture_distribution
MixtureSameFamily(Categorical(c(0.5, 0.5)), 1) => ValueError: [MixtureSameFamily] component_distribution
MixtureSameFamily(Categorical(c(0.5, 0.5)), Normal(c(0.0, 1.0, 2.0), 1.0)) => ValueError: [MixtureSameFamily] there
MixtureSameFamily(Categorical(c([[0.5, 0.5]] * 2)), Normal(c([[0.0] * 2] * 3), 1.0)) => ValueError: [MixtureSame
Independent(Normal(0.0, 1.0), 1) => ValueError: [Independent] Expected reinterpreted_batch_ndims <=
Independent(Bernoulli(c(0.5, 0.5)), 1).enumerate_support() => NotImplementedError: [Independent] Enumeration
TransformedDistribution(Normal(0.0, 1.0), 3) => ValueError: [TransformedDistribution] transforms must be
TransformedDistribution(Normal(0.0, 1.0), StickBreakingTransform()) => ValueError: [TransformedDistribution] base_distr
Dirichlet(c(1.0)) => ValueError: [Dirichlet] `concentration` parameter must be
Binomial(c(2.0, 3.0), c(0.5)).enumerate_support() => NotImplementedError: [Binomial] Inhomogeneous total count
Binomial(c(2.0, 3.0), c(0.5)).entropy() => NotImplementedError: [Binomial] Inhomogeneous total count
Poisson(1.0).rsample() => NotImplementedError: [Poisson] rsample() is not implemented
Poisson(1.0).entropy() => NotImplementedError: [Poisson] _mean_carrier_measure
Normal(0.0, 1.0).enumerate_support() => NotImplementedError: [Normal] enumerate_support()
Gamma(1.0, 1.0).icdf(c(0.5)) => NotImplementedError: [Gamma] icdf()
Distribution.set_default_validate_args(3) => ValueError: [set_default_validate_args] True or False
kl_divergence(Normal(0.0, 1.0), Poisson(1.0)) => NotImplementedError: [kl_divergence] The cross KL-divergence
kl_divergence(Normal(0.0, 1.0), Cauchy(0.0, 1.0)) => NotImplementedError: [kl_divergence] No KL(p || q) is implemented f
AbsTransform(cache_size=3) => ValueError: [AbsTransform] cache_size must be 0 or 1
AbsTransform().sign => NotImplementedError: [AbsTransform] sign
AbsTransform().log_abs_det_jacobian(c(1.0), c(1.0)) => NotImplementedError: [AbsTransform] log_abs_det_jacobian()
ReshapeTransform((2,), (3,)) => ValueError: [ReshapeTransform] in_shape, out_shape
ReshapeTransform((4,), (2, 2)).forward_shape((3,)) => ValueError: [ReshapeTransform] Shape mismatch
CorrCholeskyTransform().forward_shape((4,)) => ValueError: [CorrCholeskyTransform] a size D (D - 1) / 2 is wanted
CorrCholeskyTransform().inverse_shape((4, 3)) => ValueError: [CorrCholeskyTransform] square matrices are wanted
CatTransform([ExpTransform()], dim=3)(c(1.0, 2.0)) => AssertionError: [CatTransform] dim 3 is out of range
StackTransform([ExpTransform()])(c(1.0, 2.0)) => AssertionError: [StackTransform] dim must have size 1
CatTransform([ExpTransform()])(c(1.0, 2.0)) => AssertionError: [CatTransform] dim must have size 1
CatTransform([1]) => AssertionError: [CatTransform] All elements
biject_to(Bernoulli.support) => NotImplementedError: [ConstraintRegistry] Cannot transform _Boolean
transform_to.register(3, 4) => TypeError: [register] Expected constraint to be
""".strip().splitlines()


@pytest.mark.parametrize("line", REFUSED)
def test_refusals(line):
    call, expected = line.split(" => ")
    kind, message = expected.split(": ", 1)
    with pytest.raises(Exception) as theirs:
        Made(torch, call)
    assert theirs.type.__name__ == kind
    with pytest.raises(theirs.type) as ours:
        Made(rushlight, call)
    assert str(ours.value).startswith(message)


def test_logarithms_of_the_tails_of_a_generalized_pareto_distribution():
    made = [
        package.distributions.GeneralizedPareto(0.0, 1.0, package.tensor([0.3, 0.0, -0.4]))
        for package in (rushlight, torch)
    ]
    for name in ("log_cdf", "log_survival_function"):
        ours, theirs = (getattr(m, name)(p.tensor(0.7)).numpy() for m, p in zip(made, (rushlight, torch), strict=True))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_singular_wishart_samples_are_drawn_again():
    rushlight.manual_seed(0)
    with pytest.warns(UserWarning, match="Low df"):
        wishart = rushlight.distributions.Wishart(1.02, rushlight.eye(2))
    with pytest.warns(UserWarning, match="Singular sample detected"):
        samples = wishart.rsample((200,), max_try_correction=50)
    assert wishart.support.check(samples).all()


def test_logistic_normal_of_numbers_is_a_vector():
    assert rushlight.distributions.LogisticNormal(0.0, 1.0).sample().shape == (2,)


def test_arguments_are_not_validated_where_one_says_so():
    D = rushlight.distributions
    assert D.Normal(0.0, -1.0, validate_args=False).scale == -1
    assert D.Normal(0.0, -1.0, validate_args=False).expand((2,)).log_prob(rushlight.tensor(rushlight.nan)).isnan().all()


def test_nor_where_that_is_the_default(unvalidated):
    assert rushlight.distributions.Bernoulli(2.0).probs == 2


def test_subclass_with_its_own_constructor():
    class Unit(rushlight.distributions.Normal):
        def __init__(self, size):
            super().__init__(rushlight.zeros(size), 1.0)

            self.offset = rushlight.arange(float(size))

        def expand(self, batch_shape, _instance=None):
            new = self._get_checked_instance(Unit, _instance)
            new.offset = self.offset.expand(batch_shape)
            return super().expand(batch_shape, new)

    class Tagged(Unit):
        def __init__(self, tag):
            super().__init__(2)
            self.tag = tag

    expanded = Unit(2).expand((3, 2))
    assert expanded.log_prob(rushlight.zeros(3, 2)).shape == (3, 2)
    assert expanded.offset.shape == (3, 2)
    with pytest.raises(NotImplementedError, match=r"must also define a custom \.expand"):
        Tagged("a").expand((3, 2))


def test_a_distribution_without_constraints_says_so():
    class Bare(rushlight.distributions.Distribution):
        pass

    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        bare = Bare()
    with pytest.warns(UserWarning, match="does not define `support`"), pytest.raises(NotImplementedError):
        bare._validate_sample(rushlight.zeros(()))
        bare.log_prob(rushlight.zeros(()))
    for call in (bare.sample, bare.entropy, lambda: bare.mean):
        with pytest.raises(NotImplementedError):
            call()


def test_sample_n_is_deprecated():
    with pytest.warns(FutureWarning, match="sample_n"):
        assert rushlight.distributions.Normal(0.0, 1.0).sample_n(3).shape == (3,)


def test_policy_gradient():
    """A bandit: the log probability of what was sampled, times its reward, is followed to the better arm."""
    rushlight.manual_seed(0)
    logits = rushlight.zeros(3, requires_grad=True)
    reward = rushlight.tensor([0.0, 1.0, 0.2])
    for _ in range(60):
        policy = rushlight.distributions.Categorical(logits=logits)
        action = policy.sample((32,))
        (-(policy.log_prob(action) * reward[action]).mean()).backward()
        with rushlight.no_grad():
            logits -= logits.grad
        logits.grad = None
    assert policy.probs[1] > 0.9


def test_variational_inference():
    """The evidence lower bound of a conjugate model leads to the posterior: Gamma(2 + sum, 1 + count)."""
    D = rushlight.distributions
    rushlight.manual_seed(0)
    counts = rushlight.tensor([3.0, 5.0, 4.0, 6.0, 2.0, 4.0])
    raw = rushlight.tensor([2.0, 1.0], requires_grad=True)
    optimizer = rushlight.optim.Adam([raw], lr=0.1)
    positive = D.transform_to(D.constraints.positive)
    for _ in range(250):
        q = D.Gamma(*positive(raw).unbind())
        rate = q.rsample((64,))
        likelihood = D.Poisson(rate.unsqueeze(-1)).log_prob(counts).sum(-1).mean()
        loss = D.kl_divergence(q, D.Gamma(2.0, 1.0)) - likelihood
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert D.kl_divergence(q, D.Gamma(26.0, 7.0)) < 0.1
