"""Random calls: whatever is passed in, an ordinary exception or a readable result must come out.

    python -m tests.fuzz --calls 200000 --seed 1 --jobs 2      run calls 0..199999 of seed 1
    python -m tests.fuzz --replay 1:1234                       show and run one of them

Calls run in worker processes whose memory is limited and whose calls have a time limit. The number of the call that is
running is kept in a file, so that a crash or a hang names its call; a new worker goes on behind it.
"""

import argparse
import faulthandler
import inspect
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import types
import warnings

import numpy

import rushlight
from rushlight import _core
from tests.ops.samples import DTYPES, generators, samples

# The last two: what the buffer protocol and PyTorch's own assertions raise.
ORDINARY = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, OverflowError, MemoryError,
            ZeroDivisionError, BufferError, AssertionError, OSError)  # fmt: skip
NOT_TENSORS = (int, float, complex, str, bytes, list, tuple, dict, range, type, type(None), _core.dtype,
               numpy.ndarray, numpy.generic, numpy.dtype)  # fmt: skip
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
MEMORY = 4 << 30  # bytes of address space of a worker
READABLE = 1 << 16  # elements: larger results are not read one by one


# ---- what calls are made of ------------------------------------------------------------------------------------------

LAYOUTS = ("contiguous", "transposed", "gapped", "expanded", "offset", "overlapping", "strided")
VALUES = ("normal", "small", "index", "zero", "special")
SPECIAL = {
    "f": [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e308, -1e308, 5e-324, 1.0, -1.5, 3e9, 1e-3],
    "i": [0, 1, -1, 2**63 - 1, -(2**63), 2**31, -(2**31) - 1, 255, 5, 3],
    "u": [0, 1, 255, 128, 7],
    "b": [0, 1],
    "c": [complex("nan"), complex("inf"), 0j, 1e308 + 1j, 1 - 1j, complex(0, float("inf"))],
}


def values(count, kind, what, source):
    """NumPy's array of `count` values; kind is that of a NumPy dtype."""
    if what == "special":
        special = numpy.array(SPECIAL[kind], dtype={"f": "f8", "c": "c16", "b": "?", "u": "u1", "i": "i8"}[kind])
        return special[source.integers(0, len(special), count)]
    if what == "zero":
        return numpy.zeros(count)
    if what == "index":
        return source.integers(0, 3, count)
    if what == "small":
        return source.integers(-3, 6, count)
    drawn = source.standard_normal(count)
    return drawn + 1j * source.standard_normal(count) if kind == "c" else drawn


def tensor(dtype, shape, layout="contiguous", what="normal", grad=False, seed=0):
    """A tensor of any dtype and layout; its values depend on the arguments alone."""
    source = numpy.random.default_rng(seed)
    kind = {"bool": "b", "uint8": "u", "float16": "f", "bfloat16": "f"}.get(dtype, numpy.dtype(
        "float32" if dtype == "bfloat16" else dtype).kind)  # fmt: skip
    count = int(numpy.prod(shape, dtype=object))
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = values(count, kind, what, source).reshape(shape)
        array = array.astype("float32" if dtype == "bfloat16" else dtype)
    made = rushlight.empty(shape, dtype=getattr(rushlight, dtype))
    if count:
        made = rushlight.tensor(array.tolist(), dtype=made.dtype).reshape(shape)
    made = relaid(made, layout)
    return made.requires_grad_() if grad and kind in "fc" else made


def relaid(t, layout):
    """The tensor with other strides; the same shape, and except for the last kinds the same values."""
    if not isinstance(t, rushlight.Tensor) or t.numel() > 10000:
        return t
    if layout == "transposed":
        order = tuple(reversed(range(t.dim())))
        return _core.permute(_core.contiguous(_core.permute(t, order)), order)
    if layout == "gapped":
        return _core.select(_core.stack([t, t], -1), -1, 1) if t.dim() < 16 else t
    if layout == "expanded":
        return _core.expand(_core.narrow(t, 0, 0, 1), t.shape) if t.dim() and t.shape[0] else t
    if layout == "offset":
        flat = _core.cat([_core.reshape(t, (-1,)), _core.reshape(t, (-1,))])
        return _core.reshape(_core.narrow(flat, 0, t.numel(), t.numel()), t.shape)
    if layout == "overlapping":  # a sliding window: neighbours share memory
        strides = [1] * t.dim()
        reach = sum(max(n - 1, 0) for n in t.shape) + 1
        base = _core.cat([_core.reshape(t, (-1,)), _core.zeros((reach,), dtype=t.dtype)])
        return _core.as_strided(base, t.shape, strides)
    if layout == "strided":  # the dimensions from the inside out, with gaps
        strides, step = [], 3
        for n in t.shape:
            strides.append(step)
            step *= max(n, 1)
        base = _core.zeros((step,), dtype=t.dtype)
        view = _core.as_strided(base, t.shape, strides)
        _core.copy_(view, t)
        return view
    return t


