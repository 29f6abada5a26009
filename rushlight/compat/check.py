"""``rushlight check``: reads programs, without running them, and lists what they need of PyTorch that is missing here.

Names are followed through imports (`import torch.nn as nn`, `from torch import nn`) and chains of attributes, and
methods where a value is certainly a tensor. A name that a file also binds to something else is left out.
"""

import ast
import collections
import json
import pathlib
import sys
import tokenize
import typing

from rushlight import unsupported
from rushlight.compat.names import lookup, nearest

# What exists and has less to do than in PyTorch, by its path or what it is part of.
ACCEPTED = {
    "torch.compile": "the function runs as it is written",
    "torch.compiler": "functions run as they are written",
    "torch._dynamo": "settings are kept and change nothing",
    "torch._inductor": "settings are kept and change nothing",
    "torch._C": "a few names for programs that ask",
    "torch.jit": "functions and modules run as they are written",
    "torch.cuda": "there is no GPU",
    "torch.mps": "there is no GPU",
    "torch.accelerator": "there is no accelerator",
    "torch.distributed": "there is one process",
    "torch.backends": "settings are kept and change nothing",
    "torch.set_float32_matmul_precision": "float32 is computed in float32",
    "torch.set_flush_denormal": "denormal numbers are kept",
    "torch.use_deterministic_algorithms": "results are deterministic in any case",
    "torch.onnx": "models cannot be exported yet",
}
_COMPILED = {  # packages whose own extension modules are linked with PyTorch
    "torchaudio", "torchvision", "torchtext", "torch_cluster", "torch_scatter", "torch_sparse", "xformers",
    "flash_attn",
}  # fmt: skip
_MAKE_TENSORS = {
    f"torch.{name}" for name in (
        "arange", "cat", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace", "logspace",
        "ones", "ones_like", "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "stack", "tensor",
        "zeros", "zeros_like",
    )
}  # fmt: skip
_GIVE_TENSORS = {
    "abs", "clone", "contiguous", "cpu", "detach", "double", "exp", "expand", "flatten", "float", "half", "log", "long",
    "permute", "repeat", "requires_grad_", "reshape", "squeeze", "t", "to", "transpose", "unsqueeze", "view",
}  # fmt: skip


class Finding(typing.NamedTuple):
    """A name of PyTorch's in a program. verdict: "missing", "refused" (raises when it is used) or "accepted"."""

    file: str
    line: int
    name: str
    verdict: str
    remark: str


def judge(name):
    """(verdict, remark) on a path such as "torch.nn.Linear"; (None, "") when all is well.

    >>> from rushlight.compat.check import judge
    >>> judge("torch.compile")
    ('accepted', 'the function runs as it is written')
    >>> judge("torch.nn.Linera")
    ('missing', 'The nearest is torch.nn.Linear.')
    """
    try:
        found = lookup(name)
    except AttributeError:
        reason = unsupported.reason(name.removeprefix("torch."))
        like = None if reason else nearest(name)
        return "missing", reason or (f"The nearest is {like}." if like else "")
    reason = getattr(found, "refused", None)
    if reason is not None:
        return "refused", reason
    part = name
    while part and part not in ACCEPTED:
        part = part.rpartition(".")[0]
    return ("accepted", ACCEPTED[part]) if part else (None, "")


