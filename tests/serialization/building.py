"""Pickles and files put together by hand, every field of which can be set wrong."""

import pickle
import struct
import zlib

# ---- building pickles ----------------------------------------------------------------------------------------------

P2, P4 = b"\x80\x02", b"\x80\x04"


def name(path, mark=b"c"):
    module, _, qualname = path.rpartition(".")
    return mark + f"{module}\n{qualname}\n".encode()


def text(value):
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def short_text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


def stack_name(path):
    module, _, qualname = path.rpartition(".")
    return short_text(module) + short_text(qualname) + b"\x93"


def number(value):
    raw = value.to_bytes((value.bit_length() // 8) + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def items(*parts):
    return b"(" + b"".join(parts) + b"t"


def storage(cls="torch.FloatStorage", key="0", location="cpu", count=4, kind="storage"):
    return items(text(kind), name(cls), text(key), text(location), number(count)) + b"Q"


EMPTY = name("collections.OrderedDict") + b")R"


def tensor(
    store=None, offset=0, size=(4,), stride=(1,), grad=b"\x89", hooks=EMPTY, function="torch._utils._rebuild_tensor_v2"
):
    parts = (number(offset), items(*map(number, size)), items(*map(number, stride)), grad, hooks)
    return name(function) + items(storage() if store is None else store, *parts) + b"R"


def stop(*parts, protocol=P2):
    return protocol + b"".join(parts) + b"."


# ---- building files ------------------------------------------------------------------------------------------------


class Zip:
    """A zip archive of stored records, every field of which can be set wrong."""

    def __init__(self):
        self.data = b""
        self.directory = []

    def add(
        self, path, content, *, method=0, claimed=None, at=None, crc=None, flags=0, extra=b"", local_path=None, more=b""
    ):
        claimed = len(content) if claimed is None else claimed
        at = len(self.data) if at is None else at
        crc = zlib.crc32(content) if crc is None else crc
        raw, local = path if isinstance(path, bytes) else path.encode(), local_path or path
        local = local if isinstance(local, bytes) else local.encode()
        size = min(claimed, 0xFFFFFFFF)
        self.data += struct.pack(
            "<4s5H3I2H", b"PK\3\4", 0, flags, method, 0, 0, crc, size, size, len(local), len(extra)
        )
        self.data += local + extra + content
        head = struct.pack(
            "<4s6H3I5H2I",
            b"PK\1\2",
            0,
            0,
            flags,
            method,
            0,
            0,
            crc,
            size,
            size,
            len(raw),
            len(more),
            0,
            0,
            0,
            0,
            min(at, 0xFFFFFFFF),
        )
        self.directory.append(head + raw + more)
        return self

    def close(self, *, count=None, size=None, start=None, comment=b"", directory=None):
        content = b"".join(self.directory) if directory is None else directory
        count = len(self.directory) if count is None else count
        start = len(self.data) if start is None else start
        end = struct.pack(
            "<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(content) if size is None else size, start, len(comment)
        )
        return self.data + content + end + comment


def archive(content, storages=None, folder="archive", **records):
    """A well-formed archive of a pickle and storages."""
    made = Zip().add(f"{folder}/data.pkl", content)
    for path, record in {"byteorder": b"little", "version": b"3\n", **records}.items():
        made.add(f"{folder}/{path}", record)
    for key, data in ({"0": struct.pack("<4f", 1, 2, 3, 4)} if storages is None else storages).items():
        made.add(f"{folder}/data/{key}", data)
    return made.close()


MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
SYSTEM = pickle.dumps(
    {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2
)


def legacy(
    content, keys=("0",), storages=((4, struct.pack("<4f", 1, 2, 3, 4)),), magic=MAGIC, version=1001, system=SYSTEM
):
    tail = b"".join(struct.pack("<q", count) + data for count, data in storages)
    return magic + pickle.dumps(version, 2) + system + content + pickle.dumps(list(keys), 2) + tail


def legacy_storage(cls="torch.FloatStorage", key="0", count=4, view=b"N"):
    return items(text("storage"), name(cls), text(key), text("cpu"), number(count), view) + b"Q"


GOOD = archive(stop(tensor()))
GOOD_LEGACY = legacy(stop(tensor(legacy_storage())))
