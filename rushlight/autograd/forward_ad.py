"""Dual numbers: a tensor with a tangent, whose derivative follows what is computed from it.

There are no forward-mode formulas. A dual tensor is an alias that the tape watches; `unpack_dual` finds the tangent of
a result by two reverse passes (the first is linear in its cotangent, the second runs through it). So, unlike in
PyTorch, a dual tensor has requires_grad=True, what runs under no_grad() loses its tangent, and the work is done by
`unpack_dual`.

>>> forward_ad = torch.autograd.forward_ad
>>> with forward_ad.dual_level():
...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
...     forward_ad.unpack_dual(x * x).tangent
tensor(6.)
"""

import threading
from collections import namedtuple

import rushlight
from rushlight import _core

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(namedtuple("UnpackedDualTensor", "primal, tangent")):
    """What `unpack_dual` returns: the value, and its tangent or None."""

    __slots__ = ()


class _Level(threading.local):
    def __init__(self):
        self.duals = None  # [(alias, tangent, whether the primal has a history)] while a level is entered


_level = _Level()


def enter_dual_level():
    """Begins a level in which dual tensors can be made; returns its number, 0. Raises RuntimeError inside another."""
    if _level.duals is not None:
        raise RuntimeError("[forward_ad] Nested forward mode AD is not supported at the moment. Use torch.func.jvp.")
    _level.duals = []
    return 0


def exit_dual_level(*, level=None):
    """Ends the level: its tangents are forgotten. Raises RuntimeError when there is none."""
    if _level.duals is None or level not in (None, 0):
        raise RuntimeError("[forward_ad] Trying to exit a forward AD level that was not entered. Call it once.")
    _level.duals = None


class dual_level:
    """`with dual_level():` enters a level and exits it."""

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *error):
        exit_dual_level()

    def __call__(self, function):
        """As a decorator."""
        from rushlight.autograd.grad_mode import decorate

        return decorate(type(self), function)


def make_dual(tensor, tangent, *, level=None):
    """A view of `tensor` that carries `tangent`, of the same shape and dtype.

    Raises:
        RuntimeError: no level is entered, or the shapes differ.
        ValueError: a dtype is not floating point or complex.
    """
    if _level.duals is None:
        raise RuntimeError(
            "[make_dual] Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    for name, x in (("primal", tensor), ("tangent", tangent)):
        if not (x.is_floating_point() or x.is_complex()):
            raise ValueError(f"[make_dual] Expected {name} to be floating point or complex, but got: {x.dtype}.")
    if tangent.shape != tensor.shape:
        raise RuntimeError(
            "[make_dual] Trying to set a forward gradient that has a different size than that of the original Tensor: "
            f"tensor is of size {list(tensor.shape)}. Received {list(tangent.shape)}."
        )
    if _level.duals and any(alias is tensor for alias, _, _ in _level.duals):
        raise RuntimeError("[make_dual] the tensor must not be dual at this level already. Unpack it first.")
    with rushlight.enable_grad():
        tracked = tensor.requires_grad
        alias = tensor.view_as(tensor) if tracked else tensor.detach().requires_grad_()
    _level.duals.append((alias, tangent, tracked))
    return alias


def unpack_dual(tensor, *, level=None):
    """(primal, tangent) of a tensor; the tangent is None when it depends on no dual tensor of this level."""
    if _level.duals is None:
        return UnpackedDualTensor(tensor, None)
    for alias, tangent, tracked in _level.duals:
        if tensor is alias:
            return UnpackedDualTensor(alias.view_as(alias) if tracked else alias.detach(), tangent)
    aliases = tuple(alias for alias, _, _ in _level.duals)
    if not tensor.requires_grad or not aliases:
        return UnpackedDualTensor(tensor, None)
    with rushlight.enable_grad():
        probe = rushlight.zeros_like(tensor, requires_grad=True)
        reverse = _core.run_backward((tensor,), (probe,), True, True, aliases, True, False)
    pairs = [(g, t) for g, (_, t, _) in zip(reverse, _level.duals, strict=True) if g is not None]
    if not pairs:
        return UnpackedDualTensor(tensor, None)
    others = any(tracked for _, _, tracked in _level.duals) or _core.depends_on_others([tensor], list(aliases))
    create = _core.is_grad_enabled() and (others or any(t.requires_grad for _, t in pairs))
    pairs = [(g, t.to(g.dtype)) for g, t in pairs if g.requires_grad]
    tangent = None
    if pairs:
        (tangent,) = _core.run_backward(*map(tuple, zip(*pairs, strict=True)), True, create, (probe,), True, False)
    primal = tensor.view_as(tensor) if others else tensor.detach()
    return UnpackedDualTensor(primal, rushlight.zeros_like(tensor) if tangent is None else tangent)
