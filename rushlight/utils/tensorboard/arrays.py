"""What users log, as NumPy arrays, and optional packages by name."""

import importlib

import numpy as np

import rushlight

__all__ = ["make_np", "require"]


def make_np(x):
    """A tensor, an array or a number as a NumPy array; a number has shape [1], bfloat16 becomes float32.

    Raises:
        NotImplementedError: x is none of these.

    >>> from rushlight.utils.tensorboard.arrays import make_np
    >>> make_np(torch.ones(2)).tolist(), make_np(3).tolist()
    ([1.0, 1.0], [3])
    """
    if isinstance(x, np.ndarray):
        return x
    if np.isscalar(x):
        return np.array([x])
    if isinstance(x, rushlight.Tensor):
        x = x.detach().cpu()
        return (x.float() if x.dtype == rushlight.bfloat16 else x).numpy()
    raise NotImplementedError(
        f"[SummaryWriter] values must be tensors, NumPy arrays or numbers. Received {type(x).__name__}. "
        "Use torch.tensor(...)."
    )


def require(module, package, what):
    """The module, or an ImportError that says which package to install for `what`."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise ModuleNotFoundError(
            f"[SummaryWriter] {what} needs the package {package}. Run pip install {package}, or pip install "
            "rushlight[tensorboard].",
            name=missing.name,
        ) from None
