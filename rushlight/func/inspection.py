"""What a transform holds, and the transform that has nothing to do."""

import functools

from rushlight import _core
from rushlight.func.batched import Batched


def debug_unwrap(tensor, *, recurse=True):
    """The tensor with its batch that a function sees under vmap; for debugging. Others are returned as they are.

    Args:
        recurse (bool): out of all nested maps, not just the innermost.

    Raises:
        TypeError: it is no tensor.

    >>> def f(x):
    ...     print(torch.func.debug_unwrap(x).shape)
    ...     return x
    >>> y = torch.vmap(f)(torch.zeros(3, 2))
    torch.Size([3, 2])
    """
    if not isinstance(tensor, _core.Tensor):
        raise TypeError(f"[debug_unwrap] argument 'tensor' must be Tensor, not {type(tensor).__name__}.")
    while type(tensor) is Batched:
        tensor = tensor.value
        if not recurse:
            break
    return tensor


def functionalize(func, *, remove="mutations"):
    """`func` itself, behind a wrapper: what it computes is the same with and without its in-place operators.

    PyTorch's transform prepares a function for a tracer that cannot follow writes to memory. Here the tape records an
    in-place operator as the result that it leaves, so there is nothing to remove.

    Raises:
        RuntimeError: remove is neither "mutations" nor "mutations_and_views".

    >>> torch.func.functionalize(lambda x: x.clone().add_(1))(torch.zeros(2))
    tensor([1., 1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "[functionalize] remove must be 'mutations' or 'mutations_and_views': received invalid argument for "
            f"remove={remove!r}."
        )

    @functools.wraps(func)
    def call(*args, **kwargs):
        return func(*args, **kwargs)

    return call
