"""Weights held at zero: a module's tensor becomes `<name>_orig * <name>_mask`, computed before each forward."""

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable

import rushlight


class BasePruningMethod(ABC):
    """The hook that applies a mask. A subclass says in `compute_mask` which entries go, and in PRUNING_TYPE what they
    are chosen among: "unstructured" single entries, "structured" whole slices, "global" entries of several tensors.
    """

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The mask for importances `t`: ones and zeros of its shape, zero at least where default_mask is."""

    def apply_mask(self, module):
        """The original times the mask, in the original's dtype."""
        if not hasattr(self, "_tensor_name"):
            raise AssertionError(f"[apply_mask] Module {module} has to be pruned first.")
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prune `module.<name>` by this method, on top of what was pruned before; returns the hook.

        Args:
            args, kwargs: of the method's constructor.
            importance_scores: what `compute_mask` judges by; the tensor itself by default.
        """
        earlier = _hook_of(module, name)
        method = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(
                f"[prune] importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {original.shape}."
            )
        importance_scores = importance_scores.detach()
        if earlier is None:
            default_mask = rushlight.ones_like(original)
        else:
            default_mask = getattr(module, name + "_mask").detach().clone(memory_format=rushlight.contiguous_format)
            method = PruningContainer(*(earlier if isinstance(earlier, PruningContainer) else [earlier]), method)
        mask = method.compute_mask(importance_scores, default_mask=default_mask)
        if earlier is None:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
        else:
            _forget_hook(module, name)
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t, default_mask=None, importance_scores=None):
        """`t` with the entries that this method would take set to zero.

        >>> torch.nn.utils.prune.L1Unstructured(1).prune(torch.tensor([3.0, -1.0]))
        tensor([3., -0.])
        """
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                "[prune] importance_scores should have the same shape as tensor t. Received "
                f"{importance_scores.shape} and {t.shape}."
            )
        default_mask = rushlight.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module):
        """Make the pruned tensor a parameter again; the zeros stay, and the hook has to be removed by the caller."""
        if not hasattr(self, "_tensor_name"):
            raise AssertionError(f"[remove] Module {module} has to be pruned before pruning can be removed.")
        name = self._tensor_name
        weight = self.apply_mask(module)
        delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"], module._buffers[name + "_mask"]
        setattr(module, name, original)


def _hook_of(module, name):
    """The pruning hook of the tensor, or None."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return hook
    return None


def _forget_hook(module, name):
    hook = _hook_of(module, name)
    for id in [id for id, value in module._forward_pre_hooks.items() if value is hook]:
        del module._forward_pre_hooks[id]


class PruningContainer(BasePruningMethod):
    """Pruning methods of one tensor, in the order in which they were applied."""

    def __init__(self, *args):
        self._pruning_methods = ()
        for method in args:
            if not self._pruning_methods:
                self._tensor_name = method._tensor_name
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Append a method; it must be one for the same tensor.

        Raises:
            TypeError: if it is no pruning method.
            ValueError: if it is for another tensor.
        """
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """What the last method takes of what the others left, and what these took."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left = mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(f"Pruning methods of type 'structured' need a `dim` attribute. {method} has none.")
            dim = method.dim % t.ndim
            slices = mask.movedim(dim, 0).flatten(1).any(1)  # those not yet pruned altogether
            left = (slice(None),) * dim + (slices,)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = mask.clone()
        mask[left] = method.compute_mask(t[left], default_mask=mask[left]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but gives the tensor its mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """default_mask."""
        return default_mask

    @classmethod
    def apply(cls, module, name):
        """Give `module.<name>` a mask of ones."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """A method that takes a number of units (an int) or a share of them (a float)."""

    def __init__(self, amount):
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        is_share = not isinstance(amount, numbers.Integral)
        if amount < 0 or (is_share and amount > 1):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount = amount

    def _units(self, size):
        """How many of `size` units go."""
        if not isinstance(self.amount, numbers.Integral):
            return round(self.amount * size)
        if self.amount > size:
            raise ValueError(f"amount={self.amount} should be smaller than the number of parameters to prune={size}")
        return int(self.amount)


class RandomUnstructured(_Amount):
    """Takes entries at random."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """default_mask without `amount` entries, drawn evenly."""
        count = self._units(t.nelement())
        mask = default_mask.clone(memory_format=rushlight.contiguous_format)
        if count:
            mask.view(-1)[rushlight.rand_like(t).flatten().topk(count).indices] = 0
        return mask

    @classmethod
    def apply(cls, module, name, amount):
        """Prune `amount` entries of `module.<name>`."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Amount):
    """Takes the entries of least magnitude."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """default_mask without the `amount` entries of least magnitude."""
        count = self._units(t.nelement())
        mask = default_mask.clone(memory_format=rushlight.contiguous_format)
        if count:
            mask.view(-1)[t.abs().flatten().topk(count, largest=False).indices] = 0
        return mask

    @classmethod
    def apply(cls, module, name, amount, importance_scores=None):
        """Prune the `amount` least entries of `module.<name>`."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Slices(_Amount):
    """A method that takes whole slices along `dim`."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount, dim=-1):
        super().__init__(amount)
        self.dim = dim

    def _check(self, t):
        if t.ndim <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.ndim} dims"
            )
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")

    def _keeping(self, kept, t, default_mask):
        """default_mask in the slices kept, zero elsewhere."""
        mask = rushlight.zeros_like(t)
        mask.movedim(self.dim, 0)[kept] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Slices):
    """Takes slices along `dim` at random."""

    def compute_mask(self, t, default_mask):
        """default_mask without `amount` slices, drawn evenly."""
        self._check(t)
        size = t.shape[self.dim]
        count = self._units(size)
        if not count:
            return default_mask
        return self._keeping(rushlight.rand(size).topk(size - count).indices, t, default_mask)

    @classmethod
    def apply(cls, module, name, amount, dim=-1):
        """Prune `amount` slices of `module.<name>`."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Slices):
    """Takes the slices along `dim` with the least n-norm."""

    def __init__(self, amount, n, dim=-1):
        super().__init__(amount, dim)
        self.n = n

    def compute_mask(self, t, default_mask):
        """default_mask without the `amount` slices of least norm."""
        self._check(t)
        size = t.shape[self.dim]
        count = self._units(size)
        if not count:
            return default_mask
        others = [dim for dim in range(t.ndim) if dim != self.dim % t.ndim]
        norms = rushlight.norm(t, p=self.n, dim=others)
        return self._keeping(norms.topk(size - count).indices, t, default_mask)

    @classmethod
    def apply(cls, module, name, amount, n, dim, importance_scores=None):
        """Prune the `amount` slices of `module.<name>` with the least norm."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Takes the entries where a given mask is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        """default_mask where the given one is not zero."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"[CustomFromMask] default_mask shape {default_mask.shape} must match self.mask shape "
                f"{self.mask.shape}."
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module, name, mask):
        """Prune `module.<name>` by the mask."""
        return super().apply(module, name, mask=mask)


