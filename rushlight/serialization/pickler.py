"""Pickles as PyTorch writes them: tensors by storage and strides, and our classes under PyTorch's names."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Iterator
from types import FunctionType
from typing import Any, ClassVar, NamedTuple

import rushlight
from rushlight.serialization import own_modules
from rushlight.serialization.locations import location_tag
from rushlight.type_info import defining_module


class _Name:
    """A function of PyTorch, which need not be there: only its name is written."""

    def __init__(self, path: str) -> None:
        self.module, _, self.name = path.rpartition(".")

    def __call__(self) -> None:  # pickle wants something that can be called
        raise TypeError(f"{self.module}.{self.name} is a name alone")


_tensor_v2 = _Name("torch._utils._rebuild_tensor_v2")
_tensor_v3 = _Name("torch._utils._rebuild_tensor_v3")
_sparse = _Name("torch._utils._rebuild_sparse_tensor")
_parameter = _Name("torch._utils._rebuild_parameter")
_parameter_with_state = _Name("torch._utils._rebuild_parameter_with_state")
_from_type = _Name("torch._tensor._rebuild_from_type_v2")
_get_layout = _Name("torch.serialization._get_layout")
_storage_classes = {dtype: _Name(f"torch.{name}") for name, dtype in rushlight.storage.CLASSES.items()}


class _Stored(NamedTuple):
    """A tensor's storage, under the dtype by which files know it."""

    storage: Any
    dtype: Any


class StorageTable:
    """The storages that a pickle refers to, numbered in the order in which it meets them."""

    def __init__(self) -> None:
        self._found: dict[Any, tuple[str, Any, Any]] = {}

    def dtype_of(self, storage: Any, dtype: Any) -> Any:
        """The dtype under which a file knows a storage: the first that it is met under, or bytes if it is too wide."""
        return self._enter(storage, dtype)[1]

    def identify(self, storage: Any, dtype: Any) -> tuple[Any, ...]:
        """The persistent id of a storage."""
        key, dtype, _ = self._enter(storage, dtype)
        return "storage", _storage_classes[dtype], key, location_tag(storage), storage.nbytes() // dtype.itemsize

    def _enter(self, storage: Any, dtype: Any) -> tuple[str, Any, Any]:
        size = storage.nbytes()
        if size % dtype.itemsize:
            dtype = rushlight.uint8
        identity = (storage.data_ptr(), size) if size else dtype
        return self._found.setdefault(identity, (str(len(self._found)), dtype, storage))

    def items(self) -> Iterator[tuple[str, Any, memoryview]]:
        """The number, dtype and memory of each."""
        for key, dtype, storage in self._found.values():
            yield key, dtype, memoryview(storage.tensor()) if storage.nbytes() else memoryview(b"")


class Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Python's pickler in Python, whose methods can be replaced; the one in C writes no name that it cannot import."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, file: io.BytesIO, protocol: int, views: bool = False) -> None:
        if not 1 <= protocol <= pickle.HIGHEST_PROTOCOL:
            raise ValueError(
                f"[save] pickle_protocol must be 1 to {pickle.HIGHEST_PROTOCOL}: 0 cannot refer to storages. Received "
                f"{protocol}."
            )
        super().__init__(file, protocol)
        self.storages = StorageTable()
        self._view = (None,) if views else ()  # the old format's place for views among storages

    def dump(self, obj: Any) -> None:
        """Writes the pickle of a value. Raises TypeError or PicklingError for what cannot be pickled."""
        try:
            super().dump(obj)
        except RecursionError:
            raise RecursionError(
                "[save] the object must not be nested too deeply: pickle gives up. Save its state_dict(), or raise the "
                "limit with sys.setrecursionlimit()."
            ) from None

    def persistent_id(self, obj: Any) -> Any:
        """Storages lie outside of the pickle."""
        if type(obj) in _PLAIN:
            return None
        if type(obj) is _Stored:
            return self.storages.identify(obj.storage, obj.dtype) + self._view
        if isinstance(obj, rushlight.TypedStorage):
            return self.storages.identify(obj.untyped(), obj.dtype) + self._view
        if isinstance(obj, rushlight.UntypedStorage):
            return self.storages.identify(obj, rushlight.uint8) + self._view
        return None

    def reducer_override(self, obj: Any) -> Any:
        """How our objects are taken apart; NotImplemented for all others."""
        if type(obj) in _PLAIN:
            return NotImplemented
        if isinstance(obj, rushlight.Tensor):
            return self._reduce_tensor(obj)
        if isinstance(obj, rushlight.layout):
            return _get_layout, (str(obj),)
        if isinstance(obj, rushlight.nn.Module):
            return own_modules.reduce(obj, self.proto)
        return NotImplemented

    def _reduce_tensor(self, tensor: Any) -> Any:
        reduce = type(tensor).__reduce_ex__
        state = dict(tensor.__dict__)
        if tensor.layout is not rushlight.strided:
            return _sparse, (tensor.layout, _sparse_parts(tensor))
        if reduce is rushlight.nn.Parameter.__reduce_ex__:
            function = _parameter_with_state if state else _parameter
            return function, (tensor.data, tensor.requires_grad, OrderedDict(), state)[: 4 if state else 3]
        if reduce not in (rushlight.Tensor.__reduce_ex__, rushlight.nn.Buffer.__reduce_ex__):
            return NotImplemented  # of a kind with a way of its own
        function, arguments = self._strided_parts(tensor)
        kind = type(tensor)
        if kind is rushlight.nn.Buffer:  # in PyTorch, a tensor with a mark
            kind, state["_is_buffer"] = rushlight.Tensor, True
        if kind is rushlight.Tensor and not state:
            return function, arguments
        return _from_type, (function, kind, arguments, state)

    def _strided_parts(self, tensor: Any) -> tuple[Any, tuple[Any, ...]]:
        storage, dtype = tensor.untyped_storage(), tensor.dtype
        place = (
            tensor.storage_offset(),
            tuple(tensor.shape),
            tuple(tensor.stride()),
            tensor.requires_grad,
            OrderedDict(),
        )
        known = self.storages.dtype_of(storage, dtype)
        stored = _Stored(storage, known)
        return (_tensor_v2, (stored, *place)) if known == dtype else (_tensor_v3, (stored, *place, dtype))

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Writes a name as PyTorch has it; names of others as pickle does, which checks that they can be imported."""
        if type(obj) is _Name:
            module, name = obj.module, obj.name
        else:
            name = name or getattr(obj, "__qualname__", None) or obj.__name__
            module = defining_module(obj)
            if module.split(".")[0] != "rushlight" or "<locals>" in name:
                super().save_global(obj, name)
                return
            module = own_modules.torch_home(obj, module, name)
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)

    dispatch[_Name] = dispatch[FunctionType] = dispatch[rushlight._core.Offered] = save_global


_PLAIN = frozenset((type(None), bool, int, float, str, bytes, tuple, list, dict, OrderedDict, _Name, type))


def _sparse_parts(tensor: Any) -> tuple[Any, ...]:
    *indices, _ = (part.detach() for part in tensor._named_parts().values())
    more = (tensor.is_coalesced(),) if tensor.layout is rushlight.sparse_coo else ()
    return (*indices, tensor._values().detach(), tensor.shape, *more)
