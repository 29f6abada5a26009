"""Files that wish to do harm, or are damaged: a table of them, each with what loading it must give.

`python -m tests.serialization.hostile` loads every one of them in this process, both with weights_only and without, and
prints a line of JSON for each: the outcome, the time it took, the memory it asked for beyond what was there before, and
what it asked Python to do (the audit events of PEP 578: imports, opened files, started programs).
"""

import io
import json
import pickle
import random
import struct
import sys
import time

from tests.serialization.building import (
    EMPTY,
    GOOD,
    GOOD_LEGACY,
    MAGIC,
    P2,
    P4,
    SYSTEM,
    Zip,
    archive,
    items,
    legacy,
    legacy_storage,
    name,
    number,
    stack_name,
    stop,
    storage,
    tensor,
    text,
)  # fmt: skip

CANARY = "rushlight-canary"  # code that runs would make a file of this name in the working folder

REFUSED = "refused"  # an error, whatever weights_only is
INERT = "inert"  # an error with weights_only; without, a result in which nothing was run
FINE = "fine"  # an honest result, whatever weights_only is

# ---- the table -----------------------------------------------------------------------------------------------------

TOUCH = f"touch {CANARY}"
WRITE = f"open({CANARY!r}, 'w').close()"
IMPORT = f"__import__('os').system({TOUCH!r})"

CODE = {
    "os.system": text(TOUCH),
    "posix.system": text(TOUCH),
    "nt.system": text(TOUCH),
    "os.popen": text(TOUCH),
    "subprocess.Popen": items(text("touch"), text(CANARY)),
    "subprocess.check_output": items(text("touch"), text(CANARY)),
    "subprocess.getoutput": text(TOUCH),
    "pty.spawn": items(text("touch"), text(CANARY)),
    "builtins.eval": text(IMPORT),
    "builtins.exec": text(WRITE),
    "__builtin__.eval": text(IMPORT),
    "builtins.compile": text(WRITE) + text("x") + text("exec"),
    "builtins.open": text(CANARY) + text("w"),
    "builtins.__import__": text("antigravity"),
    "builtins.print": text("x"),
    "builtins.getattr": text("x") + text("y"),
    "builtins.setattr": name("builtins.list") + text("x") + b"N",
    "builtins.globals": b"",
    "builtins.input": text("x"),
    "builtins.breakpoint": b"",
    "builtins.exit": b"",
    "builtins.type": text("X") + b")}",
    "builtins.map": b"",
    "importlib.import_module": text("antigravity"),
    "runpy.run_path": text("x.py"),
    "runpy.run_module": text("this"),
    "io.open": text(CANARY) + text("w"),
    "_io.open": text(CANARY) + text("w"),
    "pathlib.Path": text(CANARY),
    "shutil.rmtree": text("nowhere"),
    "sys.exit": number(3),
    "os._exit": number(3),
    "os.abort": b"",
    "sys.setrecursionlimit": number(5),
    "signal.raise_signal": number(9),
    "atexit.register": name("os.abort"),
    "ctypes.CDLL": text("libc.so.6"),
    "socket.create_connection": items(text("127.0.0.1"), number(9)),
    "webbrowser.open": text("file:///"),
    "pickle.loads": b"C\x01.",
    "_pickle.loads": b"C\x01.",
    "marshal.loads": b"C\x01N",
    "types.FunctionType": b"N}",
    "types.CodeType": b"",
    "operator.attrgetter": text("system"),
    "operator.methodcaller": text("system"),
    "functools.partial": name("os.system") + text(TOUCH),
    "code.interact": b"",
    "pdb.run": text(WRITE),
    "timeit.timeit": text(WRITE) + text(WRITE),
    "cProfile.run": text(WRITE),
    "numpy.load": text("x.npy"),
    "numpy.memmap": text(CANARY),
    "numpy.testing._private.utils.runstring": text(WRITE) + b"}",
    "torch.load": text("x.pt"),
    "torch.save": number(1) + text(CANARY),
    "torch.hub.load": text("a/b") + text("c"),
    "torch.storage._load_from_bytes": b"C\x01.",
    "torch.jit.load": text("x"),
    "torch.utils.cpp_extension.load": text("x"),
    "torch.compile": name("os.abort"),
    "torch.serialization.load": text("x.pt"),
    "torch._utils._import_dotted_name": text("os.system"),
    "torch._C._load_for_lite_interpreter": text("x"),
    "torch.nn.functional.handle_torch_function": name("os.system"),
    "torch.nn.parallel.DataParallel": b"N",
    "rushlight.load": text("x.pt"),
    "rushlight.hub.load": text("a/b") + text("c"),
    "rushlight.cli.main": b"]",
    "rushlight.serialization.save": number(1) + text(CANARY),
    "rushlight._core.run_backward": b"",
    "rushlight.tensor.rebuild": b"",
    "torch.serialization.resolver.Resolver": b"",
    "torch.monitor.log_event": b"",
    "copyreg.pickle": b"",
    "copyreg.constructor": b"",
    "collections.namedtuple": text("X") + text("a b"),
    "enum.Enum": text("X"),
    "logging.config.dictConfig": b"}",
}

