"""Schedules of learning rates: call `scheduler.step()` after each epoch (or batch), after `optimizer.step()`.

Most schedules compute new rates from the present ones, so that several may act on one optimiser.
"""

from rushlight.optim.lr_scheduler.composition import ChainedScheduler, SequentialLR
from rushlight.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from rushlight.optim.lr_scheduler.cycle import CyclicLR, OneCycleLR
from rushlight.optim.lr_scheduler.factor import ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR
from rushlight.optim.lr_scheduler.function import LambdaLR, MultiplicativeLR
from rushlight.optim.lr_scheduler.plateau import ReduceLROnPlateau
from rushlight.optim.lr_scheduler.scheduler import LRScheduler

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR",
    "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR",
    "PolynomialLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip

_LRScheduler = LRScheduler  # the name of old programs