class _Reader(ast.NodeVisitor):
    """Collects (line, name) of every use of a name of PyTorch's."""

    def __init__(self, tree):
        self.uses = []
        self.paths, others = {}, set()
        for node in ast.walk(tree):
            for name, path in _bindings(node):
                if path is None or self.paths.setdefault(name, path) != path:
                    others.add(name)
        for name in others:
            self.paths.pop(name, None)
        self.tensors = {}
        self.visit(tree)

    def visit_Import(self, node):
        """import torch.nn.functional as F"""
        for alias in node.names:
            self._use(node, alias.name)

    def visit_ImportFrom(self, node):
        """from torch import nn"""
        for alias in node.names:
            self._use(node, node.module if alias.name == "*" else f"{node.module}.{alias.name}", node.level)

    def visit_Attribute(self, node):
        """torch.nn.Linear, or a method of a tensor."""
        path = self._path(node)
        if path is not None:
            self._use(node, path)
            return
        if self._is_tensor(node.value):
            self._use(node, f"torch.Tensor.{node.attr}")
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        """A scope: which of its names are tensors at all times."""
        outer, self.tensors = self.tensors, {}
        bound = collections.Counter(name for inner in ast.walk(node) for name, _ in _bindings(inner))
        assigned = [inner for inner in ast.walk(node) if isinstance(inner, ast.Assign)]
        for inner in sorted(assigned, key=lambda inner: inner.lineno):
            for target in inner.targets:
                if isinstance(target, ast.Name) and self._is_tensor(inner.value):
                    bound[target.id] -= 1
                    self.tensors[target.id] = True
        self.tensors = {name: bound[name] == 0 for name in self.tensors}
        self.generic_visit(node)
        self.tensors = outer

    visit_AsyncFunctionDef = visit_FunctionDef

    def _use(self, node, name, level=0):
        if not level and name and (name.split(".")[0] == "torch" or name.split(".")[0] in _COMPILED):
            self.uses.append((node.lineno, name))

    def _path(self, node):
        """The path that a chain of attributes spells, or None."""
        if isinstance(node, ast.Name):
            return self.paths.get(node.id)
        if isinstance(node, ast.Attribute):
            parent = self._path(node.value)
            return parent and f"{parent}.{node.attr}"
        return None

    def _is_tensor(self, node):
        if isinstance(node, ast.Name):
            return self.tensors.get(node.id, False)
        if not isinstance(node, ast.Call):
            return False
        if self._path(node.func) in _MAKE_TENSORS:
            return True
        called = node.func
        return isinstance(called, ast.Attribute) and called.attr in _GIVE_TENSORS and self._is_tensor(called.value)


def _bindings(node):
    """(name, path of PyTorch's or None) of each name that a node binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.split(".")[0]
            path = alias.name if alias.asname else top
            yield alias.asname or top, path if top == "torch" else None
    elif isinstance(node, ast.ImportFrom):
        ours = not node.level and (node.module or "").split(".")[0] == "torch"
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}" if ours else None
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, None
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, None
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name, None


def findings(path):
    """The findings in one file. Raises SyntaxError when it is no Python, OSError when it cannot be read."""
    with tokenize.open(path) as file:
        text = file.read()
    uses = sorted(set(_Reader(ast.parse(text, str(path))).uses))
    found = []
    for line, name in uses:
        if name.split(".")[0] in _COMPILED:
            remark = f"{name.split('.')[0]} is linked with PyTorch and cannot be imported beside Rushlight."
            found.append(Finding(str(path), line, name, "missing", remark))
            continue
        verdict, remark = judge(name)
        if verdict:
            found.append(Finding(str(path), line, name, verdict, remark))
    return found


def add_arguments(parser):
    """The command's arguments."""
    parser.add_argument("path", type=pathlib.Path, nargs="+", help="a script, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print a list of objects for other programs")


def run(options):
    """Prints the findings; 0 when nothing is missing, 1 when something is, 2 when a file could not be read."""
    files, found, unread = [], [], 0
    for path in options.path:
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    for file in files:
        try:
            found += findings(file)
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            unread += 1
            print(f"rushlight check: {file}: {error}", file=sys.stderr)
    counts = {
        verdict: len([1 for one in found if one.verdict == verdict]) for verdict in ("missing", "refused", "accepted")
    }
    if options.json:
        print(json.dumps([one._asdict() for one in found], indent=1))
    else:
        for one in found:
            print(f"{one.file}:{one.line}: {one.name} is {one.verdict}" + (f": {one.remark}" if one.remark else ""))
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        print(f"{len(files) - unread} files: {told or 'every name exists'}.")
    return 2 if unread else 1 if counts["missing"] else 0
