"""Settings of `torch.save` and `torch.load`."""

from __future__ import annotations

import contextlib
import enum
import mmap
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from typing import Any


class SourceChangeWarning(Warning):
    """PyTorch's warning for a class whose source changed since it was saved. Never issued here: no source is read."""


class LoadEndianness(enum.Enum):
    """The byte order of files that do not tell theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class _Settings(threading.local):
    """Of a thread: what the context managers below change."""

    skip_data = False
    memory_limit: int | None = None


settings = _Settings()
_endianness: LoadEndianness | None = None
_checksums = True
_mmap_flags = mmap.MAP_PRIVATE


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order of files that do not tell theirs; None means little endian."""
    return _endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Sets the byte order of files that do not tell theirs. Raises TypeError for what is no `LoadEndianness`."""
    global _endianness
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError(
            f"[set_default_load_endianness] a LoadEndianness or None is wanted. Received {type(endianness).__name__}."
        )
    _endianness = endianness


def get_crc32_options() -> bool:
    """Whether `save` computes checksums."""
    return _checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Sets whether `save` computes checksums. Without them damage goes unseen, and other zip readers complain."""
    global _checksums
    _checksums = bool(compute_crc32)


def get_default_mmap_options() -> int:
    """How `load(mmap=True)` maps a file: `mmap.MAP_PRIVATE`, or `mmap.MAP_SHARED`."""
    return _mmap_flags


class set_default_mmap_options:
    """Sets how `load(mmap=True)` maps a file; as a context manager, for the time of the `with` block.

    Args:
        flags: `mmap.MAP_PRIVATE`: writes to a tensor stay in memory. `mmap.MAP_SHARED`: they change the file.

    Raises:
        ValueError: for other flags.

    >>> import mmap
    >>> with torch.serialization.set_default_mmap_options(mmap.MAP_SHARED):
    ...     torch.serialization.get_default_mmap_options() == mmap.MAP_SHARED
    True
    """

    def __init__(self, flags: int) -> None:
        global _mmap_flags
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                f"[set_default_mmap_options] flags must be mmap.MAP_PRIVATE or mmap.MAP_SHARED. Received {flags}."
            )
        self._before = _mmap_flags
        _mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        global _mmap_flags
        _mmap_flags = self._before


class skip_data:
    """Within this context `save` leaves the tensors' bytes out (zeros are in their places); `load` does not read them.

    Args:
        materialize_fake_tensors: accepted for PyTorch's sake; there are no fake tensors here.

    >>> import io
    >>> file = io.BytesIO()
    >>> with torch.serialization.skip_data():
    ...     torch.save(torch.ones(2), file)
    >>> position = file.seek(0)
    >>> torch.load(file)
    tensor([0., 0.])
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> None:
        self._before = settings.skip_data
        settings.skip_data = True

    def __exit__(self, *exception: Any) -> None:
        settings.skip_data = self._before


class memory_limit:
    """Within this context `load` may ask for this many bytes, instead of twice the file and 48 MiB.

    The limit keeps a small file from filling the memory. An honest file reaches it only if it holds millions of Python
    objects. (An addition to PyTorch's API.)

    >>> with torch.serialization.memory_limit(2**40):
    ...     pass
    """

    def __init__(self, bytes: int) -> None:
        self.bytes = bytes

    def __enter__(self) -> None:
        self._before = settings.memory_limit
        settings.memory_limit = self.bytes

    def __exit__(self, *exception: Any) -> None:
        settings.memory_limit = self._before


@contextlib.contextmanager
def mkdtemp() -> Iterator[str]:
    """A new folder that is removed at the end of the `with` block."""
    path = tempfile.mkdtemp()
    try:
        yield path
    finally:
        shutil.rmtree(path)


def check_module_version_greater_or_equal(
    module: Any, req_version_tuple: tuple[int, ...], error_if_malformed: bool = True
) -> bool:
    """Whether a module's `__version__` is at least the one asked for.

    Raises RuntimeError for a version that cannot be compared; with error_if_malformed=False it counts as new enough.

    >>> import json
    >>> torch.serialization.check_module_version_greater_or_equal(json, (2, 0))
    True
    """
    numbers = re.match(r"\d+(\.\d+)*", str(module.__version__))
    if numbers is None:
        if error_if_malformed:
            raise RuntimeError(
                f"[check_module_version_greater_or_equal] '{module.__name__}' must have a version of numbers. Received "
                f"{module.__version__!r}."
            )
        return True
    return tuple(int(number) for number in numbers[0].split(".")) >= tuple(req_version_tuple)
