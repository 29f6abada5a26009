"""FlopCounterMode and ModuleTracker: the counts of PyTorch's, where PyTorch counts."""

import pytest

import rushlight as torch
from rushlight.utils.flop_counter import FlopCounterMode, flop_registry, register_flop_formula
from rushlight.utils.module_tracker import ModuleTracker

oracle = pytest.importorskip("torch")
from torch.utils.flop_counter import FlopCounterMode as OracleMode  # noqa: E402

pytestmark = pytest.mark.oracle

PROGRAMS = {
    "mlp": lambda t: t.nn.Sequential(t.nn.Linear(10, 20), t.nn.ReLU(), t.nn.Linear(20, 5))(t.randn(8, 10)),
    "no bias": lambda t: t.nn.Linear(10, 20, bias=False)(t.randn(2, 3, 10, requires_grad=True)),
    "conv": lambda t: t.nn.Conv2d(3, 8, 3, stride=2, padding=1)(t.randn(2, 3, 16, 16, requires_grad=True)),
    "groups": lambda t: t.nn.Conv2d(4, 8, 3, groups=2)(t.randn(2, 4, 9, 9, requires_grad=True)),
    "transposed": lambda t: t.nn.ConvTranspose2d(4, 8, 3, stride=2)(t.randn(2, 4, 9, 9, requires_grad=True)),
    "one sample": lambda t: t.nn.Conv1d(4, 8, 3)(t.randn(4, 9, requires_grad=True)),
    "encoder": lambda t: t.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)(t.randn(2, 5, 8)),
    "mha": lambda t: t.nn.MultiheadAttention(8, 2)(*[t.randn(2, 5, 8)] * 3)[0],
    "vectors": lambda t: t.randn(3, requires_grad=True) @ t.randn(3, 4) + t.randn(4, 3) @ t.randn(3),
    "batches": lambda t: t.randn(2, 1, 3, 4, requires_grad=True) @ t.randn(7, 4, 5),
    "baddbmm": lambda t: t.baddbmm(t.randn(2, 3, 5), t.randn(2, 3, 4, requires_grad=True), t.randn(2, 4, 5)),
    "einsum": lambda t: t.einsum("bij,bjk->bik", t.randn(2, 3, 4, requires_grad=True), t.randn(2, 4, 5)),
}


def counts(torch_, mode, program):
    with mode(display=False) as counter:
        y = program(torch_)
        forward = counter.get_total_flops()
        y.sum().backward()
    by_module = {name: sum(of.values()) for name, of in counter.get_flop_counts().items()}
    return forward, counter.get_total_flops(), by_module


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_counts(program):
    assert counts(torch, FlopCounterMode, program) == counts(oracle, OracleMode, program)


def test_without_gradients():
    net = torch.nn.Linear(4, 5)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.ones(3, 4))
    assert counter.get_total_flops() == 2 * 3 * 4 * 5


def test_table(capsys):
    with FlopCounterMode() as counter:
        torch.nn.Linear(4, 5)(torch.ones(3, 4))
        torch.ones(2, 3) @ torch.ones(3, 4)
    assert capsys.readouterr().out.splitlines() == [
        "Module        FLOP    % Total",
        "----------  ------  ---------",
        "Global         168    100.00%",
        " - linear      120     71.43%",
        " - matmul       48     28.57%",
        " Linear        120     71.43%",
        "  - linear     120     71.43%",
    ]
    assert "Linear" not in counter.get_table(depth=0)
    with FlopCounterMode():
        pass
    assert "Global" in capsys.readouterr().out


def test_formulas_of_the_user():
    x = torch.ones(3, 4)
    with FlopCounterMode(display=False, custom_mapping={torch.mm: lambda a, b, out_shape: 7}) as counter:
        torch.mm(x, x.T)
    assert counter.get_flop_counts() == {"Global": {"mm": 7}}
    with pytest.raises(RuntimeError, match="duplicate registrations for mm"):
        register_flop_formula(torch.mm)(print)
    with pytest.raises(ValueError, match="targets must be operators"):
        register_flop_formula("no_such_operator")
        register_flop_formula("no_such_operator")(print)


def test_raw_formulas():
    @register_flop_formula("sinh", get_raw=True)
    def flop(input, out_val):
        return input.numel() + out_val.numel()

    try:
        with FlopCounterMode(display=False) as counter:
            torch.sinh(torch.ones(4))
    finally:
        del flop_registry["sinh"]
    assert counter.get_total_flops() == 8


def test_a_block_that_raises_stops_counting():
    counter = FlopCounterMode(display=False)
    with pytest.raises(ZeroDivisionError), counter:
        raise ZeroDivisionError
    torch.mm(torch.ones(2, 2), torch.ones(2, 2))
    assert counter.get_total_flops() == 0


def test_modules_in_backward():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    seen = []
    with ModuleTracker() as tracker:
        net[0].weight.register_hook(lambda grad: seen.append((sorted(tracker.parents), tracker.is_bw)))
        net(torch.ones(1, 2)).sum().backward()
        assert tracker.parents == {"Global"} and not tracker.is_bw
    assert seen == [(["Global", "Sequential", "Sequential.0"], True)]
