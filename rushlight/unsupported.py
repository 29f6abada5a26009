"""Names of PyTorch's that cannot do their work here: each says what is missing and what serves instead.

Functions and methods stand in FUNCTIONS and METHODS. ABSENT has what is missing as a whole, by its path below `torch`;
of that, the modules in STAND_INS can be imported, because programs import them without using them.
"""

import functools
import types

_BLOCKS = "sparse tensors of blocks do not exist. Use torch.sparse_csr_tensor or torch.sparse_csc_tensor."
_RESIZED = "a sparse tensor keeps its size. Make a new one with torch.sparse_coo_tensor."
FUNCTIONS = {
    "sparse_bsc_tensor": _BLOCKS,
    "sparse_bsr_tensor": _BLOCKS,
    "hsmm": "hybrid products do not exist. Use torch.sparse.mm.",
    "saddmm": "products with a sparse result do not exist. Use torch.sparse.addmm.",
    "resize_as_sparse_": _RESIZED,
}
METHODS = {
    "to_sparse_bsc": _BLOCKS,
    "to_sparse_bsr": _BLOCKS,
    "resize_as_sparse_": _RESIZED,
    "sparse_resize_": _RESIZED,
    "sparse_resize_and_clear_": _RESIZED,
    "to_padded_tensor": "nested tensors do not exist. Use torch.nn.utils.rnn.pad_sequence.",
    "_make_wrapper_subclass": "there is no dispatcher below the operators. Hold a tensor in an object that defines "
    "__torch_function__, or use torch.Tensor._make_subclass.",
    "chalf": "complex numbers of two halves do not exist. Use cfloat().",
}


_ONE_PROCESS = "processes cannot work together yet. Run one process, or ask torch.distributed.is_available() first."
_NO_COMPILER = "programs are not compiled: torch.compile returns the function itself. Leave this out."
_NO_EXPORT = "models cannot be exported yet. Save module.state_dict(), and export from PyTorch."
_NO_QUANTIZED = "there are no quantized tensors. Use float32 or bfloat16."
_NO_DEVICE = "its kernels do not exist. Stay on the cpu."
ABSENT = {
    **dict.fromkeys(("_dynamo", "_inductor", "_functorch", "_guards", "_export", "_higher_order_ops"), _NO_COMPILER),
    **dict.fromkeys(("_subclasses", "_prims", "_refs", "_decomp", "_lazy"), _NO_COMPILER),
    **dict.fromkeys(("export", "onnx"), _NO_EXPORT),
    **dict.fromkeys(("ao", "quantization", "quantize_per_tensor", "quantize_per_channel"), _NO_QUANTIZED),
    **dict.fromkeys(("qint8", "quint8", "qint32"), _NO_QUANTIZED),
    **dict.fromkeys(("xpu", "mtia", "npu", "hpu", "xla"), _NO_DEVICE),
    "autograd.profiler": "the profiler does not exist yet. Use Python's cProfile.",
    "cuda": _NO_DEVICE,
    "distributed": _ONE_PROCESS,
    "nested": "nested tensors do not exist. Use torch.nn.utils.rnn.pad_sequence.",
    **dict.fromkeys(
        ("_ops", "ops"),
        "there is no dispatcher of operators by name. Call the function of torch or of torch.nn.functional.",
    ),
    "classes": "classes of extensions written for PyTorch cannot be loaded.",
    "package": "packaged models cannot be read or written. Save module.state_dict().",
    **dict.fromkeys(
        ("library", "_library"), "operators of extensions cannot be registered. Write an autograd.Function."
    ),
    "profiler": "the profiler does not exist yet. Use Python's cProfile.",
    "_logging": "PyTorch's logs do not exist. Use Python's logging.",
    "_six": "it served Python 2, and PyTorch has dropped it. Use Python's own names.",
    "nn.attention.flex_attention": "scores are no function here. Use scaled_dot_product_attention(attn_mask=).",
    "nn.attention.varlen": "sequences cannot be packed for it. Use scaled_dot_product_attention(attn_mask=).",
    **dict.fromkeys(
        ("utils.checkpoint.CheckpointPolicy", "utils.checkpoint.create_selective_checkpoint_contexts"),
        "what is kept cannot be chosen by operator. Checkpoint the parts of the model that are to be computed again.",
    ),
    "testing._internal": "PyTorch's own test suite is not part of it. Use unittest and torch.testing.",
    "uint16": "the core has twelve dtypes. Use int32.",
    "uint32": "the core has twelve dtypes. Use int64.",
    "uint64": "the core has twelve dtypes. Use int64.",
}
STAND_INS = {
    "ao": "",
    "ao.quantization": "DeQuantStub FakeQuantize HistogramObserver MinMaxObserver QConfig QConfigMapping QuantStub "
    "QuantWrapper convert default_dynamic_qconfig default_observer default_qconfig disable_observer fuse_modules "
    "get_default_qat_qconfig get_default_qconfig get_default_qconfig_mapping prepare prepare_qat propagate_qconfig_ "
    "quantize quantize_dynamic",
    "quantization": "DeQuantStub QConfig QuantStub QuantWrapper convert default_dynamic_qconfig default_qconfig "
    "fuse_modules get_default_qat_qconfig get_default_qconfig prepare prepare_qat quantize quantize_dynamic",
    "distributed.algorithms": "",
    "distributed.algorithms._checkpoint": "",
    "distributed.algorithms._checkpoint.checkpoint_wrapper": "CheckpointImpl CheckpointWrapper "
    "apply_activation_checkpointing checkpoint_wrapper offload_wrapper",
    "distributed.algorithms.join": "Join JoinHook Joinable",
    "distributed.autograd": "backward context get_gradients",
    "distributed.checkpoint": "DefaultLoadPlanner DefaultSavePlanner FileSystemReader FileSystemWriter async_save load "
    "load_state_dict save save_state_dict",
    "distributed.checkpoint.state_dict": "StateDictOptions get_model_state_dict get_optimizer_state_dict "
    "get_state_dict set_model_state_dict set_optimizer_state_dict set_state_dict",
    "distributed.checkpoint.stateful": "Stateful",
    "distributed.device_mesh": "DeviceMesh init_device_mesh",
    "distributed.elastic": "",
    "distributed.elastic.multiprocessing": "",
    "distributed.elastic.multiprocessing.errors": "ChildFailedError record",
    "distributed.fsdp": "BackwardPrefetch CPUOffload CPUOffloadPolicy FSDPModule FullOptimStateDictConfig "
    "FullStateDictConfig FullyShardedDataParallel LocalStateDictConfig MixedPrecision MixedPrecisionPolicy "
    "OffloadPolicy ShardedOptimStateDictConfig ShardedStateDictConfig ShardingStrategy StateDictType fully_shard",
    "distributed.fsdp.fully_sharded_data_parallel": "BackwardPrefetch CPUOffload FullyShardedDataParallel "
    "MixedPrecision ShardingStrategy StateDictType",
    "distributed.fsdp.sharded_grad_scaler": "ShardedGradScaler",
    "distributed.fsdp.wrap": "CustomPolicy ModuleWrapPolicy always_wrap_policy enable_wrap lambda_auto_wrap_policy "
    "size_based_auto_wrap_policy transformer_auto_wrap_policy wrap",
    "distributed.nn": "RemoteModule all_gather all_reduce all_to_all broadcast gather reduce reduce_scatter scatter",
    "distributed.optim": "DistributedOptimizer PostLocalSGDOptimizer ZeroRedundancyOptimizer",
    "distributed.pipelining": "Pipe PipelineStage Schedule1F1B ScheduleGPipe SplitPoint pipe_split pipeline",
    "distributed.rpc": "RRef TensorPipeRpcBackendOptions get_worker_info init_rpc remote rpc_async rpc_sync shutdown",
    "distributed.tensor": "DTensor DeviceMesh Partial Placement Replicate Shard distribute_module distribute_tensor",
    "distributed.tensor.parallel": "ColwiseParallel ParallelStyle PrepareModuleInput PrepareModuleOutput "
    "RowwiseParallel SequenceParallel loss_parallel parallelize_module",
    "export": "Dim ExportedProgram export load register_dataclass save unflatten",
    "nested": "as_nested_tensor nested_tensor nested_tensor_from_jagged to_padded_tensor",
    "nn.attention.flex_attention": "BlockMask and_masks create_block_mask create_mask flex_attention or_masks",
    "package": "PackageExporter PackageImporter",
}
STAND_INS["distributed._tensor"] = STAND_INS["distributed.tensor"]
STAND_INS["distributed._composable"] = STAND_INS["distributed._composable.fsdp"] = STAND_INS["distributed.fsdp"]


