"""Small functions that libraries take from PyTorch's private module of this name."""

import sys
import traceback

import rushlight

__all__ = ["ExceptionWrapper"]


def _flatten_dense_tensors(tensors):
    """All elements of tensors of one dtype, one after the other, in one dimension."""
    return rushlight.cat([tensor.reshape(-1) for tensor in tensors])


def _unflatten_dense_tensors(flat, tensors):
    """Views of flat in the shapes of tensors, one after the other."""
    parts = flat.split([tensor.numel() for tensor in tensors])
    return tuple(part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True))


def _get_device_index(device, optional=False, allow_cpu=False):
    """-1 for the cpu where it is allowed; a number as it is. Raises ValueError for what is no accelerator."""
    if isinstance(device, int):
        return device
    kind = None if device is None else rushlight.device(device).type
    if (kind is None and optional) or (kind == "cpu" and allow_cpu):
        return -1
    raise ValueError(
        f"[_get_device_index] the device must be an accelerator, of which there is none. Received {device!r}."
    )


def _get_available_device_type():
    """None: there is no accelerator."""
    return None


def _get_device_module(device_type):
    """The module of functions for a device's type."""
    return rushlight.get_device_module(device_type)


def _element_size(dtype):
    """The bytes of one element."""
    return dtype.itemsize


def is_compiling():
    """False: programs run as they are written."""
    return False


def _rebuild_tensor(storage, storage_offset, size, stride):
    """A tensor over a storage: how PyTorch pickles tensors."""
    return rushlight.empty(0, dtype=storage.dtype).set_(storage, storage_offset, size, stride)


def _rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None):
    """A tensor over a storage: how PyTorch pickles tensors."""
    return _rebuild_tensor(storage, storage_offset, size, stride).requires_grad_(requires_grad)


def _rebuild_parameter(data, requires_grad, backward_hooks):
    """A parameter: how PyTorch pickles it."""
    return rushlight.nn.Parameter(data, requires_grad)


class ExceptionWrapper:
    """An exception of another thread or process, with its traceback as text, to be raised here."""

    def __init__(self, exc_info=None, where="in background"):
        kind, error, trace = sys.exc_info() if exc_info is None else exc_info
        self.exc_type, self.where = kind, where
        self.exc_msg = "".join(traceback.format_exception(kind, error, trace))

    def reraise(self):
        """Raises an exception of the same class, whose text has the first one's traceback."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        try:
            error = self.exc_type(text)
        except TypeError:  # its constructor takes something else
            error = RuntimeError(text)
        raise error
