"""Modules as functions of their parameters."""

import contextlib
import importlib

import rushlight


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """Calls the module with other parameters and buffers, which it has for this call alone.

    What the call writes into a buffer (the running statistics of a batch norm) is written into the given one.

    Args:
        module (nn.Module): what is called.
        parameter_and_buffer_dicts (dict or sequence of dict): name, as in named_parameters() -> Tensor. Names that
            are left out keep their values.
        args (tuple or single argument), kwargs (dict): of the call.
        tie_weights (bool): a parameter with several names is replaced under all of them when one is given.
        strict (bool): the names must be exactly those of the module's parameters and buffers.

    Raises:
        ValueError: a name is in several dicts, or tied parameters are given different values.
        RuntimeError: `strict` and the names differ.

    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> torch.func.functional_call(layer, {"weight": torch.ones(1, 2)}, torch.tensor([1.0, 2.0]))
    tensor([3.])
    """
    given = _joined(parameter_and_buffer_dicts)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    own = _named_tensors(module)
    if strict:
        _require_exactly(module, given, own)
    if tie_weights:
        given = _with_tied(given, own)
    with _replaced(module, {name: x for name, x in given.items() if name in own}):
        return module(*args, **(kwargs or {}))


def _joined(dicts):
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (list, tuple)) or not all(isinstance(d, dict) for d in dicts):
        raise ValueError(
            f"[functional_call] Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts. Received "
            f"{type(dicts).__name__}."
        )
    names = [name for d in dicts for name in d]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"[functional_call] {repeated} appeared in multiple dictionaries; behavior of functional call is "
            "ambiguous. Leave them out of all but one."
        )
    return {name: x for d in dicts for name, x in d.items()}


def _named_tensors(module):
    """All parameters and buffers, under all of their names."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _require_exactly(module, given, own):
    unexpected = sorted(given.keys() - own.keys())
    names_of = {}
    for name, x in own.items():
        names_of.setdefault(id(x), []).append(name)
    missing = sorted(names[0] for names in names_of.values() if not given.keys() & set(names))
    problems = [
        f"{what} key(s): {', '.join(map(repr, names))}."
        for what, names in (("Unexpected", unexpected), ("Missing", missing))
        if names
    ]
    if problems:
        raise RuntimeError(
            f"[functional_call] Error(s) in reparametrizing for {type(module).__name__}: {' '.join(problems)}"
        )


def _with_tied(given, own):
    """The given tensors also under the other names of what they replace."""
    values = {}
    for name, x in given.items():
        if name in own and values.setdefault(id(own[name]), x) is not x:
            tied = sorted(other for other in given if own.get(other) is own[name])
            raise ValueError(
                f"[functional_call] functional_call got multiple values for keys {tied}, which are tied. Consider "
                "using tie_weights=False."
            )
    return {**given, **{name: values[id(x)] for name, x in own.items() if id(x) in values}}


@contextlib.contextmanager
def _replaced(module, tensors):
    """The module has these tensors for a while."""
    before = []
    try:
        for name, x in tensors.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path)
            registry = owner._parameters if last in owner._parameters else owner._buffers
            before.append((registry, last, registry[last]))
            registry[last] = x
        yield
    finally:
        for registry, last, x in reversed(before):
            registry[last] = x


def stack_module_state(models):
    """The parameters and the buffers of equal modules, stacked: for vmap over an ensemble.

    Args:
        models (sequence of nn.Module): of one class and in one mode.

    Returns:
        (parameters, buffers): name -> Tensor [len(models), *shape], new leaves.

    Raises:
        RuntimeError: there are no models, or they differ in class, mode, shapes or requires_grad.

    >>> models = [torch.nn.Linear(2, 3) for _ in range(5)]
    >>> parameters, buffers = torch.func.stack_module_state(models)
    >>> parameters["weight"].shape
    torch.Size([5, 3, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("[stack_module_state] Expected at least one model, got 0.")
    if any(model.training != models[0].training for model in models):
        raise RuntimeError("[stack_module_state] Expected all models to have the same training/eval mode.")
    if any(type(model) is not type(models[0]) for model in models):
        raise RuntimeError("[stack_module_state] Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return _stacked(parameters), _stacked(buffers)


def _stacked(states):
    result = {}
    for name in states[0]:
        column = [state[name] for state in states]
        needs = column[0].requires_grad
        if any(x.requires_grad != needs for x in column):
            raise RuntimeError(
                f"[stack_module_state] Expected {name} from each model to have the same requires_grad. Set it alike."
            )
        result[name] = rushlight.stack(column).detach().requires_grad_(needs)
    return result


def replace_all_batch_norm_modules_(root):
    """Takes the running statistics out of all batch norms below `root`, in place, so that vmap can map it; returns it.

    >>> norm = torch.nn.BatchNorm1d(2)
    >>> torch.func.replace_all_batch_norm_modules_(norm).running_mean is None
    True
    """
    batch_norm = importlib.import_module("rushlight.nn.modules.batchnorm")._BatchNorm  # loaded with any module
    for module in root.modules():
        if isinstance(module, batch_norm) and module.track_running_stats:
            module.running_mean = None
            module.running_var = None
            module.num_batches_tracked = None
            module.track_running_stats = False
    return root
