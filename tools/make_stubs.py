"""Writes rushlight/_core.pyi and rushlight/__init__.pyi, the types that editors and type checkers read.

    python tools/make_stubs.py            write them
    python tools/make_stubs.py --check    fail, with a summary, when they are not what the registry says

Rows say their own types; what is no row is found by introspection and typed by the tables below.
"""

import argparse
import difflib
import inspect
import pathlib
import subprocess
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rushlight  # noqa: E402
from rushlight import _core  # noqa: E402

HEADER = '''"""{what} Written by tools/make_stubs.py; do not edit."""

# ruff: noqa
{imports}
'''
# Names that a dtype, a method or a property hides carry an underscore.
ALIASES = """
_bool = builtins.bool
_bytes = builtins.bytes
_complex = builtins.complex
_float = builtins.float
_int = builtins.int
_str = builtins.str
_Number = builtins.bool | builtins.int | builtins.float | builtins.complex
"""
CORE_ALIASES = """
_device = device
_dtype = dtype
_layout = layout
_memory_format = memory_format
"""

TYPES = {
    "Tensor": "Tensor",
    "Tensor | Number": "Tensor | _Number",
    "Mask": "Tensor",
    "list[Tensor]": "Sequence[Tensor]",
    "Number": "_Number",
    "float": "_float",
    "int": "_int",
    "bool": "_bool",
    "ints": "_int | Sequence[_int]",
    "str": "_str",
    "dtype": "_dtype",
    "Generator": "Generator",
}
FACTORY = ["device: Any = None", "layout: Any = None", "requires_grad: _bool = False", "pin_memory: _bool = False"]

# Members of Tensor written in C++ by hand: name -> signature after `self`.
MEMBERS = {
    "size": "(self, dim: _int | None = None) -> Any",
    "stride": "(self, dim: _int | None = None) -> Any",
    "is_contiguous": "(self, memory_format: _memory_format = ...) -> _bool",
    "is_same_size": "(self, other: Tensor) -> _bool",
    "requires_grad_": "(self, requires_grad: _bool = True) -> Tensor",
    "detach": "(self) -> Tensor",
    "detach_": "(self) -> Tensor",
    "resolve_conj": "(self) -> Tensor",
    "resolve_neg": "(self) -> Tensor",
    "untyped_storage": "(self) -> UntypedStorage",
    "as_subclass": "(self, cls: Any) -> Any",
    "item": "(self) -> _Number",
    "tolist": "(self) -> Any",
    "register_hook": "(self, hook: Any) -> Any",
    "register_post_accumulate_grad_hook": "(self, hook: Any) -> Any",
    "retain_grad": "(self) -> None",
    "__format__": "(self, spec: _str, /) -> _str",
    "__complex__": "(self) -> _complex",
    "__bool__": "(self) -> _bool",
    "__int__": "(self) -> _int",
    "__float__": "(self) -> _float",
    "__index__": "(self) -> _int",
    "__len__": "(self) -> _int",
    "__hash__": "(self) -> _int",
    "__repr__": "(self) -> _str",
    "__contains__": "(self, value: Any, /) -> _bool",
    "__getitem__": "(self, index: Any, /) -> Tensor",
    "__setitem__": "(self, index: Any, value: Any, /) -> None",
    "__iter__": "(self) -> Iterator[Tensor]",
    "__dlpack_device__": "(self) -> tuple[_int, _int]",
}
ANYWHERE = ("__repr__", "__hash__", "__len__", "__bool__")  # what these give is the same in every class
INTEGERS = ("dim", "ndimension", "numel", "nelement", "element_size", "storage_offset", "data_ptr", "get_device")
MEMBERS |= dict.fromkeys(INTEGERS, "(self) -> _int")
FLAGS = ("is_signed", "is_inference", "is_conj", "is_neg", "has_names", "_is_view")
MEMBERS |= dict.fromkeys(FLAGS, "(self) -> _bool")
MEMBERS |= {f"__{name}__": "(self) -> Tensor" for name in ("neg", "pos", "abs", "invert")}
ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
)
MEMBERS |= {f"__{kind}{name}__": "(self, other: Any, /) -> Tensor" for name in ARITHMETIC for kind in ("", "r", "i")}
MEMBERS |= {f"__{name}__": "(self, other: Any, /) -> Tensor" for name in ("lt", "le", "gt", "ge", "eq", "ne")}
PROPERTIES = {
    "shape": "Size",
    "dtype": "_dtype",
    "device": "_device",
    "layout": "_layout",
    "ndim": "_int",
    "itemsize": "_int",
    "nbytes": "_int",
    "output_nr": "_int",
    "_version": "_int",
    "requires_grad": "_bool",
    "is_leaf": "_bool",
    "retains_grad": "_bool",
    "grad": "Tensor | None",
    "_base": "Tensor | None",
    "data": "Tensor",
    "real": "Tensor",
    "imag": "Tensor",
    **dict.fromkeys(("T", "mT", "H", "mH"), "Tensor"),
}
WRITABLE = ("requires_grad", "grad", "data", "names", "real", "imag")

