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
    result_type,
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
globals().update(_ops.FUNCTIONS)
dtype = _core.dtype
broadcast_shapes = _core.broadcast_shapes
can_cast = _core.can_cast

newaxis = None

# Sub-packages and names that load when they are first used: a start costs only what it needs.
_PACKAGES = (
    "autograd", "cuda", "demo", "func", "linalg", "nn", "optim", "printing", "random", "return_types", "serialization",
    "special", "testing", "utils", "version", "viz",
)  # fmt: skip
_LOSSES_AND_DISTANCES = (
    "bilinear", "binary_cross_entropy_with_logits", "channel_shuffle", "cosine_embedding_loss", "cosine_similarity",
    "hinge_embedding_loss", "kl_div", "margin_ranking_loss", "pairwise_distance", "pdist", "pixel_shuffle",
    "pixel_unshuffle", "poisson_nll_loss", "triplet_margin_loss",
)  # fmt: skip
_LAZY = {
    **dict.fromkeys(("no_grad", "enable_grad", "set_grad_enabled", "inference_mode"), "rushlight.autograd.grad_mode"),
    **dict.fromkeys(("save", "load"), "rushlight.serialization"),
    **dict.fromkeys(("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"), "rushlight.random"),
    **dict.fromkeys(_LOSSES_AND_DISTANCES, "rushlight.nn.functional"),
    **dict.fromkeys(("finfo", "iinfo"), "rushlight.type_info"),
    "vmap": "rushlight.func",
    **dict.fromkeys(("set_printoptions", "get_printoptions"), "rushlight.printing"),
    **dict.fromkeys(("is_anomaly_enabled", "is_anomaly_check_nan_enabled"), "rushlight.autograd.anomaly_mode"),
}
_LEGACY = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16", "BFloat16Tensor": "bfloat16",
    "ByteTensor": "uint8", "CharTensor": "int8", "ShortTensor": "int16", "IntTensor": "int32", "LongTensor": "int64",
    "BoolTensor": "bool",
}  # fmt: skip


def __getattr__(name):
    if name in _LAZY:
        found = getattr(_importlib.import_module(_LAZY[name]), name)
    elif name in _LEGACY:
        from rushlight.tensor import legacy_type

        found = legacy_type(name, getattr(_core, _LEGACY[name]))
    elif name in _PACKAGES:
        try:
            found = _importlib.import_module(f"rushlight.{name}")
        except ModuleNotFoundError as missing:
            if missing.name != f"rushlight.{name}":
                raise
            raise AttributeError(f"module 'rushlight' has no attribute {name!r}") from None
    else:
        raise AttributeError(f"module 'rushlight' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__():
    return sorted({*globals(), *_LAZY, *_LEGACY, *_PACKAGES})


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


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Accepted: results are the same bits on any number of threads in every mode."""


def are_deterministic_algorithms_enabled():
    """True."""
    return True


def is_autocast_enabled(device_type=None):
    """False: there is no autocasting yet."""
    return False


def get_autocast_dtype(device_type):
    """The dtype that autocasting would use on the cpu."""
    return _core.bfloat16


def set_num_interop_threads(n):
    """Accepted: there is one pool of threads."""


def get_num_interop_threads():
    """1: there is one pool of threads."""
    return 1
