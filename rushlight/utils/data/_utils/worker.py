"""PyTorch's path to `rushlight.utils.data.worker_info`."""

from rushlight.utils.data.worker_info import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]
