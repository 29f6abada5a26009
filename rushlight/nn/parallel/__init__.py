"""Modules on several devices. This build computes on the processor alone: what needs more says so."""

from rushlight.nn.parallel.data_parallel import DataParallel, data_parallel
from rushlight.nn.parallel.devices import gather, parallel_apply, replicate, scatter
from rushlight.nn.parallel.distributed import DistributedDataParallel

__all__ = [
    "DataParallel", "DistributedDataParallel", "data_parallel", "gather", "parallel_apply", "replicate", "scatter",
]  # fmt: skip
