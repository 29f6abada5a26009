"""Operators that are plain Python over the rows of the core. Gradients, export and fusion follow from their parts.

Each family is a file; `@composition` makes a function torch.<name> and, unless told otherwise, a method of Tensor.
"""

import importlib

from rushlight.ops.composition import FUNCTIONS, composition, offer

# In the order in which they may use one another.
FAMILIES = (
    "creation",
    "conversion",
    "comparison",
    "elementwise",
    "shaping",
    "strides",
    "joining",
    "indexing",
    "reduction",
    "ordering",
    "matrix",
    "sampling",
    "activation",
    "window",
    "spectral",
    "segment",
    "control",
)
for _family in FAMILIES:
    importlib.import_module(f"rushlight.ops.{_family}")

__all__ = ["FUNCTIONS", "OF_DATA", "composition", "offer"]

# What makes tensors of data that may be long: its arguments are not searched for tensors.
OF_DATA = (
    "arange", "as_tensor", "asarray", "empty_permuted", "empty_strided", "from_dlpack", "from_file", "from_numpy",
    "frombuffer", "full", "logspace", "range", "scalar_tensor", "tensor", "tril_indices", "triu_indices",
)  # fmt: skip
