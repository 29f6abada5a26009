"""Sparse tensors: what programs do with them, against PyTorch, and their gradients."""

import copy
import io
import pickle

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import gradcheck, gradgradcheck

oracle = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle


def _tensors(framework):
    """The names that the expressions below use."""
    coo, tensor = framework.sparse_coo_tensor, framework.tensor
    values = tensor([3.0, -4.0, 5.0], dtype=framework.float64)
    repeated = tensor([1.0, 2.0, 3.0, 4.0], dtype=framework.float64)
    names = {
        "torch": framework,
        "s": coo(tensor([[0, 1, 1], [2, 0, 2]]), values, (2, 3)).coalesce(),
        "u": coo(tensor([[1, 0, 0, 1], [1, 2, 2, 0]]), repeated, (2, 3)),
        "h": coo(tensor([[2, 0]]), tensor([[1.0, 2.0], [3.0, 4.0]], dtype=framework.float64), (3, 2)),
        "b": coo(tensor([[0, 1, 1], [0, 1, 1], [0, 1, 2]]), values, (2, 2, 3)),
        "n": coo(tensor([[0, 1, 1], [2, 0, 2]]), tensor([3, -4, 5]), (2, 3)),
        "o": coo(tensor([[0, 1, 1], [2, 0, 2]]), tensor([True, False, True]), (2, 3)),
        "e": coo(size=(2, 3), dtype=framework.float64),
        "d": framework.arange(6, dtype=framework.float64).reshape(2, 3) - 2,
        "v": tensor([1.0, -2.0, 0.5], dtype=framework.float64),
        "w": framework.arange(12, dtype=framework.float64).reshape(2, 3, 2),
    }
    return names | {"c": names["s"].to_sparse_csr(), "k": names["s"].to_sparse_csc()}


OURS, THEIRS = _tensors(torch), _tensors(oracle)


def _both(expression):
    with torch.no_grad(), oracle.no_grad():
        return eval(expression, dict(OURS)), eval(expression, dict(THEIRS))


def _layout(tensor):
    return str(tensor.layout)


def _check_same(ours, theirs):
    if not isinstance(theirs, oracle.Tensor):
        assert ours == theirs
        return
    assert tuple(ours.shape) == tuple(theirs.shape) and str(ours.dtype) == str(theirs.dtype)
    assert _layout(ours) == _layout(theirs)
    np.testing.assert_allclose(ours.to_dense().numpy(), theirs.to_dense().numpy(), rtol=1e-12, atol=1e-15)


