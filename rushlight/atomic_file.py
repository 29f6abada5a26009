"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def open_atomic(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file for writing that takes its place at ``path`` when the ``with`` block ends well.

    Until then, and for ever if the block raises, whoever opens ``path`` sees what was there before.
    """
    target = os.path.realpath(path)  # through a link, the file is replaced, not the link
    if os.path.exists(target) and not os.path.isfile(target):  # a pipe or a device is written to, never replaced
        with open(target, "wb") as file:
            yield file
        return
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix="." + os.path.basename(target))
    try:
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is private; the result gets the permissions that any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
