"""What to say when a program needs a name of PyTorch's that is missing: where, which, and what comes nearest."""

import difflib
import importlib
import os
import re
import types

import rushlight
from rushlight import unsupported
from rushlight.compat.aliases import ALIASES, module_path
from rushlight.compat.finder import PACKAGE

_HOMES = (
    "torch", "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft",
    "torch.optim", "torch.utils.data", "torch.autograd", "torch.func", "torch.nn.utils", "torch.nn.init",
)  # fmt: skip


def lookup(path):
    """What a path such as "torch.nn.Linear" names. Raises AttributeError where it ends too early."""
    found, walked = rushlight, "torch"
    for part in path.split(".")[1:]:
        walked = f"{walked}.{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            place = module_path(walked) if isinstance(found, types.ModuleType) else None
            if place is not None:
                found = importlib.import_module(place)
            elif ALIASES.get(walked):
                owner, _, name = ALIASES[walked].rpartition(".")
                found = getattr(importlib.import_module(owner), name)
            elif walked[6:] in unsupported.STAND_INS:
                found = unsupported.stand_in(walked[6:])
            else:
                raise AttributeError(f"{walked} does not exist", name=part, obj=found) from None
    return found


def nearest(path):
    """The path that exists and is most like `path`: its last name elsewhere, or a similar name; None if none is."""
    parent, _, name = path.rpartition(".")
    for home in _HOMES:
        if home != parent and hasattr(lookup(home), name):
            return f"{home}.{name}"
    homes = [parent] if parent in _HOMES or _exists(parent) else []
    for home in (*homes, *(_HOMES if not homes else ())):
        similar = difflib.get_close_matches(name, dir(lookup(home)), n=1, cutoff=0.75)
        if similar:
            return f"{home}.{similar[0]}"
    return None


def _exists(path):
    try:
        lookup(path)
    except AttributeError:
        return False
    return True


def missing_name(error):
    """The path of PyTorch's that an AttributeError or ImportError is about, or None."""
    if isinstance(error, ModuleNotFoundError):
        name = error.name or ""
        return name if name.startswith("torch.") else None
    if isinstance(error, ImportError):
        found = re.match(r"cannot import name '(\w+)' from '([\w.]+)'", str(error))
        return _torch_name(f"{found[2]}.{found[1]}") if found else None
    owner = error.obj
    if isinstance(owner, types.ModuleType):
        return _torch_name(f"{owner.__name__}.{error.name}")
    kind = owner if isinstance(owner, type) else type(owner)
    if issubclass(kind, rushlight.Tensor):
        return f"torch.Tensor.{error.name}"
    return _torch_name(f"{kind.__module__}.{kind.__qualname__}.{error.name}")


def _torch_name(path):
    if path.split(".")[0] not in ("rushlight", "torch"):
        return None
    return "torch" + path.removeprefix("rushlight").removeprefix("torch")


def hint(error):
    """One line on a missing name, or None when the error is not about one."""
    name = missing_name(error)
    if name is None:
        return None
    place, traceback = "", error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not file.startswith((PACKAGE + os.sep, "<frozen ")):
            place = f"{file}, line {traceback.tb_lineno}: "
        traceback = traceback.tb_next
    like = nearest(name)
    return f"rushlight: {place}{name} does not exist here." + (f" The nearest is {like}." if like else "")
