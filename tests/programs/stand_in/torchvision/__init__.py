"""A stand-in for torchvision, which cannot be imported without PyTorch's own operators: made-up pictures in the formats
of its data sets, and the few transforms that the programs of the table use."""

from torchvision import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
