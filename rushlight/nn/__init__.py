"""Neural networks: modules, their functions, initial values and work on gradients."""

from rushlight.nn.parameter import (  # isort: skip
    Buffer as Buffer,
    Parameter as Parameter,
    UninitializedBuffer as UninitializedBuffer,
    UninitializedParameter as UninitializedParameter,
)
from rushlight.nn import functional as functional
from rushlight.nn import init as init
from rushlight.nn.modules import *  # noqa: F403
from rushlight.nn.modules import Module as Module

from rushlight.nn import utils as utils  # isort: skip  (works on modules)
