"""Names of the root that are no operators: storages, settings, futures, overrides, checks, lists of tensors."""

import copy
import pickle
import sys
import urllib.error

import pytest

import rushlight
import rushlight as torch

oracle = pytest.importorskip("torch")


def theirs(t):
    return oracle.from_numpy(t.detach().numpy())


# --- signatures


@pytest.mark.oracle
def test_operators_show_what_a_call_accepts():
    import inspect

    assert str(inspect.signature(torch.add)) == "(input, other, *, alpha=1, out=None)"
    assert list(inspect.signature(torch.Tensor.__add__).parameters) == ["self", "other"]
    assert list(inspect.signature(torch.Tensor.__contains__).parameters) == ["self", "item"]
    assert "requires_grad" in inspect.signature(torch.randn).parameters
    assert torch.ones(1, 2, 3, 4).contiguous(torch.channels_last).stride() == (24, 1, 8, 2)


def test_a_moved_name_answers_hasattr():
    assert not hasattr(torch.autograd.profiler, "profile")
    with pytest.raises(NotImplementedError, match="present home"):
        _ = torch.autograd.profiler.profile


def test_copies_accept_non_blocking():
    x = torch.zeros(2)
    assert x.copy_(torch.ones(2), non_blocking=True) is x and x.copy_(torch.ones(2) * 2, True).tolist() == [2.0, 2.0]


# --- storages


def test_a_storage_shows_all_memory_and_writes_to_it():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    storage = x[1].storage()
    assert storage.tolist() == [1.0, 2.0, 3.0, 4.0] and len(storage) == 4 and storage.nbytes() == 16
    storage[0] = 7.0
    assert x[0, 0].item() == 7.0
    assert storage == x.storage() and hash(storage) == hash(x.storage())
    assert str(storage).endswith("[torch.storage.TypedStorage(dtype=torch.float32, device=cpu) of size 4]")
    assert sys.getsizeof(x.untyped_storage()) - sys.getsizeof(torch.empty(0).untyped_storage()) == 16
    assert sys.getsizeof(x.storage()) - sys.getsizeof(torch.empty(0).storage()) == 16
    assert x.untyped_storage().fill_(0).tolist() == [0] * 16 and x.sum() == 0
    assert torch.LongStorage([1, 2]).type() == "torch.LongStorage" and x.storage_type() is torch.FloatStorage
    with pytest.raises(RuntimeError, match="slices are for tensors"):
        storage[:2]


@pytest.mark.oracle
def test_files_as_tensors(tmp_path):
    path = str(tmp_path / "data")
    made = torch.from_file(path, shared=True, size=3)
    made.copy_(torch.tensor([1.0, 2.0, 3.0]))
    assert torch.from_file(path, size=3).tolist() == [1.0, 2.0, 3.0]
    assert oracle.from_file(path, size=3).tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(RuntimeError, match="must hold 16 bytes"):
        torch.from_file(path, size=4)


# --- functions


@pytest.mark.oracle
@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("initial", [None, 2.0])
def test_segment_reduce(reduce, initial):
    x, lengths = torch.randn(4, 3, dtype=torch.float64, requires_grad=True), torch.tensor([1, 0, 3])
    expected = oracle.segment_reduce(theirs(x), reduce, lengths=theirs(lengths), initial=initial)
    found = torch.segment_reduce(x, reduce, lengths=lengths, initial=initial)
    assert oracle.allclose(theirs(found), expected, equal_nan=True)
    offsets = torch.tensor([0, 1, 1, 4])
    assert torch.segment_reduce(x, reduce, offsets=offsets, initial=initial).equal(found) or initial is None
    if initial is not None:
        assert torch.autograd.gradcheck(lambda x: torch.segment_reduce(x, reduce, lengths=lengths, initial=initial), x)


