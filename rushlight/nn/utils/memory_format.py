"""The order in memory of all weights of convolutions."""

from rushlight.nn.modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module, classes, memory_format):
    for layer in module.modules():
        if isinstance(layer, classes):
            layer.weight.data = layer.weight.detach().clone(memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module, memory_format):
    """Put the weights of all Conv2d and ConvTranspose2d below `module` into a memory format; returns the module.

    >>> conv = torch.nn.Conv2d(2, 3, 2)
    >>> _ = torch.nn.utils.convert_conv2d_weight_memory_format(conv, torch.channels_last)
    >>> conv.weight.is_contiguous(memory_format=torch.channels_last)
    True
    """
    return _convert(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module, memory_format):
    """Put the weights of all Conv3d and ConvTranspose3d below `module` into a memory format; returns the module.

    >>> conv = torch.nn.Conv3d(2, 3, 2)
    >>> _ = torch.nn.utils.convert_conv3d_weight_memory_format(conv, torch.channels_last_3d)
    >>> conv.weight.is_contiguous(memory_format=torch.channels_last_3d)
    True
    """
    return _convert(module, (Conv3d, ConvTranspose3d), memory_format)
