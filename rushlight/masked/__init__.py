"""Reductions and normalisations of the elements that a mask holds: torch.masked.

>>> x = torch.tensor([[1.0, 2.0], [3.0, 40.0]], requires_grad=True)
>>> torch.masked.mean(x, 1, mask=x < 10).sum().backward()
>>> x.grad
tensor([[0.5000, 0.5000],
        [1.0000, 0.0000]])
"""

from rushlight.masked.elementwise import cumprod, cumsum, log_softmax, logaddexp, normalize, softmax, softmin
from rushlight.masked.masked_tensor import MaskedTensor, as_masked_tensor, is_masked_tensor, masked_tensor
from rushlight.masked.reductions import (
    amax,
    amin,
    argmax,
    argmin,
    logsumexp,
    mean,
    median,
    norm,
    prod,
    std,
    sum,
    var,
)

__all__ = [
    "MaskedTensor", "amax", "amin", "argmax", "argmin", "as_masked_tensor", "cumprod", "cumsum", "is_masked_tensor",
    "log_softmax", "logaddexp", "logsumexp", "masked_tensor", "mean", "median", "norm", "normalize", "prod", "softmax",
    "softmin", "std", "sum", "var",
]  # fmt: skip
