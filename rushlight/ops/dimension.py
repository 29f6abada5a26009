"""Dimension numbers: negative ones count from the end."""


def wrap_dim(name, dim, ndim):
    """`dim` as a number in [0, ndim). A 0-d tensor counts as 1-d. Raises IndexError."""
    n = ndim or 1
    if -n <= dim < n:
        return dim + n if dim < 0 else dim
    raise IndexError(
        f"[{name}] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim}). "
        f"Received a tensor of {ndim} dimensions."
    )


def wrap_dims(name, dims, ndim):
    """The numbers of several dimensions. Raises RuntimeError when one is named twice."""
    dims = (dims,) if isinstance(dims, int) else dims
    wrapped = [wrap_dim(name, d, ndim) for d in dims]
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError(f"[{name}] a dim must not appear twice (repeated dim). Received {tuple(dims)}.")
    return wrapped


def given_sizes(sizes):
    """f(2, 3) and f((2, 3)) mean the same."""
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
