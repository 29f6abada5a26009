"""Signal processing: torch.signal, which holds window functions."""

from rushlight.signal import windows

__all__ = ["windows"]
