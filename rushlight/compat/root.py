"""What the root package shows while it is `torch`: a version of PyTorch's, and what is in `rushlight.compat.torch`."""

import os

import rushlight
from rushlight import unsupported
from rushlight import version as _version
from rushlight.compat import torch as _compatible
from rushlight.compat.aliases import ALIASES
from rushlight.torch_version import TorchVersion

_before = rushlight.__version__
_names = {
    *(entry.removesuffix(".py") for entry in os.listdir(_compatible.__path__[0]) if not entry.startswith("__")),
    *(theirs[6:] for theirs, ours in ALIASES.items() if ours and theirs.count(".") == 1),
    *(path for path in unsupported.STAND_INS if "." not in path),
}


def show_version(text):
    """`torch.__version__` and `torch.version.__version__`."""
    rushlight.__version__ = _version.__version__ = TorchVersion(text)


def add_compatible_names():
    """`torch._C` and its like as attributes of the root, loaded when they are first used."""
    rushlight._LAZY.update(dict.fromkeys(_names, _compatible.__name__))


def restore():
    """Undoes both."""
    rushlight.__version__ = _version.__version__ = _before
    for name in _names:
        rushlight._LAZY.pop(name, None)
        vars(rushlight).pop(name, None)
