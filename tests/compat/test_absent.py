"""What programs touch without needing it, and what says why it is not there."""

import importlib

import pytest

import rushlight as torch
from rushlight import unsupported
from rushlight.compat.names import lookup


def test_cuda_answers_as_without_a_gpu():
    assert not torch.cuda.is_available() and torch.cuda.device_count() == torch.cuda.max_memory_allocated() == 0
    torch.cuda.manual_seed_all(0)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.set_rng_state_all(torch.cuda.get_rng_state_all())
    assert torch.cuda.memory.memory_allocated is torch.cuda.memory_allocated and torch.cuda.memory_stats() == {}
    assert not isinstance(torch.ones(1), torch.cuda.FloatTensor) and issubclass(
        torch.cuda.OutOfMemoryError, RuntimeError
    )
    assert not hasattr(torch.cuda, "no_such_name")


@pytest.mark.oracle
def test_names_of_cuda_exist_and_fail_alike():
    oracle = pytest.importorskip("torch")
    missing = [name for name in oracle.cuda.__all__ if not hasattr(torch.cuda, name) and "Storage" not in name]
    rare = {
        "CUDAPluggableAllocator", "CudaError", "DeferredCudaCallError", "GreenContext", "StreamContext",
        "caching_allocator_alloc", "caching_allocator_delete", "caching_allocator_disabled", "caching_allocator_enable",
        "change_current_allocator", "check_error", "cudaStatus", "current_solver_handle", "device_memory_used",
        "get_allocator_backend", "get_per_process_memory_fraction", "get_stream_from_external", "graph_pool_handle",
        "graphs", "host_memory_stats", "host_memory_stats_as_nested_dict", "jiterator", "memory_stats_as_nested_dict",
        "nccl", "profiler", "reset_accumulated_host_memory_stats", "reset_peak_host_memory_stats", "sparse", "streams",
        "tunable", "use_mem_pool", "amp",
    }  # fmt: skip
    assert set(missing) <= rare
    for name in ("synchronize", "current_device", "get_device_name", "mem_get_info", "current_stream"):
        with pytest.raises(AssertionError, match="not compiled with CUDA"):
            getattr(oracle.cuda, name)()
        with pytest.raises(AssertionError, match="not compiled with CUDA"):
            getattr(torch.cuda, name)()


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: torch.distributed.init_process_group("gloo"), RuntimeError),
        (lambda: torch.distributed.TCPStore("localhost", 1), RuntimeError),
        (lambda: torch.onnx.export(None, (), "x.onnx"), NotImplementedError),
        (lambda: torch.cuda.Event(), RuntimeError),
        (lambda: torch.cuda.FloatTensor(3), TypeError),
        (lambda: torch.cuda.nvtx.range_push("a"), RuntimeError),
        (lambda: torch.cuda.set_rng_state_all([1]), AssertionError),
        (lambda: lookup("torch.ao.quantization.QuantStub")(), NotImplementedError),
        (lambda: lookup("torch.distributed.fsdp.FullyShardedDataParallel")(None), NotImplementedError),
    ],
)
def test_what_cannot_be_done_says_so(call, error):
    with pytest.raises(error, match=r"^\[\w"):
        call()


def test_distributed_is_importable_and_honest():
    dist = torch.distributed
    assert not dist.is_available() and not dist.is_initialized() and not dist.is_nccl_available()
    assert dist.ReduceOp.SUM.name == "SUM" and not isinstance(1, dist.ProcessGroup) and dist.group.WORLD is None


def test_missing_parts_say_why():
    with pytest.raises(AttributeError, match="there are no quantized tensors"):
        _ = torch.quantize_per_tensor
    with pytest.raises(AttributeError, match=r"^\[fsdp|^\[StateDictType.FULL"):
        _ = lookup("torch.distributed.fsdp").StateDictType.FULL_STATE_DICT
    assert unsupported.reason("nn.Linear") is None and "not compiled" in unsupported.reason("_inductor.fx_passes.x")


@pytest.mark.parametrize("path", sorted(unsupported.STAND_INS))
def test_stand_ins_have_reasons(path):
    assert unsupported.reason(path)
    module = unsupported.stand_in(path)
    for name in unsupported.STAND_INS[path].split():
        with pytest.raises(NotImplementedError, match=r"must not be called: .+\. "):
            getattr(module, name)()


def test_the_compiler_s_settings_are_kept():
    config = importlib.import_module("rushlight.compat.torch._dynamo.config")
    with config.patch(suppress_errors=True, brand_new=1):
        assert config.suppress_errors and config.brand_new == 1
    assert not config.suppress_errors and not hasattr(config, "brand_new")
    dynamo = importlib.import_module("rushlight.compat.torch._dynamo")
    dynamo.reset()
    assert dynamo.optimize("eager")(abs) is abs and dynamo.config is config


def test_private_functions_that_libraries_take():
    private = importlib.import_module("rushlight.compat.torch._utils")
    tensors = [torch.ones(2, 2), torch.zeros(3)]
    flat = private._flatten_dense_tensors(tensors)
    assert [t.shape for t in private._unflatten_dense_tensors(flat, tensors)] == [(2, 2), (3,)]
    assert private._get_device_index("cpu", allow_cpu=True) == -1 and private._get_device_index(2) == 2
    with pytest.raises(ValueError, match="must be an accelerator"):
        private._get_device_index("cpu")
    try:
        raise KeyError("lost")
    except KeyError:
        wrapped = private.ExceptionWrapper(where="in a thread")
    with pytest.raises(KeyError, match="Caught KeyError in a thread"):
        wrapped.reraise()
    c = importlib.import_module("rushlight._C")
    c._jit_set_profiling_mode(False)
    assert c._get_tracing_state() is None and c._cuda_getDeviceCount() == 0 and c.Generator is torch.Generator
    assert not hasattr(c, "no_such_name")
