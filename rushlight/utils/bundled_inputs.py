"""Inputs cannot be stored inside a model: these names of PyTorch's say so."""

from typing import Any, NamedTuple

from rushlight.unsupported import refusal


class InflatableArg(NamedTuple):
    """A small value, and an expression that makes an input of it."""

    value: Any
    fmt: str = "{}"
    fmt_fn: str = ""


_REASON = "inputs cannot be stored inside a model. Save them beside it with torch.save."
bundle_inputs = refusal("bundle_inputs", _REASON)
augment_model_with_bundled_inputs = refusal("augment_model_with_bundled_inputs", _REASON)
augment_many_model_functions_with_bundled_inputs = refusal("augment_many_model_functions_with_bundled_inputs", _REASON)
bundle_randn = refusal("bundle_randn", _REASON)
bundle_large_tensor = refusal("bundle_large_tensor", _REASON)
