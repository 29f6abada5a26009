"""The recorded computation of a tensor as a graph that can be looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rushlight
from rushlight.atomic_file import open_atomic
from rushlight.viz import svg

# A larger graph is summarised in pictures: nobody can read it, and neither can most viewers.
DRAWN_AT_MOST = 5_000
KEPT_IN_SUMMARY = 300


@dataclass
class Vertex:
    """One box: its kind (a key of ``rushlight.viz.svg.COLORS``), lines of text, and the text shown on hovering."""

    kind: str
    lines: list[str]
    tooltip: str


@dataclass
class Graph:
    """A computation graph, made by :func:`make_dot`: boxes, and edges ``(from, to)`` that point towards the outputs."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The whole graph in Graphviz's DOT language."""
        return _dot_text(self)

    def render(
        self,
        filename: str | os.PathLike[str] = "computation_graph",
        format: str | None = None,
        directory: str | os.PathLike[str] | None = None,
        cleanup: bool = True,
        view: bool = False,
    ) -> str:
        """Writes the picture and returns the path written.

        An SVG file is always written; it needs no other program. Any other format is made by Graphviz's ``dot``.

        Args:
            filename: path without extension, or with one that names the format.
            format: ``"svg"`` (the default), ``"png"``, ``"pdf"`` or another format that ``dot`` knows.
            directory: folder to put before ``filename``; made if it does not exist.
            cleanup: False also writes the DOT text, as ``filename.dot``.
            view: True shows the picture in the browser or the viewer of the system.

        Raises:
            RuntimeError: if another format than SVG is asked for and ``dot`` is missing or fails.
        """
        base = Path(directory or "", filename)
        if format is None:
            format = base.suffix.removeprefix(".").lower() if base.suffix in (".svg", ".png", ".pdf") else "svg"
        if base.suffix.lower() == f".{format}":
            base = base.with_suffix("")
        base.parent.mkdir(parents=True, exist_ok=True)
        path = _with_extension(base, "svg")
        _write(path, self._repr_svg_().encode())
        if not cleanup:
            self.save(_with_extension(base, "dot"))
        if format != "svg":
            path = _with_extension(base, format)
            _write(path, _run_dot(_dot_text(*_summarised(self)), format))
        if view:
            import webbrowser

            webbrowser.open(path.resolve().as_uri())
        return str(path)

    def save(self, filename: str | os.PathLike[str] = "computation_graph.dot") -> str:
        """Writes :attr:`source` to a file and returns its path."""
        _write(Path(filename), self.source.encode())
        return str(filename)

    def _repr_svg_(self) -> str:
        graph, remark = _summarised(self)
        return svg.draw(graph.vertices, graph.edges, remark)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<computation graph: {len(self.vertices)} vertices, {len(self.edges)} edges>"


def make_dot(var: Any, params: Any = None, show_attrs: bool = False, show_saved: bool = False) -> Graph:
    """Makes a graph of the recorded computation that led to ``var``.

    Parameters are blue, other tensors that require gradients violet, operators grey, outputs green and, on request,
    saved tensors orange. Boxes show shapes and dtypes where they are known.

    Args:
        var: a tensor, or a tuple, list or dict of tensors; those of a dict are labelled with its keys.
        params: names for tensors: a dict, pairs such as ``module.named_parameters()``, or a module.
        show_attrs: True also shows the plain values that an operator saved for its derivative.
        show_saved: True also shows the tensors that an operator saved for its derivative.

    Returns:
        Graph: has ``source`` (DOT text), ``render(...)`` and shows itself in Jupyter.

    Raises:
        TypeError: if ``var`` holds anything but tensors, or ``params`` no names of tensors.

    Example::

      >>> w = torch.ones(3, requires_grad=True)
      >>> graph = rushlight.viz.make_dot((w * w).sum(), params={"w": w})
      >>> [vertex.lines[0] for vertex in graph.vertices]
      ['output', 'SumBackward0', 'MulBackward0', 'w']
    """
    builder = _Builder(_names_of(params), show_attrs, show_saved)
    for name, tensor in _named_outputs(var):
        builder.add_output(name, tensor)
    builder.walk()
    return builder.graph


