"""Dimensions by name: a pattern says where each one goes."""

import math
import re

import rushlight

_REST = ("...",)  # "..." on its own: a tuple, as a group in parentheses is a list
_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_]\w*|1|[()]|\S)")


def rearrange(tensor, pattern, **axes_lengths):
    """Permutes, splits and joins dimensions (Rogozhnikov, "Einops", 2022).

    Args:
        tensor (Tensor or sequence of Tensor): a sequence is stacked along a new first dimension.
        pattern (str): "names -> names". Names in parentheses are one dimension of the tensor; "..." stands for any
            further dimensions, 1 or () for a dimension of size 1.
        axes_lengths (int): sizes of names; of those in parentheses, all but one must be known.

    Raises:
        ValueError: the pattern is not well formed or does not fit the tensor.

    >>> torch.func.rearrange(torch.arange(6).reshape(2, 3), "a b -> (b a)")
    tensor([0, 3, 1, 4, 2, 5])
    """
    if not isinstance(tensor, rushlight.Tensor):
        tensor = rushlight.stack(tuple(tensor))
    left, right = _parsed(pattern)
    left = _without_ellipsis(left, pattern, tensor)
    rest = [name for group in left for name in group if name.startswith("...")]
    right = [[n for name in group for n in (rest if name == "..." else [name])] for group in _spread(right, rest)]
    names = [name for group in left for name in group]
    _check(pattern, names, [name for group in right for name in group], axes_lengths)
    sizes = {}
    for group, size in zip(left, tensor.shape, strict=True):
        sizes.update(_sizes_of(group, size, axes_lengths, pattern))
    x = tensor.reshape([sizes[name] for name in names])
    x = x.permute([names.index(name) for group in right for name in group])
    return x.reshape([math.prod(sizes[name] for name in group) for group in right])


def _parsed(pattern):
    """Both sides as lists of groups of names."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"[rearrange] Pattern must contain a single '->' separator. Received {pattern!r}.")
    return [_groups(side, pattern) for side in sides]


def _groups(side, pattern):
    groups, open_group = [], None
    for token in _TOKEN.findall(side):
        if token == "(" and open_group is None:
            open_group = []
        elif token == ")" and open_group is not None:
            groups.append(open_group)
            open_group = None
        elif token not in ("...", "1") and (not token.isidentifier() or token.strip("_") != token):
            raise ValueError(f"[rearrange] Invalid axis identifier: {token!r} in {pattern!r}.")
        elif open_group is None:
            groups.append(_REST if token == "..." else [token] if token != "1" else [])
        elif token != "1":
            open_group.append(token)
    if open_group is not None:
        raise ValueError(f"[rearrange] Brackets are not balanced in {pattern!r}.")
    names = [name for group in groups for name in group]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"[rearrange] Indexing expression contains duplicate dimension {name!r}: {pattern!r}.")
    return groups


def _without_ellipsis(groups, pattern, tensor):
    """The groups of the left side, with names of their own for the dimensions behind "..."."""
    if _REST in groups:
        count = tensor.ndim - len(groups) + 1
        groups = _spread(groups, [f"...{k}" for k in range(count)]) if count >= 0 else groups
    if len(groups) != tensor.ndim:
        raise ValueError(
            f"[rearrange] Number of dimensions in pattern ({len(groups)}) must be equal to the number of dimensions in "
            f"the tensor ({tensor.ndim}). Received {pattern!r} for {list(tensor.shape)}."
        )
    return groups


def _spread(groups, names):
    """The groups with one for each name instead of "..." on its own."""
    return [part for group in groups for part in ([[n] for n in names] if group is _REST else [group])]


def _check(pattern, left, right, lengths):
    one_sided = set(left) ^ set(right)
    if one_sided:
        raise ValueError(
            f"[rearrange] Identifiers only on one side of rearrange expression (should be on both): {one_sided}. "
            f"Received {pattern!r}."
        )
    unknown = lengths.keys() - set(left)
    if unknown:
        raise ValueError(f"[rearrange] Identifiers not found in rearrange expression: {unknown}. Received {pattern!r}.")


def _sizes_of(group, size, lengths, pattern):
    """The size of each name of a group whose product is `size`."""
    known = math.prod(lengths[name] for name in group if name in lengths)
    open_names = [name for name in group if name not in lengths]
    if len(open_names) > 1:
        raise ValueError(f"[rearrange] at most one size of ({' '.join(group)}) may be unknown. Received {pattern!r}.")
    fits = size % known == 0 if open_names and known else size == known
    if not fits:
        raise ValueError(
            f"[rearrange] the sizes of ({' '.join(group)}) must multiply to {size}. Received {lengths} for {pattern!r}."
        )
    return {name: lengths[name] if name in lengths else size // known for name in group}
