"""`Fuzzer`: tensors of random sizes, strides and contents, the same for the same seed."""

import math

import numpy as np

import rushlight

__all__ = ["FuzzedParameter", "FuzzedTensor", "Fuzzer", "ParameterAlias"]


class FuzzedParameter:
    """A number that is drawn anew for each set of tensors; sizes and steps name it.

    Args:
        name (str): its name.
        minval, maxval (number): bounds, both included. With "uniform" a float makes the numbers continuous.
        distribution (str or dict): "uniform"; "loguniform", as likely between 1 and 10 as between 10 and 100; or
            {value: probability}, without bounds. A value may be a `ParameterAlias`.
        strict (bool): kept while a set is drawn again because it breaks a constraint.

    Raises:
        AssertionError: the distribution is unknown, not normalised, or has bounds as well.
    """

    def __init__(self, name, minval=None, maxval=None, distribution=None, strict=False):
        if isinstance(distribution, dict):
            if any(p < 0 for p in distribution.values()) or abs(sum(distribution.values()) - 1) > 1e-5:
                raise AssertionError(
                    f"[FuzzedParameter] probabilities must be 0 or more and sum to 1. Received {distribution} "
                    f"for {name!r}."
                )
            if minval is not None or maxval is not None:
                raise AssertionError(
                    "[FuzzedParameter] minval and maxval must be left out where distribution is a dict. "
                    f"Received {minval} and {maxval} for {name!r}."
                )
        elif distribution not in ("loguniform", "uniform"):
            raise AssertionError(
                "[FuzzedParameter] distribution must be 'loguniform', 'uniform' or a dict. "
                f"Received {distribution!r} for {name!r}."
            )
        self._name = name
        self._minval = minval
        self._maxval = maxval
        self._distribution = distribution
        self.strict = strict

    @property
    def name(self):
        return self._name

    def sample(self, state):
        """Draws a value with a numpy.random.RandomState."""
        low, high = self._minval, self._maxval
        if isinstance(self._distribution, dict):
            choices = list(self._distribution)
            return choices[state.choice(np.arange(len(choices)), p=tuple(self._distribution.values()))]
        if self._distribution == "loguniform":
            return min(max(int(2 ** state.uniform(np.log2(low), np.log2(high))), low), high)
        if isinstance(low, int) and isinstance(high, int):
            return int(state.randint(low, high + 1))
        return state.uniform(low, high)


class ParameterAlias:
    """As a value of a FuzzedParameter: the value of another parameter."""

    def __init__(self, alias_to):
        self.alias_to = alias_to

    def __repr__(self):
        return f"ParameterAlias[alias_to: {self.alias_to}]"


class FuzzedTensor:
    """A tensor whose size is drawn.

    Args:
        name (str): its name.
        size (tuple): ints, and names of parameters.
        steps (tuple): likewise; the tensor is every step-th part of a larger one.
        probability_contiguous (float): otherwise its dimensions lie in another order in memory.
        min_elements, max_elements, max_allocation_bytes (int): sets of parameters beyond these are drawn again.
        dim_parameter (str): the parameter that says how many of the sizes and steps are used.
        dtype (dtype): the dtype.
        cuda (bool): put it on a GPU.
        tensor_constructor: makes the larger tensor: called with `size`, `dtype` and all parameters by name.
    """

    def __init__(
        self,
        name,
        size,
        steps=None,
        probability_contiguous=0.5,
        min_elements=None,
        max_elements=None,
        max_allocation_bytes=None,
        dim_parameter=None,
        roll_parameter=None,
        dtype=rushlight.float32,
        cuda=False,
        tensor_constructor=None,
    ):
        self._name = name
        self._size = size
        self._steps = steps or ()
        self._probability_contiguous = probability_contiguous
        self._min_elements = min_elements
        self._max_elements = max_elements
        self._max_allocation_bytes = max_allocation_bytes
        self._dim_parameter = dim_parameter
        self._dtype = dtype
        self._cuda = cuda
        self._tensor_constructor = tensor_constructor or self.default_tensor_constructor

    @property
    def name(self):
        return self._name

    @staticmethod
    def default_tensor_constructor(size, dtype, **kwargs):
        """Uniform from 0 to 1; for integers, 1 to 126."""
        if dtype.is_floating_point or dtype.is_complex:
            return rushlight.rand(size=size, dtype=dtype)
        return rushlight.randint(1, 127, size=size, dtype=dtype)

    def satisfies_constraints(self, params):
        """Whether these parameters give neither too small nor too large a tensor."""
        size, steps = self._size_and_steps(params)
        elements = math.prod(size)
        allocated = elements * math.prod(steps) * self._dtype.itemsize
        return (
            (self._min_elements is None or elements >= self._min_elements)
            and (self._max_elements is None or elements <= self._max_elements)
            and (self._max_allocation_bytes is None or allocated <= self._max_allocation_bytes)
        )

    def _size_and_steps(self, params):
        dim = len(self._size) if self._dim_parameter is None else params[self._dim_parameter]

        def resolved(values):
            values = tuple(params.get(value, value) for value in values)[:dim]
            return values + (1,) * (dim - len(values))

        return resolved(self._size), resolved(self._steps)

    def _make_tensor(self, params, state):
        size, steps = self._size_and_steps(params)
        allocated = tuple(length * step for length, step in zip(size, steps, strict=True))
        tensor = self._tensor_constructor(size=allocated, dtype=self._dtype, **params)
        if self._cuda:
            tensor = tensor.cuda()
        order = np.arange(len(size))
        if state.rand() > self._probability_contiguous:
            while len(size) > 1 and np.all(order == np.arange(len(size))):
                order = state.permutation(tensor.dim())
            tensor = tensor.permute(tuple(order.tolist())).contiguous().permute(tuple(np.argsort(order).tolist()))
        tensor = tensor[tuple(slice(0, length, step) for length, step in zip(allocated, steps, strict=True))]
        properties = {
            "numel": tensor.numel(),
            "order": order,
            "steps": steps,
            "is_contiguous": tensor.is_contiguous(),
            "dtype": str(self._dtype),
        }
        return tensor, properties


