"""PyTorch's paths to what lies in `rushlight.utils.data`, for programs that import from them."""

from rushlight.utils.data._utils import collate, worker

__all__ = ["MP_STATUS_CHECK_INTERVAL", "collate", "worker"]

MP_STATUS_CHECK_INTERVAL = 5.0  # seconds, at most, until a worker's death is noticed
