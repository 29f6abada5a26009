"""Functions of functions."""
from rushlight.func.vectorize import vmap
__all__=["vmap"]