EXPRESSIONS = """
s + s; s + u; u + u; d + s; torch.add(d, u, alpha=2); torch.add(s, u, alpha=-3); n + s; e + s; c + c; d + c; h + h
b + b
s - u; d - s; u - s; torch.sub(s, s, alpha=2)
s * 2; 2 * s; s * u; u * u; s * d; d * s; u * d; s * torch.tensor(2.0); n * 2.5; s * e; e * e; c * 3; c * d; c * c
n * s; h * h
s / 2; n / 2; s / torch.tensor(4.0); s.floor_divide(2); torch.div(s, 2, rounding_mode="trunc"); c * 0.5
-s; -u; -c; s ** 2; u.pow(3)
s @ d.t(); d @ s.t(); s.t() @ d; s @ v; s.mv(v); s @ s.t(); u.t() @ s; e @ s.t(); s @ e.t(); c @ d.t(); c @ v
d.t() @ c; e @ v
torch.mm(s, d.t()); torch.sparse.mm(u, d.t()); torch.sparse.mm(d, s.t()); torch.sparse.mm(s, s.t())
torch.matmul(u, v)
torch.bmm(b, w[:, :, :1]); torch.bmm(b, w); torch.addmm(d[:, :2], s, d.t(), beta=2, alpha=3)
torch.sparse.addmm(d[:, :2], u, d.t(), beta=0.5, alpha=-1); torch.addmm(d[:, :2], c, d.t())
torch.addmm(d[:, :2], s, d.t(), beta=0)
s.sum(); u.sum(); n.sum(); o.sum(); c.sum(); e.sum(); torch.sparse.sum(u); torch.sparse.sum(u, 0)
torch.sparse.sum(u, 1); torch.sparse.sum(s, (0, 1))
torch.sparse.sum(h, 0); torch.sparse.sum(h, 1); torch.sparse.sum(b, (0, 2)); torch.sparse.sum(b, -1)
torch.sparse.sum(n, 0)
torch.sparse.sum(s, 0, dtype=torch.float32); s.sum(0); s.norm(); u.norm(); s.any(); e.any(); o.any()
torch.sparse.softmax(s, 1); torch.sparse.softmax(u, 0); torch.sparse.softmax(h, 1); torch.sparse.softmax(h, 0)
torch.sparse.log_softmax(s, 1); torch.sparse.log_softmax(b, 2); torch.sparse.softmax(s, 1, dtype=torch.float32)
s.t(); u.t(); s.transpose(0, 1); b.transpose(0, 2); b.permute(2, 0, 1); c.t(); k.t(); c.transpose(0, 1); s.t().t()
s.index_select(1, torch.tensor([2, 0, 2])); u.index_select(0, torch.tensor([1, 1, 0]))
h.index_select(1, torch.tensor([1]))
e.index_select(0, torch.tensor([1])); s.index_select(1, torch.tensor([], dtype=torch.int64))
s[1]; u[0]; s[1, 2]; u[0, 2]; s[-1]; b[1]; b[1, 1]; b[1, 1, 2]; h[2]; h[1]; s[:, 2]; s.select(1, 2); c[0]; c[1, 2]
len(s)
s.unsqueeze(0); s.unsqueeze(-1); h.unsqueeze(1); h.unsqueeze(2); torch.cat([s, u]); torch.cat([s, u], 1)
torch.cat([h, h], 1); torch.stack([s, u])
d.sparse_mask(s); u.coalesce().sparse_mask(s); d.sparse_mask(c); e.sparse_mask(s); s.sparse_mask(u.coalesce())
d.to_sparse(); d.to_sparse(1); d.to_sparse_csr(); d.to_sparse_csc(); w.to_sparse(2); w.to_sparse()
d.to_sparse(layout=torch.sparse_csr)
s.to_sparse_csr(); u.to_sparse_csr(); u.to_sparse_csc(); c.to_sparse(); k.to_sparse(); c.to_sparse_csc()
k.to_sparse_csr(); k.to_dense()
s.clone(); s.detach(); s.float(); u.to(torch.float32); s.int(); s.bool(); n.double(); c.float(); c.clone(); s.data
s.type(torch.float16)
torch.zeros_like(s); s.clone().zero_(); c.clone().zero_(); s.clone().mul_(2); s.clone().add_(u); s.clone().sub_(u)
s.clone().copy_(u); d.clone().add_(s); d.clone().sub_(u); d.clone().mul_(s); s.clone().div_(2); s.clone().neg_()
s.clone().sparse_resize_and_clear_((4, 4), 1, 1); s.clone().sparse_resize_((4, 5), 2, 0)
s.is_sparse; c.is_sparse; c.is_sparse_csr; s.sparse_dim(); h.dense_dim(); d.sparse_dim(); d.dense_dim(); s._nnz()
u._nnz(); c._nnz(); u.is_coalesced(); s.is_coalesced()
s.numel(); s.dim(); s.element_size(); s.requires_grad; s.is_leaf; repr(s); repr(u); repr(c); repr(k); repr(h); repr(e)
repr(n); repr(s.float()); repr(c.float())
torch.sparse_coo_tensor([[0, 0]], [True, True], (2,)).coalesce().to_dense()
torch.sparse_coo_tensor([[0, 3]], [1.0, 2.0]).shape
torch.sparse_coo_tensor([[0], [3]], [[1.0, 2.0]]).shape; torch.sparse_coo_tensor((2, 3))
torch.sparse_coo_tensor([[1]], [1], dtype=torch.float64)
torch.sparse_csr_tensor([0, 1, 3], [2, 0, 2], [3.0, 4.0, 5.0]); torch.sparse_csc_tensor([0, 1, 1], [1], [4.0], (2, 2))
torch.sparse_compressed_tensor([0, 1, 2], [0, 1], [1.0, 2.0], layout=torch.sparse_csr)
str(torch.sparse_csr_tensor(torch.tensor([0, 2]).int(), torch.tensor([0, 1]).int(), [1, 2]).crow_indices().dtype)
torch.sparse.spdiags(d, torch.tensor([0, 1]), (3, 3))
torch.sparse.spdiags(d, torch.tensor([-1, 2]), (2, 4), layout=torch.sparse_csr)
torch.sparse.sampled_addmm(c, d.new_ones(2, 2), d, beta=0.5, alpha=2.0)
torch.sparse.mm(c, d.t(), "mean"); torch.sparse.mm(c.t().to_sparse_csr(), d, reduce="amax")
s.mT; b.transpose(1, 2).permute(0, 2, 1); s.H; s.unbind(0)[1]; s.sum(0, keepdim=True); c.sum(1, keepdim=True)
torch.nn.functional.linear(d, s); torch.nn.functional.linear(s, d, v[:2]); torch.nn.functional.linear(d, c)
torch.sparse.mm(c, d.t(), "amin"); torch.sparse.mm(c, d.t(), "sum")
""".replace("\n", ";").split(";")


