"""The small modules of torch.utils: tensors swapped and held weakly, DLPack, locks, pickles shown, refusals."""

import copy
import gc
import importlib
import io
import pickle
import subprocess
import sys
import threading
import time
import warnings
import weakref
import zipfile
from collections import OrderedDict

import pytest

import rushlight as torch
from rushlight.utils import show_pickle
from rushlight.utils.file_baton import FileBaton
from rushlight.utils.weak import TensorWeakRef, WeakIdKeyDictionary, WeakIdRef, WeakTensorKeyDictionary

# --- swap_tensors, set_module


def test_swapped_tensors_keep_their_identity():
    t, p = torch.zeros(2), torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    p.grad, p.note = torch.full_like(p, 2), "note"
    held, grad = [t], p.grad
    torch.utils.swap_tensors(t, p)
    assert held[0] is t and type(t) is torch.nn.Parameter and t.note == "note" and t.grad is grad
    assert type(p) is torch.Tensor and p.shape == (2,) and not hasattr(p, "note") and not p.requires_grad
    (t * 3).sum().backward()
    assert t.grad.tolist() == [5, 5, 5]
    torch.utils.swap_tensors(t, t)
    assert t.shape == (3,)


def test_a_module_sees_the_swap():
    layer = torch.nn.Linear(2, 2)
    torch.utils.swap_tensors(layer.weight, torch.nn.Parameter(torch.eye(2) * 3))
    layer.bias.data.zero_()
    assert layer(torch.ones(1, 2)).tolist() == [[3.0, 3.0]]


def test_slots_are_swapped():
    class Slotted(torch.Tensor):
        __slots__ = ("extra",)

    a, b = (torch.ones(n).as_subclass(Slotted) for n in (1, 2))
    a.extra = 7
    torch.utils.swap_tensors(a, b)
    assert b.extra == 7 and not hasattr(a, "extra") and a.shape == (2,)
    with pytest.raises(RuntimeError, match="different slots"):
        torch.utils.swap_tensors(a, torch.ones(1))


def test_what_cannot_be_swapped():
    x = torch.ones(2, requires_grad=True)
    reference = weakref.ref(x)
    with pytest.raises(RuntimeError, match="t2 because it has weakref"):
        torch.utils.swap_tensors(torch.ones(1), x)
    del reference
    graph = x * x
    with pytest.raises(RuntimeError, match="part of no graph"):
        torch.utils.swap_tensors(x, torch.ones(1))
    del graph
    view = x.detach()[:1]
    base = view._base
    with pytest.raises(RuntimeError, match="no views"):
        torch.utils.swap_tensors(base, torch.ones(1))
    with pytest.raises((TypeError, AttributeError)):
        torch.utils.swap_tensors(3, torch.ones(1))


def test_set_module():
    def f(): ...

    torch.utils.set_module(f, "elsewhere")
    assert f.__module__ == "elsewhere"
    with pytest.raises(TypeError, match="mod must be a str"):
        torch.utils.set_module(f, 3)


# --- weak references


def test_a_dictionary_of_tensors():
    a, b = torch.ones(2), torch.ones(2)
    names = WeakTensorKeyDictionary({a: "a"})
    names[b] = "b"
    assert names[a] == "a" and names.get(torch.ones(2)) is None and 3 not in names and len(names) == 2
    assert names == {a: "a", b: "b"} and names != {a: "a"} and dict(names.items())[b] == "b"
    assert (names | {b: "c"})[b] == "c" and ({b: "c"} | names)[b] == "b"
    assert copy.copy(names) == names and copy.deepcopy(names) == names and names == copy.copy(names)
    assert names.setdefault(a, "z") == "a" and names.pop(a) == "a" and a not in names
    reading = iter(names)
    del b  # keys may disappear while it is read
    gc.collect()
    assert (
        list(reading) == []
        and len(names) == 0
        and names.keyrefs() == []
        and repr(names).startswith("<WeakIdKeyDictionary")
    )
    assert names.__or__(3) is NotImplemented and names.__ror__(3) is NotImplemented and names != 3
    names |= {a: 1}
    del names[a]
    assert isinstance(names, WeakIdKeyDictionary) and not names


