"""Rushlight: PyTorch's API over a small native core.

>>> import rushlight as torch
>>> x = torch.tensor(3.0, requires_grad=True)
>>> ((x * 2) ** 2).backward()
>>> x.grad
tensor(24.)
"""

import importlib as _importlib
import os as _os
from math import e, inf, nan, pi

# ruff: noqa: E402, F401  (the core is loaded under a setting; names are here to be seen)

# libgomp reads this once, when it is loaded. By default its threads spin for milliseconds, which starves the thread
# they wait for wherever other programs share the cores: docs/decisions/0010.
_settled = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & _os.environ.keys()
if not _settled:
    _os.environ["GOMP_SPINCOUNT"] = "1000"
from rushlight import _core

if not _settled:
    del _os.environ["GOMP_SPINCOUNT"]
from rushlight import ops as _ops
from rushlight import tensor as _tensor_methods  # attaches methods
from rushlight._core import (
    Generator,
    Size,
    Tensor,
    default_generator,
    device,
    get_default_dtype,
    get_num_threads,
    is_grad_enabled,
    is_inference_mode_enabled,
    promote_types,
    set_num_threads,
)
from rushlight.version import __version__

# dtypes, layouts and memory formats.
globals().update(
    (name, value)
    for name, value in vars(_core).items()
    if isinstance(value, (_core.dtype, _core.layout, _core.memory_format))
)
# Rows of the core, then the functions in Python, which may refine a row of the same name.
globals().update((name, getattr(_core, name)) for name in _core.public_names())
_composed = {**_ops.FUNCTIONS, "result_type": _core.result_type, "tensor": _core.tensor}
globals().update(_ops.offer(_composed, "rushlight:"))
globals().update(_ops.offer({name: _composed[name] for name in _ops.OF_DATA}, "rushlight:", of_data=True))
dtype = _core.dtype
layout = _core.layout
memory_format = _core.memory_format
legacy_contiguous_format = contiguous_format = _core.contiguous_format
broadcast_shapes = _core.broadcast_shapes
can_cast = _core.can_cast

newaxis = None

