"""make_dot: what is in the graph, the files that are written, and refusals."""

import os
import re
import stat
import subprocess
import xml.etree.ElementTree as ET

import pytest

import rushlight
from rushlight import viz
from rushlight.viz import graph as graph_module
from rushlight.viz import make_dot

SVG = "{http://www.w3.org/2000/svg}"


def edges_by_label(graph):
    labels = [vertex.lines[0] for vertex in graph.vertices]
    return sorted((labels[tail], labels[head]) for tail, head in graph.edges)


def kinds(graph):
    return {vertex.lines[0]: vertex.kind for vertex in graph.vertices}


def small():
    a = rushlight.ones(2, 2, requires_grad=True)
    b = rushlight.ones(2, 2, requires_grad=True)
    return a, b, ((a + b) * 2).mean()


def test_operators_tensors_and_output():
    a, b, e = small()
    graph = make_dot(e, params={"a": a, "b": b})
    assert edges_by_label(graph) == [
        ("AddBackward0", "MulBackward0"),
        ("MeanBackward0", "output"),
        ("MulBackward0", "MeanBackward0"),
        ("a", "AddBackward0"),
        ("b", "AddBackward0"),
    ]
    assert kinds(graph)["a"] == "parameter"
    assert kinds(graph)["output"] == "output"
    assert kinds(graph)["AddBackward0"] == "operator"
    assert [v.lines for v in graph.vertices if v.lines[0] == "a"] == [["a", "(2, 2) float32"]]


def test_shapes_and_dtypes_of_operators_are_shown():
    _, _, e = small()
    texts = {vertex.lines[0]: vertex.lines[1:] for vertex in make_dot(e).vertices}
    assert texts["AddBackward0"] == ["(2, 2) float32"]
    assert texts["MeanBackward0"] == ["() float32"]


def test_operators_tell_the_line_that_called_them():
    _, _, e = small()
    tooltips = {vertex.lines[0]: vertex.tooltip for vertex in make_dot(e).vertices}
    line = small.__code__.co_firstlineno + 3
    assert tooltips["AddBackward0"] == f"AddBackward0\n(2, 2) float32\ntest_graph.py:{line}"


def test_a_tensor_used_twice_appears_once():
    x = rushlight.ones(3, requires_grad=True)
    graph = make_dot(x * x)
    assert [vertex.kind for vertex in graph.vertices].count("tensor") == 1
    assert edges_by_label(graph).count(("tensor", "MulBackward0")) == 2


def test_names_from_a_module_and_its_parameters():
    model = rushlight.nn.Sequential(rushlight.nn.Linear(3, 4), rushlight.nn.ReLU(), rushlight.nn.Linear(4, 2))
    y = model(rushlight.ones(1, 3))
    expected = {"0.weight", "0.bias", "2.weight", "2.bias"}
    for params in (model, dict(model.named_parameters()), model.named_parameters()):
        graph = make_dot(y, params=params)
        assert {vertex.lines[0] for vertex in graph.vertices if vertex.kind == "parameter"} == expected
    assert {vertex.lines[0] for vertex in make_dot(y).vertices if vertex.kind == "parameter"} == {"parameter"}


def test_several_outputs():
    x = rushlight.ones(2, requires_grad=True)
    y = x * 2
    assert {"output 0", "output 1"} <= set(kinds(make_dot((y, y.sum()))))
    graph = make_dot({"loss": y.sum(), "logits": y})
    assert edges_by_label(graph).count(("MulBackward0", "logits")) == 1
    assert ("SumBackward0", "loss") in edges_by_label(graph)


def test_outputs_without_history():
    leaf = rushlight.ones(2, requires_grad=True)
    assert kinds(make_dot(rushlight.ones(2))) == {"output": "output"}
    assert kinds(make_dot(leaf, params={"w": leaf})) == {"w": "parameter"}


def test_saved_tensors_and_values():
    x = rushlight.ones(3, requires_grad=True)
    y = (x.exp() ** 3).sum()
    assert "saved" not in kinds(make_dot(y)).values()
    saved = make_dot(y, show_saved=True)
    # exp saved its result; pow saved that same tensor as its input.
    assert any(vertex.kind == "saved" and vertex.lines[1] == "(3,) float32" for vertex in saved.vertices)
    shown = make_dot(y, show_attrs=True)
    assert any("exponent: 3" in vertex.lines for vertex in shown.vertices)


