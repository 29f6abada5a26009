"""Modules called with other parameters: the older home of `torch.func.functional_call`."""

import warnings

import rushlight

__all__ = ["functional_call"]


def functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """Call the module with other parameters and buffers; deprecated in favour of `torch.func.functional_call`.

    Args:
        parameters_and_buffers: name -> tensor; names that are left out keep their values.
        args, kwargs: of the call.
        tie_weights: replace tied parameters together.
        strict: the names must be exactly those of the module.

    Raises:
        ValueError: if tied parameters are given different values.
        RuntimeError: if `strict` and the names differ.
    """
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated. Use `torch.func.functional_call` instead.",
        FutureWarning,
        stacklevel=2,
    )
    return rushlight.func.functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