@pytest.mark.parametrize("expression", [e.strip() for e in EXPRESSIONS if e.strip()])
def test_like_pytorch(expression):
    _check_same(*_both(expression))


ZERO_KEEPING = (
    "abs", "asin", "asinh", "atan", "atanh", "ceil", "conj_physical", "deg2rad", "erf", "erfinv", "expm1", "floor",
    "frac", "isinf", "isnan", "isneginf", "isposinf", "log1p", "nan_to_num", "neg", "rad2deg", "relu", "round", "sgn",
    "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
)  # fmt: skip


@pytest.mark.parametrize("layout", ["coo", "csr"])
@pytest.mark.parametrize("name", ZERO_KEEPING)
def test_functions_that_keep_zero(name, layout):
    if name in ("square", "nan_to_num"):
        layout = "coo"  # PyTorch has no other
    results = []
    for names in (OURS, THEIRS):
        small = names["u"] * 0.1
        small = small.to_sparse_csr() if layout == "csr" else small
        results.append(getattr(names["torch"], name)(small))
    _check_same(*results)


REFUSED = """
s + d; s + 1; s / d; s / s; s - d; s + h; s @ d; s @ s; torch.mm(s, d.float().t()); s.mv(d); b @ d; s.cos(); s.exp()
s.mean(); s.max(); s == s; s > 0
torch.ones_like(s); s.view(3, 2); s.reshape(6); s.softmax(1); torch.equal(s, s); torch.nn.functional.relu6(s)
s.expand(2, 2, 3)
s.tolist(); s.data_ptr(); s.bmm(s); h.t(); h.transpose(0, 1); u.indices(); u.values(); d.indices(); d.coalesce()
d.crow_indices(); s.crow_indices(); c.indices(); c.coalesce()
s.index_select(0, torch.tensor([2])); s.select(0, 5); s[2]; s[0, 0, 0]; s.sum(2); s.transpose(0, 2)
torch.sparse.softmax(s, 3); torch.sparse.sum(d)
s.to_sparse(1); d.to_sparse(3); s.item(); torch.cat([s, h]); s.numpy(); torch.cat([s, d]); c.sum(0); c.cos()
c.index_select(0, torch.tensor([0]))
torch.sparse.sampled_addmm(s, d, d.t()); d.sparse_mask(h); s.clone().add_(d); n.clone().mul_(1.5); d.int().add_(s)
torch.sparse_coo_tensor(d, s); torch.sparse_coo_tensor([[-1, 0]], [1.0, 2.0])
torch.sparse_coo_tensor([[5, 0]], [1.0, 2.0], (3,))
torch.sparse_coo_tensor([[1, 0, 0]], [1.0, 2.0], (3,))
torch.sparse_coo_tensor(torch.tensor([1, 0]), torch.tensor([1.0, 2.0]), (3,))
torch.sparse_coo_tensor([[1, 0]], [1.0, 2.0], (3, 3)); torch.sparse_coo_tensor([[1, 0]], [[1.0], [2.0]], (3, 3))
torch.sparse_coo_tensor([[1, 0]], [1.0, 2.0], (-3,))
torch.sparse_coo_tensor(torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0), (2**40, 2**40))
torch.sparse_coo_tensor([[1, 0]], torch.tensor(1.0), (3,))
torch.sparse_coo_tensor([[1, 0]], [1.0, 2.0], (3,), is_coalesced=True, check_invariants=True)
torch.sparse_compressed_tensor([0, 1], [0], [1.0])
torch.sparse_csr_tensor([0, 1, 2], [2, 0, 2], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([1, 1, 3], [2, 0, 2], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([0, 4, 3], [2, 0, 2], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([0, 1, 3], [3, 0, 2], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([0, 1, 3], [-1, 0, 2], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([0, 1, 2, 3], [2, 0, 2], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([0, 1, 3], [2, 0], [3.0, 4, 5], (2, 3))
torch.sparse_csr_tensor([0, 1, 3], [2, 2, 2], [3.0, 4, 5], (2, 3), check_invariants=True)
torch.sparse_csr_tensor([0, 1, 3], [2, 2, 0], [3.0, 4, 5], (2, 3), check_invariants=True)
torch.sparse.spdiags(d, torch.tensor([0, 0]), (3, 3)); torch.sparse.spdiags(d, torch.tensor([0]), (3, 3))
torch.sparse.spdiags(d, torch.tensor([0, 1]), (3,))
""".replace("\n", ";").split(";")


