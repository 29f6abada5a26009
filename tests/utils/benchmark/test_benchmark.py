"""Timer, Measurement and Compare. Texts are compared with PyTorch's for the same times."""

import pickle
import shutil

import pytest

import rushlight as torch
from rushlight.utils import benchmark
from rushlight.utils.benchmark import (
    CallgrindStats,
    Compare,
    CopyIfCallgrind,
    FunctionCount,
    FunctionCounts,
    Measurement,
    TaskSpec,
    Timer,
)


@pytest.fixture(scope="module")
def oracle():
    pytest.importorskip("torch")
    import torch.utils.benchmark

    return torch.utils.benchmark


TIMES = {
    "one": (100, [1e-4]),
    "steady": (10, [3.31e-5, 3.32e-5, 3.33e-5, 3.34e-5, 3.35e-5]),
    "spread": (1, [1e-3, 1.1e-3, 1.2e-3, 1.3e-3, 1.4e-3]),
    "wild": (1, [1e-3, 2e-3, 9e-3, 8e-3]),
    "slow": (1, [2.0, 2.001, 2.002]),
    "quick": (1000, [5e-6, 5.1e-6]),
}
TASKS = {
    "plain": {"stmt": "f(x)", "setup": "pass"},
    "labels": {"stmt": "f(x)", "setup": "x = 1", "label": "f", "sub_label": "float", "description": "n=1"},
    "lines": {"stmt": "y = x\nf(y)", "setup": "a = 1\nx = a", "sub_label": "s", "num_threads": 4},
}


def without_address(text):
    return text.split("\n", 1)[1]


