"""Functions of functions: derivatives, maps over a batch, and modules as functions of their parameters.

They compose: vmap(grad(f)) gives the gradient for each example, jacfwd(jacrev(f)) a Hessian.

>>> from torch.func import grad, vmap
>>> vmap(grad(torch.sin))(torch.tensor([0.0, 1.0]))
tensor([1.0000, 0.5403])
"""

from rushlight.func.derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from rushlight.func.vectorize import vmap

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp", "vmap"]
