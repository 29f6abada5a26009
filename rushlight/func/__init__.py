"""Functions of functions: derivatives, maps over a batch, and modules as functions of their parameters.

They compose: vmap(grad(f)) gives the gradient for each example, jacfwd(jacrev(f)) a Hessian.

>>> torch.func.vmap(torch.func.grad(torch.sin))(torch.tensor([0.0, 1.0]))
tensor([1.0000, 0.5403])
"""

from rushlight.func.derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from rushlight.func.einops import rearrange
from rushlight.func.inspection import debug_unwrap, functionalize
from rushlight.func.modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from rushlight.func.vectorize import vmap

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