CALLS = {
    "reduce": lambda path, arguments: stop(name(path), b"(", arguments, b"tR"),
    "reduce in protocol 0": lambda path, arguments: stop(name(path), b"(", arguments, b"tR", protocol=b""),
    "inst": lambda path, arguments: stop(b"(", arguments, name(path, b"i")),
    "obj": lambda path, arguments: stop(b"(", name(path), arguments, b"o"),
    "newobj": lambda path, arguments: stop(name(path), b"(", arguments, b"t\x81"),
    "newobj_ex": lambda path, arguments: stop(stack_name(path), b"(", arguments, b"t}\x92", protocol=P4),
    "stack_global": lambda path, arguments: stop(stack_name(path), b"(", arguments, b"tR", protocol=P4),
    "build": lambda path, arguments: stop(name(path), b")\x81(", arguments, b"tb"),
    "reconstructor": lambda path, arguments: stop(
        name("copyreg._reconstructor"), items(name(path), name("builtins.object"), b"N"), b"R"
    ),
    "newobj function": lambda path, arguments: stop(name("copyreg.__newobj__"), items(name(path), arguments), b"R"),
}
MAIN = ("os.system", "builtins.eval", "builtins.exec", "subprocess.Popen", "torch.hub.load")  # in every way of calling


def code():
    for path, arguments in CODE.items():
        for way, build in CALLS.items():
            if way == "reduce" or path in MAIN:
                yield f"{way} {path}", archive(build(path, arguments)), INERT
    evil = name("os.system") + items(text(TOUCH)) + b"R"
    for where, content in {
        "as a key": b"}" + evil + b"Ns",
        "in a list": b"](" + evil + b"e",
        "in a tuple": evil + b"\x85",
        "as state of a dict": EMPTY + b"}" + text("x") + evil + b"sb",
        "as hooks": tensor(hooks=evil),
        "twice": evil + evil + b"\x86",
        "popped": evil + b"0N",
        "called again": evil + b")R",
        "as a class of tensors": name("torch._tensor._rebuild_from_type_v2")
        + items(
            name("torch._utils._rebuild_tensor_v2"),
            name("os.system"),
            items(storage(), number(0), items(number(4)), items(number(1)), b"\x89", EMPTY),
            b"}",
        )
        + b"R",
        "as default factory": name("collections.defaultdict") + items(name("os.system")) + b"R",
        "by an extension": b"\x82\x01)R",
        "named alone": name("os.system"),
        "as state of a record": evil + evil + b"b",
        "appended to": evil + b"Na",
        "with items": evil + b"NNs",
    }.items():
        yield f"call {where}", archive(stop(content)), INERT
    yield "call by legacy file", legacy(stop(evil), (), ()), INERT
    yield "call before the legacy value", MAGIC.replace(b".", b"0") + stop(evil), REFUSED
    yield "call in place of the legacy magic", P2 + evil + b".", REFUSED
    yield "call in place of the legacy keys", MAGIC + pickle.dumps(1001, 2) + SYSTEM + stop(b"N") + stop(evil), REFUSED
    yield (
        "rebuild by a function as class",
        archive(
            stop(
                name("torch._tensor._rebuild_from_type_v2"),
                items(name("os.system"), name("torch.Tensor"), items(text(TOUCH)), b"}"),
                b"R",
            )
        ),
        REFUSED,
    )
    yield (
        "module with a call as hook",
        archive(stop(name("torch.nn.modules.linear.Identity"), b")\x81}", text("forward"), evil, b"sb")),
        INERT,
    )
    yield (
        "module with arguments",
        archive(stop(name("torch.nn.modules.linear.Linear"), items(number(10**9), number(10**9)), b"R")),
        REFUSED,
    )
    yield (
        "module made with arguments",
        archive(stop(name("torch.nn.modules.linear.Linear"), items(number(10**9), number(10**9)), b"\x81")),
        REFUSED,
    )
    for bad in (
        b"N",
        b"]",
        b"}" + text("_parameters") + b"Ns",
        b"}" + text("_parameters") + b"}" + text("w") + number(1) + b"ss",
        b"}NNs",
    ):
        yield (
            f"module with state {bad[:20]!r}",
            archive(stop(name("torch.nn.modules.linear.Linear"), b")\x81", bad, b"b")),
            REFUSED,
        )


INDICES = tensor(storage("torch.LongStorage", key="9"), size=(1, 2), stride=(2, 1))
SPARSE = (
    name("torch._utils._rebuild_sparse_tensor")
    + items(
        name("torch.serialization._get_layout") + items(text("torch.sparse_coo")) + b"R",
        items(INDICES, tensor(size=(2,)), items(number(2))),
    )
    + b"R"
)