@pytest.mark.parametrize("expression", [e.strip() for e in REFUSED if e.strip()])
def test_refused_like_pytorch(expression):
    with pytest.raises(Exception) as theirs:
        eval(expression, dict(THEIRS))
    with pytest.raises(type(theirs.value)) as ours:
        eval(expression, dict(OURS))
    assert str(ours.value).startswith("[")


# --- what the core must not read


@pytest.mark.parametrize("name", ["sparse_coo", "sparse_csr"])
def test_no_way_into_the_shell(name):
    s = OURS["s"] if name == "sparse_coo" else OURS["c"]
    plain = torch.Tensor.detach(s)  # past the class: a shell without its parts
    strided = torch.ones(2, 3, dtype=torch.float64)
    ways = [
        lambda: plain + 1,
        lambda: plain.sum(),
        lambda: plain[0],
        lambda: list(plain),
        lambda: plain.tolist(),
        lambda: plain.data_ptr(),
        lambda: plain.add_(1),
        lambda: plain.untyped_storage(),
        lambda: plain.clone(),
        lambda: plain.resize_(1),
        lambda: plain.__dlpack__(),
        lambda: strided.copy_(plain),
        lambda: strided.set_(s),
        lambda: strided[s],
        lambda: setattr(strided, "data", s),
        lambda: torch.add(strided, 1, out=s),
        lambda: torch.where(s, 1, 2),
        lambda: torch.nn.functional.linear(strided, s.bool()),
        lambda: torch._core.fused_update("sgd", ([strided], [s]), (0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)),
        lambda: s.register_hook(print),
    ]
    for way in ways:
        with pytest.raises(RuntimeError):
            way()
    with pytest.raises(BufferError):
        memoryview(s)
    shell = torch._core.sparse_shell([1], torch.int64)
    for read in (int, float, bool, torch.Tensor.item, lambda x: [1, 2][x], lambda x: torch.tensor([x])):
        with pytest.raises(RuntimeError):
            read(shell)


