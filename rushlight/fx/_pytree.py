"""The leaves of a nested container, by the structure of another."""

from rushlight.utils import _pytree

__all__ = ["tree_flatten_spec"]


def tree_flatten_spec(pytree, spec):
    """The leaves of `pytree` where `spec` has leaves: what is below them stays together.

    Raises:
        ValueError: if the structures differ.
    """
    return _pytree._flatten_up_to(spec, pytree)