def tensors():
    for what, made in {
        "too long": tensor(size=(5,)),
        "offset too far": tensor(offset=1),
        "negative offset": tensor(offset=-1),
        "offset far before": tensor(offset=-(2**62)),
        "negative size": tensor(size=(-1,)),
        "negative stride": tensor(stride=(-1,)),
        "stride too wide": tensor(size=(2,), stride=(4,)),
        "huge size": tensor(size=(2**62,)),
        "size beyond 64 bits": tensor(size=(2**70,)),
        "size product overflows": tensor(size=(2**32, 2**32), stride=(0, 0)),
        "sizes overflow": tensor(size=(2**31, 2**31, 4), stride=(1, 1, 1)),
        "stride overflows": tensor(size=(2,), stride=(2**63 - 1,)),
        "stride wraps to inside": tensor(size=(3, 2), stride=(2**63 - 1, 2)),
        "stride beyond 64 bits": tensor(size=(2,), stride=(2**64,)),
        "more strides than sizes": tensor(stride=(1, 1)),
        "more sizes than strides": tensor(size=(2, 2), stride=(1,)),
        "many dimensions": tensor(size=(1,) * 100, stride=(1,) * 100),
        "empty, offset negative": tensor(size=(0,), offset=-5),
        "storage is a number": tensor(number(3)),
        "storage is a list": tensor(b"]"),
        "storage is a tensor": tensor(tensor()),
        "storage is a class": tensor(name("torch.FloatStorage")),
        "size is a list of text": name("torch._utils._rebuild_tensor_v2")
        + items(storage(), number(0), items(text("4")), items(number(1)), b"\x89", EMPTY)
        + b"R",
        "size is a number": name("torch._utils._rebuild_tensor_v2")
        + items(storage(), number(0), number(4), items(number(1)), b"\x89", EMPTY)
        + b"R",
        "size has a bool": name("torch._utils._rebuild_tensor_v2")
        + items(storage(), number(0), items(b"\x88"), items(number(1)), b"\x89", EMPTY)
        + b"R",
        "no arguments": name("torch._utils._rebuild_tensor_v2") + b")R",
        "many arguments": name("torch._utils._rebuild_tensor_v2") + items(*[b"N"] * 20) + b"R",
        "arguments are a list": name("torch._utils._rebuild_tensor_v2") + b"]R",
        "arguments are a number": name("torch._utils._rebuild_tensor_v2") + number(1) + b"R",
        "gradient of integers": tensor(storage("torch.IntStorage"), grad=b"\x88"),
        "unknown dtype": tensor(storage("torch.QInt8Storage", count=16)),
        "v3 without dtype": tensor(function="torch._utils._rebuild_tensor_v3"),
        "storage of no class": tensor(storage("torch.Size")),
        "storage of a dtype": tensor(storage("torch.float32")),
        "storage of another size": tensor(storage(count=3)),
        "storage too big": tensor(storage(count=5)),
        "storage of huge size": tensor(storage(count=2**61)),
        "storage of size beyond 64 bits": tensor(storage(count=2**65)),
        "storage of negative size": tensor(storage(count=-4)),
        "storage of wider dtype": tensor(storage("torch.DoubleStorage")),
        "storage missing": tensor(storage(key="1")),
        "storage outside": tensor(storage(key="../0")),
        "storage is the pickle": tensor(storage("torch.ByteStorage", key="../data.pkl", count=10)),
        "storage key empty": tensor(storage(key="")),
        "storage key is a tuple": tensor(
            items(text("storage"), name("torch.FloatStorage"), b")", text("cpu"), number(4)) + b"Q"
        ),
        "storage on a device that is not there": tensor(storage(location="cuda:0")),
        "storage at no location": tensor(storage(location="")),
        "storage of another kind": tensor(storage(kind="module")),
        "persistent id of nothing": b"NQ",
        "persistent id of text": text("storage") + b"Q",
        "persistent id, empty": b")Q",
        "persistent id in text": b"Pstorage\n",
        "persistent id cyclic": b"]q\x00h\x00ah\x00\x85Q",
        "parameter of a number": name("torch._utils._rebuild_parameter") + items(number(1), b"\x88", EMPTY) + b"R",
        "parameter of integers": name("torch._utils._rebuild_parameter")
        + items(tensor(storage("torch.IntStorage")), b"\x88", EMPTY)
        + b"R",
        "sparse, index outside": name("torch._utils._rebuild_sparse_tensor")
        + items(
            name("torch.serialization._get_layout") + items(text("torch.sparse_coo")) + b"R",
            items(
                tensor(storage("torch.LongStorage", key="9", count=4), size=(1, 4), stride=(4, 1)),
                tensor(),
                items(number(2)),
            ),
        )
        + b"R",
        "sparse, huge": name("torch._utils._rebuild_sparse_tensor")
        + items(
            name("torch.serialization._get_layout") + items(text("torch.sparse_coo")) + b"R",
            items(
                tensor(storage("torch.LongStorage", key="9", count=4), size=(1, 4), stride=(4, 1)),
                tensor(),
                items(number(2**62), number(2**62)),
            ),
        )
        + b"R",
        "sparse of nothing": name("torch._utils._rebuild_sparse_tensor") + b")R",
        "sparse of a strided layout": name("torch._utils._rebuild_sparse_tensor")
        + items(name("torch.strided"), items(tensor(), tensor(), items(number(2))))
        + b"R",
        "unknown layout": name("torch.serialization._get_layout") + items(text("torch.sparse_xyz")) + b"R",
        "a size of text": name("torch.Size") + items(items(text("x"))) + b"R",
        "a size beyond 64 bits": name("torch.Size") + items(items(number(2**80))) + b"R",
        "device of text": name("torch.device") + items(text("nowhere")) + b"R",
        "device of a list": name("torch.device") + items(b"]") + b"R",
        "dtype that is called": name("torch.float32") + b")R",
        "class of tensors that is called": name("torch.Tensor") + items(number(2**40)) + b"R",
        "state of a tensor": tensor() + b"(" + number(1) + number(2) + b"eb",
        "state of a number": number(5) + b"}b",
        "state of a list": b"]}b",
        "state of a dict": b"}}b",
        "state of a class": name("torch.Tensor") + b"}b",
        "state of None": b"N}b",
    }.items():
        longs = struct.pack("<4q", 0, 1, 5, 7)
        yield f"tensor: {what}", archive(stop(made), {"0": struct.pack("<4f", 1, 2, 3, 4), "9": longs}), REFUSED
    yield (
        "tensor: two sizes of one storage",
        archive(stop(tensor(), tensor(storage(count=8), size=(8,)), b"\x86")),
        REFUSED,
    )
    yield "tensor: expanded", archive(stop(tensor(size=(2**40,), stride=(0,)))), FINE
    yield "tensor: bool of other bytes", archive(stop(tensor(storage("torch.BoolStorage"))), {"0": b"\0\1\2\xff"}), FINE
    yield "tensor: unknown byte order", archive(stop(tensor()), byteorder=b"middle"), REFUSED
    yield "tensor: big endian", archive(stop(tensor()), byteorder=b"big"), FINE
    views = (
        b"("
        + tensor(storage("torch.BoolStorage", count=10**6), size=(1,))
        + b"q\x01"
        + b"".join(tensor(storage("torch.BoolStorage", count=10**6), size=(1,)) for _ in range(2000))
        + b"l"
    )
    yield "tensor: many views of a bool storage", archive(stop(views), {"0": bytes(10**6)}), FINE