def test_segments_must_fit():
    with pytest.raises(RuntimeError, match="sum to 3"):
        torch.segment_reduce(torch.ones(3), "sum", lengths=torch.tensor([1, 1]))
    with pytest.raises(RuntimeError, match="Either lengths or offsets"):
        torch.segment_reduce(torch.ones(3), "sum")


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_functions(name, bidirectional):
    kind = {"rnn_tanh": "RNN", "rnn_relu": "RNN"}.get(name, name.upper())
    options = {"nonlinearity": name[4:]} if kind == "RNN" else {}
    layer = getattr(torch.nn, kind)(3, 4, 2, bidirectional=bidirectional, **options)
    weights = [w for group in layer.all_weights for w in group]
    rows = 4 if bidirectional else 2
    hx = torch.randn(rows, 2, 4)
    hx = [hx, torch.randn(rows, 2, 4)] if name == "lstm" else hx
    given = [theirs(h) for h in hx] if name == "lstm" else theirs(hx)
    settings = (True, 2, 0.0, False, bidirectional)
    calls = [((torch.randn(5, 2, 3), hx), (False,)), ((torch.randn(5, 3), torch.tensor([2, 2, 1]), hx), ())]
    for first, last in calls:
        found = getattr(torch, name)(*first, weights, *settings, *last)
        them = [theirs(a) if isinstance(a, torch.Tensor) else given for a in first]
        expected = getattr(oracle, name)(*them, [theirs(w) for w in weights], *settings, *last)
        for a, b in zip(found, expected, strict=True):
            assert oracle.allclose(theirs(a), b, atol=1e-6)
    with pytest.raises(RuntimeError, match="params must hold"):
        getattr(torch, name)(torch.randn(5, 2, 3), hx, weights[1:], *settings)


@pytest.mark.oracle
def test_cells_are_a_step_of_the_layer():
    x, h, w_ih, w_hh = torch.randn(2, 3), torch.randn(2, 4), torch.randn(16, 3), torch.randn(16, 4)
    for name, rows, state in (("rnn_tanh_cell", 4, h), ("rnn_relu_cell", 4, h), ("gru_cell", 12, h)):
        found = getattr(torch, name)(x, state, w_ih[:rows], w_hh[:rows])
        expected = getattr(oracle, name)(*map(theirs, (x, state, w_ih[:rows], w_hh[:rows])))
        assert oracle.allclose(theirs(found), expected, atol=1e-6)
    hidden, cell = torch.lstm_cell(x, (h, h), w_ih, w_hh)
    expected = oracle.lstm_cell(theirs(x), (theirs(h), theirs(h)), theirs(w_ih), theirs(w_hh))
    assert oracle.allclose(theirs(hidden), expected[0], atol=1e-6)
    assert oracle.allclose(theirs(cell), expected[1], atol=1e-6)


@pytest.mark.oracle
def test_functions_in_the_root_s_order_of_arguments():
    x, w, b = torch.randn(4, 3), torch.randn(3), torch.randn(3)
    mean, var = torch.zeros(3), torch.ones(3)
    calls = [
        ("batch_norm", (x, w, b, mean, var, False, 0.1, 1e-5, False)),
        ("layer_norm", (x, (3,), w, b)),
        ("rms_norm", (x, (3,), w)),
        ("group_norm", (x, 1, w, b)),  # groups of one element would leave nothing but rounding
        ("embedding", (x, torch.tensor([0, 2]))),
        ("binary_cross_entropy_with_logits", (x, x.sigmoid(), w.abs(), b.abs(), 2)),
    ]
    for name, arguments in calls:
        expected = getattr(oracle, name)(*(theirs(a) if isinstance(a, torch.Tensor) else a for a in arguments))
        assert oracle.allclose(theirs(getattr(torch, name)(*arguments)), expected, atol=1e-5), name


