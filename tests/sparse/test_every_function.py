"""Every public function and method: a sparse argument gives what the strided one gives, or is refused; never a value
read from memory that is not the tensor's."""

import inspect

import pytest

import rushlight as torch

DENSE = [[0.0, 2.0, 0.0], [1.0, 0.0, -3.0], [0.0, 0.5, 0.0]]
OTHER = torch.tensor(DENSE) + 0.25
CALLS = [
    lambda x: (x,),
    lambda x: (x, x),
    lambda x: (x, OTHER),
    lambda x: (OTHER.clone(), x),
    lambda x: (x, 1),
    lambda x: (x, 0, torch.tensor([0, 1])),
    lambda x: (OTHER.clone(), x, OTHER),
    lambda x: (OTHER.clone(), OTHER, x),
    lambda x: ([OTHER, x],),
    lambda x: (x.bool(), OTHER, OTHER),
    lambda x: (OTHER.clone(), x.bool(), 1),
    lambda x: (OTHER.clone(), 0, x.long().abs()),
    lambda x: (x.long().abs(), OTHER),
]
SPACES = {
    "torch": torch,
    "nn.functional": torch.nn.functional,
    "linalg": torch.linalg,
    "special": torch.special,
    "Tensor": torch.Tensor,
}
# Random, uninitialised, about the object rather than its elements, of the process, or for sparse tensors alone.
PASSED_OVER = {
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "bernoulli", "empty_like",
    "new_empty", "detach", "is_contiguous", "stride", "type", "data_ptr", "sparse_mask", "save", "load",
    "set_default_dtype", "set_default_device", "set_num_threads", "manual_seed", "seed", "set_printoptions",
    "set_grad_enabled", "set_flush_denormal", "has_torch_function", "has_torch_function_unary",
    "has_torch_function_variadic", "new",
    "hspmm", "smm", "sspaddmm",
}  # fmt: skip
REFUSALS = (
    RuntimeError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    BufferError,
    LookupError,
    ArithmeticError,
)


def _functions(space):
    for name in dir(SPACES[space]):
        function = getattr(SPACES[space], name)
        if not name.startswith("_") and name not in PASSED_OVER and callable(function):
            if not inspect.isclass(function) and not inspect.ismodule(function):
                yield name, function


def _agree(sparse, strided):
    if isinstance(sparse, torch.Tensor) and isinstance(strided, torch.Tensor):
        a, b = sparse.to_dense().to(torch.complex128), strided.to_dense().to(torch.complex128)
        return a.shape == b.shape and torch.allclose(a, b, equal_nan=True)
    if isinstance(sparse, (tuple, list)):
        return len(sparse) == len(strided) and all(map(_agree, sparse, strided))
    return not isinstance(sparse, (int, float, torch.Tensor)) or sparse == strided


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
@pytest.mark.parametrize("space", SPACES)
def test_agrees_or_refuses(space, layout):
    agreed = 0
    for name, function in _functions(space):
        for arguments in CALLS:
            strided = torch.tensor(DENSE)
            sparse = strided.to_sparse(layout=getattr(torch, layout))
            try:
                result, expected = function(*arguments(sparse)), function(*arguments(strided))
            except REFUSALS:  # of the one or the other: some are for sparse tensors alone
                continue
            assert _agree(result, expected), (name, result)
            agreed += 1
    assert agreed > 50 or space not in ("torch", "Tensor")