class Fuzzer:
    """Draws sets of tensors.

    Args:
        parameters (list): FuzzedParameters, or lists of them.
        tensors (list): FuzzedTensors, or lists of them.
        constraints (list): callables of the parameters, as a dict, that must all hold.
        seed (int): of all that is random. Default: another one each time.

    Raises:
        ValueError: a parameter and a tensor have the same name.

    >>> from rushlight.utils.benchmark import FuzzedParameter, FuzzedTensor, Fuzzer
    >>> fuzzer = Fuzzer(
    ...     parameters=[FuzzedParameter("n", 1, 64, distribution="loguniform")],
    ...     tensors=[FuzzedTensor("x", size=("n", 3))],
    ...     seed=0,
    ... )
    >>> for tensors, properties, params in fuzzer.take(2):
    ...     print(params["n"], tensors["x"].shape)
    19 torch.Size([19, 3])
    6 torch.Size([6, 3])
    """

    def __init__(self, parameters, tensors, constraints=None, seed=None):
        self._seed = int(np.random.RandomState().randint(0, 2**32 - 1, dtype=np.int64)) if seed is None else seed
        self._parameters = _flat(parameters, FuzzedParameter)
        self._tensors = _flat(tensors, FuzzedTensor)
        self._constraints = constraints or ()
        self._rejections = 0
        self._drawn = 0
        both = {p.name for p in self._parameters} & {t.name for t in self._tensors}
        if both:
            raise ValueError(f"[Fuzzer] parameters and tensors must have names of their own. Both have {sorted(both)}.")

    def take(self, n):
        """Yields n times ({name: tensor}, {name: properties of the tensor}, {name: parameter}).

        Raises:
            ValueError: a thousand draws all broke the constraints, or aliases name one another in a circle.
        """
        state = np.random.RandomState(self._seed)
        rushlight.manual_seed(int(state.randint(low=0, high=2**63, dtype=np.int64)))
        for _ in range(n):
            params = self._draw(state)
            made = {t.name: t._make_tensor(params, state) for t in self._tensors}
            yield {k: tensor for k, (tensor, _) in made.items()}, {k: about for k, (_, about) in made.items()}, params

    @property
    def rejection_rate(self):
        """The share of draws that broke a constraint."""
        return self._rejections / self._drawn if self._drawn else 0.0

    def _draw(self, state):
        kept = {}
        for _ in range(1000):
            drawn = {}
            for p in self._parameters:
                drawn[p.name] = kept[p.name] if p.name in kept else p.sample(state)
                if p.strict:
                    kept[p.name] = drawn[p.name]
            params = _resolved(drawn)
            self._drawn += 1
            if all(holds(params) for holds in self._constraints) and all(
                t.satisfies_constraints(params) for t in self._tensors
            ):
                return params
            self._rejections += 1
        raise ValueError(
            "[Fuzzer] parameters must be able to meet the constraints: Failed to generate a set of valid parameters in "
            "a thousand draws. Widen min_elements, max_elements, max_allocation_bytes or the constraints."
        )


def _flat(values, kind):
    return tuple(item for value in values for item in ([value] if isinstance(value, kind) else value))


def _resolved(params):
    """The parameters with the values that aliases stand for."""

    def value_of(name, seen=()):
        value = params[name]
        if not isinstance(value, ParameterAlias):
            return value
        if name in seen:
            raise ValueError(f"[Fuzzer] a ParameterAlias must lead to a value. Received a cycle: {(*seen, name)}.")
        return value_of(value.alias_to, (*seen, name))

    return {name: value_of(name) for name in params}
