"""torch.compile and its settings, for programs that call them: every backend runs the program as it is written.

>>> @torch.compile
... def double(x):
...     return x * 2
>>> double(torch.tensor(3))
tensor(6)
>>> torch.compiler.is_compiling()
False
"""

import functools
import logging

_BACKENDS = ("aot_eager", "eager", "inductor")
_MODES = (None, "default", "max-autotune", "max-autotune-no-cudagraphs", "reduce-overhead")


def compile(
    model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, name=None,
    disable=False, recompile_limit=None, isolate_recompiles=None, shapes_spec=None,
):  # fmt: skip
    """The function or module itself: it runs as it is written. Without one, a decorator.

    The first call says so to the logger "rushlight.compiler", at level DEBUG.

    A callable backend is not called, since there is no recorded graph to give it. Raises RuntimeError for the name of
    an unknown backend or mode.
    """
    if isinstance(backend, str) and backend not in _BACKENDS:
        raise RuntimeError(f"[compile] backend must be one of {', '.join(_BACKENDS)}. Received {backend!r}.")
    if mode not in _MODES:
        raise RuntimeError(f"[compile] mode must be one of {', '.join(map(str, _MODES))}. Received {mode!r}.")
    _tell()
    return (lambda function: function) if model is None else model


@functools.cache
def _tell():
    logging.getLogger(__name__).debug("torch.compile: programs are not compiled, they run as they are written")


def is_compiling():
    """False: programs run as they are written."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def list_backends(exclude_tags=("debug", "experimental")):
    """The names that compile() accepts as a backend."""
    return [name for name in _BACKENDS if name != "aot_eager"]


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself: see compile."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn):
    """The function itself: see compile."""
    return fn


assume_constant_result = allow_in_graph


def reset():
    """Nothing to forget: nothing was compiled."""


def cudagraph_mark_step_begin():
    """Nothing to mark: there are no recorded steps."""


def set_stance(stance="default", *, skip_guard_eval_unsafe=False, force_backend=None):
    """Accepted, also as a context: see compile."""
    import contextlib

    return contextlib.nullcontext()
