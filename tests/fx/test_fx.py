"""Traces: the same programs in both libraries give the same graphs, code and results."""

import copy
import importlib
import operator
import pickle
import re

import pytest

import rushlight

try:
    import torch as oracle
except ModuleNotFoundError:
    oracle = None

# Each is a program that defines `model` and `inputs`.
PROGRAMS = {
    "mlp": """
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 2), nn.Softmax(-1)))
inputs = (torch.randn(3, 4),)
""",
    "residual_block": """
class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.down = None
    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.down is not None:
            identity = self.down(x)
        out += identity
        return self.relu(out)
model = nn.Sequential(Block(3), Block(3)).eval()
inputs = (torch.randn(1, 3, 5, 5),)
""",
    "functional": """
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4))
        self.register_buffer("scale", torch.ones(4))
        self.constant = torch.arange(4.0)
        self.inner = nn.Module()
        self.inner.weight = nn.Parameter(torch.randn(4))
    def forward(self, x):
        x = F.linear(x, self.weight, self.inner.weight) * self.scale + self.constant - torch.ones(4)
        x = F.relu(F.dropout(x, 0.5, training=self.training))
        x = F.layer_norm(x, (4,), self.inner.weight) + self.weight + self.weight.sum()
        x = F.softmax(x, dim=-1) + F.log_softmax(x, -1) + F.gelu(x) + F.leaky_relu(x, 0.2) + F.normalize(x)
        return torch.cat([x, x], dim=1), F.mse_loss(x, x), F.pad(x, (1, 1)), F.embedding(torch.tensor([1]), self.weight)
model = M().eval()
inputs = (torch.randn(4, 4),)
""",
    "operators": """
def model(x, y):
    z = (x + y) * 2 - y / x ** 2 // 3 + (-x) % 5 + (3 - y) + 2 ** y + 1 / x + x @ y.T
    m = (x > y) & (x != 0) | ~(y <= x)
    a, b = z.chunk(2, dim=1)
    z = torch.ones(2) + x * torch.ones(2) - (torch.ones(2) - z) + torch.ones(2).mul(x) + torch.ones(2) @ x
    return abs(a), b[0], z[:, 1:], z[..., None], m, (z == x).any(), x.shape[0], x.size(1), z.mean(dim=0, keepdim=True)
inputs = (torch.rand(2, 2) + 1, torch.rand(2, 2) + 1)
""",
    "methods": """
def model(x):
    x = x.view(-1, 2).transpose(0, 1).to(torch.float64).float().contiguous()
    x = x.clamp(min=0.0).add_(1).unsqueeze(0).expand(2, -1, -1).flatten(start_dim=1)
    return x.relu().sum(), x.dtype, x.max(dim=1), torch.max(x), x.T
inputs = (torch.randn(4, 2),)
""",
    "arguments": """
class M(nn.Module):
    def forward(self, x: torch.Tensor, y=2.0, n: int = 3, *, flag: bool = True) -> torch.Tensor:
        return x * y + n
model = M()
inputs = (torch.ones(2),)
""",
    "annotations": """
def model(x: torch.Tensor, y: typing.List[torch.Tensor], z: typing.Optional[int] = None) -> torch.Tensor:
    return x + y[0]
inputs = (torch.ones(2), [torch.ones(2)])
""",
    "rest": """
def model(x, *args, **kwargs):
    return x + args[0] + kwargs["k"]
inputs = (torch.ones(2), 2.0)
kwargs = {"k": 3.0}
""",
    "containers": """
Pair = collections.namedtuple("Pair", "a b")
def model(x):
    parts = {"a": x + 1, "b": [x, (x * 2,)]}
    return {"sum": parts["a"] + parts["b"][1][0], "rest": [x, {"deep": (x, None, 1.5, "text", slice(x, 2))}]}
inputs = (torch.ones(2),)
""",
    "wrapped": """
fx.wrap("len")
fx.wrap("sqrt")
from math import sqrt
@fx.wrap
def whole(x, k=2):
    return x * k if x.sum() > 0 else x
def model(x):
    return whole(x, k=3) + len(x) + sqrt(x.size(0)) + math.floor(x.size(0)) + whole(torch.ones(2), 5)
inputs = (torch.ones(2),)
""",
    "names": """
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1_2 = nn.Identity()
        self.MaxPool = nn.ModuleList([nn.Identity(), nn.Identity()])
        self.input = nn.ModuleDict({"of": nn.Identity()})
    def forward(self, input, self_1, torch_1, lambda_):
        x = self.conv1_2(input) + self.MaxPool[1](self_1) + self.input["of"](torch_1) + lambda_
        return sum([x, x.sum(), torch.sum(x), x.pow(2), torch.abs(x)])
model = M()
inputs = (torch.ones(2),) * 4
""",
    "shared": """
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = self.a
        self.tied = nn.Linear(2, 2)
        self.tied.weight = self.a.weight
    def forward(self, x):
        for layer in (self.a, self.b, self.tied):
            x = layer(x)
        for _ in range(2):
            x = x + F.linear(x, self.tied.weight)
        return x
model = M()
inputs = (torch.ones(1, 2),)
""",
    "attention": """
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).split(8, dim=2)
        q, k, v = (p.view(b, t, 2, c // 2).transpose(1, 2) for p in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return x + self.out(y.transpose(1, 2).reshape(b, t, c))
model = M()
inputs = (torch.randn(2, 3, 8),)
""",
    "pooling": """
class M(nn.Module):
    def forward(self, x):
        x = F.max_pool2d(x, 2) + F.avg_pool2d(x, 2) + F.adaptive_avg_pool2d(x, (2, 2))
        return F.interpolate(x, scale_factor=2.0), torch.flatten(x, 1), F.batch_norm(x, torch.zeros(2), torch.ones(2))
model = M()
inputs = (torch.randn(1, 2, 4, 4),)
""",
    "concrete": """
def f(x, flag, n=None, name="a"):
    return x + 1 if flag and n is None else x
model = fx.symbolic_trace(f, concrete_args={"flag": True, "n": None})
inputs = (torch.ones(2), True, None)
""",
    "concrete_containers": """
def f(x, d):
    return {"a": x + d["a"], "b": [d["b"][0], d["b"][1]]}
model = fx.symbolic_trace(f, concrete_args={"d": {"a": fx.PH, "b": [fx.PH, fx.PH]}})
inputs = (torch.ones(2), {"a": 1.0, "b": [torch.zeros(1), torch.ones(1)]})
""",
    "no_inputs": """
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.ones(2))
    def forward(self):
        return self.p
model = M()
inputs = ()
""",
    "proxyable_class": """
class Both(metaclass=fx.ProxyableClassMeta):
    def __init__(self, left, right):
        self.left, self.right = left, right
    def add(self):
        return self.left + self.right
def model(x, y):
    return Both(x, y).add()
inputs = (torch.ones(2), torch.ones(2))
""",
}


