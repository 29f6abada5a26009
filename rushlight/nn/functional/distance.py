"""Distances and similarities between vectors."""

import rushlight

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of `x1 - x2 + eps` along the last dimension.

    Args:
        x1, x2: [N, D] or [D]; they broadcast.
        eps: keeps the derivative of the norm finite where both are equal.

    >>> torch.nn.functional.pairwise_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return rushlight.norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between `x1` and `x2` along `dim`; each norm is taken as at least `eps`.

    >>> torch.nn.functional.cosine_similarity(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    dtype = rushlight.result_type(x1, x2)
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"[cosine_similarity] the inputs must be floating point. Received {x1.dtype} and {x2.dtype}. Use .float()."
        )
    x1, x2 = rushlight.broadcast_tensors(x1.to(dtype), x2.to(dtype))
    return (normalize(x1, 2.0, dim, eps) * normalize(x2, 2.0, dim, eps)).sum(dim)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """`input` divided by its p-norm along `dim`, which is taken as at least `eps`.

    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    result = input / rushlight.norm(input, p, dim, True).clamp(min=eps)
    return result if out is None else out.copy_(result)


def pdist(input, p=2.0):
    """The p-norm distances of all pairs of rows i < j.

    Args:
        input: [N, D].

    Returns:
        [N * (N - 1) / 2], ordered by i, then j.

    >>> torch.nn.functional.pdist(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([5.])
    """
    if input.ndim != 2:
        raise RuntimeError(f"[pdist] input must be [N, D]. Received {list(input.shape)}.")
    i, j = rushlight.triu_indices(input.shape[0], input.shape[0], 1)
    return rushlight.norm(input[i] - input[j], p, 1)
