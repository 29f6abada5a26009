"""torch.onnx for programs that import it: models cannot be exported yet.

>>> torch.onnx.is_in_onnx_export()
False
"""

import enum

from rushlight.unsupported import refusal, refused_class

_REASON = "models cannot be exported yet. Save module.state_dict(), and export from PyTorch."
_FUNCTIONS = (
    "dynamo_export", "export", "register_custom_op_symbolic", "select_model_mode_for_export",
    "unregister_custom_op_symbolic",
)  # fmt: skip


class TrainingMode(enum.IntEnum):
    """Whether an exported model trains."""

    EVAL, PRESERVE, TRAINING = range(3)


class OperatorExportTypes(enum.IntEnum):
    """How an exported operator is written."""

    ONNX, ONNX_ATEN, ONNX_ATEN_FALLBACK, ONNX_FALLTHROUGH = range(4)


class OnnxExporterError(RuntimeError):
    """An export failed."""


def is_in_onnx_export():
    """False."""
    return False


globals().update((name, refusal(f"onnx.{name}", _REASON)) for name in _FUNCTIONS)
globals().update(
    (name, refused_class(f"onnx.{name}", _REASON)) for name in ("ExportOptions", "JitScalarType", "ONNXProgram")
)
