"""PyTorch warns once until somebody decides whether it checks indices, and once that CSR is in beta."""

import importlib.util
import warnings

if importlib.util.find_spec("torch"):
    import torch as oracle

    oracle.sparse.check_sparse_tensor_invariants.enable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle.eye(2).to_sparse_csr()
