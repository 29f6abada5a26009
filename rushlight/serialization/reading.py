"""What the readers of PyTorch's formats share: the request, the pickle's evaluation, and new storages."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import rushlight
from rushlight.serialization import options
from rushlight.serialization.interpreter import Budget, Interpreter
from rushlight.serialization.locations import default_restore_location
from rushlight.serialization.resolver import Resolver
from rushlight.serialization.user_globals import registered

_SLACK = 48 << 20


@dataclass
class Request:
    """What the caller of `load` asked for."""

    restore: Callable[[Any, str], Any] = default_restore_location
    weights_only: bool = True
    path: Any = None  # of the file, if its storages are to be mapped
    registered: dict[str, Any] = field(default_factory=registered)
    encoding: str = "utf-8"
    errors: str = "strict"
    resolver: Resolver = field(init=False)  # of the pickle that was read: what it named

    def evaluate(self, interpreter: Interpreter, storage: Callable[[Any, Any, str, int], Any]) -> Any:
        """The value of the next pickle, whose tensors lie on what `storage` gives."""
        self.resolver = Resolver(interpreter, storage, self.restore, self.weights_only, self.registered)
        return interpreter.load(self.resolver)

    def interpreter(self, data: bytes | mmap.mmap, budget: Budget) -> Interpreter:
        """One for pickles in these bytes."""
        return Interpreter(data, budget, self.encoding, self.errors)


def budget_of(size: int) -> Budget:
    """What reading a file of this size may ask for."""
    return Budget(2 * size + _SLACK if options.settings.memory_limit is None else options.settings.memory_limit)


def swap_bytes(memory: Any, dtype: Any) -> None:
    """Reverses the bytes of every element of a uint8 tensor."""
    width = dtype.itemsize // (2 if dtype.is_complex else 1)
    if width > 1:
        whole = memory[: len(memory) // width * width].view(-1, width)
        whole.copy_(whole.flip(1))


def typed(memory: Any, dtype: Any, location: str, restore: Callable[[Any, str], Any]) -> Any:
    """The storage over a uint8 tensor, at its location."""
    storage = restore(memory.untyped_storage(), location)
    if isinstance(storage, rushlight.TypedStorage):
        storage = storage.untyped()
    return rushlight.TypedStorage(wrap_storage=storage, dtype=dtype)


def is_foreign(order: str) -> bool:
    """Whether bytes of this order ("little", "big" or "native") must be swapped."""
    return order not in ("native", sys.byteorder)


def unknown_format() -> RuntimeError:
    """The error for what is no checkpoint."""
    return RuntimeError(
        "[load] the file must be one of PyTorch's or a safetensors file. It is neither: Invalid magic number; corrupt "
        "file? Write or fetch it again."
    )


def map_file(path: str | os.PathLike[str]) -> memoryview:
    """The bytes of a file, which the system reads when they are used."""
    shared = options.get_default_mmap_options() == mmap.MAP_SHARED
    with open(path, "r+b" if shared else "rb") as file:
        access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
        return memoryview(mmap.mmap(file.fileno(), 0, access=access))


def zeros(size: int) -> memoryview:
    """That many zeros, which take no memory until they are written to."""
    return memoryview(mmap.mmap(-1, size))