@pytest.mark.oracle
def test_small_functions():
    x = torch.randn(3, 3, dtype=torch.float64)
    a = x @ x.mT + 3 * torch.eye(3, dtype=torch.float64)
    assert torch.allclose(torch.lobpcg(a, k=2)[0], torch.linalg.eigvalsh(a).flip(0)[:2])
    values, vectors = torch.lobpcg(a, 1, B=2 * torch.eye(3, dtype=torch.float64), largest=False)
    assert torch.allclose(a @ vectors, 2 * vectors * values)
    for dim in (0, 1, -1):
        assert oracle.allclose(theirs(torch.norm_except_dim(x, 2, dim)), oracle.norm_except_dim(theirs(x), 2, dim))
    assert torch.full((2,), 1j).dtype == torch.complex64 and torch.full_like(x, 2).dtype == torch.float64
    assert torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == oracle.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
    with pytest.raises(RuntimeError, match="permutation"):
        torch.empty_permuted((2, 3), (0, 0))
    assert torch.swapaxes(torch.zeros(2, 3), axis0=0, axis1=1).shape == (3, 2)
    assert torch.zeros(2, 3).swapaxes_(0, 1).shape == (3, 2)


@pytest.mark.oracle
def test_sobol_points_are_pytorch_s():
    pytest.importorskip("scipy")
    ours, other = torch.quasirandom.SobolEngine(5), oracle.quasirandom.SobolEngine(5)
    assert oracle.equal(theirs(ours.draw(9)), other.draw(9))
    assert oracle.equal(theirs(ours.fast_forward(3).draw(4)), other.fast_forward(3).draw(4))
    with pytest.raises(ValueError, match="power of 2"):
        ours.draw_base2(2)
    scrambled = torch.quasirandom.SobolEngine(2, scramble=True, seed=1)
    assert scrambled.draw(8).equal(torch.quasirandom.SobolEngine(2, scramble=True, seed=1).draw(8))


# --- lists of tensors


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum", "clamp_min", "clamp_max", "pow"])
@pytest.mark.parametrize("other", [2.0, [2.0, 3.0], "tensors"])
def test_foreach_with_an_operand(name, other):
    tensors = [torch.rand(2), torch.rand(3)]
    given = [torch.rand(2), torch.rand(3)] if other == "tensors" else other
    expected = getattr(oracle, f"_foreach_{name}")(
        [theirs(t) for t in tensors], [theirs(t) for t in given] if other == "tensors" else other
    )
    found = getattr(torch, f"_foreach_{name}")(tensors, given)
    written = getattr(torch, f"_foreach_{name}_")(tensors, given)
    assert written is tensors
    for a, b, c in zip(found, expected, written, strict=True):
        assert oracle.allclose(theirs(a), b) and a.equal(c)


@pytest.mark.oracle
def test_every_foreach_exists():
    names = [n for n in dir(oracle) if n.startswith("_foreach") and n != "_foreach_powsum"]
    assert [n for n in names if not hasattr(torch, n)] == []
    with pytest.raises(RuntimeError, match="same number of tensors, got 1 and 2"):
        torch._foreach_add([torch.ones(1)], [1.0, 2.0])
    with pytest.raises(RuntimeError, match="at least one"):
        torch._foreach_exp([])


# --- settings


def test_compile_tells_once_that_it_does_not(caplog):
    torch.compiler._tell.cache_clear()
    with caplog.at_level("DEBUG", "rushlight"):
        assert torch.compile(abs, mode="max-autotune") is abs and torch.compile()(abs) is abs
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


def test_settings_are_read_back():
    try:
        torch.set_float32_matmul_precision("high")
        torch.use_deterministic_algorithms(True, warn_only=True)
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.is_deterministic_algorithms_warn_only_enabled() and torch.get_deterministic_debug_mode() == 1
        torch.set_deterministic_debug_mode("error")
        assert torch.are_deterministic_algorithms_enabled()
        torch.set_default_tensor_type("torch.DoubleTensor")
        assert torch.tensor(1.0).dtype == torch.float64
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.use_deterministic_algorithms(False)
        torch.set_default_tensor_type(torch.FloatTensor)
    with torch.backends.cudnn.flags(benchmark=True):
        assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: torch.set_float32_matmul_precision("low"), ValueError),
        (lambda: torch.set_deterministic_debug_mode("loud"), RuntimeError),
        (lambda: torch.set_default_tensor_type(torch.LongTensor), TypeError),
        (lambda: torch.set_warn_always(1), TypeError),
        (lambda: torch.Stream(), RuntimeError),
        (lambda: torch.SymInt(1), NotImplementedError),
        (lambda: torch.compile(abs, backend="none"), RuntimeError),
        (lambda: torch.ones(1).record_stream(None), RuntimeError),
        (lambda: torch.ones(1, 1).dim_order(ambiguity_check=True), RuntimeError),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_so(call, error):
    with pytest.raises(error, match=r"^\[\w"):
        call()


