"""torch.jit for programs that call it: functions and modules run as they are written, and no file of them is made.

>>> @torch.jit.script
... def double(x: torch.Tensor):
...     return x * 2
>>> double(torch.tensor(3))
tensor(6)
>>> scripted = torch.jit.script(torch.nn.Linear(2, 1))
>>> isinstance(scripted, torch.jit.ScriptModule), torch.jit.is_scripting()
(True, False)
"""

import builtins
import copy
import types
import typing

from rushlight.nn import Module
from rushlight.unsupported import refusal, refused_class

Final = typing.Final

_NO_FILES = "programs are not compiled, so there is nothing to write. Use torch.save(module.state_dict(), path)."


class ScriptModule(Module):
    """What script() and trace() make of a module; also a base class, whose objects are ordinary modules."""

    def save(self, f, **kwargs):
        """Raises NotImplementedError: see torch.jit.save."""
        save(self, f)

    @property
    def code(self):
        """Raises NotImplementedError: there is no compiled program."""
        raise NotImplementedError(f"[ScriptModule.code] does not exist: {_NO_FILES}")

    graph = inlined_graph = code

    @property
    def original_name(self):
        """The name of the class that was scripted."""
        return type(self).__name__


RecursiveScriptModule = TopLevelTracedModule = TracedModule = ScriptModule


class Error(RuntimeError):
    """PyTorch raises it from compiled programs, of which there are none."""


class TracerWarning(Warning):
    """PyTorch gives it where tracing loses a branch; nothing is lost here."""

    @staticmethod
    def ignore_lib_warnings():
        """Accepted: there are none."""


_scripted = {}  # a module's class: its subclass that is a ScriptModule


def script(obj=None, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """A function or class itself; of a module a ScriptModule that shares its parameters, as the module is written.

    Raises RuntimeError for what is neither.
    """
    if obj is None:
        return script
    if builtins.isinstance(obj, ScriptModule) or not builtins.isinstance(obj, Module):
        if not callable(obj):
            raise RuntimeError(f"[jit.script] a function, class or module must be given. Received {obj!r}.")
        return obj
    kind = type(obj)
    if kind not in _scripted:
        _scripted[kind] = type(kind.__name__, (ScriptModule, kind), {"__module__": kind.__module__})
    scripted = copy.copy(obj)
    scripted.__class__ = _scripted[kind]
    return scripted


def trace(
    func, example_inputs=None, optimize=None, check_trace=True, check_inputs=None, check_tolerance=1e-5, strict=True,
    _force_outplace=False, _module_class=None, _compilation_unit=None, example_kwarg_inputs=None,
    _store_inputs=True,
):  # fmt: skip
    """What script() gives, after one call with the example inputs: every branch of the program stays in it.

    example_inputs: a tensor, or a tuple of arguments. Raises what that call raises.
    """
    if example_kwarg_inputs is not None:
        func(**example_kwarg_inputs)
    elif example_inputs is not None:
        func(*example_inputs if builtins.isinstance(example_inputs, (tuple, list)) else (example_inputs,))
    return script(func)


def trace_module(mod, inputs, **options):
    """What script() gives of a module, after a call of each method with its inputs: {name of the method: inputs}."""
    for name, given in inputs.items():
        (mod if name == "forward" else getattr(mod, name))(*given if builtins.isinstance(given, tuple) else (given,))
    return script(mod)


def save(m, f, _extra_files=None):
    """Raises NotImplementedError: programs are not compiled."""
    raise NotImplementedError(f"[jit.save] must not be called: {_NO_FILES}")


load = refusal(
    "jit.load", "files of compiled programs cannot be read. Make the module in Python and load its state_dict()."
)
CompilationUnit = refused_class("jit.CompilationUnit", "programs are not compiled from text. Write them in Python.")


class ScriptFunction:
    """For isinstance(): script() gives functions back as they are."""


def ignore(drop=False, **kwargs):
    """The function itself, with or without arguments of the decorator."""
    return drop if callable(drop) else lambda function: function


def _itself(fn):
    """What is given."""
    return fn


export = unused = interface = script_method = script_if_tracing = _overload = _overload_method = _itself


def freeze(mod, preserved_attrs=None, optimize_numerics=True, preserve_parameters=False):
    """The module itself, which must be in eval mode. Raises RuntimeError where it trains."""
    if mod.training:
        raise RuntimeError("[jit.freeze] the module must be in eval mode. Call module.eval() first.")
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself."""
    return mod


def annotate(the_type, the_value):
    """The value."""
    return the_value


def isinstance(obj, target_type):
    """Whether obj is of a type such as List[int], Dict[str, Tensor] or Optional[int], elements included.

    >>> torch.jit.isinstance([1, 2], list[int]), torch.jit.isinstance([1, "a"], list[int])
    (True, False)
    """
    if type(target_type) is tuple:
        return any(isinstance(obj, kind) for kind in target_type)
    origin, inner = typing.get_origin(target_type), typing.get_args(target_type)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance(obj, kind) for kind in inner)
    if origin is None or not builtins.isinstance(obj, origin):
        return builtins.isinstance(obj, origin or target_type)
    if origin is dict:
        return all(isinstance(key, inner[0]) and isinstance(value, inner[1]) for key, value in obj.items())
    if origin is tuple:
        return len(obj) == len(inner) and all(map(isinstance, obj, inner))
    return all(isinstance(element, inner[0]) for element in obj)


def is_scripting():
    """False: programs run as they are written."""
    return False


is_tracing = is_scripting


class Attribute(typing.NamedTuple):
    """A value with its type."""

    value: object
    type: object


class _Accepted:
    """A context that changes nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


optimized_execution = fuser = strict_fusion = _Accepted


def set_fusion_strategy(strategy):
    """The strategy before, which is the same: nothing is fused."""
    return list(strategy)


def enable_onednn_fusion(enabled):
    """Accepted: nothing is fused."""


def onednn_fusion_enabled():
    """False."""
    return False


def fork(func, *args, **kwargs):
    """torch.futures: the call in another thread, to be waited for."""
    from rushlight import futures

    return futures.fork(func, *args, **kwargs)


def wait(future):
    """What a forked call gave."""
    return future.wait()
