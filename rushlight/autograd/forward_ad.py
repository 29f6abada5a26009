"""Forward mode. It is not offered: each name raises NotImplementedError on use and says what to use instead."""

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


def _refuse(name):
    raise NotImplementedError(
        f"[forward_ad.{name}] forward-mode differentiation is not offered. Use autograd.functional.jvp, which gets "
        "the same product from two reverse passes."
    )


class UnpackedDualTensor:
    def __init__(self, *args, **kwargs):
        _refuse("UnpackedDualTensor")


class dual_level:
    def __init__(self):
        _refuse("dual_level")


def enter_dual_level():
    _refuse("enter_dual_level")


def exit_dual_level(*, level=None):
    _refuse("exit_dual_level")


def make_dual(tensor, tangent, *, level=None):
    _refuse("make_dual")


def unpack_dual(tensor, *, level=None):
    _refuse("unpack_dual")