# --- state: copies, pickles, in place


@pytest.mark.parametrize("name", ["s", "u", "c", "k", "h", "e"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), torch.clone])
def test_copies(name, copied):
    ours = OURS[name]
    made = copied(ours)
    assert repr(made) == repr(ours) and type(made) is type(ours)
    leaf = copied(ours.clone().requires_grad_())
    assert leaf.requires_grad


def test_in_place_changes_of_a_leaf():
    s = OURS["s"].clone().requires_grad_()
    with pytest.raises(RuntimeError, match="leaf Variable"):
        s.mul_(2)
    torch.sparse.sum(s * s).backward()
    with torch.no_grad():
        s.add_(s.grad, alpha=-0.5)
    assert s.is_leaf and s.requires_grad and s.to_dense().abs().sum().item() == 0.0
    assert s.grad.values().tolist() == [6.0, -8.0, 10.0]
    s.grad = None
    assert s.grad is None
    for wrong in (OURS["d"], OURS["u"].coalesce()):
        with pytest.raises(RuntimeError, match="indices"):
            s.grad = wrong
    s.grad = OURS["s"] * 2
    assert s.grad.values().tolist() == [6.0, -8.0, 10.0]
    s.data = OURS["u"]
    assert s._nnz() == 4 and s.is_leaf
    s.detach_()
    assert not s.requires_grad


def test_out():
    for out in (OURS["e"].clone(), torch.zeros(2, 3, dtype=torch.float64)):
        assert torch.mul(OURS["s"], 2, out=out) is out
        assert out.to_dense().tolist() == (OURS["s"].to_dense() * 2).tolist()


def test_products_are_an_extension():
    """Those that PyTorch refuses: batches from the left, matmul of batches, addmv."""
    s, b, v, w = (OURS[name] for name in "sbvw")
    turned = b.to_dense().transpose(1, 2)
    assert torch.bmm(w.transpose(1, 2), b.transpose(1, 2)).tolist() == (w.transpose(1, 2) @ turned).tolist()
    assert (b @ w).tolist() == (b.to_dense() @ w).tolist()
    assert (v[:2] @ s).tolist() == (v[:2] @ s.to_dense()).tolist()
    expected = torch.addmv(v[:2], s.to_dense(), v, beta=2, alpha=0.5)
    assert torch.addmv(v[:2], s, v, beta=2, alpha=0.5).tolist() == expected.tolist()


def test_slices_are_an_extension():
    dense = OURS["s"].to_dense()
    assert OURS["s"][:, 1:].to_dense().tolist() == dense[:, 1:].tolist()
    assert OURS["s"][..., 2].to_dense().tolist() == dense[..., 2].tolist()
    assert OURS["h"][1:, :1].to_dense().tolist() == OURS["h"].to_dense()[1:, :1].tolist()
    assert [row.to_dense().tolist() for row in OURS["s"]] == dense.tolist()
    assert OURS["s"].narrow(1, 1, 2).to_dense().tolist() == dense[:, 1:].tolist()
    with pytest.raises(RuntimeError):
        OURS["s"].narrow(1, 2, 2)


