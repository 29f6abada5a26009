"""`rushlight inspect FILE`: what a checkpoint holds, and which code it would have run if it had been unpickled."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import rushlight
from rushlight.serialization import format_of
from rushlight.serialization.archive import ArchiveReader
from rushlight.serialization.reading import Request
from rushlight.serialization.record import Record, shortened, visible

_VERDICTS = {
    "data": "plain data",
    "yours": "registered by you",
    "module": "a class or function of torch.nn; weights_only=True refuses it, weights_only=False rebuilds it from data",
    "inert": "NOT DATA: unpickling would import it",
}
_DEPTH = 60
_CALLS = 20  # of one name that are shown


@dataclass
class Examination:
    """What was found in a file."""

    format: str
    size: int
    value: Any
    names: dict[str, str] = field(default_factory=dict)  # full name -> what it is, as in `Resolver.names`
    calls: list[Record] = field(default_factory=list)  # what unpickling would have called, apart from plain data

    def calls_of(self, name: str) -> list[str]:
        """The calls of a name that unpickling would have made, as text."""
        return [
            f"{visible(name)}({', '.join(map(shortened, call.arguments))})"
            for call in self.calls
            if f"{call.module}.{call.qualname}".removesuffix("(...)") == name
        ]


def examine(file: BinaryIO, path: Any = None) -> Examination:
    """Reads a file, whose tensors stay in it where it has a path and its format allows. Raises what `load` raises."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    name, read = format_of(file)
    path = None if "before" in name else path
    request = Request(restore=lambda storage, location: storage, weights_only=False, path=path, registered={})
    value = read(file, request)
    resolver = getattr(request, "resolver", None)
    if resolver is None:
        return Examination(name, size, value)
    return Examination(name, size, value, resolver.names, resolver.calls)


def verify(file: BinaryIO) -> None:
    """Raises RuntimeError if a record of a zip archive has a wrong checksum."""
    archive = ArchiveReader(file)
    for name in archive.names():
        archive.verify(name)


# ---- the tree ------------------------------------------------------------------------------------------------------


@dataclass
class Entry:
    """A line of the tree."""

    depth: int
    path: str
    name: str
    value: Any


def _members(value: Any) -> list[tuple[str, Any]]:
    """What is inside of a value, by name."""
    if isinstance(value, dict):
        return [(visible(key) if type(key) is str else shortened(key), item) for key, item in value.items()]
    if isinstance(value, Record):
        parts = [(f"argument {i}", part) for i, part in enumerate(value.arguments)]
        parts += [(visible(name), part) for name, part in value.keywords.items()]
        if isinstance(value.state, dict):
            parts += _attributes(value.state)
        elif value.state is not None:
            parts.append(("state", value.state))
        return (
            parts
            + [(f"element {i}", x) for i, x in enumerate(value.elements)]
            + [(shortened(k), x) for k, x in value.items]
        )
    if isinstance(value, rushlight.nn.Module):
        return _attributes(vars(value))
    if type(value) in (list, tuple) and not all(isinstance(item, (int, float, str, type(None))) for item in value):
        return [(str(i), item) for i, item in enumerate(value)]
    return []


def _attributes(state: dict[Any, Any]) -> list[tuple[str, Any]]:
    """The attributes of an object; of a module, what it consists of by its own name, and no empty registries."""
    if not all(isinstance(state.get(name), dict) for name in ("_parameters", "_buffers", "_modules")):
        return _members(state)
    parts = {**state["_parameters"], **state["_buffers"], **state["_modules"]}
    private = [name for name in state if isinstance(name, str) and name.startswith("_")]
    empty = [
        name
        for name in private
        if state[name] is None or state[name] is False or (hasattr(state[name], "__len__") and not len(state[name]))
    ]
    registries = ("_parameters", "_buffers", "_modules", *empty)
    return _members(
        parts | {name: value for name, value in state.items() if name not in registries and name not in parts}
    )