# What Python functions give when it is not one tensor.
RETURNS = {
    "numel": "_int",
    "numpy": "Any",
    "type": "Any",
    "__array__": "Any",
    "__reduce_ex__": "Any",
    "backward": "None",
    "__setstate__": "None",
    "dim_order": "tuple[_int, ...]",
    "get_device": "_int",
    **dict.fromkeys(
        ("__array_namespace__", "storage", "storage_type", "to_dlpack", "cond", "while_loop", "lobpcg"), "Any"
    ),
}
SEVERAL = (
    "aminmax", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_tensors", "chunk", "dsplit",
    "frexp", "hsplit", "kthvalue", "lu", "lu_unpack", "max", "median", "meshgrid", "min", "mode", "nanmedian",
    "nonzero", "qr", "split", "split_with_sizes", "svd", "tensor_split", "unbind", "unique", "unique_consecutive",
    "unravel_index", "unsafe_chunk", "unsafe_split", "where", "vsplit", "std_mean", "var_mean", "equal", "allclose",
    "result_type", "can_cast", "get_default_dtype", "triangular_solve", "geqrf", "slogdet",
)  # fmt: skip
RETURNS |= dict.fromkeys(SEVERAL, "Any")


# ---- signatures ------------------------------------------------------------------------------------------------------


def literal(value):
    """A default value as a stub shows it."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return "..."
    return repr(value) if value is None or isinstance(value, (bool, int, float, str, tuple)) else "..."


def several_results(row):
    return len(row["outputs"]) > 1


def is_factory(row):
    tensors = any(p["type"] in ("Tensor", "Tensor | Number", "Mask", "list[Tensor]") for p in row["parameters"])
    return row["name"].endswith("_like") or row["name"].startswith("new_") or not tensors


def row_definition(op, method):
    """`def name(...) -> ...: ...` of a row's function or method."""
    row, name = op.row, op.__name__
    in_place = name not in (row["name"], *row["aliases"]) or row["forms"] == ["inplace"]
    parameters, starred = [], False
    for k, p in enumerate(row["parameters"]):
        if method and k == 0:
            parameters.append("self")
            continue
        if p["keyword_only"] and not starred:
            parameters.append("*")
            starred = True
        kind = TYPES[p["type"]] + (" | None" if p["optional"] else "")
        if p["variadic"]:
            parameters.append(f"*{p['name']}: {kind}")
            starred = True
            continue
        empty = p["default"] is None and not p["optional"]  # the empty tuple
        default = f" = {'...' if empty else literal(p['default'])}" if p["has_default"] else ""
        shown = p["name"] + "_" if p["name"] == "from" else p["name"]
        parameters.append(f"{shown}: {kind}{default}")
    extras = []
    if "out" in row["forms"] and not in_place:
        extras.append("out: Sequence[Tensor] | None = None" if several_results(row) else "out: Tensor | None = None")
    if is_factory(row) and not in_place:
        extras += FACTORY
    if row["name"] in ("clone", "contiguous") or row["name"].endswith("_like"):
        extras.append("memory_format: _memory_format | None = None")
    if extras and not starred:
        parameters.append("*")
    result = f"return_types.{row['name']}" if several_results(row) and not in_place else "Tensor"
    return f"def {name}({', '.join(parameters + extras)}) -> {result}: ..."


