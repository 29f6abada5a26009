"""`FileBaton`: of several processes, one at a time."""

import os
import time
import warnings

__all__ = ["FileBaton"]


class FileBaton:
    """A file that exists while a process holds the baton.

    Args:
        lock_file_path (str): the file.
        wait_seconds (float): `wait` looks this often.
        warn_after_seconds (float): `wait` warns, once, after this time.

    >>> import os, tempfile
    >>> from rushlight.utils.file_baton import FileBaton
    >>> baton = FileBaton(os.path.join(tempfile.mkdtemp(), "lock"))
    >>> baton.try_acquire(), baton.try_acquire()
    (True, False)
    >>> baton.release()
    """

    def __init__(self, lock_file_path, wait_seconds=0.1, warn_after_seconds=None):
        self.lock_file_path = lock_file_path
        self.wait_seconds = wait_seconds
        self.warn_after_seconds = warn_after_seconds
        self.fd = None

    def try_acquire(self):
        """Takes the baton and returns True, or False where somebody holds it."""
        try:
            self.fd = os.open(self.lock_file_path, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        return True

    def wait(self):
        """Waits until nobody holds the baton."""
        start, warn_after = time.monotonic(), self.warn_after_seconds
        while os.path.exists(self.lock_file_path):
            time.sleep(self.wait_seconds)
            if warn_after is not None and time.monotonic() - start > warn_after:
                warnings.warn(
                    f'[FileBaton] Waited on lock file "{self.lock_file_path}" for {warn_after} seconds. If its process '
                    "is gone, delete it.",
                    stacklevel=2,
                )
                warn_after = None

    def release(self):
        """Gives the baton back."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
        os.remove(self.lock_file_path)