def bombs():
    big = 1_000_000
    for what, content in {
        "empty lists": b"(" + b"]" * big + b"l",
        "empty dicts": b"(" + b"}" * big + b"l",
        "empty sets": P4 + b"(" + b"\x8f" * big + b"l",
        "marks": b"(" * big + b"N",
        "memo": b"N" + b"\x94" * (4 * big),
        "memo far away": b"Nr\xff\xff\xff\xff",
        "memo with gaps": b"N" + b"".join(b"r" + struct.pack("<I", i * 500_000) for i in range(2000)),
        "memo by text": b"Np99999999999\n",
        "short texts": b"(" + b"U\x01a" * big + b"l",
        "tuples of one": b"N" + b"\x85" * big,
        "longs": b"(" + b"\x8a\x05\xff\xff\xff\xff\x01" * (2 * big) + b"l",
        "ordered dicts": name("collections.OrderedDict") + b"q\x00(" + b"h\x00)R" * (big // 2) + b"l",
        "tensors": b"("
        + tensor()
        + name("torch._utils._rebuild_tensor_v2")
        + b"q\x01"
        + storage()
        + b"q\x02"
        + b"".join([b"h\x01(h\x02K\x00K\x04\x85K\x01\x85\x89NtR"] * 100_000)
        + b"l",
        "wide text": b"X" + struct.pack("<I", 2**31) + b"x",
        "wide bytes": b"\x8e" + struct.pack("<Q", 2**63) + b"x",
        "wide frame": b"\x95" + struct.pack("<Q", 2**63 - 1) + b"N",
        "wide bytearray": b"\x96" + struct.pack("<Q", 2**62) + b"x",
        "wide long": b"\x8b\xff\xff\xff\x7f\x01",
        "negative long": b"\x8b\xff\xff\xff\xff\x01",
        "negative string": b"T\xff\xff\xff\xff",
        "decimal of a million digits": b"I" + b"9" * 10**6 + b"\n",
        "long of a million digits": b"L" + b"9" * 10**6 + b"L\n",
        "bytearray of a number": name("builtins.bytearray") + items(number(2**40)) + b"R",
        "bytes of a number": name("builtins.bytes") + items(number(2**40)) + b"R",
        "list of a range": name("builtins.list") + items(name("builtins.range") + items(number(2**40)) + b"R") + b"R",
        "set of a range": name("builtins.set") + items(name("builtins.range") + items(number(2**40)) + b"R") + b"R",
        "deque of a range": name("collections.deque")
        + items(name("builtins.range") + items(number(2**40)) + b"R")
        + b"R",
        "array of nothing": name("numpy._core.multiarray._reconstruct")
        + items(name("numpy.ndarray"), items(number(0)), b"C\x01b")
        + b"R"
        + items(
            number(1),
            items(number(2**40)),
            name("numpy.dtype") + items(text("f8"), b"\x89", b"\x88") + b"R",
            b"\x89",
            b"C\x00",
        )
        + b"b",
        "array of huge shape": name("numpy._core.multiarray._reconstruct")
        + items(name("numpy.ndarray"), items(number(2**40)), b"C\x01b")
        + b"R"
        + items(
            number(1),
            items(number(2**62), number(4)),
            name("numpy.dtype") + items(text("f8"), b"\x89", b"\x88") + b"R",
            b"\x89",
            b"C\x00",
        )
        + b"b",
        "array of objects": name("numpy._core.multiarray._reconstruct")
        + items(name("numpy.ndarray"), items(number(0)), b"C\x01b")
        + b"R"
        + items(
            number(1), items(number(3)), name("numpy.dtype") + items(text("O8"), b"\x89", b"\x88") + b"R", b"\x89", b"]"
        )
        + b"b",
        "scalar of an object": name("numpy._core.multiarray.scalar")
        + items(name("numpy.dtype") + items(text("O"), b"\x89", b"\x88") + b"R", b"C\x00")
        + b"R",
        "scalar too short": name("numpy._core.multiarray.scalar")
        + items(name("numpy.dtype") + items(text("f8"), b"\x89", b"\x88") + b"R", b"C\x01x")
        + b"R",
        "dtype of a long text": name("numpy.dtype") + items(text("f8," * 100_000)) + b"R",
        "dtype of huge parts": name("numpy.dtype")
        + items(text("(99999,99999,99999)f8"), b"\x89", b"\x88")
        + b"R"
        + b"(K\x03"
        + text("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + b"\x85N\x86"
        + b"q\x00"
        + b"R",
        "dtype with fields": name("numpy.dtype")
        + items(text("V8"), b"\x89", b"\x88")
        + b"R(K\x03"
        + text("|")
        + b"N"
        + items(text("a"))
        + b"}"
        + b"K\x08K\x01K\x10tb",
        "equal hashes": b"}(" + b"".join(number((2**61 - 1) * i) + b"N" for i in range(1, 30_000)) + b"u",
        "equal hashes in a set": P4 + b"\x8f(" + b"".join(number((2**61 - 1) * i) for i in range(1, 30_000)) + b"\x90",
        "equal hashes in a frozenset": P4
        + b"("
        + b"".join(number((2**61 - 1) * i) for i in range(1, 30_000))
        + b"\x91",
        "equal hashes of complex numbers": name("builtins.complex")
        + b"q\x00}("
        + b"".join(
            b"h\x00(G" + struct.pack(">d", -1000003.0 * i) + b"G" + struct.pack(">d", float(i)) + b"tRN"
            for i in range(30_000)
        )
        + b"u",
        "hash of doubled tuples": b"}N" + b"\x85q\x00h\x00\x86" + b"2\x86" * 60 + b"Ns",
        "hash of doubled tuples in a set": P4 + b"\x8f(N\x85" + b"2\x86" * 60 + b"\x90",
        "hash of a deep tuple": b"}N" + b"\x85" * 100_000 + b"Ns",
        "hash of a list": b"}]Ns",
        "hash of a dict in a tuple": b"}}\x85Ns",
        "hash of a bytearray": b"}" + name("builtins.bytearray") + b")RNs",
    }.items():
        content = content if content.startswith(b"\x80") else P2 + content
        yield f"bomb: {what}", archive(content + b"."), REFUSED
    laughs = b"]q\x00" + b"".join(b"0](h%ch%ceq%c" % (i, i, i + 1) for i in range(60))
    yield "billion laughs of lists", archive(stop(laughs)), FINE
    yield "billion laughs of tuples", archive(stop(b")" + b"2\x86" * 60)), FINE
    yield "deep lists", archive(stop(b"]" * 100_000, b"a" * 99_999)), FINE
    yield "deep tuples", archive(stop(b"N", b"\x85" * 100_000)), FINE
    yield "deep dicts", archive(stop(b"}" + b"N}" * 50_000, b"s" * 50_000)), FINE
    yield "deep records by state", archive(stop(name("a.b"), b"q\x000", b"h\x00)\x81" * 20_000, b"b" * 19_999)), INERT
    for what, content in {
        "list": b"]q\x00h\x00a",
        "dict": b"}q\x00Nh\x00s",
        "tuple in a list": b"]q\x00h\x00\x85a",
        "ordered dict": EMPTY + b"q\x00Nh\x00s",
        "record": name("a.b") + b")Rq\x00h\x00b",
        "state of ordered dict": EMPTY + b"q\x00}" + text("x") + b"h\x00sb",
        "deque": name("collections.deque") + b")Rq\x00h\x00a",
    }.items():
        yield f"cyclic: {what}", archive(stop(content)), INERT if what == "record" else FINE


def opcodes():
    for what, content in {
        "nothing": b"",
        "stop alone": b".",
        "no stop": P2 + b"N",
        "two values": P2 + b"NN.",
        "open mark": P2 + b"(N.",
        "pop of nothing": P2 + b"0.",
        "tuple without mark": P2 + b"t.",
        "tuple2 of one": P2 + b"N\x86.",
        "tuple3 of two": P2 + b"NN\x87.",
        "append to nothing": P2 + b"a.",
        "append to None": P2 + b"NNa.",
        "append to a tuple": P2 + b")Na.",
        "appends to a dict": P2 + b"}(Ne.",
        "appends to a text": P2 + text("x") + b"(Ne.",
        "setitem of a list": P2 + b"]NNs.",
        "setitems of odd number": P2 + b"}(NNNu.",
        "setitem of a tensor": P2 + tensor() + b"K\x00K\x00s.",
        "additems to a list": P4 + b"](N\x90.",
        "dict of odd number": P2 + b"(Nd.",
        "get of nothing": P2 + b"h\x00.",
        "get far": P2 + b"j\xff\xff\xff\xff.",
        "get by text": P2 + b"gx\n.",
        "put of nothing": P2 + b"q\x00.",
        "put by text": P2 + b"Npx\n.",
        "put negative": P2 + b"Np-1\n.",
        "reduce of nothing": P2 + b"R.",
        "reduce of one": P2 + b")R.",
        "reduce of a number": P2 + b"K\x01)R.",
        "reduce of a text": P2 + text("os.system") + b")R.",
        "reduce of a list": P2 + b"])R.",
        "newobj of a number": P2 + b"K\x01)\x81.",
        "newobj_ex of text keys": P4 + name("os.system") + b")]\x92.",
        "newobj_ex of numbers": P4 + name("os.system") + b")}K\x01Ns\x92.",
        "obj of nothing": P2 + b"(o.",
        "inst without mark": P2 + name("os.system", b"i") + b".",
        "build of nothing": P2 + b"b.",
        "build of one": P2 + b"}b.",
        "persid of nothing": P2 + b"Q.",
        "unknown opcode": P2 + b"\xff.",
        "unknown opcode first": b"\x00",
        "protocol 6": b"\x80\x06N.",
        "protocol 255": b"\x80\xffN.",
        "global cut": P2 + b"cos\nsys",
        "global not UTF-8": P2 + b"c\xff\n\xff\n.",
        "global of nothing": P2 + b"c\n\n)R.",
        "global of a long name": P2 + b"c" + b"a" * 100_000 + b"\nb\n)R.",
        "global with nulls": P2 + b"cos\0\nsystem\0\n)R.",
        "stack global of numbers": P4 + b"K\x01K\x02\x93.",
        "stack global of one": P4 + text("os") + b"\x93.",
        "extension": P2 + b"\x82\x01.",
        "extension 2": P2 + b"\x83\x01\x01.",
        "extension 4": P2 + b"\x84\xff\xff\xff\x7f.",
        "text not UTF-8": P2 + b"X\x02\0\0\0\xff\xfe.",
        "string not UTF-8": P2 + b"U\x02\xff\xfe.",
        "string without quotes": P2 + b"Sabc\n.",
        "string of one quote": P2 + b"S'\n.",
        "string with half an escape": P2 + b"S'\\x1'\n.",
        "raw text with half an escape": P2 + b"V\\u12\n.",
        "int of text": P2 + b"Iabc\n.",
        "int of nothing": P2 + b"I\n.",
        "long of text": P2 + b"LxL\n.",
        "float of text": P2 + b"Fabc\n.",
        "int cut": P2 + b"J\x01",
        "float cut": P2 + b"G\x01",
        "text cut": P2 + b"X\xff\0\0\0a",
        "next buffer": b"\x80\x05\x97.",
        "readonly buffer": b"\x80\x05\x98.",
        "counter of a number": P2 + name("collections.Counter") + items(number(3)) + b"R.",
        "dict of a number": P2 + name("builtins.dict") + items(number(3)) + b"R.",
        "dict of triples": P2 + name("builtins.dict") + items(b"]" + items(b"N", b"N", b"N") + b"a") + b"R.",
        "complex of text": P2 + name("builtins.complex") + items(text("1")) + b"R.",
        "encode of a number": P2 + name("_codecs.encode") + items(number(1), text("latin1")) + b"R.",
        "encode by another codec": P2 + name("_codecs.encode") + items(text("x"), text("rot13")) + b"R.",
        "encode beyond latin1": P2 + name("_codecs.encode") + items(text("\u20ac"), text("latin1")) + b"R.",
        "frozenset of lists": P2 + name("builtins.frozenset") + items(b"]]a") + b"R.",
        "reconstructor of a dict": P2
        + name("copyreg._reconstructor")
        + items(name("torch.Size"), name("builtins.tuple"), b")")
        + b"R.",
    }.items():
        names = what.startswith(("extension", "global of a", "global of nothing", "global with"))
        yield f"opcode: {what}", archive(content), INERT if names else REFUSED


def zips():
    pkl = stop(tensor())
    floats = struct.pack("<4f", 1, 2, 3, 4)

    def made(**options):
        return Zip().add("a/data.pkl", pkl).add("a/data/0", floats, **options).close()

    wide = struct.pack("<HHQQ", 1, 16, 2**40, 2**40)
    for what, content in {
        "size too big": made(claimed=17),
        "size too small": made(claimed=15),
        "size huge": made(claimed=2**32 - 2),
        "size of 64 bits missing": made(claimed=2**32 - 1),
        "size of 64 bits huge": made(claimed=2**32 - 1, more=wide),
        "compressed": made(method=8),
        "compressed by bzip2": made(method=12),
        "encrypted": made(flags=1),
        "name differs": made(local_path="a/data/1"),
        "header elsewhere": made(at=5),
        "header beyond": made(at=10**6),
        "header at the pickle": made(at=0),
        "header huge": made(at=2**32 - 2),
        "pickle with a wrong checksum": Zip().add("a/data.pkl", pkl, crc=5).add("a/data/0", floats).close(),
        "pickle missing": Zip().add("a/data/0", floats).close(),
        "no record": Zip().close(),
        "storage twice": Zip().add("a/data.pkl", pkl).add("a/data/0", floats).add("a/data/0", floats).close(),
        "pickle twice": Zip().add("a/data.pkl", pkl).add("a/data.pkl", pkl).add("a/data/0", floats).close(),
        "two folders": Zip().add("a/data.pkl", pkl).add("b/data/0", floats).close(),
        "no folder": Zip().add("data.pkl", pkl).add("data/0", floats).close(),
        "name leads up": Zip().add("a/data.pkl", pkl).add("a/../../0", floats).close(),
        "absolute name": Zip().add("/a/data.pkl", pkl).add("/a/data/0", floats).close(),
        "backslashes": Zip().add("a\\data.pkl", pkl).close(),
        "name with null": Zip().add("a/data.pkl\0x", pkl).close(),
        "name not UTF-8": Zip().add(b"a/\xff", pkl).close(),
        "overlap by size": Zip()
        .add("a/data.pkl", pkl)
        .add("a/data/0", floats[:8], claimed=16)
        .add("a/x", b"y" * 20)
        .close(),
        "same place": Zip()
        .add("a/data.pkl", pkl)
        .add("a/data/0", floats)
        .add("a/data/1", floats, at=len(pkl) + 40)
        .close(),
        "directory beyond": Zip().add("a/data.pkl", pkl).close(start=10**6),
        "directory before": Zip().add("a/data.pkl", pkl).close(start=3),
        "directory too long": Zip().add("a/data.pkl", pkl).close(size=10**6),
        "directory too short": Zip().add("a/data.pkl", pkl).close(size=3),
        "more entries": Zip().add("a/data.pkl", pkl).close(count=60000),
        "fewer entries": Zip().add("a/data.pkl", pkl).add("a/data/0", floats).close(count=1),
        "no entry counted": Zip().add("a/data.pkl", pkl).close(count=0),
        "65535 entries": Zip().add("a/data.pkl", pkl).close(count=0xFFFF),
        "directory of noise": Zip().add("a/data.pkl", pkl).close(directory=b"x" * 100),
        "trailing bytes": GOOD + b"x",
        "comment cut": Zip().add("a/data.pkl", pkl).close(comment=b"abc")[:-1],
        "magic alone": b"PK\3\4",
        "magic and zeros": b"PK\3\4" + bytes(100),
        "end alone": b"PK\3\4" + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, 0, 4, 0),
        "program": archive(pkl, **{"constants.pkl": b"\x80\x02)."}),
        "locator of noise": GOOD[:-22] + struct.pack("<4sIQI", b"PK\6\7", 0, 2**63, 1) + GOOD[-22:],
        "locator of nothing": GOOD[:-22] + struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1) + GOOD[-22:],
        "extra too long": Zip()
        .add("a/data.pkl", pkl, extra=b"FB\xff\xff" + bytes(8))
        .add("a/data/0", floats, at=3)
        .close(),
        "ordinary zip": Zip().add("a/hello.txt", b"hello").close(),
        "storage in the directory": Zip().add("a/data.pkl", pkl).add("a/data/0", b"", claimed=16).close(),
    }.items():
        yield f"zip: {what}", content, REFUSED
    many = Zip().add("a/data.pkl", pkl)
    many.directory += [
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0) + b"a/%06d" % i
        for i in range(60_000)
    ]
    yield "zip: many entries of one place", many.close(), REFUSED
    extras = Zip().add("a/data.pkl", pkl)
    for i in range(60):
        extras.add(f"a/{i}", b"", claimed=2**32 - 1, more=b"\2\0\0\0" * 16_000)
    yield "zip: long extra fields", extras.close(), REFUSED
    for part in range(1, 20):
        yield f"zip cut at {part}/20", GOOD[: len(GOOD) * part // 20], REFUSED


def legacies():
    good = stop(tensor(legacy_storage()))
    floats = struct.pack("<4f", 1, 2, 3, 4)
    for what, content in {
        "magic alone": MAGIC,
        "wrong magic": legacy(good, magic=pickle.dumps(5, 2)),
        "wrong version": legacy(good, version=1002),
        "version of text": legacy(good, version="1001"),
        "magic of a list": legacy(good, magic=pickle.dumps([], 2)),
        "storage too long": legacy(good, storages=((5, floats + b"1234"),)),
        "storage too short": legacy(good, storages=((3, floats),)),
        "storage huge": legacy(good, storages=((2**62, floats),)),
        "storage negative": legacy(good, storages=((-1, floats),)),
        "storage cut": legacy(good)[:-1],
        "storages missing": legacy(good, storages=()),
        "keys missing": legacy(good, keys=()),
        "keys of another": legacy(good, keys=("1",)),
        "keys twice": legacy(good, keys=("0", "0"), storages=((4, floats),) * 2),
        "keys of lists": legacy(good, keys=([],)),
        "keys are a number": MAGIC + pickle.dumps(1001, 2) + SYSTEM + good + pickle.dumps(7, 2) + bytes(100),
        "view of a storage": legacy(stop(tensor(legacy_storage(view=items(text("1"), number(0), number(2)))))),
        "claimed huge": legacy(stop(tensor(legacy_storage(count=2**61)))),
        "claimed negative": legacy(stop(tensor(legacy_storage(count=-1)))),
        "tensor outside": legacy(stop(tensor(legacy_storage(), size=(5,)))),
        "two dtypes": legacy(stop(tensor(legacy_storage()), tensor(legacy_storage("torch.DoubleStorage")), b"\x86")),
        "zip persistent id": legacy(stop(tensor())[:-1] + b"0Nq\x00NN\x86NQ."),
        "no value": MAGIC + pickle.dumps(1001, 2) + SYSTEM,
        "value cut": legacy(good[:-1]),
        "unknown class": legacy(stop(tensor(legacy_storage("torch.QInt8Storage")))),
    }.items():
        yield f"legacy: {what}", content, REFUSED
    for part in range(1, 16):
        yield f"legacy cut at {part}/16", GOOD_LEGACY[: len(GOOD_LEGACY) * part // 16], REFUSED


def strangers():
    noise = random.Random(0)
    for what, content in {
        "nothing": b"",
        "a byte": b"x",
        "text": b"hello, world" * 10,
        "zeros": bytes(1000),
        "ones": b"\xff" * 1000,
        "a shell script": b"#!/bin/sh\ntouch x\n",
        "HTML": b"<!DOCTYPE html><html></html>",
        "JSON": b'{"a": [1, 2]}',
        "gzip": b"\x1f\x8b\x08" + bytes(50),
        "bzip2": b"BZh9" + bytes(50),
        "tar": bytes(257) + b"ustar\x0000" + bytes(500),
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "an LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "a pickle": pickle.dumps({"a": 1}, 2),
        "a pickle of protocol 0": pickle.dumps({"a": 1}, 0),
        "a pickle of protocol 4": pickle.dumps({"a": 1}, 4),
        "a NumPy file": b"\x93NUMPY\x01\0v\0" + bytes(118),
        "a program": b"\x7fELF" + bytes(200),
        "safetensors of deep JSON": struct.pack("<Q", 100_000) + b"{" + b"[" * 99_999,
        "safetensors of many lists": struct.pack("<Q", 6_000_000) + b'{"a":[' + b"[]," * 1_999_996 + b"[]]}"[:6],
        "noise": noise.randbytes(5000),
        "noise after a pickle": b"\x80\x02" + noise.randbytes(5000),
        "noise after a zip": b"PK\3\4" + noise.randbytes(5000),
    }.items():
        yield f"stranger: {what}", content, REFUSED


def table():
    """All files: (name, content, what loading must give)."""
    for family in (code, tensors, bombs, opcodes, zips, legacies, strangers):
        yield from family()


# ---- loading them --------------------------------------------------------------------------------------------------


def peak():
    """The largest amount of memory since the last call, and the amount now, in bytes."""
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return int(status["VmHWM"].split()[0]) * 1024, int(status["VmRSS"].split()[0]) * 1024


_SILENT = {
    "array.__new__",
    "builtins.id",
    "object.__getattr__",
    "object.__setattr__",
}  # events of PEP 578 that do nothing
ERRORS = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError)


def outcome(content, weights_only):
    """ "result", "error", or a text that says what was wrong with the error."""
    import rushlight

    try:
        rushlight.load(io.BytesIO(content), weights_only=weights_only)
    except ERRORS as error:
        return "error" if str(error).startswith("[") else f"message of {type(error).__name__}: {error}"
    except BaseException as error:
        return f"class of error, {type(error).__name__}: {error}"
    return "result"


def cases():
    """(name, content, expectation, weights_only); large files are loaded the permissive way alone."""
    for what, content, expected in table():
        for weights_only in (True, False)[len(content) > 100_000 :]:
            yield what, content, expected, weights_only


def main():
    for _, content, _, weights_only in cases():
        if len(content) < 100_000:
            outcome(content, weights_only)  # modules of ours are imported when they are first used
    events, watching = [], False
    sys.addaudithook(lambda event, arguments: events.append(event) if watching else None)
    for what, content, expected, weights_only in cases():
        _, before = peak()
        events.clear()
        watching, start = True, time.process_time()
        found = outcome(content, weights_only)
        watching, seconds = False, time.process_time() - start
        report = {
            "name": what,
            "expected": expected,
            "weights_only": weights_only,
            "outcome": found[:300],
            "size": len(content),
        }
        report |= {"seconds": seconds, "memory": peak()[0] - before, "events": sorted({*events} - _SILENT)}
        print(json.dumps(report), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