def python_definition(name, function, method):
    """`def name(...) -> ...: ...` of a function written in Python."""
    parameters, starred = [], False
    for k, p in enumerate(inspect.signature(function).parameters.values()):
        if p.name.startswith("_") and k:  # bound values of a loop
            continue
        if p.kind is p.KEYWORD_ONLY and not starred:
            parameters.append("*")
        starred |= p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        if method and k == 0:
            parameters.append("self")
            continue
        prefix = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "" if p.default is p.empty else f" = {literal(p.default)}"
        parameters.append(f"{prefix}{p.name}: Any{default}")
    result = RETURNS.get(name) or ("_bool" if name.startswith(("is_", "are_")) else "Tensor")
    return f"def {name}({', '.join(parameters)}) -> {result}: ..."


def described(name, o, owner=None):
    """The stub of one callable of the core, or of a class in it."""
    method = owner is not None
    if isinstance(o, _core.Offered):
        o = o.__wrapped__
    if isinstance(o, _core.Op):
        return row_definition(o, method)
    if type(o).__name__ in ("nb_func", "nb_method"):
        return nanobind_definition(o)
    if isinstance(o, types.FunctionType):
        return python_definition(name, o, method)
    if name in MEMBERS and (owner is _core.Tensor or name in ANYWHERE):
        mark = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
        return f"def {name}{MEMBERS[name]}: ...{mark}"
    return f"def {name}({'self, ' if method else ''}*args: Any, **kwargs: Any) -> Any: ..."


BUILTINS = {"object": "Any", "handle": "Any", "int": "_int", "bool": "_bool", "str": "_str", "float": "_float"}
BUILTINS |= {"bytes": "_bytes", "collections.abc.Sequence": "Sequence", "rushlight._core.": ""}


def nanobind_definition(function):
    text, _, defaults = function.__nb_signature__[0]
    for k, value in enumerate(defaults or ()):
        text = text.replace(f"\\{k}", literal(value))
    for name, replacement in BUILTINS.items():
        text = (
            text.replace(name, replacement)
            if "." in name
            else "".join(replacement if piece == name else piece for piece in words(text))
        )
    return text.replace("arg: Any, /", "other: Any, /") + ": ..."


def words(text):
    """The text in pieces: identifiers, and what is between them."""
    pieces, current = [], ""
    for c in text:
        if current and (c.isidentifier() or c.isdigit()) != (current[-1].isidentifier() or current[-1].isdigit()):
            pieces.append(current)
            current = ""
        current += c
    return [*pieces, current]


# ---- the files -------------------------------------------------------------------------------------------------------

QUIET = (
    "__new__",
    "__init__",
    "__del__",
    "__setattr__",
    "__delattr__",
    "__delitem__",
    "__dict__",
    "__doc__",
    "__module__",
)


def class_body(cls):
    lines = []
    for name, member in sorted(vars(cls).items()):
        if name in QUIET or name == "__array_priority__":
            continue
        if isinstance(member, (types.GetSetDescriptorType, property)):
            kind = PROPERTIES.get(name) or ("_bool" if name.startswith("is_") else "Any")
            lines += ["@property", f"def {name}(self) -> {kind}: ..."]
            if cls is _core.Tensor and name in WRITABLE:
                lines += [f"@{name}.setter", f"def {name}(self, value: Any) -> None: ..."]
        elif isinstance(member, staticmethod):
            lines += ["@staticmethod", described(name, member.__func__)]
        elif callable(member):
            lines.append(described(name, member, cls))
    return lines