def test_weak_references():
    x = torch.ones(2)
    assert WeakIdRef(x) == WeakIdRef(x) != WeakIdRef(torch.ones(2)) and hash(WeakIdRef(x)) == id(x)
    reference = TensorWeakRef(x)
    assert reference() is x
    del x
    assert reference() is None
    with pytest.raises(AssertionError, match=r"expected torch\.Tensor"):
        TensorWeakRef(3)


# --- DLPack


def test_dlpack_shares_memory():
    from rushlight.utils.dlpack import DLDeviceType, from_dlpack, to_dlpack

    x = torch.arange(4)
    y = from_dlpack(to_dlpack(x))
    y[0] = 9
    assert x[0] == 9 and from_dlpack(x, copy=True).data_ptr() != x.data_ptr()
    assert x.__dlpack_device__()[0] == DLDeviceType.kDLCPU == 1


# --- ThroughputBenchmark


def test_throughput():
    seen = []

    def module(x, scale=1):
        seen.append((threading.get_ident(), scale))
        time.sleep(0.001)
        return x * scale

    bench = torch.utils.ThroughputBenchmark(module)
    with pytest.raises(RuntimeError, match="Call add_input first"):
        bench.benchmark()
    bench.add_input(torch.ones(1))
    bench.add_input(torch.ones(1), scale=3)
    assert bench.run_once(torch.ones(1), scale=2).item() == 2
    seen.clear()
    stats = bench.benchmark(num_calling_threads=3, num_warmup_iters=2, num_iters=31)
    assert stats.num_iters == 31 and len(seen) == 31 + 3 * 2 and len({thread for thread, _ in seen}) == 3
    assert stats.iters_per_second == pytest.approx(31 / stats.total_time_seconds) and stats.latency_avg_ms >= 1
    assert "Total number of iterations: 31" in str(stats)
    with pytest.raises(NotImplementedError, match="profiler_output_path"):
        bench.benchmark(profiler_output_path="x")
    bench.add_input()
    with pytest.raises(TypeError, match="missing 1 required"):
        bench.benchmark(num_calling_threads=2, num_warmup_iters=20)


@pytest.mark.oracle
@pytest.mark.parametrize("given", [{"time_us": 12.3456}, {"time_ms": 12.3456}, {"time_s": 1.5}, {"time_us": 2e6}])
def test_format_time(given):
    pytest.importorskip("torch")
    from torch.utils.throughput_benchmark import format_time as oracle

    from rushlight.utils.throughput_benchmark import format_time

    assert format_time(**given) == oracle(**given)
    with pytest.raises(AssertionError):
        format_time()


# --- locks


def test_batons(tmp_path):
    path = str(tmp_path / "lock")
    baton, other = FileBaton(path), FileBaton(path, wait_seconds=0.01, warn_after_seconds=0.02)
    assert baton.try_acquire() and not other.try_acquire()
    timer = threading.Timer(0.2, baton.release)
    timer.start()
    with pytest.warns(UserWarning, match="Waited on lock file"):
        other.wait()
    timer.join()
    with warnings.catch_warnings():
        other.wait()
    assert other.try_acquire()
    other.release()


# --- pickles


class Thing:
    def __init__(self):
        self.x = 1


