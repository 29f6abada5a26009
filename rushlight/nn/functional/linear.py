"""Affine maps."""

from rushlight import _core

__all__ = ["bilinear", "linear"]

linear = _core.linear


def bilinear(input1, input2, weight, bias=None):
    """y[..., o] = sum over i, j of input1[..., i] * weight[o, i, j] * input2[..., j], plus bias.

    Args:
        input1: [..., I].
        input2: [..., J], with the same leading dimensions.
        weight: [O, I, J].
        bias: [O].

    >>> torch.nn.functional.bilinear(torch.ones(1, 2), torch.ones(1, 3), torch.ones(1, 2, 3))
    tensor([[6.]])
    """
    if input1.shape[:-1] != input2.shape[:-1] or weight.ndim != 3:
        raise RuntimeError(
            "[bilinear] the inputs must agree but for the last dimension, and weight must be [O, I, J]. "
            f"Received {list(input1.shape)}, {list(input2.shape)} and weight {list(weight.shape)}."
        )
    outputs, size1, size2 = weight.shape
    if input1.shape[-1] != size1 or input2.shape[-1] != size2:
        raise RuntimeError(
            f"[bilinear] the last dimensions of the inputs must be {size1} and {size2}, as weight {list(weight.shape)} "
            f"says. Received {list(input1.shape)} and {list(input2.shape)}."
        )
    first, second = input1.reshape(-1, size1), input2.reshape(-1, size2)
    # [N, I] @ [I, O * J] -> [N, O, J], then the product with [N, J, 1]
    half = (first @ weight.permute(1, 0, 2).reshape(size1, outputs * size2)).reshape(-1, outputs, size2)
    result = (half @ second.unsqueeze(2)).reshape(*input1.shape[:-1], outputs)
    return result if bias is None else result + bias
