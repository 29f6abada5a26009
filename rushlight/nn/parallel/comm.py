"""Copies between accelerators."""

from rushlight.nn.parallel.refusal import refuse

__all__ = ["broadcast", "broadcast_coalesced", "gather", "reduce_add", "reduce_add_coalesced", "scatter"]


def _refusing(name, first):
    def function(tensor, devices=None, *args, **kwargs):
        refuse(name, devices)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{first} Raises ValueError: there are no accelerators."
    return function


broadcast = _refusing("broadcast", "A tensor on several accelerators.")
broadcast_coalesced = _refusing("broadcast_coalesced", "Tensors on several accelerators.")
reduce_add = _refusing("reduce_add", "The sum of tensors of several accelerators.")
reduce_add_coalesced = _refusing("reduce_add_coalesced", "The sums of tensors of several accelerators.")
scatter = _refusing("scatter", "The parts of a tensor on several accelerators.")
gather = _refusing("gather", "The tensors of several accelerators as one.")
