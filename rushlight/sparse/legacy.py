"""torch.sparse.FloatTensor and its like: the constructors that older programs call."""

import rushlight
from rushlight import tensor_types
from rushlight.sparse.creation import sparse_coo_tensor


def legacy_type(name):
    """The class of this name: called, it makes a COO tensor; isinstance asks for the dtype.

    Raises AttributeError when there is none.
    """
    if name == "BoolTensor":  # which PyTorch never had
        raise AttributeError("module 'rushlight.sparse' has no attribute 'BoolTensor'")
    return tensor_types.make(name, "rushlight.sparse", _construct, rushlight.sparse_coo)


def _construct(dtype, *args):
    if args and isinstance(args[0], rushlight.Tensor):
        return sparse_coo_tensor(*args)
    size = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
    return sparse_coo_tensor(size=tuple(size), dtype=dtype)