@pytest.mark.oracle
def test_checks():
    torch._check(True)
    torch._check_tensor_all(torch.tensor([True]))
    for name in ("_check", "_check_index", "_check_value", "_check_type", "_check_not_implemented"):
        with pytest.raises(Exception) as ours:
            getattr(torch, name)(False, lambda: "what must hold")
        with pytest.raises(Exception) as other:
            getattr(oracle, name)(False, lambda: "what must hold")
        assert type(ours.value) is type(other.value) and str(ours.value) == str(other.value)
    with pytest.raises(TypeError, match="must be a bool"):
        torch._check(1)
    with pytest.raises(RuntimeError):
        torch._check_is_size(5, max=3)


@pytest.mark.oracle
@pytest.mark.parametrize("other", ["1.10", "1.9.0", (1, 9), "1.9", "1.10.1", "1.10.0a0", "2"])
def test_versions_compare_by_their_numbers(other):
    ours, them = torch.torch_version.TorchVersion("1.10.0"), oracle.torch_version.TorchVersion("1.10.0")
    assert (ours < other, ours > other) == (them < other, them > other)
    assert ours >= "1.10" and ours == "1.10.0" and ours != "1.10.1"


# --- futures, control flow, overrides, processes


def test_futures():
    future = torch.futures.Future()
    after = future.then(lambda f: f.value() + 1)
    with pytest.raises(RuntimeError, match="after the future is done"):
        future.value()
    future.set_result(1)
    assert after.wait() == 2 and future.done()
    with pytest.raises(RuntimeError, match="completed once"):
        future.set_result(2)
    failed = torch.fork(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        torch.wait(failed)
    assert torch.futures.wait_all([torch.fork(pow, 2, 3), future]) == [8, 1]
    assert torch.futures.collect_all([]).wait() == []


def test_branches_and_loops_have_gradients():
    x = torch.tensor(3.0, requires_grad=True)
    torch.cond(x > 2, lambda x: x * x, lambda x: -x, (x,)).backward()
    assert x.grad.item() == 6.0
    (y,) = torch.while_loop(lambda x: x < 10, lambda x: (x * 2,), (x,))
    y.backward()
    assert y.item() == 12.0 and x.grad.item() == 10.0


def test_a_subclass_calls_the_override_it_inherits():
    told = []

    class Told(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            told.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs)

    x = torch.ones(2).as_subclass(Told)
    assert type(torch.exp(x + x)) is Told and told == ["add", "exp"]
    assert torch.overrides.has_torch_function((x,)) and not torch.overrides.has_torch_function((torch.ones(1), 2))
    assert torch.add in torch.overrides.get_overridable_functions()[rushlight]
    assert torch.overrides.resolve_name(torch.Tensor.add) == "torch.Tensor.add"


def test_a_function_lets_arguments_override_it():
    class Base:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented if kwargs else (cls.__name__, func.__name__)

    class Derived(Base):
        pass

    @torch.overrides.wrap_torch_function(lambda a, b, **options: (a, b))
    def twice(a, b, **options):
        return a * 2

    assert twice(2, 3) == 4
    assert twice(Base(), Derived()) == ("Derived", "twice")
    with pytest.raises(TypeError, match="implements"):
        twice(Base(), 1, other=1)


def fail_in_the_second(index, message):
    if index:
        raise ValueError(message)


@pytest.mark.multiprocess
def test_spawn_tells_the_failure_of_a_process():
    with pytest.raises(torch.multiprocessing.ProcessRaisedException, match="ValueError: it failed") as raised:
        torch.multiprocessing.spawn(fail_in_the_second, ("it failed",), nprocs=2, start_method="fork")
    assert raised.value.error_index == 1
    assert torch.multiprocessing.spawn(fail_in_the_second, ("unused",), nprocs=1, start_method="fork") is None


# --- hub, monitor, what is left out


def test_hub_loads_from_a_folder_and_checks_hashes(tmp_path):
    (tmp_path / "hubconf.py").write_text('dependencies = ["math"]\ndef double(x):\n    "Twice x."\n    return x * 2\n')
    assert torch.hub.load(str(tmp_path), "double", torch.tensor(2), source="local").item() == 4
    with pytest.raises(RuntimeError, match="Cannot find callable"):
        torch.hub.load(str(tmp_path), "triple", source="local")
    torch.save({"w": torch.ones(2)}, tmp_path / "weights.pt")
    url = (tmp_path / "weights.pt").as_uri()
    folder = str(tmp_path / "cache")
    assert torch.hub.load_state_dict_from_url(url, folder, progress=False)["w"].tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="hash must begin with"):
        torch.hub.download_url_to_file(url, str(tmp_path / "other"), "nothing", progress=False)
    assert not (tmp_path / "other").exists()
    with pytest.raises(ValueError, match="owner/name"):
        torch.hub.list("nowhere")
    with pytest.raises(urllib.error.URLError, match=r"must be reachable.*put the file at"):
        torch.hub.load_state_dict_from_url("http://127.0.0.1:9/none.pt", folder, progress=False)
    with pytest.raises(ValueError, match="by its name"):
        torch.hub.load(str(tmp_path), 3, source="local")


