"""Timing statements, counting their instructions, comparing them in tables, and making inputs for that.

>>> from rushlight.utils.benchmark import Timer
>>> measurement = Timer("x + 1", setup="x = torch.ones(8)").timeit(100)
>>> measurement.number_per_run, measurement.median > 0
(100, True)
"""

from rushlight.utils.benchmark.utils.common import (
    Measurement,
    TaskSpec,
    ordered_unique,
    select_unit,
    set_torch_threads,
    trim_sigfig,
    unit_to_english,
)
from rushlight.utils.benchmark.utils.compare import Colorize, Compare
from rushlight.utils.benchmark.utils.fuzzer import FuzzedParameter, FuzzedTensor, Fuzzer, ParameterAlias
from rushlight.utils.benchmark.utils.sparse_fuzzer import FuzzedSparseTensor
from rushlight.utils.benchmark.utils.timer import Language, Timer, timer
from rushlight.utils.benchmark.utils.valgrind_wrapper.timer_interface import (
    CallgrindStats,
    CopyIfCallgrind,
    FunctionCount,
    FunctionCounts,
)

__all__ = [
    "TaskSpec", "Measurement", "select_unit", "unit_to_english", "trim_sigfig", "ordered_unique", "set_torch_threads",
    "Timer", "timer", "Language", "Colorize", "Compare", "Fuzzer", "FuzzedParameter", "ParameterAlias", "FuzzedTensor",
    "FuzzedSparseTensor", "FunctionCount", "FunctionCounts", "CallgrindStats", "CopyIfCallgrind",
]  # fmt: skip