def cast(t, dtype):
    return t.to(getattr(rushlight, dtype)) if isinstance(t, rushlight.Tensor) else t


def needing_grad(t):
    if isinstance(t, rushlight.Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex):
        return t.detach().requires_grad_()
    return t


class Odd:
    """An object that is nothing that any operator wants."""

    def __repr__(self):
        return "Odd()"


class OddIndex:
    """An index that raises."""

    def __index__(self):
        raise ValueError("no index")

    def __float__(self):
        raise ValueError("no float")


def emptying():
    """A list that one of its entries empties while it is read."""
    entries = [1.5]

    class Entry:
        def __index__(self):
            entries.clear()
            return 1

        __float__ = __index__

    entries += [Entry(), 3, 4]
    return entries


# ---- drawing a call --------------------------------------------------------------------------------------------------

HUGE = (7, 16, 17, 31, 32, 63, 64, 65, 100, 255, 256, 300, 65536, 2**31 - 1, 2**31, -(2**31), 2**32 + 1, 2**40, 2**61,
        2**62, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30)  # fmt: skip
FLOATS = ("0.0", "1.0", "-1.0", "0.5", "2.5", "1e-5", "0.1", "nan", "inf", "-inf", "1e308", "-1e300", "1e19", "5e-324")
TEXTS = ("none", "mean", "sum", "prod", "amax", "amin", "tanh", "constant", "reflect", "replicate", "circular", "left",
         "right", "floor", "trunc", "ij", "xy", "nearest", "bilinear", "linear", "valid", "same", "", "nope",
         "ß" * 40)  # fmt: skip
WRONG = ("None", "'x'", "1.5", "2**70", "[]", "()", "{}", "[None]", "[1, 'a']", "Odd()", "OddIndex()", "b'ab'", "3+4j",
         "True", "object", "[[1, 2], [3]]", "range(3)", "float", "torch.float32", "torch.Size([2, 3])", "nan", "-1",
         "numpy.int64(3)", "numpy.float32(1.5)", "numpy.ones((2, 3))", "[OddIndex()]", "(Odd(), 2)", "emptying()",
         "[float('nan')]")  # fmt: skip


