"""A graph as Python: the text of a function, and the names that the text needs."""

import enum
import keyword
import re
import types
import typing
from dataclasses import dataclass

import rushlight
from rushlight.fx import names
from rushlight.fx.node import Node

# How operators are written.
FORMATS = {
    "eq": "{} == {}", "ne": "{} != {}", "lt": "{} < {}", "gt": "{} > {}", "le": "{} <= {}", "ge": "{} >= {}",
    "pos": "+{}", "neg": "-{}", "invert": "~{}",
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "floordiv": "{} // {}", "truediv": "{} / {}",
    "mod": "{} % {}", "pow": "{} ** {}", "lshift": "{} << {}", "rshift": "{} >> {}", "and_": "{} & {}",
    "or_": "{} | {}", "xor": "{} ^ {}", "getitem": "{}[{}]", "matmul": "{} @ {}",
}  # fmt: skip
INPLACE = {
    "iadd": "{} += {}", "iand": "{} &= {}", "ifloordiv": "{} //= {}", "ilshift": "{} <<= {}", "imod": "{} %= {}",
    "imul": "{} *= {}", "imatmul": "{} @= {}", "ior": "{} |= {}", "ipow": "{} **= {}", "irshift": "{} >>= {}",
    "isub": "{} -= {}", "itruediv": "{} /= {}", "ixor": "{} ^= {}", "setitem": "{}[{}] = {}",
}  # fmt: skip
_INDENT = "    "


@dataclass
class PythonCode:
    """The text of a function, and what its global names stand for."""

    src: str
    globals: dict


def attribute_path(base, target):
    """`base.target` as an expression, where `target` may hold what is no identifier: getattr(self.seq, "0")."""
    for part in target.split("."):
        plain = part.isidentifier() and not keyword.iskeyword(part)
        base = f"{base}.{part}" if plain else f'getattr({base}, "{part}")'
    return base


class CodeGen:
    """Writes a graph's function. A subclass changes how inputs are taken and results are given:
    `gen_fn_def(free_vars, maybe_return_annotation)` and `generate_output(output_args)` are lines of its code.
    """

    def __init__(self):
        self._body_transformer = None
        self._func_name = "forward"

    def gen_fn_def(self, free_vars, maybe_return_annotation):
        """The line with `def`."""
        arguments = ", ".join(free_vars if free_vars[:1] == ["self"] else ["self", *free_vars])
        return f"def {self._func_name}({arguments}){maybe_return_annotation}:"

    def generate_output(self, output_args, *, repr_fn=repr):
        """The line with `return`."""
        return f"return {repr_fn(output_args)}"

    def process_inputs(self, *args):
        """The function's arguments as the graph's inputs."""
        return args

    def process_outputs(self, outputs):
        """The graph's results as the function's."""
        return outputs

    def additional_globals(self):
        """Pairs (name, value) of further global names."""
        return []

    def _gen_python_code(self, nodes, root_module, namespace, *, verbose=False):
        return _Writer(self, list(nodes), root_module, namespace, verbose).code()


