"""Parameters that are computed: a module's tensor becomes a function of other parameters, each time it is read."""

import contextlib
import copy
import functools
from collections.abc import Sequence

import rushlight
from rushlight.nn.modules.container import ModuleDict, ModuleList
from rushlight.nn.parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip

_computed = {}  # (module's id, name) -> value, while a cached() context is open
_open_caches = 0


@contextlib.contextmanager
def cached():
    """A context in which each parametrized tensor is computed once, when it is first read.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> with torch.nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _open_caches
    _open_caches += 1
    try:
        yield
    finally:
        _open_caches -= 1
        if not _open_caches:
            _computed.clear()


def _is_sequence(value):
    return isinstance(value, Sequence) and not isinstance(value, str)


def _require_tensor(value, complaint):
    if not isinstance(value, rushlight.Tensor):
        raise ValueError(f"{complaint} Got {type(value).__name__}.")


def _require_same(before, after, what_before, what_after):
    """Both tensors have the same dtype and shape."""
    for aspect in ("dtype", "shape"):
        if getattr(before, aspect) != getattr(after, aspect):
            raise ValueError(
                f"Registering a parametrization may not change the {aspect} of the tensor, unless the `unsafe` flag "
                f"is enabled.\n{what_before}.{aspect}: {getattr(before, aspect)}\n"
                f"{what_after}.{aspect}: {getattr(after, aspect)}"
            )


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in the order in which they are applied, and the tensors they start from.

    These are `original`, or `original0`, `original1`, ... where the first right_inverse gives several; called without
    arguments the list computes the tensor.

    Args:
        modules: the parametrizations, at least one.
        original: the parameter or buffer that they replace. It stays the same object where one tensor serves.
        unsafe: do not check that dtype and shape are kept.
    """

    def __init__(self, modules, original, unsafe=False):
        if not modules:
            raise ValueError("[ParametrizationList] one or more modules are required. Received none.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with rushlight.no_grad():
            new = original
            for module in reversed(self):
                if hasattr(module, "right_inverse"):
                    with contextlib.suppress(NotImplementedError):  # then the tensor itself is what forward takes
                        new = module.right_inverse(new)
        self.is_tensor = isinstance(new, rushlight.Tensor)
        if self.is_tensor:
            self._start_from_one(original, new)
        else:
            self._start_from_several(original, new)
        if not unsafe:
            self._check_result(shape, dtype)

    def _start_from_one(self, original, new):
        if new.dtype != original.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
            )
        original.data = new.data
        _register(self, "original", original)

    def _start_from_several(self, original, new):
        if not _is_sequence(new):
            raise ValueError(
                f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                f"{type(new).__name__}"
            )
        self.ntensors = len(new)
        for i, tensor in enumerate(new):
            _require_tensor(
                tensor,
                f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Element {i} of the "
                "sequence is no tensor.",
            )
            if isinstance(original, Parameter):
                tensor = Parameter(tensor, original.requires_grad)
            _register(self, f"original{i}", tensor.requires_grad_(original.requires_grad))

    def _check_result(self, shape, dtype):
        with rushlight.no_grad():
            result = self()
        _require_tensor(result, "A parametrization must return a tensor.")
        for aspect, before in (("dtype", dtype), ("shape", shape)):
            if getattr(result, aspect) != before:
                raise ValueError(
                    f"Registering a parametrization may not change the {aspect} of the tensor, unless `unsafe` flag "
                    f"is enabled.\nunparametrized {aspect}: {before}\nparametrized {aspect}: {getattr(result, aspect)}"
                )

    def _originals(self):
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value):
        """Set the originals so that the parametrized tensor becomes `value`: the right_inverses, last one first.

        Raises:
            RuntimeError: if a parametrization has no right_inverse.
            ValueError: if a right_inverse gives something else than the originals need.
        """
        with rushlight.no_grad():
            for module in reversed(self):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            if self.is_tensor:
                _require_tensor(value, "`right_inverse` should return a tensor.")
                value = [value]
            elif not _is_sequence(value) or len(value) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of {self.ntensors} tensors. Got "
                    + (f"{len(value)} elements." if _is_sequence(value) else f"{type(value).__name__}.")
                )
            for original, new in zip(self._originals(), value, strict=True):
                _require_tensor(new, "`right_inverse` must return a sequence of tensors.")
                if original.dtype != new.dtype:
                    raise ValueError(
                        "The tensor returned by `right_inverse` has another dtype than the original.\n"
                        f"original.dtype: {original.dtype}\nright_inverse.dtype: {new.dtype}"
                    )
                original.data = new.data

    def forward(self):
        first, *others = self
        value = first(*self._originals())
        for parametrization in others:
            value = parametrization(value)
        return value


