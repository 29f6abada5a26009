"""torch.distributed where there is one process: programs that ask are told so, and go on without it.

>>> torch.distributed.is_available(), torch.distributed.is_initialized()
(False, False)
"""

import enum

from rushlight.unsupported import refusal, refused_class

_REASON = "processes cannot work together yet. Run one process, or ask torch.distributed.is_available() first."
_FUNCTIONS = (
    "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce", "all_to_all", "all_to_all_single",
    "barrier", "broadcast", "broadcast_object_list", "destroy_process_group", "gather", "gather_object", "get_backend",
    "get_backend_config", "get_default_backend_for_device", "get_group_rank", "get_global_rank", "get_node_local_rank",
    "get_process_group_ranks", "get_rank", "get_world_size", "init_process_group", "irecv", "isend",
    "monitored_barrier", "new_group", "new_subgroups", "recv", "recv_object_list", "reduce", "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter", "scatter_object_list", "send", "send_object_list", "set_timeout", "split_group",
)  # fmt: skip
_CLASSES = ("Backend", "FileStore", "HashStore", "PrefixStore", "ProcessGroup", "Store", "TCPStore", "Work")


class ReduceOp(enum.Enum):
    """How values of several processes become one."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = range(9)


class group:
    """Groups of processes: there is none."""

    WORLD = None


class GroupMember:
    """Membership of groups of processes: there is none."""

    WORLD = None
    NON_GROUP_MEMBER = object()


class DistError(RuntimeError):
    """Processes that work together failed."""


class DistBackendError(DistError):
    """What carries their messages failed."""


def is_available():
    """False: processes cannot work together yet."""
    return False


def is_initialized():
    """False: init_process_group() cannot be called."""
    return False


is_gloo_available = is_mpi_available = is_nccl_available = is_ucc_available = is_xccl_available = is_available
is_torchelastic_launched = is_initialized

globals().update((name, refusal(f"distributed.{name}", _REASON, RuntimeError)) for name in _FUNCTIONS)
globals().update((name, refused_class(f"distributed.{name}", _REASON, RuntimeError)) for name in _CLASSES)
