"""PyTorch's format before 1.6: five pickles in a row, the fourth of which is the value, and the storages behind."""

from __future__ import annotations

import io
import mmap
import pickle
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import rushlight
from rushlight.serialization import options
from rushlight.serialization.archive import damaged
from rushlight.serialization.interpreter import Interpreter
from rushlight.serialization.locations import default_restore_location
from rushlight.serialization.pickler import Pickler
from rushlight.serialization.reading import Request, budget_of, is_foreign, swap_bytes, typed, unknown_format
from rushlight.serialization.record import Record
from rushlight.serialization.resolver import Resolver

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


def write(obj: Any, file: BinaryIO, protocol: int) -> None:
    """Writes the old format."""
    system = {"protocol_version": _VERSION, "little_endian": sys.byteorder == "little"}
    system["type_sizes"] = {"short": 2, "int": 4, "long": 4}
    content = io.BytesIO()
    for value in (_MAGIC, _VERSION, system):
        pickle.dump(value, content, protocol)
    pickler = Pickler(content, protocol, views=True)
    pickler.dump(obj)
    storages = sorted(pickler.storages.items(), key=lambda item: item[0])
    pickle.dump([key for key, _, _ in storages], content, protocol)
    file.write(content.getbuffer())
    for _, dtype, memory in storages:
        file.write((len(memory) // dtype.itemsize).to_bytes(8, "little"))
        file.write(memory)


def read(file: BinaryIO, request: Request) -> Any:
    """The value of a file of the old format; the file's position is behind it afterwards.

    The storages come last. So the pickle is read twice: to learn which there are, then, when they are filled, for good.

    Raises RuntimeError if it is of another format, EOFError if it is cut off, UnpicklingError if a pickle is damaged or
    names what it must not.
    """
    if request.path is not None:
        raise RuntimeError(
            "[load] mmap=True wants a file of PyTorch's zip format. Received one of the format before 1.6. Save it "
            "anew, or load it without mmap."
        )
    start = file.tell()
    data = _content(file)
    budget = budget_of(len(data))
    interpreter = request.interpreter(data, budget)
    plain = Request(registered={})
    if plain.evaluate(interpreter, _no_storage) != _MAGIC or plain.evaluate(interpreter, _no_storage) != _VERSION:
        raise unknown_format()
    system = plain.evaluate(interpreter, _no_storage)
    little = not isinstance(system, dict) or system.get("little_endian") is not False
    begin = interpreter.at
    survey = _Survey(interpreter)
    interpreter.load(survey)
    keys = plain.evaluate(interpreter, _no_storage)
    storages = _Storages(interpreter, survey, keys, request.restore, is_foreign("little" if little else "big"))
    budget.left = budget.limit - storages.size  # the survey is gone
    end, interpreter.at = interpreter.at, begin
    value = request.evaluate(interpreter, storages.get)
    file.seek(start + end)
    return value


def _content(file: BinaryIO) -> bytes | mmap.mmap:
    """The file from its position on: mapped, if it is one of the file system's."""
    if file.tell() == 0:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (AttributeError, OSError, ValueError):
            pass  # no file of the system, or an empty one
    return file.read()


def _no_storage(*identity: Any) -> Any:
    raise unknown_format()


class _Survey(Resolver):
    """Reads a pickle for its storages alone: what is called or built is of no interest."""

    def __init__(self, interpreter: Interpreter) -> None:
        super().__init__(interpreter, self._enter, default_restore_location, weights_only=False, registered={})
        self.storages: dict[Any, tuple[Any, int]] = {}  # key -> dtype and number of elements

    def _enter(self, dtype: Any, key: Any, location: str, count: int) -> Any:
        return self.storages.setdefault(key, (dtype, count))

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        return Record("", "")

    def new(self, cls: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return Record("", "")

    def build(self, value: Any, state: Any) -> None:
        pass


class _Storages:
    """The storages behind the pickles, which begin where the interpreter stands."""

    def __init__(
        self, interpreter: Interpreter, survey: _Survey, keys: Any, restore: Callable[[Any, str], Any], foreign: bool
    ) -> None:
        self._restore = restore
        self._memory: dict[Any, Any] = {}
        self._found: dict[Any, Any] = {}
        self.size = 0
        content = memoryview(interpreter.data)
        for key in keys if type(keys) is list else [None]:
            if type(key) not in (str, int, bytes) or key not in survey.storages or key in self._memory:
                raise damaged(f"the list of its storages has a wrong entry {str(key)[:80]!r}.")
            dtype, count = survey.storages[key]
            stored = interpreter.unsigned(8) if interpreter.end - interpreter.at >= 8 else -1
            if stored != count or count * dtype.itemsize > interpreter.end - interpreter.at:
                raise damaged(f"the storage {str(key)[:80]} must have {count} elements, but is said to have {stored}.")
            size = count * dtype.itemsize
            interpreter.budget.spend(size)
            memory = self._memory[key] = rushlight.empty(size, dtype=rushlight.uint8)
            if size and not options.settings.skip_data:
                memoryview(memory)[:] = content[interpreter.at : interpreter.at + size]
            if foreign:
                swap_bytes(memory, dtype)
            interpreter.at += size
            self.size += size

    def get(self, dtype: Any, key: Any, location: str, count: int) -> Any:
        """The storage of a key."""
        if key not in self._found:
            if key not in self._memory:
                raise damaged(f"the storage {str(key)[:80]} is missing.")
            self._found[key] = typed(self._memory[key], dtype, location, self._restore)
        found = self._found[key]
        if count * dtype.itemsize > found.nbytes():
            raise damaged(f"the storage {str(key)[:80]} has {found.nbytes()} bytes, but is said to have more.")
        return found
