"""Which implementations of attention may serve. There is one here, which may stand for the plain and the flash one."""

import contextlib
import enum
import importlib
import warnings

from rushlight.backends import cuda as _allowed

__all__ = [
    "SDPBackend", "WARN_FOR_UNFUSED_KERNELS", "activate_flash_attention_impl", "current_flash_attention_impl",
    "list_flash_attention_impls", "register_flash_attention_impl", "restore_flash_attention_impl", "sdpa_kernel",
]  # fmt: skip

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.Enum):
    """Implementations of scaled_dot_product_attention, under PyTorch's names.

    >>> torch.nn.attention.SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self):
        return self.value


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """A context in which scaled_dot_product_attention may use these implementations only.

    Where neither MATH nor FLASH_ATTENTION is among them it raises RuntimeError: the others are a GPU's.

    Args:
        backends: an SDPBackend, or a list of them.
        set_priority: accepted; there is nothing to choose from.

    Raises:
        AssertionError: if backends is something else.

    >>> q = torch.ones(1, 1, 2, 4)
    >>> with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
    ...     torch.nn.functional.scaled_dot_product_attention(q, q, q).shape
    torch.Size([1, 1, 2, 4])
    """
    backends = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(backends, list) or not all(isinstance(backend, SDPBackend) for backend in backends):
        raise AssertionError(
            "[sdpa_kernel] Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}."
        )
    with _allowed.sdp_kernel(
        enable_flash=SDPBackend.FLASH_ATTENTION in backends,
        enable_math=SDPBackend.MATH in backends,
        enable_mem_efficient=SDPBackend.EFFICIENT_ATTENTION in backends,
        enable_cudnn=SDPBackend.CUDNN_ATTENTION in backends,
    ):
        yield


_implementations = {}  # name -> register_fn
_active = None  # (name, what register_fn returned)


def register_flash_attention_impl(impl, *, register_fn):
    """Offer an implementation under a name: `register_fn()` puts it in place, and may return a handle to remove it."""
    _implementations[impl] = register_fn


def list_flash_attention_impls():
    """The names of the implementations that were registered.

    >>> torch.nn.attention.list_flash_attention_impls()
    []
    """
    return sorted(_implementations)


def current_flash_attention_impl():
    """The name of the one in place; None for this package's own."""
    return None if _active is None else _active[0]


def activate_flash_attention_impl(impl):
    """Put an implementation in place of the present one.

    Raises:
        ValueError: if none of that name was registered.
    """
    global _active
    if impl not in _implementations:
        raise ValueError(
            f"[activate_flash_attention_impl] Unknown flash attention impl {impl!r}. Available implementations: "
            f"{list_flash_attention_impls()}."
        )
    restore_flash_attention_impl(_raise_warn=False)
    _active = (impl, _implementations[impl]())


def restore_flash_attention_impl(_raise_warn=True):
    """Put this package's own attention back; warns if it is in place already."""
    global _active
    if _active is None:
        if _raise_warn:
            warnings.warn("[restore_flash_attention_impl] no other implementation is active.", stacklevel=2)
        return
    handle, _active = _active[1], None
    if handle is not None:
        handle.remove()


def __getattr__(name):
    if name == "bias":  # loaded when it is first named
        return importlib.import_module(f"{__name__}.bias")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
