"""Names of PyTorch's that cannot do their work here: each says what is missing and what serves instead."""

_BLOCKS = "sparse tensors of blocks do not exist. Use torch.sparse_csr_tensor or torch.sparse_csc_tensor."
_RESIZED = "a sparse tensor keeps its size. Make a new one with torch.sparse_coo_tensor."
FUNCTIONS = {
    "sparse_bsc_tensor": _BLOCKS,
    "sparse_bsr_tensor": _BLOCKS,
    "hsmm": "hybrid products do not exist. Use torch.sparse.mm.",
    "saddmm": "products with a sparse result do not exist. Use torch.sparse.addmm.",
    "resize_as_sparse_": _RESIZED,
}
METHODS = {
    "to_sparse_bsc": _BLOCKS,
    "to_sparse_bsr": _BLOCKS,
    "resize_as_sparse_": _RESIZED,
    "sparse_resize_": _RESIZED,
    "sparse_resize_and_clear_": _RESIZED,
    "to_padded_tensor": "nested tensors do not exist. Use torch.nn.utils.rnn.pad_sequence.",
    "chalf": "complex numbers of two halves do not exist. Use cfloat().",
}


def refusal(name, reason):
    """A function that raises NotImplementedError with the reason."""

    def refuse(*args, **kwargs):
        raise NotImplementedError(f"[{name}] must not be called: {reason}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Raises NotImplementedError: {reason}"
    return refuse


globals().update((name, refusal(name, reason)) for name, reason in FUNCTIONS.items())