@pytest.mark.oracle
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_measurement(times, task, oracle):
    ours, theirs = (m.Measurement(*times, m.TaskSpec(**task)) for m in (benchmark, oracle))
    for name in ("median", "mean", "iqr", "times"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-9, abs=1e-15)
    for name in ("significant_figures", "has_warnings", "title", "as_row_name", "num_threads", "label", "env"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert without_address(repr(ours)) == without_address(repr(theirs))
    again = pickle.loads(pickle.dumps(ours))
    assert again == ours and again.median == ours.median


@pytest.mark.oracle
def test_merge(oracle):
    def merged(m):
        one, other = m.TaskSpec("a", "pass"), m.TaskSpec("b", "pass")
        given = [m.Measurement(2, [2.0], one), m.Measurement(1, [5.0], other), m.Measurement(3, [9.0, 6.0], one)]
        return [(x.number_per_run, x.times, x.stmt) for x in m.Measurement.merge(given)]

    assert merged(benchmark) == merged(oracle)


@pytest.mark.oracle
@pytest.mark.parametrize("colors", [None, False, True])
@pytest.mark.parametrize("trim", [False, True])
@pytest.mark.parametrize("highlight", [False, True])
@pytest.mark.parametrize("envs", [(None,), ("a", "long name")])
def test_tables(colors, trim, highlight, envs, oracle):
    def table(m):
        results = []
        for threads in (1, 4):
            for k, sub_label in enumerate(("int", "a longer name", "z")):
                for j, description in enumerate(("n=1", "n=1000", "x")):
                    if (k, j) == (1, 2):
                        continue  # an empty cell
                    for env in envs:
                        base = 1e-5 * (k + 1) ** 2 * (j + 1) ** 3 / threads * (1 + 0.02 * len(env or ""))
                        spread = [1, 1.01, 1.02, 1.03, 1.5 if k else 1.05, 1.6 if k else 1.06]
                        task = m.TaskSpec(
                            "f(x)", "pass", "", f"label {threads > 9}", sub_label, description, env, threads
                        )
                        results.append(m.Measurement(1, [base * s for s in spread], task))
        results.append(m.Measurement(1, [0.5], m.TaskSpec("g(x)", "pass", label="other", description="d")))
        compare = m.Compare(results[:3])
        compare.extend_results(results[3:])
        if trim:
            compare.trim_significant_figures()
        if highlight:
            compare.highlight_warnings()
        if colors is not None:
            compare.colorize(rowwise=colors)
        return str(compare)

    assert table(benchmark) == table(oracle)


def test_a_table_without_descriptions(capsys):
    Compare([Measurement(1, [1e-3], TaskSpec("f(x)", "pass", env=env)) for env in (None, "b")]).print()
    assert "(b)  f(x)" in capsys.readouterr().out
    with pytest.raises(ValueError, match="results must be Measurements"):
        Compare([3])


@pytest.mark.oracle
@pytest.mark.parametrize("t", [3e-10, 1e-9, 5.5e-7, 1.2e-6, 9.99e-4, 1.01e-3, 0.5, 1.5, 100.0])
def test_units(t, oracle):
    ours = benchmark.select_unit(t)
    assert ours == oracle.select_unit(t) or t < 1e-9  # for which PyTorch says seconds
    assert benchmark.unit_to_english(ours[0]) == oracle.unit_to_english(ours[0])


@pytest.mark.oracle
@pytest.mark.parametrize(("x", "n"), [(3.14159, 2), (12345.6, 3), (0.00123456, 2), (-77.7, 1), (9.99, 2)])
def test_trim_sigfig(x, n, oracle):
    assert benchmark.trim_sigfig(x, n) == pytest.approx(oracle.trim_sigfig(x, n), rel=1e-6)


def test_trim_sigfig_of_odd_arguments():
    assert benchmark.trim_sigfig(0.0, 2) == 0
    with pytest.raises(AssertionError, match="whole number"):
        benchmark.trim_sigfig(1.0, 1.5)


def test_timer_runs_on_its_number_of_threads():
    seen = []
    before = torch.get_num_threads()
    timer = Timer(
        """
        seen.append(torch.get_num_threads())
        """,
        globals={"seen": seen},
        num_threads=3,
        label="l",
        env="e",
    )
    m = timer.timeit(5)
    assert seen == [3] * 7 and torch.get_num_threads() == before  # two to warm up
    assert (m.number_per_run, len(m.raw_times), m.label, m.env) == (5, 1, "l", "e")


def test_autoranges():
    blocks = []
    m = Timer("pass").blocked_autorange(lambda number, time: blocks.append((number, time)), min_run_time=0.02)
    assert sum(m.raw_times) >= 0.02 and blocks == [(m.number_per_run, t) for t in m.raw_times]
    assert m.number_per_run > 100  # an empty statement is timed in large blocks
    m = Timer("time.sleep(0.002)", "import time").adaptive_autorange(threshold=1e-9, max_run_time=0.1)
    assert 0.1 <= sum(m.raw_times) < 5
    m = Timer("time.sleep(0.002)", "import time").adaptive_autorange(threshold=1e9)
    assert len(m.raw_times) >= 4


def test_timer_errors():
    with pytest.raises(ValueError, match="stmt must be a str"):
        Timer(lambda: None)
    with pytest.raises(NotImplementedError, match="language must be Python"):
        Timer("f();", language="c++")
    with pytest.raises(ValueError, match="language must be 'python'"):
        Timer("f", language="fortran")
    with pytest.raises(ValueError, match="global_setup is for C"):
        Timer("f", global_setup="#include")
    for name in ("repeat", "autorange"):
        with pytest.raises(NotImplementedError, match="blocked_autorange"):
            getattr(Timer(), name)()
    before = torch.get_num_threads()
    with pytest.raises(NameError):
        Timer("no_such_name").timeit(1)
    assert torch.get_num_threads() == before


# --- instruction counts

COUNTS = [(50, "a.c:f [/lib/x.so]"), (7, "/usr/Python/ceval.c:eval"), (3, "dictobject.c:lookdict_unicode")]


def stats_of(m, counts):
    return m.FunctionCounts(tuple(m.FunctionCount(*c) for c in counts), False, True, 60)


@pytest.mark.oracle
def test_function_counts(oracle):
    def shown(m):
        a, b = stats_of(m, COUNTS), stats_of(m, [(20, "a.c:f [/lib/x.so]"), (9, "b.c:" + "g" * 90)])
        many = stats_of(m, [(100 - k, f"file{k}.c:f") for k in range(30)])
        results = [a + b, a - b, b * 2.5, a.denoise(), a.transform(lambda f: f[:4]), a[:2], many]
        results.append(a.filter(lambda f: "ceval" in f))
        return [(without_address(repr(r)), list(map(tuple, r)), r.sum(), len(r)) for r in results]

    assert shown(benchmark) == shown(oracle)


@pytest.mark.oracle
def test_callgrind_stats(oracle):
    def shown(m):
        some, none = stats_of(m, COUNTS), m.FunctionCounts((), False)
        stats = m.CallgrindStats(m.TaskSpec("f(x)", "x = 1"), 10, True, none, none, some, some, "text")
        return [
            without_address(repr(stats)),
            stats.counts(),
            stats.counts(denoise=True),
            list(map(tuple, stats.as_standardized().stats())),
            stats.as_standardized().stmt_callgrind_out,
            len(stats.delta(stats)),
        ]

    assert shown(benchmark) == shown(oracle)


def test_counts_of_two_kinds_do_not_mix():
    with pytest.raises(AssertionError, match="Cannot merge inclusive and exclusive"):
        FunctionCounts((), True) + FunctionCounts((), False)
    assert FunctionCounts((FunctionCount(1, "a"),), True)[0] == (1, "a")


def test_copies_for_callgrind():
    assert CopyIfCallgrind(3, setup="import x").setup == "import x"
    assert CopyIfCallgrind.unwrap_all({"a": CopyIfCallgrind(3), "b": 4}) == {"a": 3, "b": 4}
    with pytest.raises(ValueError, match="Unsupported type"):
        CopyIfCallgrind(torch.ones(2))


@pytest.mark.slow
@pytest.mark.multiprocess
@pytest.mark.skipif(not shutil.which("callgrind_annotate"), reason="needs Valgrind")
def test_callgrind():
    timer = Timer("net(x)", "x = torch.ones(2, 8)", globals={"net": CopyIfCallgrind(torch.nn.Linear(8, 8))})
    one, other = timer.collect_callgrind(120, repeats=2, retain_out_file=True)
    assert isinstance(one, CallgrindStats) and one.stmt_callgrind_out.startswith("# callgrind format")
    assert one.counts() == pytest.approx(other.counts(), rel=0.1)
    assert one.counts() > 10 * one.baseline_exclusive_stats.sum() > 0
    assert any("linear" in c.function.lower() or "rl::" in c.function for c in one.stats(inclusive=True))
    here = "import sys\ndef f():\n  if 'pytest' not in sys.modules: sys.exit('this is wrong')"
    with pytest.raises(OSError, match="this is wrong"):
        Timer("f()", here).collect_callgrind()


def test_callgrind_errors(monkeypatch):
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        Timer().collect_callgrind(repeats=0)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OSError, match="Missing: valgrind, callgrind_annotate"):
        Timer().collect_callgrind()
    monkeypatch.setattr("shutil.which", lambda name: name)
    with pytest.raises(ValueError, match="must be wrapped in CopyIfCallgrind"):
        Timer("x", globals={"x": 3}).collect_callgrind()
    monkeypatch.setattr("platform.machine", lambda: "sparc")
    with pytest.raises(OSError, match="not supported on this platform"):
        Timer().collect_callgrind()
