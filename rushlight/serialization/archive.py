"""Zip archives of stored (never compressed) records, as PyTorch's files are: written in one pass, read with suspicion.

A reader of its own, because every number in a file is a claim. `zipfile` keeps an object of half a kilobyte for each
of them before it is checked, takes the second of two entries with one name, and does not say where a record's bytes
lie, which mapping needs. Formats: PKWARE's APPNOTE 6.3.9.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

ALIGNMENT = 64  # of a record's first byte, so that mapped storages suit every dtype and vector
_CHUNK = 1 << 20  # checksummed while it is in the cache

_LOCAL = struct.Struct("<4s5H3I2H")  # magic, version, flags, method, time, date, crc, stored, size, name, extra
_CENTRAL = struct.Struct("<4s6H3I5H2I")  # magic, made by, then as _LOCAL; comment, disk, attributes, local header
_END = struct.Struct("<4s4H2IH")  # magic, disks, entries twice, size and start of the directory, comment
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_FLAGS = 0x0808  # sizes follow the data; names are UTF-8
_NONE32 = 0xFFFFFFFF  # "see the 64 bit field"
_ENTRY_LIMIT = 500_000


class ArchiveWriter:
    """Writes records one after the other to a file, which need not be seekable; `close` adds the directory."""

    def __init__(self, file: BinaryIO, folder: str, checksums: bool = True) -> None:
        self._file, self._folder, self._checksums = file, folder, checksums
        self._end = 0  # counted, because the file may not know
        self._directory: list[bytes] = []

    def _put(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._end += memoryview(data).nbytes

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Adds a record of these bytes."""
        view = memoryview(data).cast("B")
        self.write_chunks(name, len(view), (view[at : at + _CHUNK] for at in range(0, len(view), _CHUNK)))

    def write_zeros(self, name: str, size: int) -> None:
        """Adds a record of this many zeros."""
        zeros = memoryview(bytes(min(size, _CHUNK)))
        self.write_chunks(name, size, (zeros[: size - at] for at in range(0, size, _CHUNK)))

    def write_chunks(self, name: str, size: int, chunks: Iterator[memoryview]) -> None:
        """Adds a record of `size` bytes that arrive in pieces."""
        path = f"{self._folder}/{name}".encode()
        start, wide = self._end, size >= _NONE32
        sizes = struct.pack("<HHQQ", 1, 16, size, size) if wide else b""
        padding = -(start + _LOCAL.size + len(path) + len(sizes) + 4) % ALIGNMENT
        extra = sizes + struct.pack("<HH", 0x4246, padding) + b"Z" * padding
        flags = _FLAGS if size else _FLAGS & ~8
        claim = _NONE32 if wide else 0
        version = 45 if wide else 20
        self._put(
            _LOCAL.pack(b"PK\3\4", version, flags, 0, 0, 0, 0, claim, claim, len(path), len(extra)) + path + extra
        )
        crc = 0
        for chunk in chunks:
            if self._checksums:
                crc = zlib.crc32(chunk, crc)
            self._put(chunk)
        if size:  # as PyTorch, which computes where the next record lies
            self._put(struct.pack("<4sIQQ" if wide else "<4sIII", b"PK\7\10", crc, size, size))
        far = [x for x in (size, size, start) if x >= _NONE32]
        more = struct.pack(f"<HH{len(far)}Q", 1, 8 * len(far), *far) if far else b""
        short, place = min(size, _NONE32), min(start, _NONE32)
        version = 45 if far else 20
        sizes = (short, short, len(path), len(more))
        entry = _CENTRAL.pack(b"PK\1\2", 0, version, flags, 0, 0, 0, crc, *sizes, 0, 0, 0, 0, place)
        self._directory.append(entry + path + more)

    def identity(self) -> bytes:
        """40 digits that tell this content from another: made of the names, sizes and checksums so far."""
        digest = hashlib.blake2b(b"".join(entry[16:28] + entry[46:] for entry in self._directory)).digest()
        return b"%040d" % (int.from_bytes(digest, "little") % 10**40)

    def close(self) -> None:
        """Writes the directory. The file stays open."""
        start, count = self._end, len(self._directory)
        for entry in self._directory:
            self._put(entry)
        size, end = self._end - start, self._end
        if count > 0xFFFE or end >= _NONE32:
            self._put(_END64.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start))
            self._put(_LOCATOR64.pack(b"PK\6\7", 0, end, 1))
        short = min(count, 0xFFFF)
        self._put(_END.pack(b"PK\5\6", 0, 0, short, short, min(size, _NONE32), min(start, _NONE32), 0))


