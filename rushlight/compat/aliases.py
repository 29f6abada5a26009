"""Which module of Rushlight's stands behind a path of PyTorch's.

A path that leads to a module here needs no entry: `torch.nn.modules.conv` is `rushlight.nn.modules.conv`. Modules that
only programs written for PyTorch look for are in `rushlight/compat/torch/`, by the same rule.
"""

import importlib.util

# PyTorch's path: Rushlight's path, or None where a module here has the name of something else of PyTorch's.
ALIASES = {
    "torch._tensor": "rushlight.tensor",
    "torch._tensor_str": "rushlight.printing",
    "torch.ops": None,
    "torch.tensor": None,
    "torch.compat": None,
}
_THEIRS = {ours: theirs for theirs, ours in ALIASES.items() if ours}
_COMPATIBLE = "rushlight.compat.torch."


def module_path(name):
    """The path of the module that `import name` gives, or None; name begins with "torch"."""
    if name in ALIASES:
        return ALIASES[name]
    for path in (f"rushlight{name[5:]}", f"rushlight.compat.{name}"):
        try:
            if importlib.util.find_spec(path) is not None:
                return path
        except ModuleNotFoundError:  # a parent that is no package, or is not there
            continue
    return None


def torch_path(name):
    """The name by which programs written for PyTorch know a module of Rushlight's, or None."""
    if name in _THEIRS:
        return _THEIRS[name]
    theirs = name.replace(_COMPATIBLE, "torch.") if name.startswith(_COMPATIBLE) else f"torch{name[9:]}"
    return None if theirs in ALIASES or theirs.startswith("torch.compat.") else theirs