BAD = """
torch.sparse_coo_tensor([[2**63 - 1]], [1.0]); torch.sparse_coo_tensor([[1]], [1.0], (2**64,))
torch.sparse_coo_tensor([[2**64]], [1.0], (4,)); torch.sparse_coo_tensor([[float("nan")]], [1.0], (4,))
torch.sparse_coo_tensor(None, [1.0], (4,)); torch.sparse_coo_tensor([[1]], None, (4,))
torch.sparse_coo_tensor("a", [1.0])
torch.sparse_coo_tensor([[1]], [1.0], "ab"); torch.sparse_coo_tensor([[1]], [1.0], (4.0,)); torch.sparse_coo_tensor()
torch.sparse_coo_tensor([[0], [0]], [1.0], (0, 3)); torch.sparse_coo_tensor(torch.tensor([[1j]]), [1.0], (2,))
torch.sparse_coo_tensor(torch.zeros(17, 1).long(), [1.0]); torch.sparse_coo_tensor([[1]], [1], requires_grad=True)
torch.sparse_csr_tensor([], [], []); torch.sparse_csr_tensor(None, [1], [1.0])
torch.sparse_csr_tensor([0, 1], [0], [1.0], (1,))
torch.sparse_csr_tensor([0, 1], [2**63 - 1], [1.0]); torch.sparse_csr_tensor([0, 1], [0], [1.0], (1, 2**64))
torch.sparse_csr_tensor([[0, 1]], [[0]], [[1.0]])
torch.sparse_compressed_tensor([0], [], [], layout=torch.sparse_bsr)
torch.sparse_compressed_tensor([0], [], [], layout=torch.sparse_coo); w.to_sparse_csr(); s.permute(0, 0)
s.to_sparse(layout=1)
s.clone().sparse_resize_((1, 2), 2, 0); s.clone().sparse_resize_((4, 4, 4), 2, 0)
s.index_select(0, torch.tensor([1.5]))
s.clone().sparse_resize_and_clear_((-4, 4), 2, 0); s.clone().sparse_resize_and_clear_((4, 4), 1, 0); s[1.5]; s[None]
s.index_select(0, torch.tensor([[1]])); s[::2]; s.narrow(0, 0, 5); torch.hspmm(d, d.t())
torch.sparse.mm(s, d.t(), "prod"); torch.sparse.mm(s, s.t(), "mean")
torch.cat(s)
torch.nn.Parameter(s)
""".replace("\n", ";").split(";")


@pytest.mark.parametrize("expression", [e.strip() for e in BAD if e.strip()])
def test_bad_input_is_an_error(expression):
    """Where PyTorch crashes, wraps around or asserts."""
    with pytest.raises((RuntimeError, TypeError, IndexError, ValueError)) as refused:
        eval(expression, dict(OURS))
    assert str(refused.value).startswith("[")


@pytest.mark.parametrize("name", ["s", "u", "c", "k", "h", "e"])
@pytest.mark.parametrize("file", ["graph.pt", "graph.safetensors"])
def test_saving(tmp_path, file, name):
    torch.save({"graph": [OURS[name].clone().requires_grad_()]}, tmp_path / file)
    (loaded,) = torch.load(tmp_path / file)["graph"]
    assert repr(loaded.detach()) == repr(OURS[name])
    assert loaded.requires_grad == file.endswith("safetensors")  # which PyTorch's own format forgets


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    torch.save(torch.eye(3, dtype=torch.float64).to_sparse(), path)
    narrower = path.read_bytes().replace(b"[3, 3]", b"[3, 1]")
    assert narrower != path.read_bytes()
    with pytest.raises(RuntimeError, match="damaged"):
        torch.load(io.BytesIO(narrower))


def test_older_names():
    s, d = OURS["s"], OURS["d"]
    made = torch.sparse.DoubleTensor(s.indices(), s.values(), s.shape)
    assert isinstance(made, torch.sparse.DoubleTensor) and not isinstance(d, torch.sparse.DoubleTensor)
    assert torch.sparse.FloatTensor(2, 3).shape == (2, 3)
    assert torch.spmm(made, d.t()).tolist() == (s @ d.t()).tolist()
    for expression in ("torch.smm(s, d.t())", "torch.hspmm(s, d.t())", "torch.sspaddmm(s @ s.t(), s, d.t(), beta=2)"):
        _check_same(*_both(expression))
    with pytest.raises(AttributeError):
        torch.sparse.NoTensor  # noqa: B018


def test_gradcheck_of_functions_of_sparse_tensors():
    check = torch.sparse.as_sparse_gradcheck(gradcheck)
    s = OURS["s"].clone().requires_grad_()
    assert check(lambda x, d: x @ d * d.sum(), (s, OURS["d"].t().clone().requires_grad_()))
    assert check(lambda x: (x.to_sparse_csr() * 2, x.sum()), s)


