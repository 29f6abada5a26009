"""Regions of torch.autocast: which dtype each function runs in, and what becomes of gradients, weights and state."""

import threading

import pytest

import rushlight
from rushlight.utils.checkpoint import checkpoint

try:
    import torch as oracle
except ModuleNotFoundError:
    oracle = None

# Calls of what has a rule, and of some that have none; `r` makes random tensors of the case's dtype.
CALLS = """
torch.mm(r(2, 3), r(3, 2))
torch.matmul(r(2, 3), r(3))
r(2, 3) @ r(3, 2)
r(2, 3).matmul(r(3, 2))
r(2, 3).mm(r(3, 2))
torch.bmm(r(2, 2, 3), r(2, 3, 2))
torch.addmm(r(2, 2), r(2, 3), r(3, 2))
r(2, 2).addmm(r(2, 3), r(3, 2), alpha=2.0)
torch.addbmm(r(2, 2), r(4, 2, 3), r(4, 3, 2))
torch.baddbmm(r(4, 2, 2), r(4, 2, 3), r(4, 3, 2))
torch.linalg.vecdot(r(2, 3), r(2, 3))
torch.mv(r(2, 3), r(3))
torch.dot(r(3), r(3))
torch.outer(r(3), r(3))
torch.addmv(r(2), r(2, 3), r(3))
torch.einsum("ij,jk->ik", r(2, 3), r(3, 2))
torch.tensordot(r(2, 3), r(3, 2), 1)
torch.chain_matmul(r(2, 3), r(3, 2), r(2, 2))
torch.linalg.multi_dot([r(2, 3), r(3, 2), r(2, 2)])
torch.matrix_power(r(2, 2), 3)
torch.cov(r(2, 5))
torch.kron(r(2, 2), r(2, 2))
F.linear(r(2, 3), r(4, 3), r(4))
F.bilinear(r(2, 3), r(2, 3), r(4, 3, 3))
F.conv1d(r(1, 2, 5), r(3, 2, 3))
F.conv2d(r(1, 2, 5, 5), r(3, 2, 3, 3), r(3))
F.conv2d(r(1, 2, 5, 5), r(3, 2, 3, 3), padding="same")
F.conv3d(r(1, 2, 5, 5, 5), r(3, 2, 3, 3, 3))
torch.conv2d(r(1, 2, 5, 5), r(3, 2, 3, 3))
F.conv_tbc(r(5, 1, 2), r(3, 2, 3), r(3))
F.conv_transpose1d(r(1, 2, 5), r(2, 3, 3))
F.conv_transpose2d(r(1, 2, 5, 5), r(2, 3, 3, 3))
F.conv_transpose3d(r(1, 2, 5, 5, 5), r(2, 3, 3, 3, 3))
F.prelu(r(2, 3), r(1))
F.scaled_dot_product_attention(r(1, 2, 4, 8), r(1, 2, 4, 8), r(1, 2, 4, 8))
nn.Linear(3, 2)(r(2, 3))
nn.Conv2d(2, 3, 3)(r(1, 2, 5, 5))
nn.ConvTranspose2d(2, 3, 3)(r(1, 2, 5, 5))
nn.PReLU()(r(2, 3))
nn.Linear(3, 2, dtype=torch.float64)(r(2, 3).double())
F.avg_pool3d(r(1, 2, 4, 4, 4), 2)
F.max_pool3d(r(1, 2, 4, 4, 4), 2)
F.adaptive_avg_pool3d(r(1, 2, 4, 4, 4), 2)
F.adaptive_max_pool3d(r(1, 2, 4, 4, 4), 2)
F.fractional_max_pool2d(r(1, 2, 6, 6), 2, output_size=3)
F.fractional_max_pool3d(r(1, 2, 6, 6, 6), 2, output_size=3)
F.max_unpool2d(r(1, 1, 2, 2), torch.tensor([[[[0, 2], [8, 10]]]]), 2)
F.max_unpool1d(r(1, 1, 2), torch.tensor([[[0, 2]]]), 2)
F.avg_pool2d(r(1, 2, 4, 4), 2)
F.max_pool2d(r(1, 2, 4, 4), 2)
F.binary_cross_entropy_with_logits(r(3), r(3))
F.binary_cross_entropy(r(3).abs() / 100, r(3).abs() / 100)
F.grid_sample(r(1, 1, 4, 4), r(1, 2, 2, 2), align_corners=False)
torch.polar(r(3).float(), r(3).float())
torch.prod(r(3))
r(3).prod()
torch.prod(r(2, 3), 1)
torch.quantile(r(3), 0.5)
torch.nanquantile(r(3), 0.5)
torch.stft(r(32), 8, return_complex=True)
torch.cdist(r(2, 3), r(4, 3))
torch.trace(r(2, 2))
torch.view_as_complex(r(3, 2))
torch.linalg.cholesky(torch.eye(2))
torch.inverse(r(2, 2))
torch.pinverse(r(2, 2))
torch.linalg.inv(r(2, 2))
torch.linalg.solve(r(2, 2), r(2, 1))
torch.linalg.svdvals(r(2, 2))
torch.linalg.eigvalsh(r(2, 2))
torch.linalg.qr(r(2, 2))[0]
torch.linalg.cond(r(2, 2))
torch.linalg.matrix_rank(r(2, 2))
torch.linalg.lstsq(r(3, 2), r(3, 1)).solution
torch.matrix_exp(r(2, 2).float())
torch.linalg.lu_solve(*torch.linalg.lu_factor(r(2, 2).float()), r(2, 1).float())
torch.linalg.det(r(2, 2).float())
torch.linalg.norm(r(2, 2))
torch.fft.fft(r(8))
torch.fft.rfft2(r(4, 4))
torch.fft.irfft(r(8))
torch.fft.fftshift(r(4))
F.mse_loss(r(3), r(3))
nn.MSELoss()(r(3), r(3))
F.l1_loss(r(3), r(3))
F.smooth_l1_loss(r(3), r(3))
F.huber_loss(r(3), r(3))
F.cosine_embedding_loss(r(2, 3), r(2, 3), torch.ones(2))
F.hinge_embedding_loss(r(3), torch.ones(3))
F.margin_ranking_loss(r(3), r(3), torch.ones(3))
F.soft_margin_loss(r(3), torch.ones(3))
F.triplet_margin_loss(r(2, 3), r(2, 3), r(2, 3))
F.multi_margin_loss(r(2, 3), torch.tensor([0, 2]))
F.multilabel_margin_loss(r(2, 3), torch.tensor([[0, 2, -1], [1, -1, 0]]))
F.poisson_nll_loss(r(3), r(3))
F.kl_div(r(3), r(3).abs(), reduction="sum")
F.linear_cross_entropy(r(2, 3), r(4, 3), torch.tensor([0, 2]))
F.nll_loss(r(2, 3), torch.tensor([0, 2]))
F.cross_entropy(r(2, 3), torch.tensor([0, 2]))
nn.CrossEntropyLoss()(r(2, 3), torch.tensor([0, 2]))
F.ctc_loss(r(5, 1, 4).log_softmax(2), torch.tensor([[1, 2]]), torch.tensor([5]), torch.tensor([2]))
F.pad(r(1, 2, 4), (1, 1), mode="reflect")
F.pad(r(1, 2, 4, 4), (1, 1, 1, 1), mode="reflect")
F.pad(r(1, 2, 4), (1, 1), mode="replicate")
F.pad(r(1, 2, 4, 4), (1, 1, 1, 1), mode="replicate")
F.pad(r(1, 2, 4, 4, 4), (1, 1, 1, 1, 1, 1), mode="replicate")
F.pad(r(1, 2, 4, 4), (1, 1, 1, 1), mode="circular")
nn.ReflectionPad2d(1)(r(1, 2, 4, 4))
nn.ReplicationPad1d(1)(r(1, 2, 4))
torch.cat([r(2), torch.ones(2)])
torch.cat([r(2), r(2)])
torch.cat([r(2), torch.ones(2, dtype=torch.float64)])
torch.stack([r(2), torch.ones(2)])
torch.index_copy(r(3), 0, torch.tensor([0]), torch.ones(1))
torch.vstack([r(2), r(2)])
r(3) + r(3)
r(3) * torch.ones(3)
torch.relu(r(3))
torch.softmax(r(2, 3), 1)
torch.log_softmax(r(2, 3), 1)
F.gelu(r(3))
F.layer_norm(r(2, 3), (3,))
nn.LayerNorm(3)(r(2, 3).float())
nn.BatchNorm2d(2)(r(2, 2, 3, 3))
nn.GroupNorm(1, 2)(r(2, 2, 3).float())
torch.sum(r(3))
torch.mean(r(3))
torch.exp(r(3))
torch.cumsum(r(3), 0)
torch.norm(r(3))
torch.cosine_similarity(r(2, 3), r(2, 3))
F.normalize(r(2, 3))
F.embedding(torch.tensor([1]), r(3, 2))
F.dropout(r(3), 0.5)
F.interpolate(r(1, 1, 4, 4), scale_factor=2.0)
r(2, 2).addmm_(r(2, 2), r(2, 2))
torch.mm(r(2, 2), r(2, 2), out=r(2, 2))
nn.MultiheadAttention(4, 2)(torch.ones(3, 1, 4), torch.ones(3, 1, 4), torch.ones(3, 1, 4))[0]
nn.MultiheadAttention(4, 2)(*[torch.ones(3, 1, 4)] * 3, attn_mask=torch.zeros(3, 3))[1]
nn.MultiheadAttention(4, 2)(*[torch.ones(3, 1, 4)] * 3, attn_mask=torch.zeros(3, 3), need_weights=False)[0]
nn.TransformerEncoderLayer(4, 2, 8, 0.0)(torch.ones(3, 1, 4))
nn.LSTM(3, 4)(torch.ones(2, 1, 3))[0]
nn.GRU(3, 4)(torch.ones(2, 1, 3))[0]
nn.RNN(3, 4)(torch.ones(2, 1, 3))[0]
nn.LSTMCell(3, 4)(torch.ones(2, 3))[0]
""".strip().splitlines()


