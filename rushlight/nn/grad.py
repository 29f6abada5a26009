"""The gradients of convolutions by their input and by their weight."""

from rushlight import _core

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _numbers(ndim, *values):
    return [[value] * ndim if isinstance(value, int) else list(value) for value in values]


def _input(ndim, input_size, weight, grad_output, stride, padding, dilation, groups):
    stride, padding, dilation = _numbers(ndim, stride, padding, dilation)
    return _core.convolution_backward_input(
        grad_output, weight, list(input_size), stride, padding, dilation, False, [0] * ndim, groups
    )


def _weight(ndim, input, weight_size, grad_output, stride, padding, dilation, groups):
    stride, padding, dilation = _numbers(ndim, stride, padding, dilation)
    return _core.convolution_backward_weight(
        grad_output, input, list(weight_size), stride, padding, dilation, False, [0] * ndim, groups
    )


def conv1d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of conv1d by its input: weight [C, C_in / groups, K], grad_output [N, C, L'] -> [*input_size].

    >>> torch.nn.grad.conv1d_input((1, 1, 3), torch.ones(1, 1, 2), torch.ones(1, 1, 2))
    tensor([[[1., 2., 1.]]])
    """
    return _input(1, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of conv1d by its weight: input [N, C_in, L], grad_output [N, C, L'] -> [*weight_size].

    >>> torch.nn.grad.conv1d_weight(torch.ones(1, 1, 3), (1, 1, 2), torch.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """
    return _weight(1, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of conv2d by its input; see conv1d_input."""
    return _input(2, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of conv2d by its weight; see conv1d_weight."""
    return _weight(2, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of conv3d by its input; see conv1d_input."""
    return _input(3, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of conv3d by its weight; see conv1d_weight."""
    return _weight(3, input, weight_size, grad_output, stride, padding, dilation, groups)