def damaged(text: str) -> RuntimeError:
    """The error for a file that does not hold what it says."""
    return RuntimeError(f"[load] {text} The file is damaged or incomplete: write or fetch it again.")


def read_fully(file: BinaryIO, memory: memoryview) -> None:
    """Fills the memory from a file, which may give less at a time. Raises RuntimeError if it ends before."""
    filled = 0
    while filled < len(memory):
        if hasattr(file, "readinto"):
            count = file.readinto(memory[filled:])
        else:
            part = file.read(min(_CHUNK, len(memory) - filled))
            count = len(part)
            memory[filled : filled + count] = part
        if not count:
            raise damaged(f"it ends {len(memory) - filled} bytes too early.")
        filled += count


class Place(NamedTuple):
    """Where a record's bytes lie, counted from the start of the archive, and the checksum they should have."""

    start: int
    size: int
    crc: int


class ArchiveReader:
    """The records of an archive from the file's position on, by name. Everything is checked before it is used.

    Raises RuntimeError for damage, and for what PyTorch never writes: compressed, encrypted, overlapping or repeated
    records, and names that lead out of the archive.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._origin = file.tell()
        self.size = file.seek(0, os.SEEK_END) - self._origin
        start, size, count = self._find_directory()
        self._directory_start = start
        self._directory = self.read_at(start, size)
        self._entries: dict[str, int] = {}  # name -> where its entry begins in the directory
        self._starts = array("Q")  # of the local headers, sorted: a record ends where the next one begins
        self._scan(count)
        folders = {name.partition("/")[0] for name in self._entries}
        if len(folders) != 1 or not all("/" in name for name in self._entries):
            raise damaged(f"all records of the archive must lie in one folder, but there are {len(folders)}.")
        (self._folder,) = folders

    def read_at(self, start: int, size: int) -> bytes:
        """That many bytes from there on."""
        if start < 0 or size < 0 or start + size > self.size:
            raise damaged(f"{size} bytes are said to lie at {start}, in a file of {self.size}.")
        self._file.seek(self._origin + start)
        data = self._file.read(size)
        while len(data) < size:
            more = self._file.read(size - len(data))
            if not more:
                raise damaged(f"it ends within the {size} bytes at {start}.")
            data += more
        return data

    def read_into(self, start: int, memory: memoryview) -> None:
        """Fills the memory with the bytes from there on."""
        self._file.seek(self._origin + start)
        read_fully(self._file, memory)

    def _find_directory(self) -> tuple[int, int, int]:
        """Start and size of the directory, and how many entries it has."""
        if self.size < _END.size:
            raise damaged("the zip archive has no directory.")
        tail_start = max(0, self.size - _END.size - 0xFFFF)
        tail = self.read_at(tail_start, self.size - tail_start)
        at = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
        if at < 0:
            raise damaged("the zip archive has no directory.")
        _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, at)
        end = tail_start + at
        if disk or first_disk or here != count or end + _END.size + comment != self.size:
            raise damaged("the end of the zip archive is not valid.")
        if _NONE32 in (size, start) or count == 0xFFFF or self._has_locator(end):
            magic, _, end, _ = _LOCATOR64.unpack(self.read_at(end - _LOCATOR64.size, _LOCATOR64.size))
            if magic != b"PK\6\7":
                raise damaged("the end of the zip archive is not valid.")
            magic, _, _, _, disk, first_disk, here, count, size, start = _END64.unpack(self.read_at(end, _END64.size))
            if magic != b"PK\6\6" or disk or first_disk or here != count:
                raise damaged("the end of the zip archive is not valid.")
        if count > min(_ENTRY_LIMIT, size // _CENTRAL.size):
            raise damaged(f"the zip archive claims {count} records in a directory of {size} bytes.")
        if start + size != end:
            raise damaged(f"the zip archive's directory of {size} bytes at {start} does not end at {end}.")
        return start, size, count

    def _has_locator(self, end: int) -> bool:
        return end >= _LOCATOR64.size and self.read_at(end - _LOCATOR64.size, 4) == b"PK\6\7"

    def _scan(self, count: int) -> None:
        at, data = 0, self._directory
        starts = []
        for _ in range(count):
            if at + _CENTRAL.size > len(data) or data[at : at + 4] != b"PK\1\2":
                raise damaged("an entry of the zip archive's directory is not valid.")
            name_size, extra, comment = struct.unpack_from("<3H", data, at + 28)
            name_end = at + _CENTRAL.size + name_size
            if name_end + extra + comment > len(data):
                raise damaged("an entry of the zip archive's directory is not valid.")
            try:
                name = data[at + _CENTRAL.size : name_end].decode()
            except UnicodeDecodeError:
                raise damaged("a record's name is not UTF-8.") from None
            if name.startswith("/") or "\0" in name or "\\" in name or ".." in name.split("/"):
                raise damaged(f"the record name {name[:80]!r} leads out of the archive.")
            if name in self._entries:
                raise damaged(f"the record {name[:80]!r} occurs twice.")
            self._entries[name] = at
            starts.append(self._central(name)[3])
            at = name_end + extra + comment
        if at != len(data):
            raise damaged("the zip archive's directory has more bytes than entries.")
        self._starts = array("Q", sorted(starts))
        if len(set(starts)) != count:
            raise damaged("two records of the zip archive overlap.")

    def _central(self, name: str) -> tuple[int, int, int, int]:
        """Flags, checksum, size and local header of an entry."""
        at, data = self._entries[name], self._directory
        _, _, _, flags, method, _, _, crc, stored, size, name_size, extra_size, _, disk, _, _, start = (
            _CENTRAL.unpack_from(data, at)
        )
        numbers, wide = [], iter(())
        if _NONE32 in (size, stored, start):
            extra = at + _CENTRAL.size + name_size
            wide = _wide_numbers(data[extra : extra + extra_size])
        for number in (size, stored, start):
            number = next(wide, -1) if number == _NONE32 else number
            if number < 0:
                raise damaged(f"the sizes of the record {name[:80]!r} are missing.")
            numbers.append(number)
        size, stored, start = numbers
        if method or size != stored:
            raise damaged(f"the record {name[:80]!r} is compressed, which PyTorch's files never are.")
        if flags & 0x2041 or disk:
            raise damaged(f"the record {name[:80]!r} is encrypted or lies on another disk.")
        if start + _LOCAL.size + size > self._directory_start:
            raise damaged(f"the record {name[:80]!r} is said to have {size} bytes, in a file of {self.size}.")
        return flags, crc, size, start

    def names(self) -> list[str]:
        """The names of the records, without the folder they share."""
        return [name.partition("/")[2] for name in self._entries]

    def __contains__(self, name: str) -> bool:
        return f"{self._folder}/{name}" in self._entries

    def find(self, name: str) -> Place:
        """The place of a record. Raises RuntimeError if there is none, or it overlaps another."""
        path = f"{self._folder}/{name}"
        if path not in self._entries:
            raise damaged(f"the record {name[:80]!r} is missing.")
        _, crc, size, header = self._central(path)
        magic, _, _, method, _, _, _, _, _, name_size, extra_size = _LOCAL.unpack(self.read_at(header, _LOCAL.size))
        if magic != b"PK\3\4" or method or self.read_at(header + _LOCAL.size, name_size) != path.encode():
            raise damaged(f"the header of the record {name[:80]!r} is not valid.")
        start = header + _LOCAL.size + name_size + extra_size
        after = bisect_right(self._starts, header)
        limit = self._starts[after] if after < len(self._starts) else self._directory_start
        if start + size > limit:
            raise damaged(f"the record {name[:80]!r} overlaps what follows it.")
        return Place(start, size, crc)

    def read(self, name: str) -> bytes:
        """The bytes of a record, whose checksum is verified (zero: PyTorch was told to compute none)."""
        place = self.find(name)
        data = self.read_at(place.start, place.size)
        if place.crc and zlib.crc32(data) != place.crc:
            raise damaged(f"the checksum of the record {name[:80]!r} is wrong.")
        return data

    def verify(self, name: str) -> None:
        """Raises RuntimeError if a record's checksum is wrong."""
        place = self.find(name)
        crc, end = 0, place.start + place.size
        for at in range(place.start, end, _CHUNK):
            crc = zlib.crc32(self.read_at(at, min(_CHUNK, end - at)), crc)
        if place.crc and crc != place.crc:
            raise damaged(f"the checksum of the record {name[:80]!r} is wrong.")


def _wide_numbers(extra: bytes) -> Iterator[int]:
    """The 64 bit numbers among an entry's extra fields."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            return iter(array("Q", extra[at + 4 : at + 4 + size // 8 * 8]))
        at += 4 + size
    return iter(())
