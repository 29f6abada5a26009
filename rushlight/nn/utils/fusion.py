"""Layers with the batch normalisation after them worked into their weights, for evaluation."""

import copy

import rushlight
from rushlight.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fused(weight, bias, channel_dim, mean, variance, eps, gamma, beta):
    """The affine map x -> gamma (weight x + bias - mean) / sqrt(variance + eps) + beta as weight and bias."""
    bias = rushlight.zeros_like(mean) if bias is None else bias
    gamma = rushlight.ones_like(mean) if gamma is None else gamma
    beta = rushlight.zeros_like(mean) if beta is None else beta
    scale = gamma * (variance + eps).rsqrt()
    shape = [1] * weight.ndim
    shape[channel_dim] = -1
    return (
        Parameter((weight * scale.reshape(shape)).to(weight.dtype), weight.requires_grad),
        Parameter(((bias - mean) * scale + beta).to(bias.dtype), bias.requires_grad),
    )


def _fused_copy(layer, bn, fuse):
    if layer.training or bn.training:
        raise AssertionError("[fusion] both layers must be in evaluation mode. Call eval() on them first.")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("[fusion] the batch normalisation must have running statistics. Received none.")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse(fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps)
    return fused


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """One convolution that does what `conv` and then `bn` do in evaluation; a new module.

    Args:
        transpose: whether `conv` is a transposed convolution.

    Raises:
        AssertionError: if one of them is in training mode, or bn has no running statistics.

    >>> conv, bn = torch.nn.Conv2d(1, 2, 3).eval(), torch.nn.BatchNorm2d(2).eval()
    >>> x = torch.randn(1, 1, 5, 5)
    >>> torch.allclose(torch.nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-5)
    True
    """
    return _fused_copy(conv, bn, lambda *args: fuse_conv_bn_weights(*args, bn.weight, bn.bias, transpose))


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """Weight and bias of a convolution together with the batch normalisation after it.

    Args:
        conv_w, conv_b: of the convolution; the bias [C] may be None.
        bn_rm, bn_rv, bn_eps: running mean [C] and variance [C], and what is added to the variance.
        bn_w, bn_b: weight [C] and bias [C] of the normalisation; None for ones and zeros.
        transpose: the channels of the weight's result are its dimension 1, not 0.
    """
    return _fused(conv_w, conv_b, 1 if transpose else 0, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_linear_bn_eval(linear, bn):
    """One linear layer that does what `linear` and then `bn` do in evaluation; a new module.

    Raises:
        AssertionError: if one of them is in training mode, bn has no running statistics, or the features differ.

    >>> linear, bn = torch.nn.Linear(3, 2).eval(), torch.nn.BatchNorm1d(2).eval()
    >>> x = torch.randn(4, 3)
    >>> torch.allclose(torch.nn.utils.fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), atol=1e-5)
    True
    """
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "[fuse_linear_bn_eval] bn must have as many features as linear puts out, or one. Received "
            f"{bn.num_features} and {linear.out_features}."
        )
    return _fused_copy(linear, bn, lambda *args: fuse_linear_bn_weights(*args, bn.weight, bn.bias))


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """Weight and bias of a linear layer together with the batch normalisation after it; see fuse_conv_bn_weights."""
    return _fused(linear_w, linear_b, 0, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
