"""Pickles read as data: an interpreter of pickle's opcodes, protocols 0 to 5, that imports nothing and calls nothing.

What an opcode names or calls goes to a `Resolver`, which knows a short table of harmless constructions and turns all
else into inert records. The interpreter keeps a stack of values and a memo as pickle does; it does not recurse, and
every byte it asks memory for is charged to a `Budget`. The opcodes are those of `pickletools`.
"""

from __future__ import annotations

import codecs
import pickle
import re
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from mmap import mmap
from typing import Any, Protocol

from rushlight.serialization.record import Record

_MISSING = object()  # an unused place of the memo
_EXACT_INT = 1 << 60  # below it, different integers have different hashes
_KEY_PARTS = 1000
_COLLISIONS = 1000


class Resolver(Protocol):
    """Who decides what a file's names and calls become."""

    def find(self, module: str, name: str) -> Any:
        """The value of a name."""

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """The value of a call."""

    def new(self, cls: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """An object of a class that was not initialised."""

    def owns(self, value: Any) -> bool:
        """Whether the value's class is the user's, whose own methods may fill it."""

    def build(self, value: Any, state: Any) -> None:
        """Sets the state of a value."""

    def persistent(self, identity: Any) -> Any:
        """The value that is stored outside of the pickle under this identity."""


class Budget:
    """Bytes that reading a file may ask for: what is honest needs little more than its file."""

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit

    def spend(self, size: int) -> None:
        """Takes so many bytes. Raises UnpicklingError when they are not there."""
        self.left -= size
        if self.left < 0:
            raise pickle.UnpicklingError(
                f"[load] the content must not need much more memory than the file has bytes: the limit is {self.limit} "
                "bytes here. If you trust the file, load it under torch.serialization.memory_limit(bytes)."
            )


def _unknown(interpreter: Interpreter) -> None:
    at = interpreter.at - 1
    raise pickle.UnpicklingError(
        f"[load] a pickle's opcodes must be known. Received {interpreter.data[at]:#04x} at byte {at}. The file is "
        "damaged, or is no checkpoint."
    )


_OPCODES: list[Callable[[Interpreter], None]] = [_unknown] * 256
_COST = [0] * 256


def _opcode(code: bytes, cost: int = 0) -> Callable[[Callable[[Interpreter], None]], Callable[[Interpreter], None]]:
    """Enters a method into the table, with the memory that its result takes for certain."""

    def enter(method: Callable[[Interpreter], None]) -> Callable[[Interpreter], None]:
        _OPCODES[code[0]], _COST[code[0]] = method, cost + 8  # its place on the stack
        return method

    return enter


class _Stop(Exception):
    pass


class Interpreter:
    """Reads pickles from bytes, one after the other.

    Args:
        data: what holds the pickles; `at` is where the next begins.
        encoding, errors: how Python 2's byte strings become text; encoding "bytes" leaves them bytes.
    """

    def __init__(self, data: bytes | mmap, budget: Budget, encoding: str = "utf-8", errors: str = "strict") -> None:
        self.data, self.budget = data, budget
        self.encoding, self.errors = encoding, errors
        self.at, self.end = 0, len(data)

    def load(self, resolver: Resolver) -> Any:
        """The value of the next pickle.

        Raises EOFError if it is cut off, UnpicklingError if it is no pickle or names what must not be resolved.
        """
        self.resolver = resolver
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []  # the stacks below the marks
        self.memo: list[Any] = []
        self.seen: set[tuple[int, int]] = set()  # containers and the hashes of their unusual keys
        self.collisions = self.frozen_count = 0
        data, budget, operations, costs = self.data, self.budget, _OPCODES, _COST
        begin = self.at
        try:
            while True:
                at = self.at
                code = data[at]
                self.at = at + 1
                budget.left -= costs[code]
                if budget.left < 0:
                    budget.spend(0)
                operations[code](self)
        except _Stop:
            if len(self.stack) == 1 and not self.marked:
                return self.stack[0]
            raise self.wrong("more than one value is left at its end") from None
        except IndexError:
            if self.at >= self.end:
                raise EOFError(
                    f"[load] the pickle must end with a STOP opcode. It is cut off after {self.end - begin} bytes. The "
                    "file is incomplete: write or fetch it again."
                ) from None
            raise self.wrong("an opcode wants more values than there are") from None
        finally:
            del self.stack, self.marked, self.memo, self.seen

    def wrong(self, text: str) -> pickle.UnpicklingError:
        """The error for a pickle that makes no sense."""
        return pickle.UnpicklingError(f"[load] the pickle is damaged: {text}, at byte {self.at}.")

    # --- the bytes

    def take(self, size: int) -> bytes:
        """The next bytes."""
        at = self.at
        if size > self.end - at:
            self.at = self.end
            raise IndexError
        self.at = at + size
        return self.data[at : at + size]

    def byte(self) -> int:
        """The next byte as a number."""
        at = self.at
        self.at = at + 1
        return self.data[at]

    def take_text(self, size: int) -> str:
        """The next bytes as text."""
        raw = self.take(size)
        self.budget.spend(size if raw.isascii() else 4 * size)
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise self.wrong("a text is not UTF-8") from None

    def take_string(self, size: int) -> str | bytes:
        """The next bytes as a byte string of Python 2."""
        return self.decoded(self.take(size))

    def decoded(self, raw: bytes) -> str | bytes:
        """A byte string of Python 2 in the encoding that the caller of `load` named."""
        self.budget.spend(len(raw))
        if self.encoding == "bytes":
            return raw
        try:
            return raw.decode(self.encoding, self.errors)
        except UnicodeDecodeError as wrong:
            raise pickle.UnpicklingError(
                f"[load] a byte string must be {self.encoding}: {wrong}. Files of Python 2 may need "
                'load(..., encoding="latin1") or encoding="bytes".'
            ) from None

    def line(self) -> bytes:
        """The next bytes up to the end of the line."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            self.at = self.end
            raise IndexError
        return self.take(end + 1 - self.at)[:-1]

    def unsigned(self, size: int) -> int:
        """The next bytes as a number."""
        return int.from_bytes(self.take(size), "little")

    # --- the stack

    def since_mark(self) -> list[Any]:
        """Takes everything above the last mark."""
        values, self.stack = self.stack, self.marked.pop()
        return values

    def number(self, text: bytes, pattern: str) -> int:
        """A decimal number of a text pickle."""
        if len(text) > 4300 or not re.fullmatch(pattern, text.decode("latin1")):
            raise self.wrong(f"{text[:40]!r} is no number")
        return int(text.rstrip(b"L"))

    @_opcode(b"(", 64)
    def mark(self) -> None:
        self.marked.append(self.stack)
        self.stack = []

    @_opcode(b"0")
    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    @_opcode(b"1")
    def pop_mark(self) -> None:
        self.since_mark()

    @_opcode(b"2")
    def dup(self) -> None:
        self.stack.append(self.stack[-1])

    @_opcode(b".")
    def stop(self) -> None:
        raise _Stop

    @_opcode(b"\x80")
    def protocol(self) -> None:
        version = self.byte()
        if version > 5:
            raise self.wrong(f"protocol {version} is unknown; 0 to 5 are known")

    @_opcode(b"\x95")
    def frame(self) -> None:
        if self.unsigned(8) > self.end - self.at:
            self.at = self.end
            raise IndexError

    # --- plain values

    @_opcode(b"N")
    def none(self) -> None:
        self.stack.append(None)

    @_opcode(b"\x88")
    def true(self) -> None:
        self.stack.append(True)

    @_opcode(b"\x89")
    def false(self) -> None:
        self.stack.append(False)

    @_opcode(b"I", 32)
    def decimal(self) -> None:
        text = self.line()
        self.stack.append(
            {b"00": False, b"01": True}[text] if text in (b"00", b"01") else self.number(text, r"\s*[+-]?\d+\s*")
        )

    @_opcode(b"L", 32)
    def decimal_long(self) -> None:
        self.stack.append(self.number(self.line(), r"\s*[+-]?\d+\s*L?"))

    @_opcode(b"J", 32)
    def int4(self) -> None:
        self.stack.append(int.from_bytes(self.take(4), "little", signed=True))

    @_opcode(b"K")
    def int1(self) -> None:
        self.stack.append(self.byte())

    @_opcode(b"M", 32)
    def int2(self) -> None:
        self.stack.append(self.unsigned(2))

    @_opcode(b"\x8a", 32)
    def long1(self) -> None:
        self.long(self.byte())

    @_opcode(b"\x8b", 32)
    def long4(self) -> None:
        self.long(int.from_bytes(self.take(4), "little", signed=True))

    def long(self, size: int) -> None:
        if size < 0:
            raise self.wrong("an integer has a negative size")
        self.budget.spend(size)
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    @_opcode(b"F", 24)
    def decimal_float(self) -> None:
        try:
            self.stack.append(float(self.line()))
        except ValueError:
            raise self.wrong("a number is none") from None

    @_opcode(b"G", 24)
    def float8(self) -> None:
        self.stack.append(struct.unpack(">d", self.take(8))[0])

    @_opcode(b"S", 56)
    def quoted(self) -> None:
        text = self.line().strip()
        if len(text) < 2 or text[:1] not in (b"'", b'"') or text[-1:] != text[:1]:
            raise self.wrong("a string has no quotes")
        try:
            raw, _ = codecs.escape_decode(text[1:-1])
        except ValueError:
            raise self.wrong("a string has a wrong escape") from None
        self.stack.append(self.decoded(raw))

    @_opcode(b"T", 56)
    def string4(self) -> None:
        size = int.from_bytes(self.take(4), "little", signed=True)
        if size < 0:
            raise self.wrong("a string has a negative size")
        self.stack.append(self.take_string(size))

    @_opcode(b"U", 56)
    def string1(self) -> None:
        self.stack.append(self.take_string(self.byte()))

    @_opcode(b"V", 56)
    def raw_text(self) -> None:
        raw = self.line()
        self.budget.spend(4 * len(raw))
        try:
            self.stack.append(raw.decode("raw-unicode-escape"))
        except UnicodeDecodeError:
            raise self.wrong("a text has a wrong escape") from None

    @_opcode(b"\x8c", 56)
    def text1(self) -> None:
        self.stack.append(self.take_text(self.byte()))

    @_opcode(b"X", 56)
    def text4(self) -> None:
        self.stack.append(self.take_text(self.unsigned(4)))

    @_opcode(b"\x8d", 56)
    def text8(self) -> None:
        self.stack.append(self.take_text(self.unsigned(8)))

    @_opcode(b"C", 40)
    def bytes1(self) -> None:
        self.raw_bytes(self.byte())

    @_opcode(b"B", 40)
    def bytes4(self) -> None:
        self.raw_bytes(self.unsigned(4))

    @_opcode(b"\x8e", 40)
    def bytes8(self) -> None:
        self.raw_bytes(self.unsigned(8))

    def raw_bytes(self, size: int) -> None:
        raw = self.take(size)
        self.budget.spend(size)
        self.stack.append(raw)

    @_opcode(b"\x96", 64)
    def bytearray8(self) -> None:
        raw = self.take(self.unsigned(8))
        self.budget.spend(2 * len(raw))
        self.stack.append(bytearray(raw))

    @_opcode(b"\x97")
    def next_buffer(self) -> None:
        raise self.wrong("it wants a buffer that lies outside of it, which checkpoints have not")

    @_opcode(b"\x98")
    def readonly_buffer(self) -> None:
        self.next_buffer()

    # --- containers

    @_opcode(b"]", 56)
    def empty_list(self) -> None:
        self.stack.append([])

    @_opcode(b"l", 56)
    def list_since_mark(self) -> None:
        values = self.since_mark()  # first: it changes self.stack
        self.stack.append(values)

    @_opcode(b"}", 64)
    def empty_dict(self) -> None:
        self.stack.append({})

    @_opcode(b"d", 64)
    def dict_since_mark(self) -> None:
        items = self.since_mark()
        self.stack.append({})
        self.put_items(items)

    @_opcode(b"\x8f", 216)
    def empty_set(self) -> None:
        self.stack.append(set())

    @_opcode(b"\x91")
    def frozen_set(self) -> None:
        elements = self.since_mark()
        self.stack.append(self.frozen(elements))

    def frozen(self, elements: list[Any]) -> frozenset[Any]:
        """A frozenset of them."""
        self.budget.spend(216 + 64 * len(elements))
        self.frozen_count += 1
        self.check_keys(-self.frozen_count, elements)  # no object has this identity
        return frozenset(elements)

    @_opcode(b")")
    def empty_tuple(self) -> None:
        self.stack.append(())

    @_opcode(b"\x85", 64)
    def tuple1(self) -> None:
        self.stack[-1] = (self.stack[-1],)

    @_opcode(b"\x86", 72)
    def tuple2(self) -> None:
        b, a = self.stack.pop(), self.stack.pop()
        self.stack.append((a, b))

    @_opcode(b"\x87", 80)
    def tuple3(self) -> None:
        c, b, a = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.stack.append((a, b, c))

    @_opcode(b"t", 56)
    def tuple_since_mark(self) -> None:
        values = self.since_mark()
        self.budget.spend(8 * len(values))
        self.stack.append(tuple(values))

    @_opcode(b"a")
    def append(self) -> None:
        value = self.stack.pop()
        self.extend([value])

    @_opcode(b"e")
    def appends(self) -> None:
        self.extend(self.since_mark())

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Record):
            target = target.elements
        elif type(target) not in (list, deque) and not self.resolver.owns(target):
            raise self.wrong(f"values are appended to a {type(target).__name__}")
        self.budget.spend(9 * len(values))
        target.extend(values)

    @_opcode(b"s")
    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.put_items([key, value])

    @_opcode(b"u")
    def set_items(self) -> None:
        self.put_items(self.since_mark())

    def put_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if len(items) % 2:
            raise self.wrong("a key has no value")
        keys, values = items[::2], items[1::2]
        self.budget.spend(50 * len(items))
        if isinstance(target, Record):
            target.items.extend(zip(keys, values, strict=True))
            return
        if type(target) not in (dict, OrderedDict, defaultdict, Counter) and not self.resolver.owns(target):
            raise self.wrong(f"items are set in a {type(target).__name__}")
        self.check_keys(id(target), keys)
        for key, value in zip(keys, values, strict=True):
            target[key] = value

    @_opcode(b"\x90")
    def add_items(self) -> None:
        elements = self.since_mark()
        target = self.stack[-1]
        if type(target) is not set:
            raise self.wrong(f"elements are added to a {type(target).__name__}")
        self.check_keys(id(target), elements)
        target.update(elements)

    def check_keys(self, container: int, keys: Iterable[Any]) -> None:
        """Refuses keys that cannot be hashed quickly, and many with the same hash in one container."""
        for key in keys:
            kind = type(key)
            if kind is str or kind is float or kind is bool or (kind is int and -_EXACT_INT < key < _EXACT_INT):
                continue
            if kind in (tuple, frozenset):
                self.check_key_size(key)
            try:
                mark = (container, hash(key))
            except (TypeError, RecursionError):
                raise self.wrong(f"a {kind.__name__} is used as a key") from None
            self.collisions += mark in self.seen
            if self.collisions > _COLLISIONS:
                raise self.wrong("too many keys have the same hash")
            self.budget.spend(200)
            self.seen.add(mark)

    def check_key_size(self, key: Any) -> None:
        """Hashing a tuple visits all its parts, as often as they occur: few are allowed."""
        waiting, count = [key], 0
        while waiting:
            part = waiting.pop()
            if type(part) in (tuple, frozenset):
                waiting.extend(part)
                count += len(part)
            elif isinstance(part, tuple):  # a Size holds numbers alone
                count += len(part)
            if count > _KEY_PARTS:
                raise self.wrong("a key has too many parts")

    # --- the memo

    @_opcode(b"p")
    def put(self) -> None:
        self.remember(self.number(self.line(), r"\d+"))

    @_opcode(b"q")
    def put1(self) -> None:
        self.remember(self.byte())

    @_opcode(b"r")
    def put4(self) -> None:
        self.remember(self.unsigned(4))

    @_opcode(b"\x94", 9)
    def memoize(self) -> None:
        self.memo.append(self.stack[-1])

    def remember(self, index: int) -> None:
        value, memo = self.stack[-1], self.memo
        if index < len(memo):
            memo[index] = value
            return
        gap = index - len(memo)
        self.budget.spend(9 + 9 * gap)
        memo.extend([_MISSING] * gap)
        memo.append(value)

    @_opcode(b"g")
    def get(self) -> None:
        self.recall(self.number(self.line(), r"\d+"))

    @_opcode(b"h")
    def get1(self) -> None:
        self.recall(self.byte())

    @_opcode(b"j")
    def get4(self) -> None:
        self.recall(self.unsigned(4))

    def recall(self, index: int) -> None:
        value = self.memo[index] if index < len(self.memo) else _MISSING
        if value is _MISSING:
            raise self.wrong(f"it recalls value {index}, which it has not stored")
        self.stack.append(value)

    # --- what would run code elsewhere

    @_opcode(b"c", 64)
    def global_(self) -> None:
        module, name = self.line(), self.line()
        try:
            self.find(module.decode(), name.decode())
        except UnicodeDecodeError:
            raise self.wrong("a name is not UTF-8") from None

    @_opcode(b"\x93", 64)
    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise self.wrong("a name is no text")
        self.find(module, name)

    def find(self, module: str, name: str) -> None:
        self.budget.spend(2 * len(module) + 2 * len(name))
        self.stack.append(self.resolver.find(module, name))

    @_opcode(b"\x82", 64)
    def extension1(self) -> None:
        self.extension(self.byte())

    @_opcode(b"\x83", 64)
    def extension2(self) -> None:
        self.extension(self.unsigned(2))

    @_opcode(b"\x84", 64)
    def extension4(self) -> None:
        self.extension(self.unsigned(4))

    def extension(self, code: int) -> None:
        """A global by a number that only the writer's process knew."""
        self.find("copyreg", f"extension_{code}")

    @_opcode(b"R", 250)
    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(self.resolver.call(function, self.tuple_of(arguments)))

    @_opcode(b"\x81", 250)
    def new_object(self) -> None:
        arguments, cls = self.stack.pop(), self.stack.pop()
        self.stack.append(self.resolver.new(cls, self.tuple_of(arguments), {}))

    @_opcode(b"\x92", 250)
    def new_object_with_keywords(self) -> None:
        keywords, arguments, cls = self.stack.pop(), self.stack.pop(), self.stack.pop()
        if type(keywords) is not dict or not all(type(name) is str for name in keywords):
            raise self.wrong("the keywords of a call are no dict of names")
        self.stack.append(self.resolver.new(cls, self.tuple_of(arguments), keywords))

    @_opcode(b"i", 250)
    def instance(self) -> None:
        self.global_()
        cls = self.stack.pop()
        arguments = self.since_mark()
        self.stack.append(self.resolver.call(cls, tuple(arguments)))

    @_opcode(b"o", 250)
    def object_since_mark(self) -> None:
        values = self.since_mark()
        if not values:
            raise self.wrong("an object has no class")
        self.stack.append(self.resolver.call(values[0], tuple(values[1:])))

    def tuple_of(self, arguments: Any) -> tuple[Any, ...]:
        if type(arguments) is not tuple:
            raise self.wrong("the arguments of a call are no tuple")
        return arguments

    @_opcode(b"b")
    def build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Record):
            target.state = state
        else:
            self.resolver.build(target, state)

    @_opcode(b"P", 250)
    def persistent_text(self) -> None:
        self.stack.append(self.resolver.persistent(self.line().decode("latin1")))

    @_opcode(b"Q", 250)
    def persistent(self) -> None:
        self.stack.append(self.resolver.persistent(self.stack.pop()))
