"""Which module of Rushlight's stands behind a path of PyTorch's.

A path that leads to a module here needs no entry: `torch.nn.modules.conv` is `rushlight.nn.modules.conv`. Modules that
only programs written for PyTorch look for are in `rushlight/compat/torch/`, by the same rule. An alias holds for what
is below it, too, and may name something in a module.
"""

import importlib.util
import sys

# PyTorch's path: Rushlight's path, or None where a module here has the name of something else.
ALIASES = {
    "torch._tensor": "rushlight.tensor",
    "torch._tensor_str": "rushlight.printing",
    "torch._core": None,
    "torch.ops": None,
    "torch.tensor": None,
    "torch.compat": None,
    "torch.nn.modules.activation.MultiheadAttention": "rushlight.nn.modules.attention.MultiheadAttention",
    "torch.nn.modules.linear.NonDynamicallyQuantizableLinear": "rushlight.nn.modules.linear.Linear",
    "torch.distributed.distributed_c10d": "rushlight.distributed",
}
_COMPATIBLE = "rushlight.compat.torch."


def module_path(name):
    """The path of the module that `import name` gives, or None; name begins with "torch."."""
    head, tail = name, ""
    while head not in ALIASES and "." in head:
        head, _, last = head.rpartition(".")
        tail = f".{last}{tail}"
    alias = ALIASES.get(head, "")
    if alias is None:
        return None
    paths = (f"{_COMPATIBLE}{name[6:]}", f"rushlight{name[5:]}", *([alias + tail] if alias else ()))
    return next((path for path in paths if _exists(path)), None)


def _exists(path):
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # a parent that is no package, or is not there
        return False


def torch_path(name):
    """The name by which programs written for PyTorch know a module of Rushlight's, or None."""
    natural = name.replace(_COMPATIBLE, "torch.") if name.startswith(_COMPATIBLE) else f"torch{name[9:]}"
    if natural in ALIASES or natural.startswith("torch.compat."):
        return next((theirs for theirs, ours in ALIASES.items() if ours == name), None)
    return natural


def bind(module):
    """Puts what the table has of a module, or for it, in its place, as far as both sides are loaded."""
    for theirs, ours in ALIASES.items():
        parent, _, name = theirs.rpartition(".")
        owner, _, attribute = (ours or "").rpartition(".")
        known = torch_path(module.__name__)
        if parent != "torch" and (parent == known or module.__name__ in (ours, owner)):
            found = sys.modules.get(ours) or getattr(sys.modules.get(owner), attribute, None)
            if found is not None and parent in sys.modules:
                setattr(sys.modules[parent], name, found)
