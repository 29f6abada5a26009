"""Layers, by family."""

from rushlight.nn.modules.activation import *  # noqa: F403
from rushlight.nn.modules.adaptive import *  # noqa: F403
from rushlight.nn.modules.attention import *  # noqa: F403
from rushlight.nn.modules.batchnorm import *  # noqa: F403
from rushlight.nn.modules.channelshuffle import *  # noqa: F403
from rushlight.nn.modules.container import *  # noqa: F403
from rushlight.nn.modules.conv import *  # noqa: F403
from rushlight.nn.modules.distance import *  # noqa: F403
from rushlight.nn.modules.dropout import *  # noqa: F403
from rushlight.nn.modules.flatten import *  # noqa: F403
from rushlight.nn.modules.fold import *  # noqa: F403
from rushlight.nn.modules.instancenorm import *  # noqa: F403
from rushlight.nn.modules.lazy import *  # noqa: F403
from rushlight.nn.modules.linear import *  # noqa: F403
from rushlight.nn.modules.linear_cross_entropy import *  # noqa: F403
from rushlight.nn.modules.loss import *  # noqa: F403
from rushlight.nn.modules.module import Module as Module
from rushlight.nn.modules.normalization import *  # noqa: F403
from rushlight.nn.modules.padding import *  # noqa: F403
from rushlight.nn.modules.pixelshuffle import *  # noqa: F403
from rushlight.nn.modules.pooling import *  # noqa: F403
from rushlight.nn.modules.rnn import *  # noqa: F403
from rushlight.nn.modules.sparse import *  # noqa: F403
from rushlight.nn.modules.transformer import *  # noqa: F403
from rushlight.nn.modules.upsampling import *  # noqa: F403

# PyTorch's files of what has a file of its own here: programs import it from there.
for _here, _names, _there in (
    ("attention", ("MultiheadAttention",), "activation"),
    ("attention", ("NonDynamicallyQuantizableLinear",), "linear"),
    ("linear_cross_entropy", ("LinearCrossEntropyLoss",), "loss"),
    ("lazy", ("LazyLinear",), "linear"),
    ("lazy", [f"Lazy{kind}{n}d" for kind in ("Conv", "ConvTranspose") for n in (1, 2, 3)], "conv"),
    ("lazy", [f"LazyBatchNorm{n}d" for n in (1, 2, 3)], "batchnorm"),
    ("lazy", [f"LazyInstanceNorm{n}d" for n in (1, 2, 3)], "instancenorm"),
):
    for _name in _names:
        setattr(globals()[_there], _name, getattr(globals()[_here], _name))

__all__ = sorted(name for name, value in globals().items() if isinstance(value, type))  # the classes, not the files