def reason(path):
    """Why a path below torch is missing: what ABSENT says of it, or of what it is part of; None when it says nothing.

    >>> torch.unsupported.reason("ao.nn.quantized").partition(".")[0]
    'there are no quantized tensors'
    """
    while path and path not in ABSENT:
        path = path.rpartition(".")[0]
    return ABSENT.get(path)


@functools.cache
def stand_in(path):
    """The module at a path of STAND_INS: its names are classes that raise when they are called."""
    why = reason(path)
    module = types.ModuleType(f"torch.{path}", f"A stand-in: {why}")
    module.__path__ = []
    vars(module).update((name, refused_class(f"{path}.{name}", why)) for name in STAND_INS[path].split())

    def missing(name):
        if f"{path}.{name}" in STAND_INS:
            return stand_in(f"{path}.{name}")
        raise AttributeError(f"[{path}.{name}] does not exist: {why}")

    module.__getattr__ = missing
    return module


def refusal(name, reason, error=NotImplementedError):
    """A function that raises `error` with the reason."""

    def refuse(*args, **kwargs):
        raise error(f"[{name}] must not be called: {reason}")

    refuse.refused = reason
    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    refuse.__doc__ = f"Raises {error.__name__}: {reason}"
    return refuse


def refused_class(name, reason, error=NotImplementedError):
    """A class without objects, for annotations, isinstance() and subclasses: making one raises `error`."""

    def refuse(cls, *args, **kwargs):
        raise error(f"[{name}] must not be called: {reason}")

    members = {"__new__": refuse, "__doc__": f"Raises {error.__name__}: {reason}", "refused": reason}
    return _Refused(name.rpartition(".")[2], (), members)


class _Refused(type):
    def __getattr__(cls, name):
        raise AttributeError(f"[{cls.__name__}.{name}] does not exist: {cls.refused}")


globals().update((name, refusal(name, reason)) for name, reason in FUNCTIONS.items())