def entries(value: Any) -> Iterator[Entry]:
    """The tree from the top down; what was met before, or lies deeper than anyone reads, is not opened again."""
    waiting = [Entry(0, "", "", value)]
    opened: set[int] = set()
    while waiting:
        entry = waiting.pop()
        yield entry
        if id(entry.value) in opened or entry.depth >= _DEPTH:
            continue
        members = _members(entry.value)
        if members:
            opened.add(id(entry.value))
        for name, item in reversed(members):
            waiting.append(Entry(entry.depth + 1, f"{entry.path}.{name}".lstrip("."), name, item))


def _bytes_text(size: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000  # type: ignore[assignment]
    raise AssertionError


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _describe(value: Any) -> str:
    if isinstance(value, rushlight.Tensor):
        layout = "" if value.layout is rushlight.strided else f" {str(value.layout).removeprefix('torch.')}"
        return f"{_dtype(value)} {list(value.shape)}{layout}, {_bytes_text(_size(value))}"
    if isinstance(value, dict):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, (list, tuple, set, frozenset)) and len(value) > 6:
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, Record):
        return f"inert {value}"
    if isinstance(value, rushlight.nn.Module):
        return f"module {type(value).__name__}"
    return shortened(value)


def _size(tensor: Any) -> int:
    return tensor.numel() * tensor.element_size() if tensor.layout is rushlight.strided else _size(tensor._values())


# ---- the command ---------------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and the form of the answer."""
    parser.add_argument("file", help="a checkpoint: PyTorch's .pt, .pth, or safetensors")
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def run(options: argparse.Namespace) -> int:
    """Prints what the file holds. 0: it is whole; 1: it is damaged, or no checkpoint."""
    with open(options.file, "rb") as file:
        try:
            found = examine(file, options.file)
            if "zip" in found.format:
                file.seek(0)
                verify(file)
        except (EOFError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError) as error:
            if options.json:
                print(json.dumps({"file": options.file, "error": str(error)}))
            print(f"rushlight: {options.file}: {error}", file=sys.stderr)
            return 1
    tensors = {entry.path: entry.value for entry in entries(found.value) if isinstance(entry.value, rushlight.Tensor)}
    print(_json(options.file, found, tensors) if options.json else _text(options.file, found, tensors))
    return 0


def _json(path: str, found: Examination, tensors: dict[str, Any]) -> str:
    return json.dumps(
        {
            "file": path,
            "format": found.format,
            "bytes": found.size,
            "tensors": [
                {"name": name, "dtype": _dtype(tensor), "shape": list(tensor.shape), "bytes": _size(tensor)}
                for name, tensor in tensors.items()
            ],
            "names": [
                {
                    "name": name,
                    "plain_data": kind == "data",
                    "verdict": _VERDICTS[kind],
                    "calls": found.calls_of(name)[:_CALLS],
                }
                for name, kind in found.names.items()
            ],
        },
        indent=2,
    )


def _text(path: str, found: Examination, tensors: dict[str, Any]) -> str:
    total = _bytes_text(sum(map(_size, tensors.values())))
    lines = [f"{path}: {found.format}, {_bytes_text(found.size)}; {len(tensors)} tensors, {total}", ""]
    for entry in entries(found.value):
        lines.append(f"{'  ' * entry.depth}{entry.name}{': ' if entry.name else ''}{_describe(entry.value)}")
    if found.names:
        lines += ["", "Names in the file:"]
    for name, kind in sorted(found.names.items(), key=lambda item: item[1] == "data"):
        lines.append(f"  {visible(name)}: {_VERDICTS[kind]}")
        calls = found.calls_of(name)
        lines += [f"    and call {text}" for text in calls[:_CALLS]]
        if len(calls) > _CALLS:
            lines.append(f"    and {len(calls) - _CALLS} calls more")
    return "\n".join(lines)