def _computed_attribute(name):
    """The property that stands for a parametrized tensor."""

    def read(module):
        if not _open_caches:
            return module.parametrizations[name]()
        key = (id(module), name)
        if key not in _computed:
            _computed[key] = module.parametrizations[name]()
        return _computed[key]

    def write(module, value):
        module.parametrizations[name].right_inverse(value)

    return property(read, write)


@functools.cache
def _class_with(base, names):
    """The subclass of `base` whose instances compute the attributes `names`."""

    def refuse_pickling(module):
        raise RuntimeError(
            "[pickle] Serialization of parametrized modules is only supported through state_dict(). Save "
            "module.state_dict(), or call remove_parametrizations first."
        )

    def copied(module, memo):
        result = memo[id(module)] = type(module).__new__(type(module))
        result.__setstate__(copy.deepcopy(module.__dict__, memo))
        return result

    members = {name: _computed_attribute(name) for name in names}
    members["__getstate__"] = refuse_pickling
    if not hasattr(base, "__deepcopy__"):
        members["__deepcopy__"] = copied
    return type(f"Parametrized{base.__name__}", (base,), {**members, "__module__": __name__})


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Compute the parameter or buffer `tensor_name` of `module` by `parametrization`, a module; returns `module`.

    What is trained is `module.parametrizations.<name>.original`. Assigning to the tensor calls the parametrization's
    `right_inverse`, if it has one, which is also asked for the original's first value. Several parametrizations are
    applied one after another.

    Args:
        unsafe: do not check that dtype and shape are kept.

    Raises:
        ValueError: if the module has no such tensor, or dtype or shape changes.

    >>> class Symmetric(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = torch.nn.Linear(3, 3)
    >>> _ = torch.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> torch.equal(layer.weight, layer.weight.T)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_addition(module, tensor_name, parametrization)
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        parametrizations = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.parametrizations = ModuleDict()
        base = type_before_parametrizations(module)
        module.parametrizations[tensor_name] = parametrizations
        module.__class__ = _class_with(base, tuple(module.parametrizations))
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _check_addition(module, name, parametrization):
    """One more parametrization keeps dtype and shape, forth and back."""
    with rushlight.no_grad():
        before = getattr(module, name)
        after = parametrization(before)
        _require_tensor(after, "A parametrization must return a tensor.")
        _require_same(before, after, f"module.{name}", f"parametrization(module.{name})")
        if hasattr(parametrization, "right_inverse"):
            try:
                back = parametrization.right_inverse(after)
            except NotImplementedError:
                return
            _require_tensor(back, "parametrization.right_inverse must return a tensor.")
            _require_same(before, back, f"module.{name}", f"right_inverse(parametrization(module.{name}))")


def is_parametrized(module, tensor_name=None):
    """Whether the module has parametrizations, or one of `tensor_name`.

    >>> torch.nn.utils.parametrize.is_parametrized(torch.nn.Linear(1, 1))
    False
    """
    parametrizations = module.__dict__.get("parametrizations")
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Make a parametrized tensor an ordinary one again; returns `module`.

    Args:
        leave_parametrized: keep the computed value; otherwise that of the original, which must be one tensor.

    Raises:
        ValueError: if the tensor is not parametrized, or there are several originals and none may stay.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = module.parametrizations[tensor_name]
    if not leave_parametrized and not parametrizations.is_tensor:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    original = parametrizations._originals()[0]
    if leave_parametrized:
        with rushlight.no_grad():
            value = getattr(module, tensor_name)
        if parametrizations.is_tensor:
            original.data = value.data  # the same object, which an optimizer may hold
        else:
            needs_grad = original.requires_grad
            original = Parameter(value, needs_grad) if isinstance(original, Parameter) else value
    base = type_before_parametrizations(module)
    del module.parametrizations[tensor_name]
    names = tuple(module.parametrizations)
    module.__class__ = _class_with(base, names) if names else base
    if not names:
        del module.parametrizations
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module):
    """The module's class, as it was before it was parametrized.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> torch.nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Register the parametrizations of one module, and its originals, with another; returns the other.

    Args:
        tensor_name: transfer those of this tensor alone.

    >>> source = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> target = torch.nn.Linear(2, 2)
    >>> _ = torch.nn.utils.parametrize.transfer_parametrizations_and_params(source, target)
    >>> torch.equal(target.weight, source.weight)
    True
    """
    if not is_parametrized(from_module, tensor_name):
        return to_module
    for name in [tensor_name] if tensor_name is not None else list(from_module.parametrizations):
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        target = to_module.parametrizations[name]
        for key in ("original",) if source.is_tensor else (f"original{i}" for i in range(source.ntensors)):
            setattr(target, key, getattr(source, key))
    return to_module