def test_invariants_are_a_switch():
    check = torch.sparse.check_sparse_tensor_invariants
    unsorted = ([0, 2], [1, 0], [1.0, 2.0])
    torch.sparse_csr_tensor(*unsorted)
    with check(), pytest.raises(RuntimeError, match="sorted and distinct"):
        torch.sparse_csr_tensor(*unsorted)
    assert not check.is_enabled() and check()(check.is_enabled)()
    check.enable()
    assert check.is_enabled()
    check.disable()
    assert not check.is_enabled()


# --- gradients


PLACES = torch.tensor([[0, 2, 0, 1], [1, 0, 1, 2]])  # (0, 1) twice


def _made(values, layout=torch.sparse_coo):
    return torch.sparse_coo_tensor(PLACES, values, (3, 3)).to_sparse(layout=layout)


FUNCTIONS = {
    "to_dense": lambda s, d: s.to_dense() * d,
    "coalesce": lambda s, d: s.coalesce().values().square(),
    "values": lambda s, d: s.coalesce().values() * d[0, 0],
    "mm": lambda s, d: torch.sparse.mm(s, d),
    "mm from the right": lambda s, d: d @ s,
    "mm of two": lambda s, d: torch.sparse.mm(s, s.t()).to_dense() * d,
    "mv": lambda s, d: s @ d[0],
    "addmm": lambda s, d: torch.sparse.addmm(d, s, d.t(), beta=0.5, alpha=2.0),
    "bmm": lambda s, d: torch.bmm(torch.stack([s, s]), torch.stack([d, d.t()])),
    "sum": lambda s, d: torch.sparse.sum(s * s) * d,
    "sum along a dimension": lambda s, d: torch.sparse.sum(s, 0).to_dense() * d,
    "mul by a strided one": lambda s, d: (s * d).to_dense(),
    "mul": lambda s, d: (s * s.t()).to_dense() * d,
    "add": lambda s, d: d + (s + s.t()).square(),
    "div": lambda s, d: (s / 3).to_dense() + d,
    "sin": lambda s, d: s.sin().to_dense() * d,
    "softmax": lambda s, d: torch.sparse.softmax(s, 1).to_dense() * d,
    "log_softmax": lambda s, d: torch.sparse.log_softmax(s, 0).to_dense() * d,
    "transpose": lambda s, d: s.t().to_dense() * d,
    "index_select": lambda s, d: s.index_select(0, torch.tensor([0, 2, 0])).to_dense() * d,
    "select": lambda s, d: s[0].to_dense() * d,
    "cat": lambda s, d: torch.cat([s, s.t()]).to_dense() @ d,
    "sparse_mask": lambda s, d: d.sparse_mask(s.coalesce()).to_dense() * d,
    "csr": lambda s, d: s.to_sparse_csr() @ d,
    "csc": lambda s, d: s.to_sparse_csc() @ d,
    "mm with the mean": lambda s, d: torch.sparse.mm(s, d, "mean"),
    "mm with the largest": lambda s, d: torch.sparse.mm(s.to_sparse_csr(), d, "amax"),
    "sampled_addmm": lambda s, d: torch.sparse.sampled_addmm(s.to_sparse_csr(), d, d).values(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    torch.manual_seed(0)
    values = torch.randn(4, dtype=torch.float64, requires_grad=True)
    dense = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)

    def function(values, dense):
        return FUNCTIONS[name](_made(values), dense)

    assert gradcheck(function, (values, dense))
    assert gradgradcheck(function, (values, dense))


def test_gradient_from_a_strided_tensor():
    dense = torch.tensor([[0.0, 2.0], [3.0, 0.0]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: x.to_sparse().square().to_dense(), (dense,), fast_mode=True)
    (dense.to_sparse_csr() @ torch.ones(2, 1, dtype=torch.float64)).sum().backward()
    assert dense.grad.tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
def test_a_sparse_leaf_has_a_sparse_gradient(layout):
    results = []
    for names in (OURS, THEIRS):
        framework = names["torch"]
        s = names["s"].to_sparse(layout=getattr(framework, layout)).detach().clone().requires_grad_()
        for _ in range(2):
            framework.sparse.mm(s, names["d"].t()).square().sum().backward()
        if framework is torch:
            assert s.is_leaf and s.grad.layout is s.layout and not s.grad.requires_grad
        results.append(s.grad.to_dense().numpy() * (names["s"].to_dense().numpy() != 0))
    np.testing.assert_allclose(*results)
    s = OURS["s"].clone().requires_grad_()
    (grad,) = torch.autograd.grad((s @ OURS["v"]).sum(), s)
    assert grad.is_sparse and grad.to_dense().tolist() == [[0, 0, 0.5], [1.0, 0, 0.5]]
    for gradient in (OURS["d"], OURS["u"]):  # of a sparse result
        s.grad = None
        (s * 2).backward(gradient)
        expected = 2 * gradient.to_dense().sparse_mask(s.detach())
        assert s.grad.to_dense().tolist() == expected.to_dense().tolist()


def test_a_sparse_tensor_in_a_custom_function():
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, matrix, x):
            ctx.save_for_backward(matrix)
            return matrix @ x

        @staticmethod
        def backward(ctx, grad):
            (matrix,) = ctx.saved_tensors
            return None, matrix.t() @ grad

    x = torch.ones(3, 2, dtype=torch.float64, requires_grad=True)
    Product.apply(OURS["s"], x).sum().backward()
    assert x.grad.tolist() == (OURS["s"].to_dense().t() @ torch.ones(2, 2, dtype=torch.float64)).tolist()


def test_complex_values():
    values = torch.randn(4, dtype=torch.complex128, requires_grad=True)
    dense = torch.randn(3, 3, dtype=torch.complex128, requires_grad=True)
    for function in (
        lambda v, d: _made(v) @ d,
        lambda v, d: d @ _made(v).conj(),
        lambda v, d: (_made(v) @ _made(v)).to_dense() * d,
        lambda v, d: _made(v).real.to_dense() @ _made(v).imag.to_dense(),
    ):
        assert gradcheck(function, (values, dense))
    assert gradgradcheck(lambda v, d: _made(v) @ d, (values, dense))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int32])
