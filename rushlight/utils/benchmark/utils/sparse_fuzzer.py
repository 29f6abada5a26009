"""`FuzzedSparseTensor`: sparse tensors for a Fuzzer."""

import math

import rushlight
from rushlight.utils.benchmark.utils.fuzzer import FuzzedTensor

__all__ = ["FuzzedSparseTensor"]


class FuzzedSparseTensor(FuzzedTensor):
    """A tensor in coordinate format whose size is drawn.

    The parameters "density" (entries per sum of the sizes) and "coalesced" must be among the Fuzzer's, and
    "sparse_dim" where `sparse_dim` is given.

    Args:
        name, size, min_elements, max_elements, dim_parameter, dtype, cuda: as for `FuzzedTensor`.
        sparse_dim, nnz, density, coalesced (str): names of parameters.
    """

    def __init__(
        self,
        name,
        size,
        min_elements=None,
        max_elements=None,
        dim_parameter=None,
        sparse_dim=None,
        nnz=None,
        density=None,
        coalesced=None,
        dtype=rushlight.float32,
        cuda=False,
    ):
        super().__init__(
            name,
            size,
            min_elements=min_elements,
            max_elements=max_elements,
            dim_parameter=dim_parameter,
            dtype=dtype,
            cuda=cuda,
        )
        self._sparse_dim = sparse_dim

    @staticmethod
    def sparse_tensor_constructor(size, dtype, sparse_dim, nnz, is_coalesced):
        """`nnz` entries at random places; uncoalesced, each place holds two."""
        size = [size] * sparse_dim if isinstance(size, int) else list(size)
        if nnz != 0 and all(length <= 0 for length in size[:sparse_dim]):
            raise AssertionError(f"[FuzzedSparseTensor] an empty tensor must have no entries. Received {nnz}.")
        shape = [nnz, *size[sparse_dim:]]
        if dtype.is_floating_point:
            values = rushlight.rand(size=shape, dtype=dtype)
        else:
            values = rushlight.randint(1, 127, size=shape, dtype=dtype)
        indices = rushlight.rand(sparse_dim, nnz)
        indices = (indices * rushlight.tensor(size[:sparse_dim]).unsqueeze(1).to(indices)).to(rushlight.long)
        if not is_coalesced:
            values = rushlight.cat([values, rushlight.randn_like(values)], 0)
            indices = rushlight.cat([indices, indices], 1)
        made = rushlight.sparse_coo_tensor(indices, values, size)
        return made.coalesce() if is_coalesced else made

    def _make_tensor(self, params, state):
        size, _ = self._size_and_steps(params)
        density = params["density"]
        nnz = math.ceil(sum(size) * density)
        if nnz > sum(size):
            raise AssertionError(f"[FuzzedSparseTensor] density must be at most 1. Received {density}.")
        sparse_dim = min(params["sparse_dim"] if self._sparse_dim else len(size), len(size))
        tensor = self.sparse_tensor_constructor(size, self._dtype, sparse_dim, nnz, params["coalesced"])
        if self._cuda:
            tensor = tensor.cuda()
        properties = {
            "numel": tensor.numel(),
            "shape": tensor.size(),
            "is_coalesced": tensor.is_coalesced(),
            "density": density,
            "sparsity": 1.0 - density,
            "sparse_dim": tensor.sparse_dim(),
            "dense_dim": tensor.dense_dim(),
            "is_hybrid": len(size) > tensor.sparse_dim(),
            "dtype": str(self._dtype),
        }
        return tensor, properties