def run_program(torch, source):
    """The names of a program that has run."""
    torch.manual_seed(0)
    importlib.import_module(f"{torch.__name__}.fx.passes.shape_prop")
    names = {"torch": torch, "nn": torch.nn, "fx": torch.fx, "F": torch.nn.functional, "__name__": "program"}
    exec(compile("import collections, math, operator, typing\n" + source, "<program>", "exec"), names)
    return names


def plain(text):
    """Code without what PyTorch's bindings make of names."""
    text = re.sub(r"torch\.(conv\w*)\(", r"torch.nn.functional.\1(", text)
    text = text.replace("torch._C._nn.", "torch.nn.functional.")
    return re.sub(r"=torch\.(conv\w*)\]", r"=torch.nn.functional.\1]", text)


def values(x):
    """Results as plain data."""
    if isinstance(x, (list, tuple)):
        return [values(v) for v in x]
    if isinstance(x, dict):
        return {k: values(v) for k, v in x.items()}
    return x.tolist() if hasattr(x, "tolist") else str(x) if not isinstance(x, (int, float)) else x


def close(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    return a == pytest.approx(b, rel=1e-4, abs=1e-5) if isinstance(a, float) else a == b


def told_by_both(program):
    """What a program notes in `told`, in both libraries."""
    return tuple([plain(text) for text in run_program(torch, "told = []\n" + program)["told"]] for torch in LIBRARIES)


LIBRARIES = (rushlight, oracle)


@pytest.mark.oracle
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_trace_is_pytorchs(name):
    found = []
    for torch in LIBRARIES:
        names = run_program(torch, PROGRAMS[name])
        model, inputs, kwargs = names["model"], names["inputs"], names.get("kwargs", {})
        traced = model if isinstance(model, torch.fx.GraphModule) else torch.fx.symbolic_trace(model)
        traced.graph.lint()
        results = []
        if name != "containers":  # a slice of a tensor is no index
            results = values([traced(*inputs, **kwargs), traced(*inputs, **kwargs)])
        if results and not kwargs:
            results.append(values(torch.fx.Interpreter(traced).run(*inputs)))
        found.append((plain(traced.code), plain(str(traced.graph)), results))
    (code, graph, results), wanted = found
    assert code == wanted[0]
    assert graph == wanted[1]
    assert close(results, wanted[2])


# Each appends texts to `told`.
CHANGES = {
    "replace_an_operator": """
def f(x, y):
    return torch.add(x, y) + x.neg()
g = fx.symbolic_trace(f)
for node in g.graph.nodes:
    if node.target is torch.add:
        with g.graph.inserting_after(node):
            new = g.graph.call_function(torch.mul, node.args, node.kwargs)
        with g.graph.inserting_after(new):
            second = g.graph.call_method("abs", (new,))
            g.graph.call_method("neg", (new,))
        node.replace_all_uses_with(second)
        g.graph.erase_node(node)
told += [str(g.recompile().src), str(g(torch.ones(1), torch.full((1,), 3.0)))]
""",
    "fuse_convolution_and_norm": """
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)
    def forward(self, x):
        return self.bn(self.conv(x)).relu()
m = M()
m(torch.randn(8, 1, 5, 5))
m.eval()
g = fx.symbolic_trace(m)
modules = dict(g.named_modules())
for node in g.graph.nodes:
    if node.op == "call_module" and isinstance(modules[node.target], nn.BatchNorm2d):
        conv = node.args[0]
        fused = nn.utils.fusion.fuse_conv_bn_eval(modules[conv.target], modules[node.target])
        g.add_submodule(conv.target, fused)
        node.replace_all_uses_with(conv)
        g.graph.erase_node(node)
g.delete_all_unused_submodules()
g.graph.lint()
g.recompile()
x = torch.randn(1, 1, 5, 5)
told += [g.code, str(list(dict(g.named_modules()))), str(bool(torch.allclose(g(x), m(x), atol=1e-5)))]
""",
    "replace_a_pattern": """
def f(x, w1, w2):
    a = torch.cat([w1, w2]).sum()
    b = torch.cat([w1, w2]).sum()
    return x + a.max() + b.max()
g = fx.symbolic_trace(f)
matches = fx.replace_pattern(g, lambda u, v: torch.cat([u, v]).sum(), lambda u, v: torch.stack([u, v]))
told += [g.code, str(matches)]
def f(x):
    return torch.relu(torch.relu(torch.relu(x + 1) + 1) + 2) * 2
g = fx.symbolic_trace(f)
told += [str(fx.replace_pattern(g, lambda x, y: torch.relu(x + y), lambda x, y: x - y)), g.code]
def f(x):
    a, b = x.chunk(2)
    return torch.relu(a) + torch.sigmoid(b), a
g = fx.symbolic_trace(f)
told += [str(fx.replace_pattern(g, lambda a, b: torch.relu(a) + torch.sigmoid(b), lambda a, b: a @ b)), g.code]
g = fx.symbolic_trace(lambda x: torch.relu(x) * torch.relu(x))
told += [str(fx.replace_pattern(g, lambda x: torch.sigmoid(x), lambda x: x)), g.code]
""",
    "replace_a_pattern_by_a_module": """
class New(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
    def forward(self, x):
        return self.linear(x).tanh()
g = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
g = fx.symbolic_trace(lambda x: torch.relu(x) + 1)
fx.replace_pattern(g, lambda x: torch.relu(x), fx.symbolic_trace(New()))
told += [g.code, str(sorted(g.state_dict())), str(g(torch.ones(1, 2)).shape)]
""",
    "dead_code": """
def f(x, unused):
    a = x + 1
    b = a * 2
    torch._assert(x.sum() > 0, "positive")
    y = x.neg_()
    return x - 1
g = fx.symbolic_trace(f)
told += [str(g.graph.eliminate_dead_code()), str(g.graph), str(g.graph.eliminate_dead_code()), g.recompile().src]
""",
    "a_graph_by_hand": """
g = fx.Graph()
x = g.placeholder("x")
y = g.placeholder("y", type_expr=int, default_value=3)
w = g.get_attr("layer.weight")
with g.inserting_before(w):
    early = g.call_function(operator.neg, (x,))
a = g.call_module("layer", (early,))
b = g.call_method("matmul", (a, w), type_expr=torch.Tensor)
c = g.create_node("call_function", torch.sub, (b, y), {"alpha": 2}, name="torch")
z = g.output({"c": c, "rest": [a, (b,)]})
root = nn.Module()
root.layer = nn.Linear(2, 2)
m = fx.GraphModule(root, g, "ByHand")
told += [m.code, str(m.graph), str(m), m.print_readable(print_output=False)]
told += [str(len(g.nodes)), str(x.next), str(z.prev), str(g.output_node())]
told += [str(list(reversed(g.nodes))), str(c.all_input_nodes), str(x.users), str(c.args), str(c.kwargs), str(z.args)]
c.update_arg(1, 5); c.update_kwarg("alpha", 3); c.insert_arg(0, x)
told += [c.format_node(), str(y.users)]
c.args = c.args[1:]
early.replace_input_with(x, y)
told += [str(g), str(x.users), str(y.users)]
a.append(y)
x.prepend(w)
told += [str(g)]
try:
    g.lint()
except RuntimeError:
    told += ["refused"]
try:
    g.erase_node(a)
except RuntimeError:
    told += ["refused"]
told += [str(type(c.args[0:1]).__name__), type(z.args[0]).__name__, type(z.args[0]["rest"]).__name__]
try:
    z.args[0]["rest"].append(1)
except TypeError:
    told += ["refused"]
told += [str(g.find_nodes(op="placeholder")), str(g.find_nodes(op="call_method", target="matmul"))]
""",
    "a_root_that_is_a_dict": """
g = fx.Graph()
x = g.placeholder("x")
a = g.call_module("a.b.c", (x,))
g.output(g.call_function(operator.add, (a, g.get_attr("a.w"))))
m = fx.GraphModule({"a.b.c": nn.ReLU(), "a.w": torch.ones(2)}, g)
told += [m.code, str(m(torch.full((2,), -1.0))), str(sorted(m.state_dict())), str(m)]
try:
    fx.GraphModule({}, g)
except RuntimeError:
    told += ["refused"]
m2 = fx.GraphModule(m, g)
told += [str(m.add_submodule("n.o", nn.Tanh())), str(m.delete_submodule("n.o")), str(m.delete_submodule("n.q")), str(m)]
""",
    "copies": """
g = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
h = fx.Graph()
made = {}
out = h.graph_copy(g.graph, made)
h.output(h.call_function(torch.neg, (out,)))
told += [str(h), str(out)]
import copy
c = copy.deepcopy(g)
c.get_submodule("0").weight.data.zero_()
told += [c.code, type(c).__name__, str(bool((g.get_submodule("0").weight == 0).all())), str(c.graph is g.graph)]
for node in c.graph.nodes:
    if node.op == "output":
        with c.graph.inserting_before(node):
            node.args = (c.graph.call_method("sum", (node.args[0],)),)
c.recompile()
told += [c.code, g.code]
d = copy.copy(g)
told += [d.code, str(d.get_submodule("0") is g.get_submodule("0"))]
""",
    "transformers": """
class Neg(fx.Transformer):
    def call_function(self, target, args, kwargs):
        if target is torch.sigmoid:
            return torch.neg(*args, **kwargs)
        return super().call_function(target, args, kwargs)
    def call_method(self, target, args, kwargs):
        if target == "neg":
            return args[0].sigmoid() + 1
        return super().call_method(target, args, kwargs)
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.l, self.p = nn.Linear(2, 2), nn.Parameter(torch.ones(2))
    def forward(self, x, y=1):
        return torch.sigmoid(self.l(x) + self.p).neg() + y
m = fx.symbolic_trace(M())
t = Neg(m).transform()
told += [t.code, str(t.graph), str(t(torch.ones(1, 2)).shape)]
""",
    "tracers": """
class MyTracer(fx.Tracer):
    def is_leaf_module(self, m, name):
        return name == "inner"
    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None):
        node = super().create_node(kind, target, args, kwargs, name, type_expr)
        node.tag = "seen"
        return node
class Inner(nn.Module):
    def forward(self, x):
        return x + 1 if x.sum() > 0 else x
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.seq = Inner(), nn.Sequential(nn.ReLU())
        self.register_buffer("b", torch.ones(1))
    def forward(self, x):
        return self.seq(self.inner(x)) * self.b
m = M()
g = MyTracer().trace(m)
told += [str(g), str({n.tag for n in g.nodes}), fx.GraphModule(m, g).code]
class Buffers(fx.Tracer):
    proxy_buffer_attributes = True
told += [str(Buffers().trace(m.seq))]
told += [str([list(n.meta.get("nn_module_stack", {})) for n in fx.Tracer().trace(m.seq).nodes])]
class Truth(fx.Tracer):
    def to_bool(self, obj):
        return True
told += [str(Truth().trace(Inner()))]
""",
    "shapes": """
m = fx.symbolic_trace(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(18, 4)))
fx.passes.shape_prop.ShapeProp(m).propagate(torch.randn(2, 1, 5, 5))
told += [m.print_readable(print_output=False)]
for node in m.graph.nodes:
    told += [f"{node} {tuple(node.meta['tensor_meta'])} {node.meta['type'].__name__}"]
m = fx.symbolic_trace(lambda x: x.max(dim=0))
fx.passes.shape_prop.ShapeProp(m).propagate(torch.randn(2, 3))
told += [m.print_readable(print_output=False)]
told += [str([tuple(t)[:3] for t in m.graph.output_node().meta["tensor_meta"]])]
""",
    "appending": """
g = fx.Graph()
x = fx.Proxy(g.placeholder("x"))
y = (x + 1).relu()
y.shape
g.output((torch.cat([y, x]) * x.size(0)).node)
told += [str(g)]
told += [str(fx.map_arg([1, x.node, {"a": (x.node, slice(x.node, None))}], lambda n: n.name))]
g2 = fx.symbolic_trace(lambda x: F.relu(x))
with g2.graph.on_generate_code(lambda present: lambda body: ["# first\\n", *body]):
    g2.recompile()
told += [str("# first" in g2.code)]
""",
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", CHANGES)
def test_a_graph_is_changed_as_pytorchs(name):
    ours, theirs = told_by_both(CHANGES[name])
    assert len(ours) == len(theirs) > 0
    for mine, wanted in zip(ours, theirs, strict=True):
        assert mine == wanted


REFUSED = """
def branch(x):
    if x.sum() > 0:
        return x
    return -x
def loop(x):
    return [i for i in x]
def length(x):
    return x * len(x)
def star(x):
    return torch.cat(*x)
def index(x):
    return list(range(x.size(0)))
def number(x):
    return float(x)
def holds(x):
    return 1 in x
def strange(x):
    return x.add(object())
"""


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["branch", "loop", "length", "star", "index", "number", "holds", "strange"])
def test_refusals_are_pytorchs(name):
    kinds = []
    for torch in LIBRARIES:
        with pytest.raises(Exception) as error:
            torch.fx.symbolic_trace(run_program(torch, REFUSED)[name])
        kinds.append(error.type.__name__)
    assert kinds[0] == kinds[1]


def loss_of_sign(x):
    if x.sum() > 0:
        return x
    return -x


def test_a_refusal_names_the_line():
    with pytest.raises(rushlight.fx.proxy.TraceError, match=r"in loss_of_sign, .*test_fx\.py:\d+, `if x.sum\(\) > 0:`"):
        rushlight.fx.symbolic_trace(rushlight.nn.Sequential(rushlight.nn.ReLU(), Applied(loss_of_sign)))
    assert "__getattribute__" not in vars(rushlight.nn.Module)  # nothing of a trace is left


class Applied(rushlight.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_an_error_in_generated_code_shows_its_line(capsys):
    traced = rushlight.fx.symbolic_trace(lambda x, y: (x + y).relu())
    with pytest.raises(RuntimeError, match="shapes must broadcast"):
        traced(rushlight.ones(2), rushlight.ones(3))
    shown = capsys.readouterr().err
    assert "line 5 of the traced Module's generated forward function" in shown
    assert "add = x + y;  x = y = None\n    ~~~~" in shown


def test_a_graph_module_is_pickled():
    model = rushlight.nn.Sequential(rushlight.nn.Linear(2, 2), rushlight.nn.ReLU())
    traced = rushlight.fx.symbolic_trace(model)
    again = pickle.loads(pickle.dumps(traced))
    x = rushlight.randn(3, 2)
    assert again.code == traced.code
    assert str(again.graph) == str(traced.graph)
    assert (again(x) == model(x)).all()
    assert type(again).__name__ == "Sequential"


def test_a_traced_network_is_trained():
    model = rushlight.fx.symbolic_trace(rushlight.nn.Sequential(rushlight.nn.Linear(2, 1)))
    optimizer = rushlight.optim.SGD(model.parameters(), lr=0.1)
    x, y = rushlight.randn(16, 2), rushlight.ones(16, 1)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = rushlight.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_names_that_are_keywords():
    model = rushlight.nn.Module()
    model.add_module("in", rushlight.nn.ReLU())
    graph = rushlight.fx.Graph()
    graph.output(graph.call_module("in", (graph.placeholder("x"),)))
    assert rushlight.fx.GraphModule(model, graph)(rushlight.ones(1)).item() == 1.0


def test_stack_traces_are_recorded():
    tracer = rushlight.fx.Tracer()
    tracer.record_stack_traces = True
    module = rushlight.fx.GraphModule(rushlight.nn.Module(), tracer.trace(lambda x: x + 1))
    assert "test_fx.py" in module.graph.find_nodes(op="call_function")[0].stack_trace
    assert "# File: " in module.print_readable(print_output=False)


def test_arguments_are_normalized():
    traced = rushlight.fx.symbolic_trace(rushlight.nn.Sequential(rushlight.nn.Linear(2, 2), Applied(relu_in_place)))
    of_module, of_function = (n for n in traced.graph.nodes if n.op.startswith("call"))
    assert list(of_module.normalized_arguments(traced, normalize_to_only_use_kwargs=True).kwargs) == ["input"]
    assert of_function.normalized_arguments(traced).args == (of_module, True)
    assert traced.graph.output_node().normalized_arguments(traced) is None


def relu_in_place(x):
    return rushlight.nn.functional.relu(x, inplace=True)


@pytest.mark.parametrize("length", [3000])
def test_long_graphs_are_copied_and_pickled(length):
    graph = rushlight.fx.Graph()
    x = graph.placeholder("x")
    for _ in range(length):
        x = graph.call_function(operator.neg, (x,))
    graph.output(x)
    module = rushlight.fx.GraphModule(rushlight.nn.Module(), graph)
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert again.code == module.code
        assert again(rushlight.ones(1)).item() == 1.0
