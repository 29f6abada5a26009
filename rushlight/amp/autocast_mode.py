"""Regions in which functions choose the dtype of their arguments: csrc/eager/autocast.cpp lists which, and how."""

import functools
import warnings
from collections.abc import Mapping

import rushlight
from rushlight import settings
from rushlight.autograd.grad_mode import decorate

__all__ = ["autocast_decorator", "autocast", "is_autocast_available", "custom_fwd", "custom_bwd"]

_DTYPES = (rushlight.bfloat16, rushlight.float16)


def is_autocast_available(device_type):
    """Whether `torch.autocast(device_type)` may be written.

    >>> torch.amp.is_autocast_available("cpu")
    True
    """
    return device_type in settings.AUTOCAST_DEVICES


class autocast:
    """A region, or the decorator of a function, in which matrix products and convolutions run in a short dtype.

    Functions that need precision (losses, decompositions, Fourier transforms) run in float32, and those that join
    tensors in the widest dtype among them. Others run in the dtypes that they are given; so do in-place forms, calls
    with out=, float64 and the backward pass. The region belongs to the thread.

    Args:
        device_type: "cpu", or that of an accelerator. Without a GPU "cuda" warns, and the region changes nothing.
        dtype: the short dtype, bfloat16 (which is the cpu's default) or float16.
        enabled: False for a region inside of another in which nothing is converted.
        cache_enabled: whether weights are converted once in the region, rather than at each use.

    Raises:
        ValueError: if device_type is no text.
        RuntimeError: if there is no autocasting for it.

    >>> a = torch.ones(2, 2)
    >>> with torch.autocast("cpu", dtype=torch.bfloat16):
    ...     product = a @ a
    ...     with torch.autocast("cpu", enabled=False):
    ...         exact = product.float() @ a
    >>> product.dtype, exact.dtype
    (torch.bfloat16, torch.float32)
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ValueError(
                f"[autocast] Expected `device_type` of type `str`, got: `{type(device_type)}`. Write device.type."
            )
        if not is_autocast_available(device_type):
            raise RuntimeError(
                f"[autocast] User specified an unsupported autocast device_type '{device_type}'. Write 'cpu'."
            )
        self.device = device_type
        self.fast_dtype = rushlight.get_autocast_dtype(device_type) if dtype is None else dtype
        self._enabled = enabled
        self._cache_enabled = rushlight.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda" and not rushlight.cuda.is_available():
            warnings.warn("CUDA is not available. Disabling autocast.", stacklevel=2)
            self._enabled = False
        elif enabled and self.fast_dtype not in _DTYPES:
            warnings.warn(
                f"In {device_type.upper()} autocast, but the target dtype {dtype} is not supported. Disabling "
                "autocast: it is for torch.bfloat16 and torch.float16.",
                stacklevel=2,
            )
            self._enabled = False

    def __enter__(self):
        self.prev_cache_enabled = rushlight.is_autocast_cache_enabled()
        self.prev = rushlight.is_autocast_enabled(self.device)
        self.prev_fastdtype = rushlight.get_autocast_dtype(self.device)
        self._set(self._enabled, self.fast_dtype, self._cache_enabled)
        rushlight.autocast_increment_nesting()
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        if rushlight.autocast_decrement_nesting() == 0:
            rushlight.clear_autocast_cache()
        self._set(self.prev, self.prev_fastdtype, self.prev_cache_enabled)
        return False

    def _set(self, enabled, dtype, cache_enabled):
        rushlight.set_autocast_enabled(self.device, enabled)
        rushlight.set_autocast_dtype(self.device, dtype)
        rushlight.set_autocast_cache_enabled(cache_enabled)

    def _again(self):
        """A region as this one: each call of a decorated function, from any thread, enters its own."""
        again = object.__new__(type(self))
        again.__dict__.update(self.__dict__)
        return again

    def __call__(self, func):
        if not callable(func):
            raise TypeError(
                f"[autocast] autocast()(func) requires a callable, but got {type(func).__name__}. For a region, write "
                "`with torch.autocast(...):`."
            )
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance, func):
    """`func`, such that its calls run in a region as `autocast_instance` is one."""
    return decorate(autocast_instance._again, func)


def _cast(value, device_type, dtype):
    """`value` with the tensors in it converted that autocasting would convert."""
    if isinstance(value, rushlight.Tensor):
        convert = value.is_floating_point() and value.device.type == device_type and value.dtype != rushlight.float64
        return value.to(dtype) if convert else value
    if isinstance(value, Mapping):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(v, device_type, dtype) for v in value)
    return value


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """Decorates `forward` of an autograd.Function that may be called in a region.

    Args:
        device_type: as autocast's.
        cast_inputs: None: forward is autocast as what surrounds it. A dtype: in a region, tensors among the arguments
            are converted to it, and forward runs without autocasting.

    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     @torch.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, gy):
    ...         return 2 * gy * ctx.saved_tensors[0]
    >>> with torch.autocast("cpu"):
    ...     Square.apply(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    _check_device_type("custom_fwd", device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(ctx, *args, **kwargs):
        region = rushlight.is_autocast_enabled(device_type)
        ctx._dtype = rushlight.get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = region and cast_inputs is None
        if not region or cast_inputs is None:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(ctx, *_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return forward


def custom_bwd(bwd=None, *, device_type):
    """Decorates `backward` of an autograd.Function, which then is autocast as its forward was: see custom_fwd."""
    _check_device_type("custom_bwd", device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(ctx, *args, **kwargs):
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *args, **kwargs)

    return backward


def _check_device_type(name, device_type):
    if not isinstance(device_type, str):
        raise ValueError(
            f"[{name}] Expected `device_type` of type `str`, got: `{type(device_type)}`. Write device.type."
        )
