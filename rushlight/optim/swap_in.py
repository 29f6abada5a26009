"""An optimiser that acts on other parameters for a while."""

from collections import defaultdict
from contextlib import contextmanager

import rushlight

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(optimizer, swapin_parameters, swapin_optim_state):
    """Within the context the optimiser has other parameters, state and options; after it, its own again.

    Args:
        optimizer: one that has made a step.
        swapin_parameters: a dictionary of tensors in the order of the optimiser's parameters.
        swapin_optim_state: what a `state_dict()` of such an optimiser gave. Its tensors are changed in place; entries
            that a step adds or replaces stay behind.

    Raises:
        RuntimeError: if the optimiser has no state, or something does not fit it; then it is as it was.

    >>> mine, other = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.Adam([mine], lr=0.5)
    >>> mine.grad = other.grad = torch.ones(1)
    >>> optimizer.step()
    >>> state = optimizer.state_dict()
    >>> with torch.optim.swap_in_optimizer_params_and_state(optimizer, {"weight": other}, state):
    ...     optimizer.step()
    >>> mine.item(), other.item(), optimizer.param_groups[0]["params"][0] is mine
    (0.5, 0.5, True)
    """
    groups, saved_state = _checked_groups(optimizer, swapin_optim_state)
    tensors = iter(swapin_parameters.values())
    _check(
        len(swapin_parameters) >= sum(len(group["params"]) for group in groups),
        f"swapin_parameters must hold a tensor for each of the optimiser's. Received {len(swapin_parameters)}",
    )
    state = defaultdict(dict)
    swapped = []
    for group in groups:
        params = [next(tensors) for _ in group["params"]]
        swapped.append({**group, "params": params})
        for key, param in zip(group["params"], params, strict=True):
            state[param] = dict(saved_state.get(key, {}))

    own_state, own_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        _replace(optimizer, state, swapped)
        yield
    finally:
        _replace(optimizer, own_state, own_groups)


def _replace(optimizer, state, groups):
    """The groups stay the same dictionaries: schedulers may hold them."""
    optimizer.state = state
    for group, contents in zip(optimizer.param_groups, groups, strict=True):
        group.clear()
        group.update(contents)


def _checked_groups(optimizer, saved):
    """The groups and the state of the dictionary `saved`, which has the form of the optimiser's own."""
    _check(bool(optimizer.state), "the optimizer must have state. Make a step first")
    _check(isinstance(saved, dict), f"swapin_optim_state must be a state_dict. Received {type(saved).__name__}")
    state, groups = saved.get("state"), saved.get("param_groups")
    _check(isinstance(state, dict), f"its 'state' must be a dictionary. Received {type(state).__name__}")
    _check(isinstance(groups, list), f"its 'param_groups' must be a list. Received {type(groups).__name__}")
    _check(
        len(groups) == len(optimizer.param_groups),
        f"it must have as many groups as the optimizer, {len(optimizer.param_groups)}. Received {len(groups)}",
    )
    known = set()
    for i, (group, own) in enumerate(zip(groups, optimizer.param_groups, strict=True)):
        _check(isinstance(group, dict), f"group {i} must be a dictionary. Received {type(group).__name__}")
        _check(
            group.keys() == own.keys(),
            f"group {i} must have the options of the optimizer's. Differing: {sorted(group.keys() ^ own.keys())}",
        )
        keys = group["params"]
        _check(
            isinstance(keys, list) and all(isinstance(key, int) for key in keys) and len(keys) == len(own["params"]),
            f"'params' of group {i} must be {len(own['params'])} numbers of parameters. Received {keys!r:.100}",
        )
        known.update(keys)
    for key, entry in state.items():
        _check(
            not isinstance(key, rushlight.Tensor) and key in known and isinstance(entry, dict),
            "its 'state' must have a dictionary for numbers of parameters alone. "
            f"Received {type(entry).__name__} for {key!r:.100}",
        )
    return groups, state


def _check(condition, message):
    if not condition:
        raise RuntimeError(f"[swap_in_optimizer_params_and_state] {message}.")
