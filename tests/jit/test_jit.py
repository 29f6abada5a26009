"""torch.jit as programs call it: everything runs as it is written."""

import copy
from typing import List, Optional  # noqa: UP035  (as in programs)

import pytest

import rushlight as torch
from rushlight import nn


class Net(nn.Module):
    scale: torch.jit.Final[float]

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.scale = 2.0

    def forward(self, x):
        y = self.layer(x) * self.scale
        return y if torch.jit.is_scripting() else self.plain(y)

    @torch.jit.ignore
    def plain(self, y):
        return y + 1

    @torch.jit.export
    def double(self, x):
        return x * 2


def test_a_scripted_module_shares_its_parameters():
    net, x = Net(), torch.ones(3, 2)
    scripted = torch.jit.script(net)
    assert (
        isinstance(scripted, torch.jit.ScriptModule) and isinstance(scripted, Net) and scripted.original_name == "Net"
    )
    assert not isinstance(net, torch.jit.ScriptModule) and scripted.layer.weight is net.layer.weight
    assert scripted(x).equal(net(x)) and scripted.double(x).equal(x * 2)
    assert torch.jit.script(scripted) is scripted and torch.jit.freeze(scripted.eval()) is scripted
    copied = copy.deepcopy(scripted)
    assert copied(x).equal(net(x)) and copied.layer.weight is not net.layer.weight
    assert list(scripted.state_dict()) == list(net.state_dict())


def test_traces_call_once_and_keep_every_branch():
    calls = []

    def branch(x):
        calls.append(1)
        return x if x.sum() > 0 else -x

    traced = torch.jit.trace(branch, torch.ones(2))
    assert len(calls) == 1 and traced(torch.tensor([-2.0])).item() == 2.0
    assert torch.jit.trace(Net(), (torch.ones(1, 2),))(torch.ones(4, 2)).shape == (4, 1)
    assert (
        torch.jit.trace_module(Net(), {"forward": torch.ones(1, 2), "double": torch.ones(1)})(torch.ones(1, 2)).dim()
        == 2
    )
    with pytest.raises(RuntimeError):
        torch.jit.trace(Net(), torch.ones(1, 3))


def test_decorators_and_types():
    @torch.jit.script
    def f(x, n: Optional[int] = None):  # noqa: UP045
        return torch.jit.annotate(List[int], [1])  # noqa: UP006

    assert f(1) == [1] and torch.jit.ignore(drop=True)(f) is f and torch.jit.unused(f) is f
    assert torch.jit.isinstance([1], List[int]) and not torch.jit.isinstance([1], Optional[int])  # noqa: UP006, UP045
    assert not torch.jit.is_tracing() and torch.jit.wait(torch.jit.fork(pow, 2, 3)) == 8
    with torch.jit.optimized_execution(True), torch.jit.fuser("fuser1"):
        pass

    class Old(torch.jit.ScriptModule):
        @torch.jit.script_method
        def forward(self, x):
            return x

    assert Old()(3) == 3


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: torch.jit.save(torch.jit.script(Net()), "x.pt"), NotImplementedError),
        (lambda: torch.jit.script(Net()).save("x.pt"), NotImplementedError),
        (lambda: torch.jit.script(Net()).code, NotImplementedError),
        (lambda: torch.jit.load("x.pt"), NotImplementedError),
        (lambda: torch.jit.CompilationUnit("def f(): pass"), NotImplementedError),
        (lambda: torch.jit.freeze(Net()), RuntimeError),
        (lambda: torch.jit.script(3), RuntimeError),
    ],
)
def test_what_cannot_be_done_says_so(call, error):
    with pytest.raises(error, match=r"^\[\w"):
        call()