def test_saved_tensors_of_a_custom_function():
    class Square(rushlight.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x = rushlight.ones(2, requires_grad=True)
    y = Square.apply(x)
    assert ("tensor", "SquareBackward") in edges_by_label(make_dot(y))
    assert make_dot(y, show_saved=True).vertices
    y.sum().backward()
    assert make_dot(y, show_saved=True).vertices  # freed by now; the graph itself is still there


def test_deep_graphs_do_not_recurse():
    x = rushlight.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    graph = make_dot(y)
    assert len(graph.vertices) == 100_002
    assert graph.source.count("->") == 100_001
    drawn = graph._repr_svg_()
    assert "Summary of a graph of 100,002 boxes" in drawn
    assert "99,701 AddBackward0" in drawn
    assert ET.fromstring(drawn).tag == SVG + "svg"
    del graph


def test_svg_holds_every_box_once():
    a, b, e = small()
    graph = make_dot(e, params={"a<&>": a, "b": b})
    root = ET.fromstring(graph._repr_svg_())
    texts = [element.text for element in root.iter(SVG + "text")]
    assert texts.count("a<&>") == 1
    assert len(list(root.iter(SVG + "rect"))) == len(graph.vertices) + 1
    assert graph._repr_mimebundle_()["image/svg+xml"] == graph._repr_svg_()


def test_dot_text_is_quoted():
    a, b, e = small()
    source = make_dot(e, params={'a"\\': a, "b\n": b}).source
    assert r'label="a\"\\\n(2, 2) float32"' in source
    assert re.search(r"^  n\d+ -> n\d+;$", source, re.MULTILINE)
    assert source.startswith("digraph") and source.rstrip().endswith("}")


def test_render_writes_svg(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # no dot anywhere
    _, _, e = small()
    assert make_dot(e).render("computation_graph") == "computation_graph.svg"
    assert ET.parse("computation_graph.svg").getroot().tag == SVG + "svg"
    assert make_dot(e).render("named.svg", directory="sub/folder") == os.path.join("sub", "folder", "named.svg")
    assert sorted(os.listdir(tmp_path)) == ["computation_graph.svg", "sub"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(os.stat("computation_graph.svg").st_mode) == 0o666 & ~mask


def test_render_keeps_dots_in_names(tmp_path):
    _, _, e = small()
    assert make_dot(e).render(tmp_path / "step.1") == str(tmp_path / "step.1.svg")


def test_render_can_keep_the_dot_text(tmp_path):
    _, _, e = small()
    graph = make_dot(e)
    graph.render(tmp_path / "g", cleanup=False)
    assert (tmp_path / "g.dot").read_text() == graph.source
    assert graph.save(tmp_path / "other.gv") == str(tmp_path / "other.gv")


def test_other_formats_name_the_cure_where_dot_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    _, _, e = small()
    with pytest.raises(RuntimeError, match="apt install graphviz"):
        make_dot(e).render(tmp_path / "g", format="png")
    assert (tmp_path / "g.svg").exists()
    assert not (tmp_path / "g.png").exists()


def test_other_formats_are_made_by_dot(tmp_path, monkeypatch):
    _, _, e = small()
    graph = make_dot(e)

    def run(command, input, **options):
        assert command[1] == "-Tpng" and input.decode() == graph.source
        return subprocess.CompletedProcess(command, 0, stdout=b"picture", stderr=b"")

    monkeypatch.setattr(graph_module.shutil, "which", lambda name: "/somewhere/" + name)
    monkeypatch.setattr(graph_module.subprocess, "run", run)
    path = graph.render(tmp_path / "g", format="png")
    assert path == str(tmp_path / "g.png")
    assert (tmp_path / "g.png").read_bytes() == b"picture"


def test_an_error_of_dot_is_passed_on(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess("dot", 1, stdout=b"", stderr=b"no such format")
    monkeypatch.setattr(graph_module.shutil, "which", lambda name: "/somewhere/" + name)
    monkeypatch.setattr(graph_module.subprocess, "run", lambda *args, **options: failed)
    _, _, e = small()
    with pytest.raises(RuntimeError, match="no such format"):
        make_dot(e).render(tmp_path / "g", format="what")


def test_dot_accepts_the_text(tmp_path):
    if graph_module.shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    a, b, e = small()
    make_dot(e, params={'a"\\': a, "b\nc": b}).render(tmp_path / "g", format="pdf")
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "g.svg"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *args: (_ for _ in ()).throw(OSError("disk")))
    _, _, e = small()
    with pytest.raises(OSError, match="disk"):
        make_dot(e).render(tmp_path / "g")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["g.svg"]


@pytest.mark.parametrize("var", [3, [1.0], {"a": None}, "tensor"], ids=repr)
def test_var_must_be_tensors(var):
    with pytest.raises(TypeError, match=r"\[make_dot\] var must be a tensor"):
        make_dot(var)


@pytest.mark.parametrize("params", [3, {"a": 1}, ["a"], [("a", 1)]], ids=repr)
def test_params_must_be_names_of_tensors(params):
    with pytest.raises(TypeError, match=r"\[make_dot\] params must be"):
        make_dot(rushlight.ones(1), params=params)


def test_public_names():
    assert viz.__all__ == ["Graph", "make_dot"]
