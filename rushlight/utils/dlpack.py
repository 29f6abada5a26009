"""Tensors shared with other libraries through DLPack, without copying.

>>> from rushlight.utils.dlpack import from_dlpack, to_dlpack
>>> x = torch.arange(3)
>>> from_dlpack(to_dlpack(x)).data_ptr() == x.data_ptr()
True
"""

import enum

from rushlight import from_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers of devices (dlpack.h)."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


def to_dlpack(tensor):
    """A DLPack capsule over the tensor's memory. It can be consumed once."""
    return tensor.__dlpack__()
