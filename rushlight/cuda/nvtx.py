"""Marks for NVIDIA's profilers. Raises RuntimeError when one is set: there is no GPU whose work they would mark."""

from rushlight.unsupported import refusal

_REASON = "NVTX functions not installed. Leave the marks out, or ask torch.cuda.is_available() first."
mark, range_push, range_pop, range_start, range_end, range = (
    refusal(f"cuda.nvtx.{name}", _REASON, RuntimeError)
    for name in ("mark", "range_push", "range_pop", "range_start", "range_end", "range")
)