def test_products_of_other_dtypes(dtype):
    matrix, dense = OURS["u"].to(dtype), OURS["d"].t().to(dtype)
    assert (matrix @ dense).tolist() == (OURS["u"].to_dense() @ OURS["d"].t()).tolist()
    assert (matrix @ dense).dtype == dtype


# --- a real use


def test_a_graph_convolution_learns():
    """Two communities, joined by few edges: the layer of Kipf and Welling (2017), with the labels of four nodes."""
    torch.manual_seed(0)
    n = 40
    community = torch.arange(n) % 2
    linked = torch.rand(n, n) < torch.where(community[:, None] == community, 0.3, 0.02)
    adjacency = (linked | linked.t() | torch.eye(n, dtype=torch.bool)).float().to_sparse()
    scale = torch.sparse.sum(adjacency, 1).to_dense().rsqrt()
    rows, columns = adjacency.indices()
    adjacency = torch.sparse_coo_tensor(adjacency.indices(), scale[rows] * scale[columns], (n, n))

    class Layer(torch.nn.Module):
        def __init__(self, i, o):
            super().__init__()
            self.linear = torch.nn.Linear(i, o)
            self.register_buffer("adjacency", adjacency)

        def forward(self, x):
            return torch.sparse.mm(self.adjacency, self.linear(x))

    model = torch.nn.Sequential(Layer(n, 8), torch.nn.ReLU(), Layer(8, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(model(torch.eye(n))[:4], community[:4])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (model(torch.eye(n)).argmax(1) == community).float().mean().item() > 0.9
    assert copy.deepcopy(model)[0].adjacency.is_sparse