# --- random numbers


def test_a_generator_is_copied_and_pickled_with_its_state():
    generator = torch.Generator().manual_seed(3)
    torch.rand(5, generator=generator)
    copies = copy.deepcopy(generator), pickle.loads(pickle.dumps(generator)), generator.clone_state()
    copies += (torch.Generator().set_state(generator.get_state()),)
    expected = torch.rand(3, generator=generator).tolist()
    assert all(torch.rand(3, generator=g).tolist() == expected and g.initial_seed() == 3 for g in copies)


def test_seeds_outside_of_64_bits():
    for seed in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="Overflow when unpacking long"):
            torch.manual_seed(seed)
    assert torch.Generator().manual_seed(-1).initial_seed() == 2**64 - 1


def test_fork_rng_knows_no_accelerator():
    for named in ({"devices": [0]}, {"device_type": "none"}):
        with pytest.raises(RuntimeError, match="no accelerator"), torch.random.fork_rng(**named):
            pass


def test_a_full_window_becomes_an_event():
    import datetime

    seen = []
    handle = torch.monitor.register_event_handler(seen.append)
    kinds = [torch.monitor.Aggregation.SUM, torch.monitor.Aggregation.MAX]
    stat = torch.monitor.Stat("loss", kinds, datetime.timedelta(seconds=60), max_samples=2)
    for value in (1.0, 2.0, 9.0):
        stat.add(value)
    assert stat.count == 2
    stat._begin -= datetime.timedelta(seconds=61)
    stat.add(5.0)
    torch.monitor.unregister_event_handler(handle)
    assert seen[0].data == {"loss.sum": 3.0, "loss.max": 2.0} and stat.count == 1


def test_names_without_their_work_say_what_is_missing():
    for call in (
        torch.sparse_bsr_tensor,
        torch.Tensor.to_sparse_bsr,
        torch.Tensor.chalf,
        torch.Tensor.to_padded_tensor,
    ):
        with pytest.raises(NotImplementedError, match=r"Use "):
            call(torch.ones(2, 2))


def write_ninety(index, tensor):
    tensor[index] = 90.0


@pytest.mark.multiprocess
def test_forked_processes_write_to_shared_memory():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).t().requires_grad_()
    assert not x.is_shared()
    x.share_memory_()
    assert x.is_shared() and x.requires_grad and x.detach().is_shared()
    torch.multiprocessing.spawn(write_ninety, (x.detach()[0],), nprocs=1, start_method="fork")
    assert x.tolist() == [[90.0, 3.0], [2.0, 4.0]]
    assert torch.empty(0).share_memory_().shape == (0,)
