"""add_graph: the calls of a model, their scopes and their edges; add_onnx_graph."""

import pytest

pytest.importorskip("tensorboard", reason="needs the extra tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import rushlight as torch
from rushlight.utils.tensorboard import SummaryWriter


@pytest.fixture
def drawn(tmp_path):
    """Draws a model and returns {name: node} of what the log then holds."""

    def draw(model, args, **options):
        with SummaryWriter(tmp_path) as writer:
            writer.add_graph(model, args, **options)
        return {node.name: node for node in EventAccumulator(str(tmp_path)).Reload().Graph().node}

    return draw


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
        self.body = torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.BatchNorm1d(3))

    def forward(self, x, scale):
        torch.ones(3).exp()  # leads nowhere
        return self.body(self.fc(x)) * scale


def shape(node, k=0):
    return [dim.size for dim in node.attr["_output_shapes"].list.shape[k].dim]


def test_modules_are_scopes(drawn):
    nodes = drawn(Block(), (torch.ones(2, 4), torch.ones(1)))
    edges = {name: list(node.input) for name, node in nodes.items() if node.op not in ("Parameter", "IO Node")}
    norm = "Block/Sequential[body]/BatchNorm1d[1]"
    assert edges == {
        "Block/Linear[fc]/linear": ["input/x", "Block/Linear[fc]/weight", "Block/Linear[fc]/bias"],
        "Block/Sequential[body]/ReLU[0]/relu_": ["Block/Linear[fc]/linear"],
        f"{norm}/native_batch_norm": [
            "Block/Sequential[body]/ReLU[0]/relu_",
            *(f"{norm}/{name}" for name in ("weight", "bias", "running_mean", "running_var")),
        ],
        "Block/mul": [f"{norm}/native_batch_norm", "input/scale"],
    }
    assert nodes["output/output.1"].input == ["Block/mul"]
    assert shape(nodes["Block/mul"]) == [2, 3] and shape(nodes["input/x"]) == [2, 4]
    assert b"training=False" in nodes[f"{norm}/native_batch_norm"].attr["attr"].s


def test_the_model_stays_as_it_was(drawn):
    model = Block()
    model.body.eval()
    drawn(model, (torch.ones(2, 4), torch.ones(1)))
    assert [m.training for m in model.modules()] == [True, True, False, False, False]
    assert not model._forward_hooks and not torch.nn.modules.module._hooks.any_global


def test_every_input_name_exists_and_is_unique(drawn):
    model = torch.nn.TransformerEncoderLayer(8, 2, 16)
    nodes = drawn(model, torch.ones(3, 1, 8))
    for node in nodes.values():
        for name in node.input:
            source, _, result = name.partition(":")
            assert source in nodes and int(result or 0) < len(nodes[source].attr["_output_shapes"].list.shape)


def test_writes_and_views(drawn):
    def program(x):
        y = x * 2
        row = y[0]
        row.zero_()
        return y + 1, y.detach().max(0)[1]

    nodes = drawn(program, torch.ones(2, 3))
    assert nodes["program/zero_"].input == ["program/select"]
    assert nodes["program/add"].input == ["program/zero_"]  # y was written through its view
    assert nodes["program/max_dim"].input == ["program/zero_"]
    assert nodes["output/output.2"].input == ["program/max_dim:1"]


def test_constants_and_repeated_modules(drawn):
    layer, constant = torch.nn.Linear(2, 2), torch.ones(2)
    model = torch.nn.Sequential(layer, layer)
    nodes = drawn(model, torch.ones(1, 2))
    assert nodes["Sequential/Linear[0]/linear_1"].input[0] == "Sequential/Linear[0]/linear"
    assert "constant" in drawn(lambda x: x + constant, torch.ones(2))["<lambda>/add"].input[1]


def test_parameters_that_share_memory(drawn):
    class Pair(torch.nn.Module):
        def __init__(self):
            super().__init__()
            both = torch.ones(2, 3, 3)
            self.a, self.b = torch.nn.Parameter(both[0]), torch.nn.Parameter(both[1])

        def forward(self, x):
            return x @ self.a @ self.b

    nodes = drawn(Pair(), torch.ones(1, 3))
    assert nodes["Pair/matmul_1"].input == ["Pair/matmul", "Pair/b"]


def test_sparse_tensors(drawn):
    matrix = torch.eye(3).to_sparse()
    nodes = drawn(lambda x: torch.sparse.mm(matrix, x) + 1, torch.ones(3, 2))
    assert nodes["output/output.1"].input == ["<lambda>/add"] and "input/x" in nodes


def test_several_and_nested_arguments(drawn):
    def program(pair, *rest):
        return {"sum": pair["a"] + pair["b"] + sum(rest)}

    nodes = drawn(program, ({"a": torch.ones(1), "b": torch.ones(1)}, torch.ones(1)))
    assert nodes["program/add"].input == ["input/pair.1", "input/pair.2"]
    assert "input/rest" in nodes


def test_errors_come_from_the_model(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(RuntimeError, match="in_features = 4"):
            writer.add_graph(Block(), (torch.ones(2, 5), torch.ones(1)))
        with pytest.raises(TypeError, match="forward"):
            writer.add_graph(Block(), torch.ones(2, 4))
        with pytest.raises(RuntimeError, match="input_to_model must be"):
            writer.add_graph(Block())
    assert not torch.nn.modules.module._hooks.any_global


def test_verbose(drawn, capsys):
    drawn(torch.nn.ReLU(), torch.ones(2), verbose=True)
    assert "ReLU/relu = relu(input/input)" in capsys.readouterr().out


@pytest.mark.oracle
def test_onnx(tmp_path):
    onnx = pytest.importorskip("onnx", reason="reads ONNX files")
    oracle = pytest.importorskip("torch")
    from torch.utils.tensorboard import SummaryWriter as OracleWriter

    info = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Gemm", ["x", "w"], ["y"], alpha=2.0, transB=1)
    inputs = [info("x", onnx.TensorProto.FLOAT, [2, 3]), info("w", onnx.TensorProto.FLOAT, [4, 3])]
    graph = onnx.helper.make_graph([node], "g", inputs, [info("y", onnx.TensorProto.FLOAT, [2, 4])])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    graphs = []
    for name, writer_class in (("ours", SummaryWriter), ("theirs", OracleWriter)):
        with writer_class(tmp_path / name) as writer:
            writer.add_onnx_graph(str(tmp_path / "m.onnx"))
        graphs.append(EventAccumulator(str(tmp_path / name)).Reload().Graph())
    assert oracle and graphs[0] == graphs[1]
