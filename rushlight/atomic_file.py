"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def open_atomic(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file for writing that takes its place at ``path`` when the ``with`` block ends well.

    Until then, and for ever if the block raises or the process is killed, whoever opens ``path`` sees what was there
    before.
    """
    target = os.path.realpath(path)  # through a link, the file is replaced, not the link
    if os.path.exists(target) and not os.path.isfile(target):  # a pipe or a device is written to, never replaced
        with open(target, "wb") as file:
            yield file
        return
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.urandom(8).hex()}")
    unnamed = _open_unnamed(folder)
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666) if unnamed is None else unnamed
    try:
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
            if unnamed is not None:  # src_dir_fd has no meaning here, but makes link() follow the link of /proc
                os.link(f"/proc/self/fd/{handle}", temporary, src_dir_fd=handle, follow_symlinks=True)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _open_unnamed(folder: str) -> int | None:
    """A file without a name, of which nothing is left if the process is killed; None where there are no such files."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError:  # not on this file system, or there is no such folder, which the next attempt will say
        return None