class Draw:
    """The random choices of one call."""

    def __init__(self, seed, index):
        self.random = random.Random(f"{seed}/{index}")
        self.huge = True

    def chance(self, p):
        return self.random.random() < p

    def one(self, options):
        return self.random.choice(options)

    def dtype(self):
        common = ("float32", "float64", "float32", "float64", "int64", "bool")
        return self.one(common if self.chance(0.7) else DTYPES)

    def size(self):
        return self.one((0, 1, 1, 2, 2, 3, 3, 4, 5)) if self.chance(0.97) else self.one((7, 17, 64, 130, 1000))

    def shape(self):
        dims = self.one((0, 1, 1, 2, 2, 2, 3, 3, 4, 5)) if self.chance(0.97) else self.one((6, 9, 16))
        return tuple(self.size() if dims < 6 else self.one((1, 1, 2)) for _ in range(dims))

    def tensor(self, dtype=None, what=None):
        dtype, shape = dtype or self.dtype(), self.shape()
        grad = self.chance(0.4) and dtype not in ("int64", "bool")
        layout = "contiguous" if self.chance(0.4) else self.one(LAYOUTS)
        what = what or ("normal" if self.chance(0.4) else self.one(VALUES))
        if int(numpy.prod(shape)) > 20000:
            shape = shape[:1]
        return f"T({dtype!r}, {shape}, {layout!r}, {what!r}, {grad}, {self.random.randrange(100)})"

    def integer(self):
        return str(self.one(HUGE) if self.huge and self.chance(0.15) else self.random.randint(-3, 5))

    def integers(self):
        if self.chance(0.2):
            return self.integer()
        items = [self.integer() for _ in range(self.one((0, 1, 1, 2, 2, 2, 3, 3, 4, 6)) if self.chance(0.98) else 20)]
        text = ", ".join(items)
        return f"[{text}]" if self.chance(0.3) else f"({text},)" if items else "()"

    def number(self):
        return (
            self.integer() if self.chance(0.5) else self.one(FLOATS) if self.chance(0.9) else self.one(("True", "2j"))
        )

    def list_of_tensors(self):
        items = [self.tensor() if self.chance(0.95) else "None" for _ in range(self.one((0, 1, 2, 2, 3, 5)))]
        if len(items) > 1 and self.chance(0.6):
            items = [items[0]] * len(items)
        return f"[{', '.join(items)}]"

    def key(self, depth=0):
        """What may stand between brackets."""
        kind = self.random.random()
        if kind < 0.25:
            return self.integer()
        if kind < 0.5:
            parts = [self.integer() if self.chance(0.6) else "None" for _ in range(3)]
            return f"slice({', '.join(parts)})"
        if kind < 0.6:
            return self.one(("None", "Ellipsis", "True", "False"))
        if kind < 0.75:
            return self.tensor(self.one(("int64", "bool", "int64", "uint8", "int32")), self.one(("index", "small")))
        if kind < 0.8:
            return self.one(("[0, 1]", "[]", "[True, False]", "[[0], [1]]", "range(2)", "numpy.array([0, 1])"))
        if kind < 0.95 and depth == 0:
            return f"({' '.join(self.key(1) + ',' for _ in range(self.one((1, 2, 2, 3, 4, 20))))})"
        return self.one(WRONG)

    def data(self, depth=0):
        """Nested sequences for tensor()."""
        if depth > 3 or self.chance(0.4):
            return self.number() if self.chance(0.9) else self.one(WRONG)
        return f"[{', '.join(self.data(depth + 1) for _ in range(self.one((0, 1, 2, 2, 3))))}]"

    def argument(self, kind):
        """Source text of an argument of a row's parameter type."""
        if self.chance(0.06):
            return self.one(WRONG)
        match kind:
            case "Tensor":
                return self.tensor()
            case "Tensor | Number":
                return self.tensor() if self.chance(0.7) else self.number()
            case "Mask":
                return self.tensor("bool")
            case "list[Tensor]":
                return self.list_of_tensors()
            case "Number" | "float":
                return self.number()
            case "int":
                return self.integer()
            case "bool":
                return self.one(("True", "False"))
            case "ints":
                return self.integers()
            case "str":
                return repr(self.one(TEXTS))
            case "dtype":
                return f"torch.{self.one(DTYPES)}"
            case "Generator":
                return self.one(("None", "torch.Generator()"))
        return self.one(WRONG)


# What the parameters of Python functions are, by name; the rest follows from the default.
BY_NAME = {
    **dict.fromkeys(("dim", "dim0", "dim1", "dim2", "axis", "axis0", "axis1", "n", "diagonal", "offset", "start",
                     "k", "end", "step", "steps", "length", "chunks", "groups", "num_classes", "source", "destination",
                     "blank", "upscale_factor", "num_samples", "num_heads", "n_fft", "hop_length", "win_length", "M"),
                    "int"),
    **dict.fromkeys(("dims", "size", "shape", "sizes", "repeats", "kernel_size", "stride", "padding", "dilation", "pad",
                     "output_size", "normalized_shape", "split_size_or_sections", "indices_or_sections", "shifts",
                     "reps", "output_padding", "scale_factor", "sections", "split_sizes", "s"), "ints"),
    **dict.fromkeys(("tensors", "sequence", "arrays", "matrices"), "list[Tensor]"),
    **dict.fromkeys(("p", "alpha", "beta", "eps", "margin", "min", "max", "value", "q", "fill_value", "ord", "tau",
                     "std", "correction", "d"), "Number"),
    **dict.fromkeys(("keepdim", "largest", "sorted", "descending", "training", "inplace", "bias"), "bool"),
    **dict.fromkeys(("mode", "reduction", "approximate", "rounding_mode", "indexing", "reduce", "equation", "side"),
                    "str"),
    "dtype": "dtype",
    "mask": "Mask",
    "generator": "Generator",
}  # fmt: skip


