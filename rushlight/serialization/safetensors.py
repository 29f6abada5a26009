"""The safetensors format: data only.

A file is the length of a header as 8 bytes (little endian), the header (JSON: for every tensor its
dtype, shape and place), then the bytes of the tensors. What else a checkpoint holds (nested dicts, lists, numbers,
strings) is JSON under the header's ``__metadata__``. A flat state dict is therefore a file that every reader of
safetensors understands. Nothing in a file is ever executed, and every number in it is checked before it is used.
"""

from __future__ import annotations

import json
import math
import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, BinaryIO

import rushlight
from rushlight.serialization.archive import read_fully
from rushlight.serialization.reading import Request, budget_of, map_file

# complex128 is an extension of ours; all other names are the format's.
_NAMES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
    "complex128": "C128",
}
_STRUCTURE = "rushlight"  # the key of everything but tensors, under __metadata__
_HEADER_LIMIT = 100_000_000


def _file_error(text: str) -> RuntimeError:
    return RuntimeError(f"[load] {text} The file is damaged, or was not written by save.")


# ---- what is no tensor ---------------------------------------------------------------------------------------------


def _encode(value: Any, path: str, tensors: dict[str, Any], seen: dict[int, str]) -> Any:
    """JSON for a value; tensors are put aside under their path. What JSON cannot tell apart becomes {"kind": ...}."""
    if value is None or isinstance(value, (bool, str)) or type(value) is int:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, rushlight.Tensor) and value.layout is not rushlight.strided:
        *indices, _ = value._named_parts().values()
        coalesced = value.layout is rushlight.sparse_coo and value.is_coalesced()
        content = [str(value.layout), indices, value._values(), list(value.shape), value.requires_grad, coalesced]
        return {"sparse": _encode(content, path, tensors, seen)}
    if isinstance(value, rushlight.Tensor):
        name = seen.get(id(value))
        if name is None:
            name = path or "tensor"
            while name in tensors or name == "__metadata__":
                name += "_"  # {"a": {"b": x}, "a.b": y} gives two tensors one path
            seen[id(value)] = name
            tensors[name] = value
        return {"tensor": name, "requires_grad": True} if value.requires_grad else {"tensor": name}
    if isinstance(value, complex):
        return {"complex": [_encode(part, path, tensors, seen) for part in (value.real, value.imag)]}
    if isinstance(value, rushlight.dtype):
        return {"dtype": str(value).rsplit(".", 1)[-1]}
    if isinstance(value, rushlight.Size):
        return {"size": list(value)}
    if isinstance(value, Mapping):
        kind = "ordered" if isinstance(value, OrderedDict) else "dict"
        pairs = []
        for key, item in value.items():
            if key is not None and not isinstance(key, (bool, int, float, str)):
                raise TypeError(f"[save] keys must be strings or numbers. Received {type(key).__name__} in {path!r}.")
            pairs.append([_encode(key, path, tensors, seen), _encode(item, f"{path}.{key}".lstrip("."), tensors, seen)])
        return {kind: pairs}
    if type(value) in (list, tuple):
        items = [_encode(item, f"{path}.{i}".lstrip("."), tensors, seen) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    raise TypeError(
        f"[save] a file holds tensors, numbers, strings, None, dicts, lists and tuples of them. Received "
        f"{type(value).__name__} at {path!r}. Of modules and optimizers, save the state_dict()."
    )


def _decode(value: Any, tensors: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    kind, content = next(iter(value.items()), (None, None))
    if kind == "tensor" and content in tensors:
        tensor = tensors[content]
        return tensor.requires_grad_() if value.get("requires_grad") is True else tensor
    if kind == "float" and content in ("nan", "inf", "-inf"):
        return float(content)
    if kind == "dtype" and content in _NAMES:
        return getattr(rushlight, content)
    if isinstance(content, list):
        if kind == "complex" and len(content) == 2:
            return complex(*(_decode(part, tensors) for part in content))
        if kind == "size" and all(type(size) is int for size in content):
            return rushlight.Size(content)
        if kind == "sparse":
            return _sparse(_decode(content, tensors))
        if kind == "tuple":
            return tuple(_decode(item, tensors) for item in content)
        if kind in ("dict", "ordered"):
            pairs = [(_decode(key, tensors), _decode(item, tensors)) for key, item in content]
            return dict(pairs) if kind == "dict" else OrderedDict(pairs)
    raise _file_error(f"Its structure has an unknown part {kind!r}.")


def _sparse(content: list[Any]) -> Any:
    """A sparse tensor; its constructor checks what the file claims."""
    try:
        layout, indices, values, size, requires_grad, coalesced = content
        options = {"size": size, "requires_grad": requires_grad is True}
        if layout == "torch.sparse_coo":
            options |= {"is_coalesced": coalesced is True, "check_invariants": True}
            return rushlight.sparse_coo_tensor(*indices, values, **options)
        layouts = {str(layout): layout for layout in (rushlight.sparse_csr, rushlight.sparse_csc)}
        return rushlight.sparse_compressed_tensor(*indices, values, layout=layouts[layout], **options)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as wrong:
        raise _file_error(f"Its sparse tensor is invalid: {wrong}") from wrong


# ---- writing -------------------------------------------------------------------------------------------------------


def write(obj: Any, file: BinaryIO) -> None:
    """Writes tensors, and what surrounds them. Raises TypeError for what the format cannot hold."""
    tensors: dict[str, Any] = {}
    metadata = {"format": "pt", _STRUCTURE: json.dumps(_encode(obj, "", tensors, {}), allow_nan=False)}
    header: dict[str, Any] = {"__metadata__": metadata}
    contents = []
    end = 0
    # Wide elements first: every tensor then starts at a multiple of its element's size.
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        plain = tensor.detach().cpu().contiguous()
        size = plain.numel() * plain.element_size()
        dtype = _NAMES[str(plain.dtype).rsplit(".", 1)[-1]]
        header[name] = {"dtype": dtype, "shape": list(plain.shape), "data_offsets": [end, end + size]}
        contents.append(plain)
        end += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for plain in contents:
        if plain.numel():
            file.write(memoryview(plain.reshape(-1).view(rushlight.uint8)))


# ---- reading -------------------------------------------------------------------------------------------------------


def read(file: BinaryIO, request: Request) -> Any:
    """What :func:`write` has written, or any safetensors file, as a dict of tensors.

    Raises RuntimeError if the file is damaged. It is checked whole before a tensor is made.
    """
    start = file.tell()
    available = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    length = int.from_bytes(file.read(8), "little")
    if length > min(available - 8, _HEADER_LIMIT):
        raise _file_error(f"the header has a length of {length} bytes, in a file of {available}.")
    text = file.read(length)
    budget_of(available).spend(64 * sum(text.count(mark) for mark in b"[{,") + 4 * length)
    header, metadata = _parse_header(text)
    _check_places(header, available - 8 - length)
    mapped = None if request.path is None else map_file(request.path)[start + 8 + length :]
    tensors = {}
    for name, (dtype, shape, (begin, end)) in sorted(header.items(), key=lambda item: item[1][2]):
        if mapped is not None and end > begin:
            memory = rushlight._core.from_buffer(mapped[begin:end])
            memory = memory if memory.data_ptr() % dtype.itemsize == 0 else memory.clone()
        else:
            memory = rushlight.empty(end - begin, dtype=rushlight.uint8)
            read_fully(file, memoryview(memory))
        if dtype == rushlight.bool and bool((memory > 1).any()):
            raise _file_error(f"{name!r} is boolean, but holds other bytes than 0 and 1.")
        storage = request.restore(memory.untyped_storage(), "cpu")
        tensors[name] = storage.tensor().view(dtype).reshape(shape).detach()
    if _STRUCTURE not in metadata:
        return {name: tensors[name] for name in header}
    try:
        return _decode(json.loads(metadata[_STRUCTURE]), tensors)
    except (ValueError, TypeError, RecursionError) as error:
        raise _file_error(f"its structure cannot be read: {error}.") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _parse_header(text: bytes) -> tuple[dict[str, tuple[Any, tuple[int, ...], tuple[int, int]]], dict[str, str]]:
    """Names to (dtype, shape, place), and the metadata; everything has the right type afterwards."""
    try:
        header = json.loads(text.decode(), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise _file_error(f"the header is no JSON: {error}.") from None
    if not isinstance(header, dict):
        raise _file_error("the header is no JSON object.")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _file_error("the metadata must be strings.")
    dtypes = {short: getattr(rushlight, name) for name, short in _NAMES.items()}
    entries = {}
    for name, entry in header.items():
        match entry:
            case {"dtype": str(short), "shape": [*shape], "data_offsets": [int(begin), int(end)]} if (
                len(entry) == 3
                and short in dtypes
                and all(type(size) is int and 0 <= size < 2**63 for size in shape)
                and not isinstance(begin, bool)
                and not isinstance(end, bool)
            ):
                entries[name] = (dtypes[short], tuple(shape), (begin, end))
            case _:
                raise _file_error(f"the entry of {name!r} is not valid: {json.dumps(entry)[:200]}.")
    return entries, metadata


def _check_places(header: dict[str, tuple[Any, tuple[int, ...], tuple[int, int]]], available: int) -> None:
    """The tensors must fill the data section: no holes, no overlaps, and the size that shape and dtype ask for."""
    reached = 0
    for name, (dtype, shape, (begin, end)) in sorted(header.items(), key=lambda item: item[1][2]):
        size = math.prod(shape) * dtype.itemsize
        if begin != reached or end - begin != size:
            raise _file_error(f"{name!r} needs {size} bytes from {reached} on, but is said to lie at {begin}..{end}.")
        reached = end
    if reached != available:
        raise _file_error(f"the tensors need {reached} bytes, but {available} are there.")
