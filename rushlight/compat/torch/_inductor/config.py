"""Settings of PyTorch's compiler of kernels: any may be set, and none changes anything."""

import types

from rushlight.compat.torch._dynamo.config import patch

allow_buffer_reuse = epilogue_fusion = fx_graph_cache = True
coordinate_descent_tuning = coordinate_descent_check_all_directions = force_fuse_int_mm_with_mul = False
debug = emulate_precision_casts = freezing = max_autotune = max_autotune_gemm = max_autotune_pointwise = False
reorder_for_compute_comm_overlap = reorder_for_peak_memory = shape_padding = use_mixed_mm = False
cpp = types.SimpleNamespace(enable_kernel_profile=False, simdlen=None, threads=-1)
triton = types.SimpleNamespace(cudagraphs=False, unique_kernel_names=True, cudagraph_trees=True)

__all__ = ["patch"]
