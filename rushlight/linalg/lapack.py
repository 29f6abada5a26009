"""The border to NumPy's LAPACK: checks, calls, and the error that they raise."""

import rushlight
from rushlight.ops.composition import write_out


class LinAlgError(RuntimeError):
    """A matrix that an algorithm cannot treat: singular, not positive definite, or no convergence."""


def check_matrix(name, a):
    """Raises RuntimeError unless `a` is floating point or complex and has at least two dimensions."""
    if not isinstance(a, rushlight.Tensor):
        raise TypeError(f"[{name}] the argument must be a Tensor. Received {type(a).__name__}. Use torch.tensor(...).")
    if a.ndim < 2:
        raise RuntimeError(
            f"[{name}] The input tensor A must have at least 2 dimensions. Received {a.ndim}. Use unsqueeze()."
        )
    check_inexact(name, a)


def check_inexact(name, a):
    """Raises RuntimeError unless `a` has a dtype that LAPACK computes in."""
    if not (a.is_floating_point() or a.is_complex()):
        raise RuntimeError(
            f"[{name}] Expected a floating point or complex tensor as input. Received {a.dtype}. Use .float()."
        )
    if a.dtype in (rushlight.float16, rushlight.bfloat16):
        raise RuntimeError(f"[{name}] Low precision dtypes not supported. Received {a.dtype}. Use .float().")


def check_square(name, a):
    """Raises RuntimeError unless `a` holds square matrices that LAPACK computes with."""
    check_matrix(name, a)
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(f"[{name}] A must be batches of square matrices. Received {tuple(a.shape)}.")


def array(t):
    """The tensor's memory as an array."""
    return t.detach().numpy()


def tensor(a, dtype=None):
    """A tensor over a fresh array."""
    import numpy

    made = rushlight.from_numpy(numpy.ascontiguousarray(a).reshape(a.shape))
    return made if dtype is None else made.to(dtype)


def with_numpy(name, function, *tensors, failure="The algorithm failed to converge", iterative=False):
    """function(arrays) as tensors; NumPy's LinAlgError becomes ours. An iterative one needs finite numbers to end."""
    import numpy

    arrays = [array(t) for t in tensors]
    if iterative and not all(numpy.isfinite(a).all() for a in arrays):
        raise LinAlgError(
            f"[{name}] The algorithm failed to converge because the input matrix contained non-finite values. Received "
            f"{', '.join(str(tuple(a.shape)) for a in arrays)}. Look for them with isfinite()."
        )
    try:
        result = function(*arrays)
    except numpy.linalg.LinAlgError as error:
        raise LinAlgError(f"[{name}] {failure}. Received {', '.join(str(tuple(t.shape)) for t in tensors)}.") from error
    return tuple(tensor(r) for r in result) if isinstance(result, tuple) else tensor(result)


def given(name, result, out):
    """`result`, or out holding it."""
    return result if out is None else write_out(name, result, out)
