"""Shared memory that is used again and again, for many short-lived tensors that go one way between two processes.

A sender's `Arena` places tensors one after the other in slabs. It tells its receiver's `Mirror` of every new slab; the
tensors of a message then travel as places in slabs. A slab is filled anew once all its tensors have died on both sides,
so that neither process meets fresh pages, whose faults cost more than the copies.
"""

import collections
import io
import math
import pickle
import weakref
from multiprocessing.reduction import ForkingPickler

from rushlight import _core

_ALIGNMENT = 64
_LEAST_SLAB = 1 << 20
_slabs = weakref.WeakSet()
_mirrors = weakref.WeakValueDictionary()  # key -> Mirror, for tensors that are being unpickled


def holds(address):
    """Whether an address lies in a slab of this process."""
    return any(slab.address <= address < slab.address + slab.size for slab in _slabs)


class _Slab:
    """Shared memory, and the tensors of this process that look into it: their deaths are those of their memoryviews."""

    def __init__(self, number, memory, returned):
        self.number, self.memory, self._returned = number, memory, returned
        self.address, self.size = memory.data_ptr(), memory.nbytes
        self._bytes = memoryview(memory)
        self._leases = {}  # by id: a dead reference has no hash
        self.used = 0  # bytes, by the sender's account
        self.live = 0  # tensors, on both sides, by the sender's account
        _slabs.add(self)

    def tensor(self, offset, dtype, shape, stride=None):
        """The tensor at an offset; `returned` is given the slab's number when its memory is not looked at any more."""
        view = self._bytes[offset : offset + math.prod(shape) * dtype.itemsize]
        lease = weakref.ref(view, self._end)
        self._leases[id(lease)] = lease
        made = _core.from_buffer(view).view(dtype)
        return made.view(shape) if stride is None else made.as_strided(shape, stride)

    def _end(self, lease):
        # Whatever thread the last reference dies in: both operations are atomic.
        del self._leases[id(lease)]
        self._returned.append(self.number)


class Arena:
    """The sender's side. `key` names the receiver's Mirror."""

    def __init__(self, key):
        self._key = key
        self._slabs = {}
        self._current = None
        self._returned = collections.deque()
        self._created = 0
        self._new, self._dropped = [], []
        self._sent = []  # slabs of the tensors of one message

    def empty(self, shape, dtype):
        """A tensor with any contents."""
        need = -(-math.prod(shape) * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
        slab = self._with_room(need)
        offset, slab.used = slab.used, slab.used + need
        slab.live += 1
        return slab.tensor(offset, dtype, shape)

    def give_back(self, numbers):
        """Slabs of which the receiver has dropped a tensor, one number for each tensor."""
        self._returned.extend(numbers)

    def news(self):
        """The slabs that the receiver has not heard of, and the numbers of those that it may forget; once."""
        news, self._new, self._dropped = (self._new, self._dropped), [], []
        return news

    def _with_room(self, need):
        while self._returned:
            slab = self._slabs[self._returned.popleft()]
            slab.live -= 1
            if not slab.live:
                slab.used = 0
        slab = self._current
        if slab is None or slab.used + need > slab.size:
            idle = sorted((s for s in self._slabs.values() if not s.live), key=lambda s: s.size)
            slab = self._current = next((s for s in idle if s.size >= need), None) or self._replace(idle, need)
        return slab

    def _replace(self, idle, need):
        """A new slab in the place of those that have become too small."""
        for slab in idle:
            del self._slabs[slab.number]
            self._dropped.append(slab.number)
        # An eighth more: for the small tensors that accompany a large one.
        memory = _core.shared_bytes(max(_LEAST_SLAB, need + need // 8))
        slab = self._slabs[self._created] = _Slab(self._created, memory, self._returned)
        self._created += 1
        self._new.append(slab)
        return slab

    def pickle(self, value):
        """The bytes of a value whose tensors lie in slabs; those that do not are copied there."""
        file = io.BytesIO()
        pickler = ForkingPickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {**pickler.dispatch_table, _core.Tensor: self._reduce}
        self._sent = []
        try:
            pickler.dump(value)
        except BaseException:
            self.give_back(self._sent)
            raise
        return file.getbuffer()

    def _reduce(self, tensor):
        if not tensor.numel():
            return tensor.__reduce_ex__(2)
        if tensor.requires_grad and not tensor.is_leaf:
            raise RuntimeError(
                "[DataLoader] a tensor with a history cannot leave a worker process. Return tensor.detach()."
            )
        source, address = tensor.detach(), tensor.data_ptr()
        stride = None
        if not tensor.is_contiguous():
            # Dimensions in the order in which they lie in memory, so that a dense tensor keeps its strides.
            order = sorted(range(tensor.ndim), key=tensor.stride, reverse=True)
            dense = source.permute(order)
            if dense.is_contiguous():
                source, stride = dense, tensor.stride()
        slab = next((s for s in self._slabs.values() if s.address <= address < s.address + s.size), None)
        if slab is None or not source.is_contiguous():
            source = self.empty(source.shape, source.dtype).copy_(source)
            slab, address = self._current, source.data_ptr()
        slab.live += 1
        self._sent.append(slab.number)
        place = slab.number, address - slab.address
        return _rebuild, (self._key, *place, tensor.dtype, tuple(tensor.shape), stride, tensor.requires_grad)


class Mirror:
    """The receiver's side."""

    def __init__(self, key):
        self._slabs = {}
        self._returned = collections.deque()
        _mirrors[key] = self

    def add(self, number, size, descriptor):
        """A slab that the sender has made."""
        slab = self._slabs[number] = _Slab(number, _core.shared_bytes(size, descriptor), self._returned)
        slab.memory.untyped_storage().close_descriptor()

    def drop(self, number):
        """A slab that the sender has given up."""
        del self._slabs[number]

    def returned(self):
        """The numbers for Arena.give_back."""
        return [self._returned.popleft() for _ in range(len(self._returned))]

    def tensor(self, number, *geometry):
        return self._slabs[number].tensor(*geometry)


def _rebuild(key, number, offset, dtype, shape, stride, requires_grad):
    made = _mirrors[key].tensor(number, offset, dtype, shape, stride)
    return made.requires_grad_() if requires_grad else made
