"""Tensors between processes: both see the same memory, whose file descriptor is what travels."""

import multiprocessing.reduction as reduction
from multiprocessing.reduction import ForkingPickler

from rushlight import _core
from rushlight.multiprocessing import arena


def share(tensor):
    """Moves a tensor's memory to where processes can share it: see Tensor.share_memory_."""
    tensor.untyped_storage().share_memory_()


def is_shared(tensor):
    """Whether a tensor's memory is shared between processes."""
    storage = tensor.untyped_storage()
    return storage.is_shared() or arena.holds(storage.data_ptr())


def _rebuild(descriptor, nbytes, dtype, shape, stride, offset, requires_grad):
    memory = _core.shared_bytes(nbytes, descriptor.detach())
    return memory.view(dtype).as_strided(shape, stride, offset).requires_grad_(requires_grad)


def _reduce(tensor):
    """For queues, pipes and arguments of processes: a tensor moves to shared memory, and its receiver looks into it."""
    storage = tensor.untyped_storage()
    if not storage.nbytes():
        return tensor.__reduce_ex__(2)
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "[multiprocessing] a tensor with a history cannot be sent to another process. Send tensor.detach()."
        )
    if not storage.is_shared():
        storage.share_memory_()
    descriptor = reduction.DupFd(storage.shared_descriptor())
    geometry = tuple(tensor.shape), tensor.stride(), tensor.storage_offset()
    return _rebuild, (descriptor, storage.nbytes(), tensor.dtype, *geometry, tensor.requires_grad)


ForkingPickler.register(_core.Tensor, _reduce)
