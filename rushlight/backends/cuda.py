"""CUDA, for which there are no kernels: settings are kept."""

import contextlib
import types

matmul = types.SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False,
    fp32_precision="none",
)
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built():
    """False."""
    return False


def flash_sdp_enabled():
    """What enable_flash_sdp was given."""
    return _attention["flash"]


def mem_efficient_sdp_enabled():
    """What enable_mem_efficient_sdp was given."""
    return _attention["mem_efficient"]


def math_sdp_enabled():
    """What enable_math_sdp was given."""
    return _attention["math"]


def cudnn_sdp_enabled():
    """What enable_cudnn_sdp was given."""
    return _attention["cudnn"]


def enable_flash_sdp(enabled):
    """Kept: scaled_dot_product_attention has one implementation."""
    _attention["flash"] = enabled


def enable_mem_efficient_sdp(enabled):
    """Kept: scaled_dot_product_attention has one implementation."""
    _attention["mem_efficient"] = enabled


def enable_math_sdp(enabled):
    """Kept: scaled_dot_product_attention has one implementation."""
    _attention["math"] = enabled


def enable_cudnn_sdp(enabled):
    """Kept: scaled_dot_product_attention has one implementation."""
    _attention["cudnn"] = enabled


def is_flash_attention_available():
    """False."""
    return False


@contextlib.contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
    """A context with other enable_*_sdp settings."""
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield {}
    finally:
        _attention.update(before)
