"""Random numbers in workers: a stream for every batch, whichever worker reads it.

Before a batch is read, the generators of rushlight, of ``random`` and of NumPy are seeded from a key: the pass (its
base seed and its number) and the place of the batch's first sample in the order. Worker threads have generators of
their own; the module-level functions of ``random`` and ``numpy.random`` find them. Why batches, not samples:
docs/decisions/0018.
"""

from __future__ import annotations

import contextlib
import functools
import random
import sys
import threading
from typing import Any

import rushlight

_WORD = (1 << 64) - 1
# Odd, so that the low 32 bits, all that MT19937 is seeded with, differ for all batches of a pass. The golden ratio.
_STEP = 0x9E3779B97F4A7C15
_OTHER = 0x85EBCA6B  # keeps NumPy's stream, which is seeded as rushlight's is, apart from it

_own = threading.local()


def _mix(x: int) -> int:
    """A hash of 64 bits: the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _WORD
    return x ^ (x >> 31)


class Streams:
    """The three generators that the calling thread draws from."""

    def __init__(self):
        # Whoever has not loaded NumPy does not draw from it; workers load it, so that none begins to in a sample.
        self._numpy = getattr(_own, "numpy", sys.modules.get("numpy.random"))
        self._random = getattr(_own, "random", random)
        self._pass = 0

    def seed(self, seed: int) -> None:
        """Starts all three from a seed of 64 bits."""
        rushlight.default_generator.manual_seed(seed)
        self._random.seed(seed)
        if self._numpy:
            self._numpy.seed((seed ^ _OTHER) & 0xFFFFFFFF)

    def seed_worker(self, base_seed: int, worker: int) -> None:
        """PyTorch's rule: the streams of a worker begin at ``base_seed + worker``."""
        self.seed(base_seed + worker)
        if self._numpy:
            self._numpy.seed(_numpy_seed(base_seed, worker))

    def begin_pass(self, base_seed: int, epoch: int) -> None:
        """Names the pass that seed_batch belongs to."""
        self._pass = _mix(_mix(base_seed) + epoch)

    def seed_batch(self, position: int) -> None:
        """Starts all three from the pass and the number of the batch's first sample."""
        self.seed((self._pass + position * _STEP) & _WORD)

    def get_state(self) -> dict:
        """All three states, as tensors, lists and numbers."""
        version, words, gauss = self._random.getstate()
        state = {"rushlight": rushlight.default_generator.get_state(), "random": [version, list(words), gauss]}
        if self._numpy:
            _, key, *rest = self._numpy.get_state()
            state["numpy"] = [key.tolist(), *rest]
        return state

    def set_state(self, state: dict) -> None:
        """Goes on from what get_state() gave."""
        rushlight.default_generator.set_state(state["rushlight"])
        version, words, gauss = state["random"]
        self._random.setstate((version, tuple(words), gauss))
        if self._numpy and "numpy" in state:
            self._numpy.set_state(("MT19937", *state["numpy"]))

    @contextlib.contextmanager
    def kept(self):
        """Inside, all three may be seeded; after it they go on as if nothing had been."""
        state = self.get_state()
        try:
            yield
        finally:
            self.set_state(state)


def _numpy_seed(base_seed: int, worker: int) -> list:
    """The words that PyTorch seeds NumPy with in a worker: NumPy's own SeedSequence."""
    import numpy

    entropy = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return numpy.random.SeedSequence(entropy).generate_state(4).tolist()


def load_numpy() -> None:
    """Loads NumPy where it is installed."""
    with contextlib.suppress(ImportError):
        import numpy.random  # noqa: F401


def give_thread_its_own() -> None:
    """Generators of its own for the calling thread: what it draws from modules does not depend on other threads."""
    _divert()
    _own.rushlight = rushlight.Generator()
    rushlight._core.set_thread_generator(_own.rushlight)
    _own.random = random.Random()
    with contextlib.suppress(ImportError):
        import numpy

        _own.numpy = numpy.random.RandomState()


@functools.cache
def _divert() -> None:
    """Lets the functions of ``random`` and ``numpy.random`` ask for a thread's own generator first, from now on."""
    _divert_module(random, random._inst, "random")
    with contextlib.suppress(ImportError):
        import numpy.random

        _divert_module(numpy.random, numpy.random.mtrand._rand, "numpy", also=("seed",))


def _divert_module(module: Any, shared: Any, kind: str, also: tuple = ()) -> None:
    for name, function in list(vars(module).items()):
        if getattr(function, "__self__", None) is shared or name in also:
            setattr(module, name, _diverted(function, name, kind))


def _diverted(function: Any, name: str, kind: str) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        own = getattr(_own, kind, None)
        return (getattr(own, name) if own else function)(*args, **kwargs)

    return call
