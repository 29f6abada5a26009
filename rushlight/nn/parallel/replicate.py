"""Copies of a module on several accelerators."""

from rushlight.nn.parallel.refusal import refuse

__all__ = ["replicate"]


def replicate(network, devices, detach=False):
    """Copies of a module on several accelerators.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    refuse("replicate", devices)
