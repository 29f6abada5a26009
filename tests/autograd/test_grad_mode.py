"""no_grad, enable_grad, set_grad_enabled, inference_mode: blocks, decorators, generators, errors."""

import threading

import pytest


def test_blocks_nest_and_restore(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        assert not torch.is_grad_enabled() and not (x * 2).requires_grad
        with torch.enable_grad():
            assert (x * 2).requires_grad
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_an_error_restores_too(torch):
    with pytest.raises(ZeroDivisionError), torch.no_grad():
        1 / 0  # noqa: B018
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name, expected", [("no_grad", False), ("inference_mode", False), ("enable_grad", True)])
def test_decorators_with_and_without_parentheses(torch, name, expected):
    switch = getattr(torch, name)

    @switch
    def plain():
        "documented"
        return torch.is_grad_enabled()

    @switch()
    def called(a, *, b):
        return torch.is_grad_enabled(), a, b

    with torch.set_grad_enabled(not expected):
        assert plain() is expected and called(1, b=2) == (expected, 1, 2)
        assert torch.is_grad_enabled() is not expected
    assert plain.__name__ == "plain" and plain.__doc__ == "documented"


def test_set_grad_enabled_acts_at_once_and_as_a_block(torch):
    try:
        torch.set_grad_enabled(False)
        assert not torch.is_grad_enabled()
        with torch.set_grad_enabled(True):
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)


def test_set_grad_enabled_as_decorator(torch):
    @torch.set_grad_enabled(False)
    def run():
        return torch.is_grad_enabled()

    assert torch.is_grad_enabled() and run() is False and torch.is_grad_enabled()


def test_a_recursive_function(torch):
    @torch.no_grad()
    def down(n):
        return torch.is_grad_enabled() if n == 0 else down(n - 1) or torch.is_grad_enabled()

    assert down(5) is False and torch.is_grad_enabled()


def test_generators_hold_the_state_only_while_they_run(torch):
    seen = []

    @torch.no_grad()
    def numbers():
        try:
            received = yield torch.is_grad_enabled()
            seen.append((received, torch.is_grad_enabled()))
            try:
                yield 2
            except ValueError:
                seen.append(("thrown", torch.is_grad_enabled()))
            yield 3
        finally:
            seen.append(("closed", torch.is_grad_enabled()))

    g = numbers()
    assert next(g) is False and torch.is_grad_enabled()
    assert g.send("sent") == 2 and torch.is_grad_enabled()
    assert g.throw(ValueError) == 3 and torch.is_grad_enabled()
    g.close()
    assert seen == [("sent", False), ("thrown", False), ("closed", False)] and torch.is_grad_enabled()


def test_a_generators_return_value(torch):
    @torch.no_grad()
    def inner():
        yield 1
        return "value"

    def outer():
        result = yield from inner()
        yield result

    assert list(outer()) == [1, "value"]


def test_methods_and_classes(torch):
    class Model:
        @torch.no_grad()
        def run(self, x):
            return x * 2

    assert not Model().run(torch.ones(1, requires_grad=True)).requires_grad

    with pytest.warns(FutureWarning, match=r"[Dd]ecorating classes"):

        @torch.no_grad()
        class Made:
            def __init__(self):
                self.state = torch.is_grad_enabled()

            def now(self):
                return torch.is_grad_enabled()

    assert Made().state is False and Made().now() is True


def test_each_thread_has_its_own_state(torch):
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_requires_grad_can_be_set_inside_no_grad(torch):
    with torch.no_grad():
        x = torch.ones(1, requires_grad=True)
        assert x.requires_grad and not (x + 1).requires_grad
    assert (x + 1).requires_grad


def test_inference_mode(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()
        y = x * 2
        assert y.is_inference() and not y.requires_grad
        with torch.inference_mode(False):
            assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
            assert not (x * 2).is_inference()
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
    assert not x.is_inference()


def test_inference_tensors_stay_out_of_graphs(torch):
    with torch.inference_mode():
        y = torch.ones(2)
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"[Ii]nference tensors cannot be saved for backward"):
        x * y
    with pytest.raises(RuntimeError, match=r"[Ii]nference tensor"):
        y.requires_grad_()
    with pytest.raises(RuntimeError, match=r"[Ii]nference tensor"):
        y.add_(1)
    assert (x * y.clone()).requires_grad


def test_inference_mode_of_a_flag_as_decorator(torch):
    @torch.inference_mode(mode=False)
    def run():
        return torch.is_inference_mode_enabled()

    with torch.inference_mode():
        assert run() is False


def test_multithreading_switch_is_accepted(torch):
    x = torch.ones(1, requires_grad=True)
    with torch.autograd.set_multithreading_enabled(False):
        x.sum().backward()
    assert x.grad.tolist() == [1.0]


def test_preserving_the_version_counter(torch):
    x = torch.ones(2)
    before = x._version
    with torch.autograd._unsafe_preserve_version_counter(x):
        x.add_(1)
        assert x._version == before + 1
    assert x._version == before and x.tolist() == [2.0, 2.0]