RARE = ("out", "device", "layout", "pin_memory")


def kind_of(parameter):
    default = parameter.default
    if parameter.name in BY_NAME:
        return BY_NAME[parameter.name]
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if isinstance(default, kind):
            return name
    return "Tensor | Number" if default is parameter.empty else "Tensor"


def python_functions():
    """Public functions that are compositions: name -> function."""
    found = {name: f for name, f in rushlight.ops.FUNCTIONS.items() if isinstance(f, types.FunctionType)}
    torch = rushlight
    for module in (
        torch.nn.functional, torch.linalg, torch.fft, torch.special, torch.sparse, torch.signal.windows, torch.masked,
    ):  # fmt: skip
        place = module.__name__.removeprefix("rushlight.")
        functions = {
            n: f for n, f in vars(module).items() if isinstance(f, (types.FunctionType, _core.Offered)) and n[0] != "_"
        }
        found |= {f"{place}.{n}": f for n, f in functions.items()}
    return found


# Methods that change what other calls see, that run the caller's code or that hand out raw memory.
LEFT_OUT = {"__init__", "__new__", "__del__", "__setattr__", "__delattr__", "__setstate__", "__reduce_ex__",
            "__class__", "apply_", "map_", "register_hook", "register_post_accumulate_grad_hook", "data_ptr",
            "share_memory_"}  # fmt: skip
# Functions that do something as often as they are asked to.
AS_OFTEN_AS_ASKED = {"tensor_split", "hsplit", "vsplit", "dsplit", "svd_lowrank", "pca_lowrank"}
ROWS = _core.op_names()
FORMS = {name: _core.op_info(name)["forms"] for name in ROWS}
COMPOSITIONS = python_functions()
METHODS = sorted(
    n for n, m in vars(_core.Tensor).items() if callable(m) and n not in LEFT_OUT and not isinstance(m, _core.Op)
)
SIGNATURES = {n: list(inspect.signature(f).parameters.values()) for n, f in COMPOSITIONS.items()}


