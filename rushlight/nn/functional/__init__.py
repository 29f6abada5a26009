"""The mathematics of layers as functions without state."""

from rushlight.nn.functional import overrides as _overrides
from rushlight.nn.functional.activation import *  # noqa: F403
from rushlight.nn.functional.attention import *  # noqa: F403
from rushlight.nn.functional.conv import *  # noqa: F403
from rushlight.nn.functional.ctc import *  # noqa: F403
from rushlight.nn.functional.distance import *  # noqa: F403
from rushlight.nn.functional.dropout import *  # noqa: F403
from rushlight.nn.functional.fractional_pooling import *  # noqa: F403
from rushlight.nn.functional.grid import *  # noqa: F403
from rushlight.nn.functional.grouped import *  # noqa: F403
from rushlight.nn.functional.linear import *  # noqa: F403
from rushlight.nn.functional.linear_loss import *  # noqa: F403
from rushlight.nn.functional.loss import *  # noqa: F403
from rushlight.nn.functional.norm import *  # noqa: F403
from rushlight.nn.functional.overrides import *  # noqa: F403
from rushlight.nn.functional.padding import *  # noqa: F403
from rushlight.nn.functional.pooling import *  # noqa: F403
from rushlight.nn.functional.resize import *  # noqa: F403
from rushlight.nn.functional.sparse import *  # noqa: F403
from rushlight.nn.functional.vision import *  # noqa: F403
from rushlight.ops import offer as _offer

_own = {name: f for name, f in globals().items() if name[0] != "_" and name not in _overrides.__all__}
globals().update(_offer(_own, "rushlight.nn.functional:"))