def dtype_of_call(torch, call, given, dtype):
    names = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn}
    names["r"] = lambda *size: torch.randn(*size).to(getattr(torch, given))
    with torch.no_grad(), torch.autocast("cpu", dtype=getattr(torch, dtype)):
        return str(eval(call, names).dtype)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given, dtype", [("float32", "bfloat16"), ("bfloat16", "bfloat16"), ("float32", "float16")])
@pytest.mark.parametrize("call", CALLS)
def test_results_have_pytorchs_dtypes(call, given, dtype):
    try:
        wanted = dtype_of_call(oracle, call, given, dtype)
    except RuntimeError:
        pytest.skip("PyTorch refuses the call")
    assert dtype_of_call(rushlight, call, given, dtype) == wanted


def trained(torch, dtype, region=True, checkpointed=None):
    """The losses and the weights of a small network."""
    torch.manual_seed(0)
    x, y = torch.randn(16, 1, 8, 8), torch.randint(0, 3, (16,))
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(144, 16),
        torch.nn.LayerNorm(16),
        torch.nn.Tanh(),
        torch.nn.Linear(16, 3),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, enabled=dtype == "float16")
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=getattr(torch, dtype), enabled=region):
            logits = checkpointed(model, x) if checkpointed else model(x)
            loss = torch.nn.functional.cross_entropy(logits, y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert all(p.grad.dtype == p.dtype == torch.float32 for p in model.parameters())
    return losses


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_network_learns_as_pytorchs(dtype):
    ours, theirs = trained(rushlight, dtype), trained(oracle, dtype)
    assert theirs[-1] < theirs[0] / 2
    assert ours == pytest.approx(theirs, rel=0.05, abs=0.02)
    assert ours != trained(rushlight, dtype, region=False)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.filterwarnings("ignore:None of the inputs")
def test_a_checkpoint_recomputes_in_the_region_of_its_forward(reentrant):
    def run(model, x):
        return checkpoint(model, x.requires_grad_(), use_reentrant=reentrant)

    # (Running statistics are counted twice, and not read.)
    assert trained(rushlight, "bfloat16", checkpointed=run) == trained(rushlight, "bfloat16")


def test_regions_nest_and_end():
    torch = rushlight
    a = torch.ones(2, 2)

    def seen():
        return (a @ a).dtype, torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

    outside = (torch.float32, False, torch.bfloat16)
    assert seen() == outside
    with torch.autocast("cpu", dtype=torch.float16):
        assert seen() == (torch.float16, True, torch.float16)
        with torch.autocast("cpu", enabled=False):
            assert seen() == (torch.float32, False, torch.float16)
            with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
                assert seen() == (torch.bfloat16, True, torch.bfloat16)
                assert not torch.is_autocast_cache_enabled()
            assert torch.is_autocast_cache_enabled()
        assert seen() == (torch.float16, True, torch.float16)
    assert seen() == outside
    with pytest.raises(KeyError), torch.autocast("cpu"):
        raise KeyError
    with pytest.raises(RuntimeError), torch.autocast("cpu"):
        torch.ones(2, 3) @ torch.ones(2, 3)
    with torch.autocast("cpu"), pytest.raises(ValueError), torch.autocast("cpu"):
        torch.nn.functional.mse_loss(a, a, reduction="none of them")
    assert seen() == outside


def test_a_failing_function_leaves_the_region_on():
    a = rushlight.ones(2, 3)
    with rushlight.autocast("cpu"):
        for call in (lambda: a @ a, lambda: rushlight.linalg.inv(a), lambda: rushlight.addmm(a, a, a)):
            with pytest.raises(RuntimeError):
                call()
        assert rushlight.is_autocast_enabled("cpu")


def test_a_function_is_decorated():
    @rushlight.autocast("cpu")
    def product(a, depth=1):
        """Its own product."""
        return (a @ a).dtype if depth == 0 else product(a, depth - 1)

    a = rushlight.ones(2, 2)
    assert product(a) == rushlight.bfloat16
    assert product.__doc__ == "Its own product."
    assert not rushlight.is_autocast_enabled("cpu")
    with pytest.raises(TypeError, match="requires a callable, but got Tensor"):
        rushlight.autocast("cpu")(a)


def test_a_region_belongs_to_its_thread():
    def product():
        return rushlight.ones(1, 1) @ rushlight.ones(1, 1)

    found = []
    with rushlight.autocast("cpu", dtype=rushlight.float16):
        thread = threading.Thread(target=lambda: found.append((product().dtype, rushlight.get_autocast_dtype("cpu"))))
        thread.start()
        thread.join()
    assert found == [(rushlight.float32, rushlight.bfloat16)]


def casts(graph):
    """The conversions of weights behind a result."""
    found, todo = set(), [graph.grad_fn]
    while todo:
        node = todo.pop()
        todo += [n for n, _ in node.next_functions if n is not None]
        if any(n is not None and n.name() == "AccumulateGrad" for n, _ in node.next_functions):
            found.add(node)
    return len(found)


def test_a_weight_is_converted_once_in_a_region():
    torch = rushlight
    w, x = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2)
    with torch.autocast("cpu"):
        assert casts(x @ w + x @ w) == 1
        with torch.no_grad():
            plain = x @ w
        assert not plain.requires_grad and (x @ w).requires_grad
        losses = [(x @ w).sum(), (x @ w).sum()]
        with torch.no_grad():
            w.mul_(2)
        assert (x @ w)[0, 0] == 4.0
    for loss in losses:  # each has a graph of its own behind the shared conversion
        loss.backward()
    torch.testing.assert_close(w.grad, torch.full((2, 2), 4.0))
    with torch.autocast("cpu", cache_enabled=False):
        assert casts(x @ w + x @ w) == 2


