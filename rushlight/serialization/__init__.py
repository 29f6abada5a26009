"""Saving and loading: PyTorch's `.pt` files and safetensors. A file is data; none ever runs code here.

`load` tells the formats apart by their content:

* PyTorch's, since 1.6: a zip archive of a pickle and storages (`torch_archive`, `archive`, `pickler`).
* PyTorch's before: pickles in a row and storages behind them (`legacy`).
* `safetensors`: a JSON header and tensors.

Pickles are read by an interpreter of ours (`interpreter`) that imports nothing. What a file names is looked up in a
short table (`constructions`), among the classes that you registered (`safe_globals`) and Rushlight's own modules; all
else becomes an inert `Record` (`resolver`, docs/decisions/0017).
"""

from __future__ import annotations

import codecs
import io
import os
import pickle
import warnings
from typing import Any, BinaryIO

from rushlight.serialization.locations import (
    StorageType,
    default_restore_location,
    location_tag,
    normalize_storage_type,
    register_package,
    restore_function,
    storage_to_tensor_type,
    validate_cuda_device,
    validate_hpu_device,
)
from rushlight.serialization.options import (
    LoadEndianness,
    SourceChangeWarning,
    check_module_version_greater_or_equal,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    memory_limit,
    mkdtemp,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    settings,
    skip_data,
)
from rushlight.serialization.record import Record, Reference
from rushlight.serialization.user_globals import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    registered,
    safe_globals,
)

__all__ = [
    "save", "load", "Record", "Reference",
    "add_safe_globals", "clear_safe_globals", "get_safe_globals", "get_unsafe_globals_in_checkpoint", "safe_globals",
    "LoadEndianness", "get_default_load_endianness", "set_default_load_endianness",
    "get_crc32_options", "set_crc32_options", "get_default_mmap_options", "set_default_mmap_options",
    "memory_limit", "skip_data",
    "StorageType", "default_restore_location", "location_tag", "normalize_storage_type", "register_package",
    "storage_to_tensor_type", "validate_cuda_device", "validate_hpu_device",
    "SourceChangeWarning", "check_module_version_greater_or_equal", "mkdtemp",
]  # fmt: skip

DEFAULT_PROTOCOL = 2