def _named_outputs(var: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(var, Mapping):
        items = [(str(key), value) for key, value in var.items()]
    elif isinstance(var, (tuple, list)):
        items = [(f"output {i}", value) for i, value in enumerate(var)]
    else:
        items = [("output", var)]
    for name, tensor in items:
        if not isinstance(tensor, rushlight.Tensor):
            raise TypeError(
                "[make_dot] var must be a tensor, or a tuple, list or dict of tensors. "
                f"Received {type(tensor).__name__} as {name}."
            )
        yield name, tensor


def _names_of(params: Any) -> dict[int, tuple[str, Any]]:
    """Names by identity; the tensor is kept beside its name so that the identity stays its own."""
    if params is None:
        return {}
    if hasattr(params, "named_parameters"):
        params = params.named_parameters()
    pairs = params.items() if isinstance(params, Mapping) else params
    names = {}
    try:
        for name, tensor in pairs:
            if not isinstance(tensor, rushlight.Tensor):
                raise TypeError
            names[id(tensor)] = (str(name), tensor)
    except (TypeError, ValueError):
        raise TypeError(
            "[make_dot] params must be a dict from names to tensors, pairs of both, or a module. "
            f"Received {type(params).__name__}. Try dict(module.named_parameters())."
        ) from None
    return names


def _describe(shape: Iterable[int], dtype: Any) -> str:
    sizes = tuple(shape)
    return f"{sizes} {str(dtype).removeprefix('torch.').removeprefix('rushlight.')}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


class _Builder:
    """Walks from the outputs to the leaves with a list of its own: deep graphs must not recurse."""

    def __init__(self, names: dict[int, tuple[str, Any]], show_attrs: bool, show_saved: bool):
        self.graph = Graph()
        self.names = names
        self.show_attrs = show_attrs
        self.show_saved = show_saved
        self.index: dict[Any, int] = {}  # node -> vertex; the node as key also keeps it alive
        self.tensors: dict[int, tuple[int, Any]] = {}  # identity of a tensor -> its vertex, and the tensor itself
        self.pending: list[Any] = []

    def add_output(self, name: str, tensor: Any) -> None:
        if tensor.grad_fn is None:
            self._leaf(tensor, "output" if id(tensor) not in self.names else "parameter", name)
            return
        lines = [self.names.get(id(tensor), (name, None))[0], _describe(tensor.shape, tensor.dtype)]
        vertex = self._add(Vertex("output", lines, "output: " + " ".join(lines)))
        self.graph.edges.append((self._visit(tensor.grad_fn), vertex))

    def walk(self) -> None:
        while self.pending:
            node = self.pending.pop()
            vertex = self.index[node]
            for parent, _ in node.next_functions:
                if parent is not None:
                    self.graph.edges.append((self._visit(parent), vertex))
            if self.show_saved:
                for name, tensor in _saved(node, tensors=True):
                    self.graph.edges.append((self._saved_tensor(name, tensor), vertex))

    def _add(self, vertex: Vertex) -> int:
        self.graph.vertices.append(vertex)
        return len(self.graph.vertices) - 1

    def _visit(self, node: Any) -> int:
        vertex = self.index.get(node)
        if vertex is None:
            leaf = getattr(node, "variable", None)
            if leaf is not None:
                vertex = self._leaf(leaf, "tensor", "")
            else:
                vertex = self._operator(node)
                self.pending.append(node)
            self.index[node] = vertex
        return vertex

    def _leaf(self, tensor: Any, kind: str, label: str) -> int:
        if id(tensor) in self.tensors:
            return self.tensors[id(tensor)][0]
        lines = [_describe(tensor.shape, tensor.dtype)]
        if id(tensor) in self.names:
            kind, label = "parameter", self.names[id(tensor)][0]
        elif kind == "tensor" and type(tensor).__name__ == "Parameter":
            kind, label = "parameter", "parameter"
        tooltip = f"{label or 'tensor'} {lines[0]}" + (" (AccumulateGrad)" if tensor.requires_grad else "")
        vertex = self._add(Vertex(kind, [label or "tensor", *lines], tooltip))
        self.tensors[id(tensor)] = (vertex, tensor)
        return vertex

    def _operator(self, node: Any) -> int:
        name = node.name().rsplit("::", 1)[-1]
        outputs = [_describe(shape, dtype) for shape, dtype in getattr(node, "outputs", None) or ()]
        lines = [name, *outputs[:3], *(["..."] if len(outputs) > 3 else [])]
        if self.show_attrs:
            lines += [f"{key}: {_short(value)}" for key, value in _saved(node, tensors=False)]
        location = getattr(node, "location", None)  # the line of the program that called the operator
        where = [os.path.basename(location)] if location else []
        return self._add(Vertex("operator", lines, "\n".join([name, *outputs, *where])))

    def _saved_tensor(self, name: str, tensor: Any) -> int:
        if id(tensor) in self.tensors:
            return self.tensors[id(tensor)][0]
        lines = [self.names.get(id(tensor), (name, None))[0], _describe(tensor.shape, tensor.dtype)]
        vertex = self._add(Vertex("saved", lines, "saved: " + " ".join(lines)))
        self.tensors[id(tensor)] = (vertex, tensor)
        return vertex


def _saved(node: Any, tensors: bool) -> Iterator[tuple[str, Any]]:
    """What a node saved for its derivative: tensors, or everything else. Nothing once backward has freed it."""
    for attribute in dir(node):
        if not attribute.startswith("_saved_"):
            continue
        try:
            value = getattr(node, attribute)
        except RuntimeError:
            continue
        if value is not None and isinstance(value, rushlight.Tensor) == tensors:
            yield attribute.removeprefix("_saved_"), value
    if tensors:
        try:
            saved = getattr(node, "saved_tensors", None) or ()
        except RuntimeError:
            return
        for i, tensor in enumerate(saved):
            if tensor is not None:
                yield f"saved {i}", tensor


def _summarised(graph: Graph) -> tuple[Graph, str]:
    """The graph itself if it can be drawn; else the part nearest to the outputs and one box for all the rest."""
    if len(graph.vertices) <= DRAWN_AT_MOST:
        return graph, ""
    tails: list[list[int]] = [[] for _ in graph.vertices]
    for tail, head in graph.edges:
        tails[head].append(tail)
    # Breadth first from the outputs; a list that grows while it is read.
    order = [v for v, vertex in enumerate(graph.vertices) if vertex.kind == "output"][: KEPT_IN_SUMMARY // 2]
    kept = dict.fromkeys(order)
    for v in order:
        if len(kept) >= KEPT_IN_SUMMARY:
            break
        for tail in tails[v]:
            if tail not in kept:
                kept[tail] = None
                order.append(tail)
    number = {v: i for i, v in enumerate(kept)}
    left_out = [vertex for v, vertex in enumerate(graph.vertices) if v not in number]
    counts = Counter(vertex.lines[0] if vertex.kind == "operator" else f"{vertex.kind}s" for vertex in left_out)
    lines = [f"{count:,} {name}" for name, count in counts.most_common(6)]
    if len(counts) > 6:
        lines.append(f"and {len(counts) - 6} further kinds")
    rest = len(number)
    box = Vertex("summary", [f"{len(left_out):,} boxes that are not drawn", *lines], "\n".join(lines))
    edges = dict.fromkeys((number.get(tail, rest), number.get(head, rest)) for tail, head in graph.edges)
    # What is not drawn may also use what is drawn; such an edge would close a circle around the box.
    drawn = [(tail, head) for tail, head in edges if head != rest]
    remark = (
        f"Summary of a graph of {len(graph.vertices):,} boxes: the {rest:,} nearest to the output are drawn. "
        "Graph.source holds all of them."
    )
    return Graph([graph.vertices[v] for v in kept] + [box], drawn), remark


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _dot_text(graph: Graph, remark: str = "") -> str:
    out = [
        "digraph computation_graph {",
        "  graph [rankdir=TB, ranksep=0.4, nodesep=0.25];",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, height=0.3];',
        '  edge [color="#8a919c", arrowsize=0.7];',
    ]
    if remark:
        out.append(f'  label={_quoted(remark)}; labelloc=t; fontname="Helvetica"; fontsize=13;')
    for i, vertex in enumerate(graph.vertices):
        fill, stroke, color = svg.COLORS[vertex.kind]
        label = _quoted("\n".join(vertex.lines))
        out.append(
            f'  n{i} [label={label}, tooltip={_quoted(vertex.tooltip)}, fillcolor="{fill}", color="{stroke}", '
            f'fontcolor="{color}"];'
        )
    out.extend(f"  n{tail} -> n{head};" for tail, head in graph.edges)
    out.append("}\n")
    return "\n".join(out)


def _run_dot(source: str, format: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            f"[Graph.render] the format {format} needs Graphviz's program `dot`, which is not on the PATH. Install "
            "Graphviz (Debian and Ubuntu: apt install graphviz; macOS: brew install graphviz), or use the SVG file, "
            "which has been written."
        )
    result = subprocess.run([program, f"-T{format}"], input=source.encode(), capture_output=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(
            f"[Graph.render] dot could not make {format}: {result.stderr.decode(errors='replace').strip()}"
        )
    return result.stdout


def _with_extension(base: Path, extension: str) -> Path:
    return base.with_name(f"{base.name}.{extension}")


def _write(path: Path, content: bytes) -> None:
    with open_atomic(path) as file:
        file.write(content)