def identity(module, name):
    """Give `module.<name>` a mask of ones, and return the module: it is then pruned in form only.

    >>> layer = torch.nn.utils.prune.identity(torch.nn.Linear(2, 1), "bias")
    >>> layer.bias_mask
    tensor([1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prune `amount` entries (an int, or a share) of `module.<name>`, drawn evenly; returns the module.

    >>> layer = torch.nn.utils.prune.random_unstructured(torch.nn.Linear(2, 2), "weight", amount=0.5)
    >>> int((layer.weight == 0).sum())
    2
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prune the `amount` entries (an int, or a share) of least magnitude; returns the module.

    Args:
        importance_scores: judge by these instead, a tensor of the same shape.

    Raises:
        TypeError, ValueError: if the amount is no number, or out of range.

    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, -1.0]]))
    >>> torch.nn.utils.prune.l1_unstructured(layer, "weight", amount=1).weight.tolist()
    [[3.0, -0.0]]
    >>> list(layer.state_dict())
    ['weight_orig', 'weight_mask']
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prune `amount` slices (an int, or a share) along `dim`, drawn evenly; returns the module.

    >>> layer = torch.nn.utils.prune.random_structured(torch.nn.Linear(3, 4), "weight", amount=1, dim=0)
    >>> int((layer.weight_mask.sum(1) == 0).sum())
    1
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prune the `amount` slices (an int, or a share) along `dim` with the least n-norm; returns the module.

    >>> layer = torch.nn.Linear(1, 2, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0], [1.0]]))
    >>> torch.nn.utils.prune.ln_structured(layer, "weight", amount=1, n=2, dim=0).weight_mask.tolist()
    [[1.0], [0.0]]
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module, name, mask):
    """Prune `module.<name>` where the mask is zero; returns the module.

    >>> layer = torch.nn.utils.prune.custom_from_mask(torch.nn.Linear(1, 2), "bias", torch.tensor([0, 1]))
    >>> layer.bias_mask
    tensor([0., 1.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prune the tensors of several modules by one unstructured method, as if they were one vector.

    Args:
        parameters: pairs (module, name).
        pruning_method: a class such as L1Unstructured; `kwargs` are its arguments.
        importance_scores: (module, name) -> what to judge that tensor by.

    Raises:
        TypeError: if parameters is no sequence, or the method is structured.

    >>> layers = [torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)]
    >>> prune = torch.nn.utils.prune
    >>> prune.global_unstructured([(layer, "weight") for layer in layers], prune.L1Unstructured, amount=3)
    >>> sum(int((layer.weight_mask == 0).sum()) for layer in layers)
    3
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    parameters = list(parameters)
    importance_scores = {} if importance_scores is None else importance_scores
    if not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")

    def joined(of_pair):
        return rushlight.nn.utils.parameters_to_vector([of_pair(*pair) for pair in parameters])

    scores = joined(lambda module, name: importance_scores.get((module, name), getattr(module, name))).detach()
    default_mask = joined(
        lambda module, name: getattr(module, name + "_mask", rushlight.ones_like(getattr(module, name)))
    )
    method = pruning_method(**kwargs)
    method._tensor_name = "all"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    mask = PruningContainer(method).compute_mask(scores, default_mask)
    start = 0
    for module, name in parameters:
        tensor = getattr(module, name)
        end = start + tensor.numel()
        custom_from_mask(module, name, mask=mask[start:end].view_as(tensor))
        start = end


def remove(module, name):
    """Make a pruned tensor an ordinary parameter again, with its zeros; returns the module.

    Raises:
        ValueError: if it is not pruned.

    >>> layer = torch.nn.utils.prune.identity(torch.nn.Linear(2, 1), "bias")
    >>> list(torch.nn.utils.prune.remove(layer, "bias").state_dict())
    ['weight', 'bias']
    """
    hook = _hook_of(module, name)
    if hook is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    hook.remove(module)
    _forget_hook(module, name)
    return module


def is_pruned(module):
    """Whether the module, or one below it, is pruned.

    >>> torch.nn.utils.prune.is_pruned(torch.nn.Linear(1, 1))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod) for child in module.modules() for hook in child._forward_pre_hooks.values()
    )
