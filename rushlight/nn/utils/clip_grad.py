"""Bounds for gradients, applied between backward and the optimiser's step."""

import warnings

import rushlight

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _grads(parameters):
    if isinstance(parameters, rushlight.Tensor):
        parameters = [parameters]
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all tensors taken as one vector.

    Args:
        norm_type: the p of the p-norm; `inf` for the largest magnitude.
        error_if_nonfinite: raise RuntimeError if the norm is nan or infinite.
        foreach: accepted for compatibility.

    Returns:
        A 0-d tensor.

    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    tensors = [tensors] if isinstance(tensors, rushlight.Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return rushlight.tensor(0.0)
    norms = [rushlight.norm(t.detach(), norm_type) for t in tensors]
    device, dtype = norms[0].device, norms[0].dtype
    total = rushlight.norm(rushlight.stack([n.to(device=device, dtype=dtype) for n in norms]), norm_type)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"[get_total_norm] the norm of order {norm_type} of the gradients must be finite. Received {total.item()}, "
            "so they cannot be clipped. Set error_if_nonfinite=False to go on regardless. (non-finite)"
        )
    return total


def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scale the gradients of `parameters` by `max_norm / (total_norm + 1e-6)` where that is below one, in place.

    >>> p = torch.nn.Parameter(torch.ones(1)); p.grad = torch.tensor([4.0])
    >>> torch.nn.utils.clip_grads_with_norm_(p, 1.0, torch.tensor(8.0))
    >>> p.grad
    tensor([0.5000])
    """
    grads = _grads(parameters)
    with rushlight.no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor.to(grad.device))


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients of `parameters` so that the norm of all, taken as one vector, is at most `max_norm`.

    Args:
        parameters: tensors, or one; those without a gradient are passed over.
        norm_type: the p of the p-norm; `inf` for the largest magnitude.
        error_if_nonfinite: raise RuntimeError if the norm is nan or infinite.
        foreach: accepted for compatibility.

    Returns:
        The norm before clipping, a 0-d tensor.

    >>> p = torch.nn.Parameter(torch.ones(2)); p.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_(p, 1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    parameters = [parameters] if isinstance(parameters, rushlight.Tensor) else list(parameters)
    total_norm = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The old name of `clip_grad_norm_`; deprecated."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters, clip_value, foreach=None):
    """Keep every element of the gradients of `parameters` between `-clip_value` and `clip_value`, in place.

    >>> p = torch.nn.Parameter(torch.ones(2)); p.grad = torch.tensor([3.0, -4.0])
    >>> torch.nn.utils.clip_grad_value_(p, 1.0)
    >>> p.grad
    tensor([ 1., -1.])
    """
    clip_value = float(clip_value)
    with rushlight.no_grad():
        for grad in _grads(parameters):
            grad.clamp_(min=-clip_value, max=clip_value)
