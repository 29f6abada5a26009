"""Sparse tensors: only some elements are stored, with their indices.

`torch.sparse_coo_tensor` and its relatives make them, `Tensor.to_sparse` converts. Operators and methods of the usual
names work on them where that makes sense; what does not raises NotImplementedError. Gradients reach the stored values.

>>> adjacency = torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 1.0], (2, 2))
>>> adjacency @ torch.tensor([[1.0, 2.0], [3.0, 4.0]])
tensor([[3., 4.],
        [1., 2.]])
"""

from rushlight.sparse import pointwise, shaping  # noqa: F401  (what operators do with sparse tensors)
from rushlight.sparse.creation import (  # noqa: F401
    sparse_compressed_tensor,
    sparse_coo_tensor,
    sparse_csc_tensor,
    sparse_csr_tensor,
)
from rushlight.sparse.diagonals import spdiags
from rushlight.sparse.gradcheck import as_sparse_gradcheck
from rushlight.sparse.invariants import check_sparse_tensor_invariants
from rushlight.sparse.products import addmm, dsmm, hspmm, mm, sampled_addmm, smm, spmm, sspaddmm  # noqa: F401
from rushlight.sparse.reductions import log_softmax, softmax, sum

__all__ = [
    "addmm",
    "as_sparse_gradcheck",
    "check_sparse_tensor_invariants",
    "log_softmax",
    "mm",
    "sampled_addmm",
    "softmax",
    "spdiags",
    "sum",
]


def __getattr__(name):
    if not name.endswith("Tensor"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rushlight.sparse.legacy import legacy_type

    globals()[name] = legacy_type(name)
    return globals()[name]
