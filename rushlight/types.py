"""Names for annotations: what PyTorch's functions accept.

>>> isinstance(3.5, torch.types.Number)
True
"""

import builtins
import os
from collections.abc import Sequence
from typing import Any

from rushlight import Size, Tensor, device, dtype, layout, memory_format
from rushlight.storage import TypedStorage, UntypedStorage

_TensorOrTensors = Tensor | Sequence[Tensor]
_dtype = dtype
_device = device
_layout = layout
_size = Size | list[int] | tuple[int, ...]
_int = builtins.int
_float = builtins.float
_bool = builtins.bool
_complex = builtins.complex
_str = builtins.str

Number = int | float | bool
Device = device | str | int | None
FileLike = str | os.PathLike | Any
Storage = TypedStorage | UntypedStorage

__all__ = ["Device", "FileLike", "Number", "Storage", "memory_format"]