def class_stub(name, cls):
    bases = ", ".join("tuple[_int, ...]" if b is tuple else b.__name__ for b in cls.__bases__ if b is not object)
    head = f"class {name}({bases}):" if bases else f"class {name}:"
    init = ["def __init__(self, *args: Any, **kwargs: Any) -> None: ..."] if "__new__" in vars(cls) else []
    body = init + class_body(cls)
    return [head, *("    " + line for line in body or ["..."]), ""]


def core_stub():
    imports = "import builtins\nfrom collections.abc import Iterator, Sequence\nfrom typing import Any, NamedTuple\n"
    lines = [HEADER.format(what="The C++ core.", imports=imports) + ALIASES + CORE_ALIASES]
    members = {n: o for n, o in sorted(vars(_core).items()) if not n.startswith("__")}
    for name, o in members.items():
        if isinstance(o, type):
            lines += class_stub(name, o)
    lines.append("class return_types:")
    for name in sorted(_core.return_types()):
        lines.append(f"    class {name}(NamedTuple):")
        lines += [f"        {field}: Tensor" for field in _core.op_info(name)["outputs"]]
    for name, o in members.items():
        if isinstance(o, type):
            continue
        elif callable(o):
            if name != "return_types":
                lines.append(described(name, o))
        else:
            lines.append(f"{name}: {type(o).__name__}")
    return "\n".join(lines) + "\n"


def root_stub():
    public, python = [], []
    for name in sorted(vars(rushlight)):
        o = getattr(rushlight, name)
        if (name.startswith("_") and name != "__version__") or isinstance(o, types.ModuleType):
            continue
        if o is not None and getattr(_core, name, None) is o:
            public.append(name)
        elif callable(o) and not isinstance(o, type):
            python.append(described(name, o))
        elif not isinstance(o, type):
            python.append(f"{name}: {'None' if o is None else '_' + type(o).__name__}")
    modules = sorted(
        p for p in rushlight._PACKAGES if (ROOT / "rushlight" / p).is_dir() or (ROOT / f"rushlight/{p}.py").is_file()
    )
    imports = ["import builtins", "from typing import Any", ""]
    imports += [f"from rushlight import {m} as {m}" for m in modules]
    imports.append(f"from rushlight._core import {', '.join(f'{n} as {n}' for n in public)}")
    for name, module in sorted(rushlight._LAZY.items()):
        if hasattr(rushlight, name):
            imports.append(f"from {module} import {name} as {name}")
    lines = [
        HEADER.format(what="Rushlight: PyTorch's API over a small native core.", imports="\n".join(imports)) + ALIASES
    ]
    return "\n".join([*lines, *python]) + "\n"


def formatted(text, name):
    made = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", name, "-"],
        input=text, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    if made.returncode:
        raise SystemExit(f"ruff format refused {name}: {made.stderr}")
    return made.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a stub is not up to date")
    check = parser.parse_args().check
    stale = False
    for path, make in ((ROOT / "rushlight/_core.pyi", core_stub), (ROOT / "rushlight/__init__.pyi", root_stub)):
        wanted = formatted(make(), path.name)
        found = path.read_text() if path.exists() else ""
        if found == wanted:
            continue
        stale = True
        if check:
            changed = difflib.unified_diff(found.splitlines(), wanted.splitlines(), lineterm="", n=0)
            changed = [d for d in changed if d[0] in "+-" and not d.startswith(("+++", "---"))]
            print(f"{path.relative_to(ROOT)} is stale: {len(changed)} lines differ.")
            print("\n".join(f"  {d[:110]}" for d in changed[:10]))
        else:
            path.write_text(wanted)
    if check and stale:
        print("Cure: python tools/make_stubs.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