def save(
    obj: Any,
    f: str | os.PathLike[str] | BinaryIO,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Writes an object to a file that PyTorch reads too. A path is written atomically: whole or not at all.

    Tensors keep dtype, strides, and the storages they share; modules are written by the name of their class, with
    PyTorch's names for those of `torch.nn`. A name that ends in ".safetensors" chooses that format: then `obj` is a
    state dict, or any nesting of dicts, lists and tuples with tensors, numbers, strings and None in it, and a view is
    stored without the rest of its storage.

    Args:
        obj: what can be pickled.
        f: a path, or a binary file to write to.
        pickle_module: Python's pickle; no other.
        pickle_protocol: 1 to 5. PyTorch's `weights_only=True` reads 2.
        _use_new_zipfile_serialization: False writes PyTorch's format before 1.6, which cannot be mapped.

    Raises:
        TypeError, AttributeError, pickle.PicklingError: if `obj` holds what cannot be pickled.
        RuntimeError: if the folder of the path does not exist.
        ValueError: for another pickle_module or protocol.

    Example::

      >>> import io
      >>> file = io.BytesIO()
      >>> torch.save({"weight": torch.ones(2), "epoch": 3}, file)
      >>> position = file.seek(0)
      >>> torch.load(file)
      {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if pickle_module is not None and pickle_module is not pickle:
        raise ValueError(
            f"[save] pickle_module must be Python's pickle: what others write is code. Received "
            f"{getattr(pickle_module, '__name__', pickle_module)}. Leave the argument out."
        )
    if settings.skip_data and not _use_new_zipfile_serialization:
        raise RuntimeError("[save] skip_data wants the zip format. Received _use_new_zipfile_serialization=False.")
    is_path = isinstance(f, (str, os.PathLike))
    if not is_path and not hasattr(f, "write"):
        raise AttributeError(
            f"[save] f must be a path or a binary file with a 'write' attribute. Received {type(f).__name__}."
        )
    name = os.fspath(f) if is_path else getattr(f, "name", "")  # type: ignore[arg-type]
    name = name if isinstance(name, str) else ""

    def write(file: BinaryIO) -> None:
        if name.endswith(".safetensors"):
            from rushlight.serialization import safetensors

            safetensors.write(obj, file)
        elif _use_new_zipfile_serialization:
            from rushlight.serialization import torch_archive

            torch_archive.write(obj, file, _folder(name), pickle_protocol, not _disable_byteorder_record)
        else:
            from rushlight.serialization import legacy

            legacy.write(obj, file, pickle_protocol)

    if not is_path:
        write(f)  # type: ignore[arg-type]
        return
    from rushlight.atomic_file import open_atomic

    folder = os.path.dirname(name)
    if folder and not os.path.isdir(folder):
        raise RuntimeError(f"[save] Parent directory {folder} does not exist. Make it first: os.makedirs({folder!r}).")
    with open_atomic(name) as file:
        write(file)


def _folder(name: str) -> str:
    """The folder within an archive: named as the file."""
    stem = os.path.splitext(os.path.basename(name))[0]
    return stem if stem.isascii() and stem.isprintable() and stem.strip(". \\") else "archive"


def load(
    f: str | os.PathLike[str] | BinaryIO,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Reads a file of PyTorch (zip, or the older format) or a safetensors file. No code of the file is run, ever.

    Classes that a file names are rebuilt only if they are known to be plain data, or are yours and registered with
    `torch.serialization.add_safe_globals`. With ``weights_only=False`` modules of `torch.nn` are rebuilt too, and all
    else becomes a `torch.serialization.Record`, whose `state_dict()` gives the tensors of a module.

    Args:
        f: a path, or a binary file to read from.
        map_location: where storages go: a device, its name, a dict from location to location, or a function of storage
            and location. None: where they came from.
        pickle_module: accepted for PyTorch's sake; the file is read by no pickle module.
        weights_only: whether other classes and functions are errors. None is True.
        mmap: whether the tensors lie in the file until they are written to; `f` must be a path. None is False.
        pickle_load_args: `encoding` and `errors` for the byte strings of Python 2.

    Raises:
        pickle.UnpicklingError: if the pickle is damaged, or names what weights_only forbids.
        EOFError: if the file is empty, or a pickle in it is cut off.
        RuntimeError: if the file is damaged, of another format, or of a device that is not there.

    Example::

      >>> import io
      >>> torch.load(io.BytesIO(b"x"))  # doctest: +ELLIPSIS
      Traceback (most recent call last):
      RuntimeError: [load] the file must be one of PyTorch's or a safetensors file. It is neither: ...
    """
    from rushlight.serialization.reading import Request

    if weights_only and pickle_module is not None:
        raise RuntimeError(
            "[load] Can not safely load weights when explicit pickle_module is specified. Leave pickle_module out."
        )
    encoding, errors = pickle_load_args.pop("encoding", "utf-8"), pickle_load_args.pop("errors", "strict")
    if pickle_load_args.pop("fix_imports", True) is not True or pickle_load_args:
        raise TypeError(f"[load] the arguments of pickle are encoding and errors. Received {sorted(pickle_load_args)}.")
    if encoding != "bytes":
        codecs.lookup(encoding)
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("[load] f must be a file path in order to use the mmap argument. Received a file object.")
    request = Request(
        restore=restore_function(map_location),
        weights_only=_weights_only(weights_only, pickle_module),
        path=f if mmap else None,
        encoding=encoding,
        errors=errors,
    )
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return read(file, request)
    if not hasattr(f, "read"):
        raise AttributeError(
            f"[load] f must be a path or a binary file with a 'read' attribute. Received {type(f).__name__}."
        )
    return read(f if getattr(f, "seekable", lambda: True)() else io.BytesIO(f.read()), request)


def _weights_only(wanted: bool | None, pickle_module: Any) -> bool:
    """The argument, or what the environment says in its place, as in PyTorch."""
    force, force_no = (
        os.environ.get(name, "0").lower() in ("1", "y", "yes", "true")
        for name in ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    )
    if force and force_no:
        raise RuntimeError(
            "[load] TORCH_FORCE_WEIGHTS_ONLY_LOAD or TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD may be set, not both. Unset one."
        )
    if force:
        return True
    if wanted is None and force_no:
        warnings.warn("[load] TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set: weights_only is False.", stacklevel=3)
        return False
    return pickle_module is None if wanted is None else bool(wanted)


def read(file: BinaryIO, request: Any) -> Any:
    """The value of a file, whatever its format."""
    return format_of(file)[1](file, request)


def format_of(file: BinaryIO) -> tuple[str, Any]:
    """The name of a file's format, by its first bytes, and the function that reads it."""
    start = file.tell()
    file.seek(start)
    first = file.read(16)
    file.seek(start)
    if not isinstance(first, bytes):
        raise TypeError('[load] f must be a binary file. Received one of text. Open it with "rb".')
    if not first:
        raise EOFError("[load] the file must hold something: Ran out of input. It is empty. Write or fetch it again.")
    if first.startswith(b"PK\3\4"):
        from rushlight.serialization import torch_archive

        return "PyTorch (zip)", torch_archive.read
    length = int.from_bytes(first[:8], "little")
    if first[8:9] == b"{" or (length < 2**32 and first[:1] != b"\x80" and len(first) > 8):
        from rushlight.serialization import safetensors

        return "safetensors", safetensors.read
    if first[:1] == b"\x80" or first.startswith(b"L11954703714603"):
        from rushlight.serialization import legacy

        return "PyTorch (before 1.6)", legacy.read
    from rushlight.serialization.reading import unknown_format

    raise unknown_format()


def get_unsafe_globals_in_checkpoint(f: str | os.PathLike[str] | BinaryIO) -> list[str]:
    """The classes and functions that a file names and `load(weights_only=True)` would refuse.

    Raises ValueError for what is no file of `torch.save`.
    """
    from rushlight.serialization.inspect import examine

    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    start = f.tell()
    is_zip = f.read(4) == b"PK\3\4"
    f.seek(start)
    if not is_zip:
        raise ValueError("[get_unsafe_globals_in_checkpoint] f must be a checkpoint returned by torch.save. It is not.")
    mine = registered()
    return [name for name, kind in examine(f).names.items() if kind != "data" and name not in mine]
