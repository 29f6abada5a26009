"""_core.observe: every call of an operator on this thread is told, in order, and nothing else changes."""

import subprocess
import sys
import threading

import pytest

import rushlight as torch
from rushlight import _core


@pytest.fixture
def log():
    calls = []

    def handler(name, arguments, results):
        calls.append((name, arguments, results))

    _core.observe(handler)
    yield calls
    _core.unobserve(handler)


def names(log):
    return [name for name, _, _ in log]


def test_arguments_and_results(log):
    x, y = torch.ones(2), torch.ones(2)
    log.clear()
    z = torch.add(x, y, alpha=2)
    ((name, arguments, results),) = log
    assert name == "add" and arguments[0] is x and arguments[1] is y and arguments[2] == 2 and results[0] is z
    log.clear()
    values, indices = x.max(0)
    assert log[-1][2][0] is values and log[-1][2][1] is indices
    log.clear()
    torch.stack([x, y])
    assert log[0][1] == ((x, y), 0)


def test_in_place_writes_and_views(log):
    x = torch.zeros(2, 2)
    log.clear()
    x.add_(1)
    assert log[0][0] == "add" and log[0][2][0] is x
    x[0]
    assert names(log) == ["add", "select"]


def test_backward_is_told_too(log):
    x = torch.ones(2, 2, requires_grad=True)
    y = torch.mm(x, x).sum()
    log.clear()
    y.backward()
    assert names(log).count("matmul") == 2


def test_without_gradients(log):
    with torch.inference_mode():
        torch.ones(2).exp()
    assert names(log) == ["ones", "exp"]


def test_what_an_observer_calls_is_not_told():
    told = []

    def handler(name, arguments, results):
        told.append(name)
        results[0].sum().item()

    _core.observe(handler)
    torch.ones(2).exp()
    _core.unobserve(handler)
    torch.ones(2)
    assert told == ["ones", "exp"]


def test_several_observers_may_leave_while_they_are_told():
    told = []

    def once(name, arguments, results):
        told.append(("once", name))
        _core.unobserve(once)
        _core.unobserve(always)

    def always(name, arguments, results):
        told.append(("always", name))

    _core.observe(once)
    _core.observe(always)
    torch.ones(2).exp()
    assert told == [("once", "ones")]
    with pytest.raises(ValueError, match="must observe this thread"):
        _core.unobserve(once)


def test_an_error_of_an_observer_is_the_calls():
    def handler(name, arguments, results):
        raise ZeroDivisionError(name)

    _core.observe(handler)
    try:
        with pytest.raises(ZeroDivisionError, match="ones"):
            torch.ones(2)
    finally:
        _core.unobserve(handler)
    assert torch.ones(2).sum() == 2


def test_threads_have_their_own(log):
    def work():
        torch.ones(3).sin()
        _core.observe(lambda *call: None)  # left behind: it goes with the thread
        torch.ones(3).cos()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not log


def test_an_observer_may_be_left_at_exit():
    program = "import rushlight as t\nt._core.observe(lambda *call: None)\nt.ones(2) + 1\nprint('done')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n" and done.stderr == ""