class Call:
    """One random call, as text: what is called, its arguments, and what happens to some of them before."""

    def __init__(self, seed, index):
        draw = self.draw = Draw(seed, index)
        self.edits, self.backward = [], draw.chance(0.3)
        kind = draw.random.random()
        if kind < 0.7:
            self.row(draw.one(ROWS))
        elif kind < 0.85:
            self.composition(draw.one(tuple(COMPOSITIONS)))
        elif kind < 0.92:
            name = draw.one(METHODS)
            self.function = f"torch.Tensor.{name}"
            kinds = [
                draw.one(("Tensor | Number", "ints", "dtype", "bool")) for _ in range(draw.one((0, 0, 1, 1, 1, 2)))
            ]
            self.arguments = ", ".join([draw.tensor(), *(draw.argument(kind) for kind in kinds)])
        else:
            setting = draw.chance(0.4)
            self.function = "torch.Tensor.__setitem__" if setting else "torch.Tensor.__getitem__"
            self.arguments = f"{draw.tensor()}, {draw.key()}"
            if setting:
                self.arguments += ", " + draw.argument("Tensor | Number")

    def row(self, name):
        draw, info = self.draw, _core.op_info(name)
        form = draw.one(FORMS[name])
        self.function = f"core.{name}"
        if form == "inplace" and not name.endswith("_"):
            self.function += "_"
        lines = samples(name)
        if lines and draw.chance(0.6):
            self.arguments = draw.one(lines)
            for _ in range(draw.one((0, 1, 1, 2, 3))):
                self.edits.append((draw.random.randrange(len(info["parameters"])), self.edit(info)))
        else:
            given = []
            for p in info["parameters"]:
                if p["has_default"] and draw.chance(0.5):
                    continue
                text = draw.argument(p["type"]) if not (p["optional"] and draw.chance(0.3)) else "None"
                spelled = p["name"] if p["name"] != "from" else "from_"
                given.append(f"{spelled}={text}" if p["keyword_only"] or "=" in "".join(given).split("T(")[0] else text)
            named = [g for g in given if g.partition("=")[0].isidentifier()]
            self.arguments = ", ".join([g for g in given if g not in named] + named)
        if form == "out":
            several = len(info["outputs"]) > 1
            outs = [draw.tensor() for _ in range(len(info["outputs"]) if several else 1)]
            text = f"({', '.join(outs)},)" if several and draw.chance(0.95) else outs[0]
            if draw.chance(0.3):
                text = "old_arguments[0]"  # the output is an input
            self.edits.append(("out", text))

    def edit(self, info):
        """A change of one argument, which the text calls `old`."""
        draw = self.draw
        kind = draw.random.random()
        if kind < 0.3:
            return f"relaid(old, {draw.one(LAYOUTS)!r})"
        if kind < 0.5:
            return f"cast(old, {draw.one(DTYPES)!r})"
        if kind < 0.6:
            return "needing_grad(old)"
        return draw.argument(draw.one(info["parameters"])["type"] if kind < 0.7 else draw.one(
            ("Tensor", "Number", "int", "ints", "list[Tensor]", "Tensor")))  # fmt: skip

    def composition(self, name):
        draw = self.draw
        self.function = f"compositions[{name!r}]"
        draw.huge = name not in AS_OFTEN_AS_ASKED
        given = []
        for p in SIGNATURES[name]:
            if p.kind is p.VAR_KEYWORD or (p.name in RARE and draw.chance(0.9)):
                continue
            if p.kind is p.VAR_POSITIONAL:
                given += [draw.argument(draw.one(("Tensor", "int", "ints"))) for _ in range(draw.one((0, 1, 2, 3)))]
                continue
            if p.default is not p.empty and draw.chance(0.6):
                continue
            text = draw.data() if p.name == "data" else draw.argument(kind_of(p))
            named = (given and p.default is not p.empty) or p.kind is p.KEYWORD_ONLY
            given.append(f"{p.name}={text}" if named else text)
        positional = [g for g in given if not g.partition("=")[0].isidentifier()]
        self.arguments = ", ".join(positional + [g for g in given if g not in positional])

    def __str__(self):
        text = f"{self.function}({self.arguments})"
        for where, change in self.edits:
            text += f"\n    with argument {where!r} = {change}"
        return text + ("\n    and backward" if self.backward else "")

    def run(self):
        """The result; raises what the call raises."""
        names = generators(rushlight) | NAMESPACE
        args, kwargs = eval(f"arguments({self.arguments})", names)
        for where, change in self.edits:
            names["old"] = args[where] if isinstance(where, int) and where < len(args) else None
            names["old_arguments"] = args or [None]
            value = eval(change, names)
            if where == "out":
                kwargs["out"] = value
            elif where < len(args):
                args[where] = value
        result = eval(self.function, names)(*args, **kwargs)
        read(result)
        if self.backward:
            backward(result)
            for t in tensors([args, list(kwargs.values())]):
                if t.is_leaf and t.requires_grad and t.grad is not None:
                    read(t.grad)
        return result


NAMESPACE = {"T": tensor, "core": _core, "compositions": COMPOSITIONS, "numpy": numpy}
NAMESPACE |= {f.__name__: f for f in (relaid, cast, needing_grad, emptying, Odd, OddIndex)}


def tensors(value):
    if isinstance(value, rushlight.Tensor):
        return [value]
    return [t for v in value for t in tensors(v)] if isinstance(value, (tuple, list)) else []


def read(result):
    """Every element is looked at; a printed form exists."""
    for t in tensors(result):
        if t.numel() <= READABLE and max(t.shape, default=0) <= READABLE:
            t.detach().tolist()
            if t.numel() < 100:
                repr(t)


def backward(result):
    outputs = [t for t in tensors(result) if t.requires_grad and t.numel() <= READABLE]
    if outputs:
        gradients = [_core.ones_like(t.detach()) for t in outputs]
        rushlight.autograd.backward(outputs, gradients)


# ---- running calls ---------------------------------------------------------------------------------------------------