def test_an_autograd_function_chooses():
    torch = rushlight
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu")
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a @ b

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(ctx, gy):
            a, b = ctx.saved_tensors
            seen.append((torch.is_autocast_enabled("cpu"), (gy @ b.T).dtype))
            return gy @ b.T, a.T @ gy

    class Exact(Product):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            seen.append((a.dtype, torch.is_autocast_enabled("cpu")))
            return a @ b

    a, b = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2, dtype=torch.bfloat16)
    with torch.autocast("cpu"):
        short, exact = Product.apply(a, b), Exact.apply(a, b)
    assert (short.dtype, exact.dtype) == (torch.bfloat16, torch.float32)
    short.sum().backward()
    exact.sum().backward()
    assert seen == [(torch.float32, False), (True, torch.bfloat16), (False, torch.float32)]
    assert Exact.apply(a, a).dtype == torch.float32


def test_gradients_are_not_autocast():
    torch = rushlight
    a = torch.ones(2, 2, requires_grad=True)
    product = a @ a
    with torch.autocast("cpu"):
        (gradient,) = torch.autograd.grad(product, a, torch.full((2, 2), 1.001))
    assert gradient[0, 0].item() == pytest.approx(4.004, rel=1e-6)


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_the_older_names_warn(name):
    amp = getattr(rushlight, name).amp
    with pytest.warns(FutureWarning, match=f"torch.{name}.amp.autocast"), rushlight.no_grad():
        if name == "cuda":
            with pytest.warns(UserWarning, match="CUDA is not available. Disabling"):
                region = amp.autocast()
        else:
            region = amp.autocast()
    with region:
        wanted = {"cpu": rushlight.bfloat16, "cuda": rushlight.float32}[name]
        assert (rushlight.ones(1, 1) @ rushlight.ones(1, 1)).dtype == wanted


def test_what_cannot_be_done_says_so():
    with pytest.raises(RuntimeError, match="unsupported autocast device_type 'gpu'"):
        rushlight.autocast("gpu")
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        rushlight.autocast(rushlight.device("cpu"))
    with pytest.warns(UserWarning, match="In CPU autocast, but the target dtype"):
        region = rushlight.autocast("cpu", dtype=rushlight.float32)
    with region:
        assert (rushlight.ones(1, 1) @ rushlight.ones(1, 1)).dtype == rushlight.float32


@pytest.mark.oracle
@pytest.mark.parametrize("device", ["cpu", "cuda", "hpu", "ipu", "maia", "mps", "mtia", "xla", "xpu"])
def test_devices_have_pytorchs_dtypes(device):
    assert str(rushlight.get_autocast_dtype(device)) == str(oracle.get_autocast_dtype(device))
    assert rushlight.amp.is_autocast_available(device) == oracle.amp.is_autocast_available(device)