class _Writer:
    """One writing of a graph."""

    def __init__(self, codegen, nodes, root, namespace, verbose):
        self.codegen, self.nodes, self.root, self.namespace, self.verbose = codegen, nodes, root, namespace, verbose
        self.globals, self.wrapped, self.inputs, self.body = {}, {}, [], []
        self.returns, self.shown_place = "", None
        for name, (_, value) in names.CUSTOM_BUILTINS.items():
            self.add_global(name, value)
        self.last_used = {}  # node -> what nobody reads after it
        seen = set()
        for node in reversed(nodes):
            for read in node._input_nodes:
                if read not in seen:
                    seen.add(read)
                    self.last_used.setdefault(node, []).append(read)

    def code(self):
        for node in self.nodes:
            if self.verbose:
                self.write_place(node)
            self.body.append(self.line(node))
            self.body.append(self.after(node))
        if not self.body:
            self.body.append("pass\n")
        wraps = "\n".join(f'{self.add_global("wrap", rushlight.fx.wrap)}("{name}")' for name in self.wrapped)
        body = self.codegen._body_transformer(self.body) if self.codegen._body_transformer else self.body
        for name, value in self.codegen.additional_globals():
            self.add_global(name, value)
        head = self.codegen.gen_fn_def(self.inputs, self.returns)
        lines = "\n".join(_INDENT + line for line in "".join(body).lstrip("\n").split("\n"))
        return PythonCode(f"\n{wraps}\n\n{head}\n{lines}", self.globals)

    # --- names

    def add_global(self, hint, thing):
        if names.is_ours(thing) and thing is not rushlight.device:
            return names.qualified_name(thing)
        name = self.namespace.create_name(hint, thing)
        self.globals[name] = thing
        return name

    def annotation(self, kind):
        if kind == ():
            return "()"
        if isinstance(kind, types.UnionType):
            return "|".join(map(self.annotation, typing.get_args(kind)))
        text, origin = names.type_text(kind), typing.get_origin(kind)
        if origin is None:
            return self.add_global(text, kind)
        if isinstance(kind, typing._GenericAlias):  # List[int] rather than list[int]
            origin = origin if origin is typing.Union else getattr(typing, kind._name)
        name, arguments = self.add_global(names.type_text(origin), origin), typing.get_args(kind)
        return f"{name}[{','.join(map(self.annotation, arguments))}]" if arguments else name

    def text(self, x):
        """An argument as an expression."""
        if isinstance(x, Node):
            return repr(x)
        if isinstance(x, tuple) and hasattr(x, "_make"):
            return f"{self.add_global(names.qualified_name(type(x)), type(x))}{tuple(x)!r}"
        if isinstance(x, enum.Enum):
            return f"{self.add_global(type(x).__name__, type(x))}.{x.name}"
        if isinstance(x, rushlight.Tensor):
            return f"torch.Tensor(size={list(x.size())}, dtype={str(x.dtype).split('.')[-1]})"
        if type(x) is tuple:
            return "(" + ", ".join(map(self.text, x)) + ("," if len(x) == 1 else "") + ")"
        if isinstance(x, list):
            return "[" + ", ".join(map(self.text, x)) + "]"
        if isinstance(x, slice):
            return f"slice({self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)})"
        return repr(x)

    def arguments(self, args, kwargs):
        return ", ".join([*map(self.text, args), *(f"{k} = {self.text(v)}" for k, v in kwargs.items())])

    # --- lines

    def line(self, node):
        of_type = f" : {self.annotation(node.type)}" if node.type is not None else ""
        known = node.meta.get("val", node.meta.get("tensor_meta")) if self.verbose else None
        if hasattr(known, "shape") and hasattr(known, "dtype"):
            of_type = f': "{_dtype_text(known.dtype)}{list(known.shape)}"'
        result = f"{node!r}{of_type} = "
        if node.op == "placeholder":
            default = f" = {self.text(node.args[0])}" if node.args else ""
            self.inputs.append(f"{node.target}{of_type}{default}")
            plain = node.target.replace("*", "")
            return "" if plain == repr(node) else f"{node!r} = {plain}\n"
        if node.op == "get_attr":
            return result + attribute_path(self.root, node.target)
        if node.op == "call_module":
            return result + f"{attribute_path(self.root, node.target)}({self.arguments(node.args, node.kwargs)})"
        if node.op == "call_method":
            method = attribute_path(self.text(node.args[0]), node.target)
            return result + f"{method}({self.arguments(node.args[1:], node.kwargs)})"
        if node.op == "output":
            if node.type is not None:
                self.returns = f" -> {self.annotation(node.type)}"
            return self.codegen.generate_output(node.args[0], repr_fn=self.text)
        return self.call(node, result)

    def call(self, node, result):
        if getattr(node.target, "__module__", "") == "_operator":
            operator = node.target.__name__
            if operator in FORMATS:
                return result + FORMATS[operator].format(*map(self.text, node.args))
            if operator in INPLACE:
                written = INPLACE[operator].format(*map(self.text, node.args))
                return f"{written};  {result}{self.text(node.args[0])}"
        name = self.add_global(names.qualified_name(node.target), node.target)
        if name == "getattr" and len(node.args) == 2 and isinstance(node.args[1], str) and node.args[1].isidentifier():
            return result + attribute_path(self.text(node.args[0]), node.args[1])
        if node.meta.get("is_wrapped", False):
            self.wrapped[name] = None
        return result + f"{name}({self.arguments(node.args, node.kwargs)})"

    def after(self, node):
        """The end of a line: what is not read any more is let go, so that its memory can be used again."""
        if node.op == "placeholder":
            return ""
        if node.op == "output":
            return "\n"
        gone = self.last_used.get(node, []) + ([] if node.users else [node])
        return f";  {' = '.join([*map(repr, gone), 'None'])}\n" if gone else "\n"

    def write_place(self, node):
        if node.op in ("placeholder", "output"):
            return
        trace = node.stack_trace
        place = trace.strip().splitlines()[-2:] if trace else None
        if place == self.shown_place and self.shown_place is not None:
            return
        if place is None:
            text = "" if self.shown_place == [] else "\n# No stacktrace found for following nodes\n"
            self.shown_place = []
        else:
            file, number, where = _parsed(place[0])
            text = f"\n# File: {file}:{number} in {where}, code: {place[1].strip()}\n"
            self.shown_place = place
        self.body.append(text)


def _dtype_text(dtype):
    """torch.float32 -> f32, torch.bool -> b8"""
    kind, bits = re.fullmatch(r"torch\.([a-z]+?)(\d*)", str(dtype)).groups()
    return {"bool": "b", "float": "f", "bfloat": "bf", "int": "i", "uint": "u", "complex": "c"}[kind] + (bits or "8")


def _parsed(line):
    """`File "a.py", line 3, in f` -> a.py, 3, f"""
    file, number, where = line.strip().removeprefix("File ").rsplit(", ", 2)
    return file.strip('"'), number.removeprefix("line "), where.removeprefix("in ")