# Sub-packages and names that load when they are first used: a start costs only what it needs.
_PACKAGES = (
    "_C", "accelerator", "amp", "array_api", "autograd", "backends", "compat", "compiler", "cpu", "cuda", "demo",
    "distributed", "distributions", "fft", "func", "functional", "futures", "fx", "hub", "jit", "linalg", "masked",
    "monitor", "multiprocessing", "nn", "onnx", "optim", "overrides", "printing", "quasirandom", "random",
    "return_types", "serialization", "signal", "sparse", "special", "storage", "testing", "torch_version", "types",
    "utils", "version", "viz",
)  # fmt: skip
_OF_LAYERS = (
    "bilinear", "binary_cross_entropy_with_logits", "channel_shuffle", "conv_tbc", "cosine_embedding_loss",
    "cosine_similarity", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "hinge_embedding_loss", "kl_div",
    "margin_ranking_loss", "pairwise_distance", "pdist", "pixel_shuffle", "native_channel_shuffle",
    "native_group_norm", "pixel_unshuffle", "poisson_nll_loss", "triplet_margin_loss",
)  # fmt: skip
_SPARSE = (
    "dsmm", "hspmm", "smm", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor",
    "spmm", "sspaddmm",
)  # fmt: skip
_SETTINGS = (
    "are_deterministic_algorithms_enabled", "autocast_decrement_nesting", "autocast_increment_nesting",
    "clear_autocast_cache", "compiled_with_cxx11_abi", "get_autocast_cpu_dtype",
    "get_autocast_dtype", "get_autocast_gpu_dtype", "get_deterministic_debug_mode", "get_device_module",
    "get_file_path", "get_float32_matmul_precision", "get_num_interop_threads", "has_lapack", "has_mkl", "has_openmp",
    "has_spectral", "init_num_threads", "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled",
    "is_deterministic_algorithms_warn_only_enabled", "is_vulkan_available", "is_warn_always_enabled",
    "prepare_multiprocessing_environment", "set_anomaly_enabled", "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype", "set_autocast_cpu_enabled", "set_autocast_dtype", "set_autocast_enabled",
    "set_autocast_gpu_dtype", "set_default_tensor_type", "set_deterministic_debug_mode",
    "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads", "set_warn_always",
    "use_deterministic_algorithms",
)  # fmt: skip
_CHECKS = (
    "_assert", "_assert_async", "_check", "_check_index", "_check_is_size", "_check_not_implemented",
    "_check_tensor_all", "_check_tensor_all_with", "_check_type", "_check_value", "_check_with",
)  # fmt: skip
_SYMBOLS = (
    "SymBool", "SymFloat", "SymInt", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt",
    "sym_sum",
)  # fmt: skip
_RECURRENT = (
    "gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell",
)  # fmt: skip
_BY_POSITION = (
    "affine_grid_generator", "batch_norm", "binary_cross_entropy_with_logits", "ctc_loss", "embedding", "embedding_bag",
    "embedding_renorm_", "group_norm", "instance_norm", "layer_norm", "rms_norm",
)  # fmt: skip
_LAZY = {
    **dict.fromkeys(_SETTINGS, "rushlight.settings"),
    **dict.fromkeys(_SYMBOLS, "rushlight.symbolic"),
    **dict.fromkeys(_RECURRENT, "rushlight.nn.functional.recurrent"),
    **dict.fromkeys(("GradScaler", "autocast"), "rushlight.amp"),
    **dict.fromkeys(("AcceleratorError", "Event", "OutOfMemoryError", "Stream"), "rushlight.accelerator"),
    **dict.fromkeys(("TypedStorage", "UntypedStorage"), "rushlight.storage"),
    **dict.fromkeys(("fork", "wait"), "rushlight.futures"),
    **dict.fromkeys(_CHECKS, "rushlight.checks"),
    "compile": "rushlight.compiler",
    **dict.fromkeys(
        ("hsmm", "resize_as_sparse_", "saddmm", "sparse_bsc_tensor", "sparse_bsr_tensor"), "rushlight.unsupported"
    ),
    "thread_safe_generator": "rushlight.random",
    "typename": "rushlight.type_info",
    **dict.fromkeys(("no_grad", "enable_grad", "set_grad_enabled", "inference_mode"), "rushlight.autograd.grad_mode"),
    **dict.fromkeys(("save", "load"), "rushlight.serialization"),
    **dict.fromkeys(("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"), "rushlight.random"),
    **dict.fromkeys(_OF_LAYERS, "rushlight.nn.functional"),
    **dict.fromkeys(("finfo", "iinfo"), "rushlight.type_info"),
    "TrainingState": "rushlight.training_state",
    "vmap": "rushlight.func",
    **dict.fromkeys(("set_printoptions", "get_printoptions"), "rushlight.printing"),
    **dict.fromkeys(_SPARSE, "rushlight.sparse"),
    **dict.fromkeys(("is_anomaly_enabled", "is_anomaly_check_nan_enabled"), "rushlight.autograd.anomaly_mode"),
    "tensortype": "rushlight.tensor_types",
    **dict.fromkeys(_BY_POSITION, "rushlight.nn.functional.by_position"),
}


def __getattr__(name):
    if name in _LAZY:
        found = getattr(_importlib.import_module(_LAZY[name]), name)
        if name in _RECURRENT or name in _BY_POSITION or name == "_assert":
            found = _ops.offer({name: found}, "rushlight:")[name]
    elif name.startswith("_foreach_"):
        found = getattr(_importlib.import_module("rushlight.foreach"), name)
        found = _ops.offer({name: found}, "rushlight:")[name]
    elif name.endswith("Tensor"):
        found = _importlib.import_module("rushlight.tensor_types").make(name)
    elif name.endswith("Storage") and name in (storage := _importlib.import_module("rushlight.storage")).CLASSES:
        found = storage.storage_class(name)
    elif name in _PACKAGES:
        try:
            found = _importlib.import_module(f"rushlight.{name}")
        except ModuleNotFoundError as missing:
            if missing.name != f"rushlight.{name}":
                raise
            raise AttributeError(f"module 'rushlight' has no attribute {name!r}") from None
    else:
        from rushlight.unsupported import reason

        because = reason(name)
        raise AttributeError(f"module 'rushlight' has no attribute {name!r}" + (f": {because}" if because else ""))
    globals()[name] = found
    return found


def __dir__():
    types = _importlib.import_module("rushlight.tensor_types").DTYPES
    return sorted({*globals(), *_LAZY, *_PACKAGES, *types})


def set_default_dtype(d):
    """The dtype of new floating point tensors.

    >>> torch.set_default_dtype(torch.float64)
    >>> torch.tensor([1.0]).dtype
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    _core.set_default_dtype(d)


def set_default_device(device):
    """Only the cpu can be the default device."""
    if device is not None:
        _core.check_device(device)


def get_default_device():
    """The cpu."""
    return device("cpu")


def is_tensor(obj):
    """Whether obj is a Tensor.

    >>> torch.is_tensor(1.0)
    False
    """
    return isinstance(obj, Tensor)


def is_storage(obj):
    """Whether obj is the storage of a tensor."""
    return isinstance(obj, _core.UntypedStorage)
