"""Devices of other makers cannot be plugged in: these names of PyTorch's say so."""

from rushlight.unsupported import refusal

__all__ = ["generate_methods_for_privateuse1_backend", "rename_privateuse1_backend"]

_REASON = "devices cannot be plugged in. Tensors live on the cpu."
rename_privateuse1_backend = refusal("rename_privateuse1_backend", _REASON)
generate_methods_for_privateuse1_backend = refusal("generate_methods_for_privateuse1_backend", _REASON)
