"""The mode that gives new tensors a device.

>>> with torch.utils._device.DeviceContext("cpu"):
...     torch.ones(1).device
device(type='cpu')
"""

import rushlight
from rushlight.overrides import TorchFunctionMode


class DeviceContext(TorchFunctionMode):
    """A context in which tensors are made on a device: as tensors live on the cpu alone, it changes nothing.

    Raises RuntimeError when the device is another.
    """

    def __init__(self, device):
        super().__init__()
        self.device = rushlight.device(device)
        rushlight._core.check_device(self.device)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))