def test_pickles_are_shown_and_not_run(tmp_path, capsys):
    value = {"list": [1, "ä"], "thing": Thing(), "ordered": OrderedDict(a=1), "function": print}
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(value))
    assert show_pickle.main(["", str(tmp_path / "p.pkl")]) == 0
    text = capsys.readouterr().out
    assert "Thing()(state={'x': 1})" in text and "builtins.print" in text and "ä" in text
    evil = b"cos\nsystem\n(S'echo ran'\ntR."
    assert repr(show_pickle.DumpUnpickler(io.BytesIO(evil)).load()) == "os.system('echo ran',)"
    with zipfile.ZipFile(tmp_path / "c.pt", "w") as archive:
        archive.writestr("c/data.pkl", pickle.dumps({"w": Thing}))
    assert show_pickle.main(["", f"{tmp_path / 'c.pt'}@*/data.pkl"]) == 0
    assert "'w': " in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="member that matches"):
        show_pickle.main(["", f"{tmp_path / 'c.pt'}@*.nothing"])
    assert show_pickle.main([""]) == 2 and "usage" in capsys.readouterr().err


# --- the machine


def test_collect_env():
    from rushlight.utils import collect_env

    info = collect_env.get_env_info()
    assert info.torch_version == torch.__version__ and info.cpu_count > 0 and "numpy" in info.pip_packages
    text = collect_env.get_pretty_env_info()
    for part in ("Rushlight version: ", "Python version: 3", "CPU capability used: ", "[pip3] numpy=="):
        assert part in text
    assert collect_env._output("no-such-program") is None and collect_env._output("false") is None
    done = subprocess.run(
        [sys.executable, "-m", "rushlight.utils.collect_env"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Collecting environment information...\nRushlight version")


def test_cpp_backtrace():
    assert "frame #0: " in torch.utils.get_cpp_backtrace()
    assert len(torch.utils.get_cpp_backtrace(1, 2).splitlines()) == 2


# --- refusals


@pytest.mark.parametrize(
    "path",
    [
        "rename_privateuse1_backend",
        "generate_methods_for_privateuse1_backend",
        "mobile_optimizer.optimize_for_mobile",
        "mobile_optimizer.generate_mobile_module_lints",
        "bundled_inputs.bundle_inputs",
        "cpp_extension.load",
        "cpp_extension.load_inline",
        "cpp_extension.CppExtension",
        "cpp_extension.CUDAExtension",
        "cpp_extension.include_paths",
        "cpp_extension.library_paths",
        "cpp_extension.BuildExtension",
    ],
)
def test_what_cannot_be_done_says_so(path):
    module, _, name = path.rpartition(".")
    owner = importlib.import_module(f"rushlight.utils.{module}".rstrip("."))
    with pytest.raises(NotImplementedError, match=rf"\[{name}\]"):
        getattr(owner, name)()
    with pytest.raises(NotImplementedError, match=rf"\[{name}\]"):
        getattr(owner, name)(name="x", sources=[])


def test_switches_that_stay_off():
    from rushlight.utils import backcompat, deterministic

    for switch in (backcompat.broadcast_warning, backcompat.keepdim_warning):
        switch.enabled = False
        assert switch.enabled is False
        with pytest.raises(NotImplementedError, match="no such warning"):
            switch.enabled = True
    deterministic.fill_uninitialized_memory = False
    assert deterministic.fill_uninitialized_memory is False
    with pytest.raises(NotImplementedError, match="leaves memory as it is"):
        deterministic.fill_uninitialized_memory = True


def test_what_looks_around_answers(monkeypatch):
    from rushlight.utils import cpp_extension, model_zoo

    assert cpp_extension.BuildExtension.with_options(use_ninja=False) is cpp_extension.BuildExtension
    assert cpp_extension.CUDA_HOME is None and not cpp_extension.check_compiler_is_gcc("no-such-compiler")
    monkeypatch.setenv("CXX", "my++")
    assert cpp_extension.get_cxx_compiler() == "my++" and not cpp_extension.check_compiler_ok_for_platform("my++")
    monkeypatch.setenv("PATH", "")
    assert not cpp_extension.is_ninja_available()
    with pytest.raises(RuntimeError, match="Ninja is required"):
        cpp_extension.verify_ninja_availability()
    assert not cpp_extension.get_compiler_abi_compatibility_and_version("c++")[0]
    cpp_extension.remove_extension_h_precompiler_headers()
    assert model_zoo.load_url is torch.hub.load_state_dict_from_url
