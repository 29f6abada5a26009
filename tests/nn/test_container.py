"""Containers, compared with PyTorch's by running the same program on both."""

from collections import OrderedDict

import pytest

import rushlight
from tests.nn.oracle import torch

pytestmark = pytest.mark.oracle

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


@program
def sequential(nn, tensor):
    s = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU())
    yield repr(s), len(s), repr(s[0]), repr(s[-1]), repr(s[1:])
    s.append(nn.Sigmoid())
    s.insert(1, nn.GELU())
    s[0] = nn.Identity()
    yield repr(s), list(s._modules)
    del s[1]
    yield repr(s.pop(0)), repr(s)
    del s[1:]
    yield repr(s)
    s += nn.Sequential(nn.Mish())
    yield repr(s + nn.Sequential(nn.ReLU())), repr(s * 2), repr(2 * s)
    s *= 2
    s.extend([nn.SiLU()])
    yield repr(s), [type(m).__name__ for m in s]
    named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh(), c=nn.ELU()))
    yield repr(named), repr(named[1:]), repr(named.b)
    del named[0]
    named[0] = nn.SiLU()
    yield repr(named)


@program
def sequential_errors(nn, tensor):
    s = nn.Sequential(nn.ReLU())
    for wrong in (
        lambda: s[1], lambda: s.insert(5, nn.ReLU()), lambda: s.insert(0, 3), lambda: s + 3, lambda: s * 1.5,
        lambda: s * 0, lambda: s.append(3), lambda: nn.Sequential(3), lambda: s.__delitem__(4),
    ):  # fmt: skip
        try:
            wrong()
            yield "no error"
        except Exception as error:
            yield type(error).__name__


@program
def module_list(nn, tensor):
    m = nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU()])
    yield repr(m), len(m), repr(m[1:]), repr(m[-1])
    m += [nn.Tanh()]
    m.extend(nn.ModuleList([nn.Tanh()]))
    m.insert(0, nn.ELU())
    m[1] = nn.Mish()
    yield repr(m), list(m.state_dict())
    yield repr(m.pop(0))
    del m[0]
    del m[1:]
    yield repr(m), repr(m + [nn.GELU()]), repr(nn.ModuleList())


@program
def module_list_errors(nn, tensor):
    m = nn.ModuleList([nn.ReLU()])
    for wrong in (lambda: m[1], lambda: m.extend(3), lambda: m.append(3), lambda: m(1), lambda: m["a"]):
        try:
            wrong()
            yield "no error"
        except Exception as error:
            yield type(error).__name__


@program
def module_dict(nn, tensor):
    m = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    m.update([["c", nn.ELU()], ("d", nn.Mish())])
    m["e"] = nn.GELU()
    yield repr(m), list(m), list(m.keys()), len(m), "a" in m, repr(m.pop("a")), [k for k, _ in m.items()]
    del m["b"]
    m.update(nn.ModuleDict({"z": nn.ReLU()}))
    yield repr(m), [repr(v) for v in m.values()]
    m.clear()
    yield repr(m)
    for wrong in (lambda: m["x"], lambda: m.update(3), lambda: m.update([3]), lambda: m.update([(1, 2, 3)])):
        try:
            wrong()
            yield "no error"
        except Exception as error:
            yield type(error).__name__


@program
def parameter_list(nn, tensor):
    p = nn.ParameterList([tensor([1.0, 2.0]), nn.Parameter(tensor([[3.0]])), 5])
    p.append(tensor([4.0]))
    p += [tensor([6.0])]
    yield repr(p), len(p), [name for name, _ in p.named_parameters()], list(p.state_dict())
    yield p[2], p[-1].tolist(), [type(v).__name__ for v in p], repr(p[1:3])
    try:
        p(1)
    except RuntimeError:
        yield "must not be called"
    p[0] = tensor([9.0])
    yield p[0].tolist(), type(p[0]).__name__, "0" in dir(p)


@program
def parameter_dict(nn, tensor):
    p = nn.ParameterDict({"b": tensor([1.0, 2.0]), "a": nn.Parameter(tensor([[3.0]]))})
    p["c"] = 5
    yield repr(p), list(p), len(p), "a" in p, [name for name, _ in p.named_parameters()]
    p.update({"e": tensor([1.0])})
    yield p.get("nothing"), p.get("c"), p.setdefault("f", 3), list(p.copy()), list(reversed(p))
    yield p.popitem()[0], p.pop("c"), list(p | nn.ParameterDict({"z": tensor([1.0])}))
    p |= nn.ParameterDict({"y": tensor([2.0])})
    yield list(p.items())[-1][0], len(list(p.values())), list(p.fromkeys(["k", "l"]))
    del p["y"]
    p.clear()
    yield repr(p)
    for wrong in (lambda: p["x"], lambda: p[3], lambda: p.update(3), lambda: p(1)):
        try:
            wrong()
            yield "no error"
        except Exception as error:
            yield type(error).__name__


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_program_same_answers(name):
    ours = list(PROGRAMS[name](rushlight.nn, rushlight.tensor))
    theirs = list(PROGRAMS[name](torch.nn, torch.tensor))
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert a == b, f"answer {i}"
    assert len(ours) == len(theirs)


def test_sequential_runs_in_order():
    model = rushlight.nn.Sequential(rushlight.nn.Linear(2, 2), rushlight.nn.ReLU())
    x = rushlight.ones(1, 2)
    assert rushlight.equal(model(x), model[0](x).relu())


def test_a_module_list_inserts_as_a_list_does():
    modules = rushlight.nn.ModuleList([rushlight.nn.ReLU()])
    modules.insert(9, rushlight.nn.Tanh())
    modules.insert(-9, rushlight.nn.ELU())
    assert [type(m).__name__ for m in modules] == ["ELU", "ReLU", "Tanh"] and list(modules._modules) == ["0", "1", "2"]


def test_pop_of_parameter_list():
    p = rushlight.nn.ParameterList([rushlight.ones(1), 2, 3])
    assert p.pop(1) == 2
    assert len(p) == 2
    assert list(p.state_dict()) == ["0"]
