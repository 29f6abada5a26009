"""What a pickle holds, as text, without running anything in it: ``python -m rushlight.utils.show_pickle FILE``."""

import fnmatch
import pickle
import pprint
import sys
import zipfile

__all__ = ["DumpUnpickler", "FakeClass", "FakeObject", "main"]


class FakeObject:
    """Stands for an object that the pickle would have made."""

    def __init__(self, module, name, args):
        self.module = module
        self.name = name
        self.args = args
        self.state = None

    def __repr__(self):
        state = "" if self.state is None else f"(state={self.state!r})"
        return f"{self.module}.{self.name}{self.args!r}{state}"

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):  # of an object that is a dict
        self.state = {**(self.state or {}), key: value}

    def append(self, value):  # and of one that is a list
        self.state = [*(self.state or []), value]

    def extend(self, values):
        self.state = [*(self.state or []), *values]


class FakeClass:
    """Stands for a class or function that the pickle names; calling it makes a FakeObject."""

    def __init__(self, module, name):
        self.module = module
        self.name = name
        self.__new__ = lambda cls, *args: FakeObject(module, name, args)

    def __repr__(self):
        return f"{self.module}.{self.name}"

    def __call__(self, *args):
        return FakeObject(self.module, self.name, args)


class DumpUnpickler(pickle._Unpickler):  # the one in Python: the one in C insists on real classes
    """Reads a pickle with fake objects in place of all that is no plain Python value.

    >>> import io, pickle
    >>> from rushlight.utils.show_pickle import DumpUnpickler
    >>> from collections import Counter
    >>> DumpUnpickler(io.BytesIO(pickle.dumps([1, Counter]))).load()
    [1, collections.Counter]
    """

    def __init__(self, file, *, catch_invalid_utf8=False, **kwargs):
        super().__init__(file, errors="replace" if catch_invalid_utf8 else "strict", **kwargs)

    def find_class(self, module, name):
        return FakeClass(module, name)

    def persistent_load(self, pid):
        return FakeObject("pers", "obj", (pid,))

    @classmethod
    def dump(cls, in_stream, out_stream):
        """Prints the pickle in one stream to the other (None: standard output), and returns it."""
        value = cls(in_stream).load()
        pprint.pprint(value, stream=out_stream)
        return value


_USAGE = """usage: show_pickle PICKLE_FILE
  PICKLE_FILE can be any of:
    path to a pickle file
    file.zip@member.pkl
    file.zip@*/pattern.*
      (shell glob pattern for members; the first match is shown)
"""


def main(argv, output_stream=None):
    """Shows the pickle that argv[1] names; returns the exit status."""
    if len(argv) != 2:
        sys.stderr.write(_USAGE)
        return 2
    path, _, member = argv[1].partition("@")
    if not member:
        with open(path, "rb") as file:
            DumpUnpickler.dump(file, output_stream)
        return 0
    with zipfile.ZipFile(path) as archive:
        names = fnmatch.filter(archive.namelist(), member)
        if not names:
            raise FileNotFoundError(f"[show_pickle] {path} must have a member that matches {member}.")
        with archive.open(names[0]) as file:
            DumpUnpickler.dump(file, output_stream)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