def work(seed, first, last, limit, log):
    """The calls first..last-1, in this process. Problems go to the log, and the number of the running call."""
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    current = os.open(f"{log}.current", os.O_RDWR | os.O_CREAT)
    completed = 0
    with open(f"{log}.stacks", "w") as stacks, open(f"{log}.problems", "a") as problems:
        faulthandler.enable(stacks)
        for index in range(first, last):
            os.pwrite(current, b"%-20d %-20d" % (index, completed), 0)
            faulthandler.dump_traceback_later(limit, exit=True, file=stacks)
            call = Call(seed, index)
            try:
                call.run()
                completed += 1
            except ORDINARY:
                pass
            except BaseException as e:
                given_no_tensor = isinstance(e, AttributeError) and isinstance(e.obj, (*NOT_TENSORS, Odd, OddIndex))
                if given_no_tensor:  # in Python code
                    continue
                problems.write(f"{seed}:{index} {call}\n{traceback.format_exc(limit=-4)}\n")
                problems.flush()
            faulthandler.cancel_dump_traceback_later()
            if index % 500 == 499:
                _core.empty_cache()
    os.pwrite(current, b"%-20d %-20d" % (last, completed), 0)


def supervise(seed, calls, jobs, limit):
    """Runs all calls in workers; returns (number of calls that gave a result, list of problems)."""
    problems, completed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        bounds = [calls * k // jobs for k in range(jobs + 1)]
        parts = [Part(seed, bounds[k], bounds[k + 1], limit, f"{folder}/{k}") for k in range(jobs)]
        while any(p.running for p in parts):
            for p in parts:
                if p.running:
                    p.check()
            time.sleep(0.02)
        for p in parts:
            problems += p.problems
            completed += p.completed
    return completed, problems


class Part:
    """A stretch of calls, run by one worker after another."""

    def __init__(self, seed, first, last, limit, log):
        self.seed, self.next, self.last, self.limit, self.log = seed, first, last, limit, log
        self.problems, self.completed, self.running = [], 0, True
        self.start()

    def command(self):
        return [sys.executable, "-m", "tests.fuzz", "--seed", str(self.seed), "--limit", str(self.limit),
                "--work", str(self.next), str(self.last), self.log]  # fmt: skip

    def start(self):
        with open(f"{self.log}.output", "w") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=subprocess.STDOUT)

    def check(self):
        status = self.process.poll()
        if status is None:
            return
        problems = pathlib.Path(f"{self.log}.problems")
        if problems.exists():
            self.problems += [p for p in problems.read_text().split("\n\n") if p.strip()]
            problems.unlink()
        where = pathlib.Path(f"{self.log}.current")
        index, completed = map(int, where.read_text().split()) if where.exists() else (None, 0)
        self.completed += completed
        if status == 0:
            self.running = False
            return
        said = pathlib.Path(f"{self.log}.output").read_text()[-6000:]
        stack = pathlib.Path(f"{self.log}.stacks")
        said += stack.read_text()[:1500] if stack.exists() else ""
        how = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
        text = f"{self.seed}:{index} {Call(self.seed, index)}" if index is not None else "before the first call"
        self.problems.append(f"{text}\nthe process {how}\n{said}")
        self.running = index is not None and index + 1 < self.last and len(self.problems) < 200
        if self.running:
            self.next = index + 1
            self.start()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=300 if SANITIZED else 20, help="seconds that one call may take")
    parser.add_argument("--replay", metavar="SEED:INDEX", help="show one call and run it here")
    parser.add_argument("--work", nargs=3, metavar=("FIRST", "LAST", "LOG"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.seed, int(given.work[0]), int(given.work[1]), given.limit, given.work[2])
        return 0
    if given.replay:
        seed, index = map(int, given.replay.split(":"))
        call = Call(seed, index)
        print(call, flush=True)
        print(call.run())
        return 0
    start = time.monotonic()
    completed, problems = supervise(given.seed, given.calls, given.jobs, given.limit)
    for p in problems:
        print(p, end="\n\n")
    share = 100 * completed / max(given.calls, 1)
    print(
        f"{given.calls} calls in {time.monotonic() - start:.0f} s, {share:.0f}% gave a result, {len(problems)} problems"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
