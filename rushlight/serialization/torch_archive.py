"""PyTorch's format since 1.6: a zip archive of a pickle and, in a record each, the storages that it refers to."""

from __future__ import annotations

import io
import sys
from typing import Any, BinaryIO

import rushlight
from rushlight.serialization import options
from rushlight.serialization.archive import ALIGNMENT, ArchiveReader, ArchiveWriter, damaged
from rushlight.serialization.interpreter import Budget
from rushlight.serialization.pickler import Pickler
from rushlight.serialization.reading import Request, budget_of, is_foreign, map_file, swap_bytes, typed, zeros

FIRST_BYTES = b"PK\3\4"
_ORDERS = {options.LoadEndianness.LITTLE: "little", options.LoadEndianness.BIG: "big", None: "little"}


def write(obj: Any, file: BinaryIO, folder: str, protocol: int, byteorder_record: bool = True) -> None:
    """Writes an archive whose records lie in this folder."""
    content = io.BytesIO()
    pickler = Pickler(content, protocol)
    pickler.dump(obj)
    archive = ArchiveWriter(file, folder, options.get_crc32_options())
    archive.write("data.pkl", content.getbuffer())
    archive.write(".format_version", b"1")  # the storages come in the order of their keys
    archive.write(".storage_alignment", str(ALIGNMENT).encode())
    if byteorder_record:
        archive.write("byteorder", sys.byteorder.encode())
    for key, _, memory in pickler.storages.items():
        if options.settings.skip_data:
            archive.write_zeros(f"data/{key}", len(memory))
        else:
            archive.write(f"data/{key}", memory)
    archive.write("version", b"3\n")
    archive.write(".data/serialization_id", archive.identity())
    archive.close()


def read(file: BinaryIO, request: Request) -> Any:
    """The value of an archive.

    Raises RuntimeError if the archive is damaged, UnpicklingError if its pickle is, or names what it must not.
    """
    archive = ArchiveReader(file)
    if "constants.pkl" in archive:
        raise RuntimeError(
            "[load] the file must hold data. Received a TorchScript archive, which holds a program. Save the module's "
            "state_dict() instead."
        )
    budget = budget_of(archive.size)
    storages = _Storages(archive, budget, request)
    budget.spend(archive.find("data.pkl").size)
    return request.evaluate(request.interpreter(archive.read("data.pkl"), budget), storages.get)


class _Storages:
    """Reads or maps the storages of an archive, each once."""

    def __init__(self, archive: ArchiveReader, budget: Budget, request: Request) -> None:
        self._archive, self._budget, self._restore = archive, budget, request.restore
        self._found: dict[str, Any] = {}
        order = _ORDERS.get(options.get_default_load_endianness(), "native")
        if "byteorder" in archive:
            order = archive.read("byteorder").decode("latin1")
            if order not in ("little", "big"):
                raise ValueError(f"[load] byteorder must be little or big. Received {order[:40]!r}.")
        self._foreign = is_foreign(order)
        self._mapped = None if request.path is None else map_file(request.path)
        if options.settings.skip_data:
            self._mapped = zeros(archive.size)

    def get(self, dtype: Any, key: Any, location: str, count: int) -> Any:
        """The storage of a key; the first to ask for it says its dtype."""
        size = count * dtype.itemsize
        found = self._found.get(key)
        if found is None:
            memory = self._memory(f"data/{key}", size, dtype.itemsize)
            if self._foreign:
                swap_bytes(memory, dtype)
            found = self._found[key] = typed(memory, dtype, location, self._restore)
        elif found.nbytes() < size:
            raise damaged(f"the storage {key} has {found.nbytes()} bytes, but is said to have {size}.")
        return found

    def _memory(self, name: str, size: int, width: int) -> Any:
        place = self._archive.find(name)
        if not size <= place.size < size + width:  # a storage of bytes may end within an element
            raise damaged(f"the record {name[:80]!r} has {place.size} bytes, but is said to have {size}.")
        if self._mapped is not None and place.size and place.start % 16 == 0:
            return rushlight._core.from_buffer(self._mapped[place.start : place.start + place.size])
        self._budget.spend(place.size)
        memory = rushlight.empty(place.size, dtype=rushlight.uint8)
        if place.size:
            self._archive.read_into(place.start, memoryview(memory))
        return memory
