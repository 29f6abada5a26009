"""Classes with __torch_function__: each program runs on both libraries, and must tell the same."""

import copy
import importlib
import inspect
import operator
import pickle

import pytest

import rushlight
from rushlight import overrides

try:
    import torch as oracle
except ModuleNotFoundError:
    oracle = None


def told(program):
    """What the steps of program(torch) give, as text; of what they raise, the class."""

    def of(torch):
        for step in program(torch):
            try:
                yield repr(step())
            except Exception as error:
                yield type(error).__name__

    return of


def scalar_multiples(torch):
    """A tensor-like class that implements some functions by a registry."""
    handled = {}

    def implements(*functions):
        def note(implementation):
            handled.update(dict.fromkeys(functions, implementation))
            return implementation

        return note

    class Scaled:
        def __init__(self, n, value):
            self.n, self.value = n, value

        def __repr__(self):
            return f"Scaled({self.n}, {self.value})"

        def tensor(self):
            return self.value * torch.eye(self.n)

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func not in handled or not all(issubclass(t, (torch.Tensor, Scaled)) for t in types):
                return NotImplemented
            return handled[func](*args, **(kwargs or {}))

    def dense(x):
        return x.tensor() if isinstance(x, Scaled) else x

    @implements(torch.mean)
    def mean(input):
        return float(input.value) / input.n

    @implements(torch.add, torch.Tensor.add)
    def add(a, b):
        if isinstance(a, Scaled) and isinstance(b, Scaled):
            return Scaled(a.n, a.value + b.value)
        return torch.add(dense(a), dense(b)).tolist()

    @implements(torch.stack, torch.cat, torch.where, torch.einsum)
    def joined(*args, **kwargs):
        return len(args)

    @implements(torch.nn.functional.cross_entropy, torch.nn.functional.linear, torch.nn.functional.dropout)
    def layer(*args, **kwargs):
        return type(args[0]).__name__

    @implements(torch.Tensor.__rsub__, torch.linalg.norm, torch.chunk, torch.fft.fft, torch.special.entr)
    def other(*args):
        return [type(a).__name__ for a in args]

    d, t = Scaled(2, 3), torch.ones(2, 2)
    F = torch.nn.functional
    return [
        lambda: torch.mean(d), lambda: torch.add(d, d), lambda: torch.add(d, t), lambda: torch.add(t, d),
        lambda: t + d, lambda: d + t, lambda: t.add(d), lambda: d - t, lambda: t * d, lambda: t @ d, lambda: t == d,
        lambda: torch.stack([t, d]), lambda: torch.cat((d,)), lambda: torch.where(t > 0, d, t),
        lambda: torch.einsum("ij,jk->ik", t, d), lambda: F.linear(d, t), lambda: torch.nn.Linear(2, 2)(d),
        lambda: F.cross_entropy(d, t), lambda: torch.nn.CrossEntropyLoss()(d, t), lambda: F.dropout(d),
        lambda: torch.linalg.norm(d), lambda: torch.chunk(d, 2), lambda: torch.fft.fft(d),
        lambda: torch.special.entr(d), lambda: torch.sin(d), lambda: torch.split(d, 2), lambda: t.copy_(d),
        lambda: torch.tensordot(d, t), lambda: F.interpolate(d), lambda: torch.nn.init.normal_(d), lambda: t[d],
        lambda: torch.add(t, t, out=d), lambda: torch.matmul(t, d), lambda: torch.allclose(t, d),
    ]  # fmt: skip


def metadata(torch):
    """A tensor-like class that carries metadata through every function."""

    class Labelled:
        def __init__(self, data, label):
            self.data, self.label = torch.as_tensor(data), label

        def __repr__(self):
            return f"{self.label}: {self.data.tolist()}"

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            label = next(a.label for a in args if isinstance(a, Labelled))
            return cls(func(*(getattr(a, "data", a) if isinstance(a, cls) else a for a in args)), label)

    m, t = Labelled([[1.0, 2.0], [3.0, 4.0]], "here"), torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    return [
        lambda: torch.add(t, m), lambda: torch.mul(t, m), lambda: t + m, lambda: t - m, lambda: t / m,
        lambda: torch.matmul(m, t), lambda: torch.nn.functional.relu(m), lambda: torch.flatten(m), lambda: t.sub(m),
        lambda: torch.chunk(m, 2, 1).label, lambda: t // m, lambda: t**m,
    ]  # fmt: skip


def logging(torch):
    """A subclass of Tensor that notes what is called; the classes of a call; the number slots."""
    log = []

    class Noted(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            log.append((func.__name__, sorted({t.__name__ for t in types} - {"Tensor"})))
            return super().__torch_function__(func, types, args, kwargs or {})

    class Derived(Noted):
        pass

    class Refusing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    def noted(act):
        log.clear()
        return type(act()).__name__, log

    x, y = torch.arange(1.0, 5).as_subclass(Noted), torch.arange(4.0).as_subclass(Derived)
    i, plain, refusing = torch.arange(4).as_subclass(Noted), torch.ones(4), torch.ones(4).as_subclass(Refusing)
    F = torch.nn.functional
    binary = ("add", "sub", "mul", "floordiv", "mod", "pow", "lt", "le", "gt", "ge", "eq", "ne")
    in_place = ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow")
    of_bits = ("and_", "or_", "xor", "lshift", "rshift", "iand", "ior", "ixor", "ilshift", "irshift")
    slots = [(getattr(operator, n), a, b) for n in binary for a, b in ((x, x), (x, 2), (2, x), (plain, x))]
    slots += [(getattr(operator, n), x, b) for n in in_place for b in (x, 2)]
    slots += [(getattr(operator, n), i, b) for n in of_bits for b in (i, 2)]
    acts = [
        *(lambda f=f, a=a, b=b: f(a.clone() if isinstance(a, torch.Tensor) else a, b) for f, a, b in slots),
        lambda: x + y, lambda: y * x, lambda: x @ y, lambda: x / 2, lambda: x + refusing, lambda: refusing + refusing,
        lambda: -x, lambda: abs(x), lambda: +x, lambda: ~(x > 2), lambda: len(x), lambda: bool(x[0]),
        lambda: float(x[0]), lambda: [1, 2][i[0]], lambda: 4.0 in x, lambda: x[0], lambda: x[:2], lambda: plain[i],
        lambda: x.shape, lambda: x.dtype, lambda: x.grad, lambda: x.requires_grad, lambda: x.T, lambda: x.size(),
        lambda: x.dim(), lambda: x.detach(), lambda: x.float(), lambda: x.tolist(), lambda: x.max(0).values,
        lambda: x.chunk(2)[0], lambda: torch.stack([plain, x]), lambda: torch.split(x, 1), lambda: x.split(2)[1],
        lambda: torch.unique(x), lambda: F.relu(x), lambda: F.mse_loss(x, plain), lambda: F.layer_norm(x, (4,)),
        lambda: F.pad(x, (1, 1)), lambda: torch.add(plain, plain, out=x), lambda: torch.as_tensor(x),
        lambda: torch.tensor([1.0]).copy_(x[:1]), lambda: torch.nn.init.constant_(x, 1), lambda: x.new_zeros(2),
        lambda: torch.broadcast_tensors(x, plain)[1], lambda: torch.allclose(x, x), lambda: torch.zeros_like(x),
        lambda: x.as_subclass(torch.Tensor), lambda: torch.is_tensor(x), lambda: x.requires_grad_().sum().backward(),
    ]  # fmt: skip
    return [lambda act=act: noted(act) for act in acts]


def units(torch):
    """A subclass of Tensor with an attribute that its results inherit."""

    class Quantity(torch.Tensor):
        @staticmethod
        def __new__(cls, data, unit):
            made = torch.as_tensor(data).as_subclass(cls)
            made.unit = unit
            return made

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            found = [x.unit for x in args if isinstance(x, cls)]
            if func in (torch.add, torch.Tensor.add) and len(set(found)) > 1:
                raise ValueError(f"units differ: {found}")
            result = super().__torch_function__(func, types, args, kwargs)
            if isinstance(result, cls):
                result.unit = "*".join(found) if func in (torch.mul, torch.Tensor.mul) else "".join(found[:1])
            return result

    x, y = Quantity([1.0, 2.0], "m"), Quantity([3.0, 4.0], "s")
    return [
        lambda: (x + x).unit, lambda: x + y, lambda: (x * y).unit, lambda: x.sum().unit, lambda: x[0].unit,
        lambda: torch.stack([x, x]).unit, lambda: x.reshape(2, 1).unit, lambda: torch.mul(x, y).unit,
    ]  # fmt: skip


class Plain(rushlight.Tensor):
    pass


def subclasses(torch):
    """A subclass without a word of its own: it is kept by operators, parameters and copies."""
    cls = Plain if torch is rushlight else type("Plain", (torch.Tensor,), {})
    p = torch.ones(2).as_subclass(cls)
    p.tag = [1]
    module = torch.nn.Module()
    module.weight = torch.nn.Parameter(p)

    class Tagged(torch.nn.Parameter):
        def __new__(cls, data, tag):
            made = super().__new__(cls, data)
            made.tag = tag
            return made

    tagged = Tagged(torch.ones(2), "a")
    leaf = torch.ones(2).as_subclass(cls).requires_grad_()

    def gradient():
        (leaf * leaf).sum().backward()
        return type(leaf.grad).__name__, leaf.grad.tolist()

    return [
        lambda: type(p + 1).__name__, lambda: type(copy.copy(p)).__name__, lambda: copy.copy(p).tag,
        lambda: type(p.max(0)).__name__, lambda: type(p.max(0).values).__name__, lambda: type(cls([1.0])).__name__,
        lambda: cls(2, 3).shape, lambda: p, lambda: isinstance(module.weight, torch.nn.Parameter),
        lambda: type(module.weight).__name__, lambda: [n for n, _ in module.named_parameters()],
        lambda: type(tagged + 1).__name__, lambda: (type(tagged).__name__, tagged.tag), gradient,
        lambda: type(module.double().weight).__name__,
        lambda: type(torch.nn.Parameter(torch.nn.Parameter(torch.ones(1)))).__name__,
    ]  # fmt: skip


def modes(torch):
    """Modes count and replace calls, nest, and can be disabled, as classes can."""

    class Counting(torch.overrides.TorchFunctionMode):
        def __init__(self):
            super().__init__()
            self.names = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    class Answering(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return "answered" if func is torch.add else func(*args, **(kwargs or {}))

    class Mute(torch.overrides.TorchFunctionMode):
        pass

    t = torch.ones(2, 2)
    sub = t.as_subclass(type("Sub", (torch.Tensor,), {}))

    def counted():
        with Counting() as mode:
            z = torch.ones(2, 2)
            z += z + 1
            torch.stack([z, z]), torch.nn.functional.relu(z), z.shape, z[0], len(z), -z, z @ z, z.dim(), 1 - z
            torch.tensor([1]), torch.arange(3), torch.rand(2), torch.as_tensor([1]), torch.eye(2), sub * 2
        return mode.names

    def nested():
        with Counting() as outer, Counting() as inner:
            t + 1
        return outer.names, inner.names

    def answered():
        found = []
        with Answering():
            found.append(torch.add(t, t))
            with torch._C.DisableTorchFunctionSubclass():
                found += [torch.add(t, t), type(sub + 1).__name__]
            with torch._C.DisableTorchFunction():
                found += [type(torch.add(t, t)).__name__, type(sub + 1).__name__]
        return [*found, type(torch.add(t, t)).__name__]

    def mute():
        with Mute():
            torch.ones(1)

    def left_by_an_error():
        try:
            mute()
        finally:
            assert torch.overrides._get_current_function_mode() is None

    def on_the_cpu():
        with torch.device("cpu"):
            return torch.ones(1).device

    return [counted, nested, answered, mute, left_by_an_error, on_the_cpu]


def helpers(torch):
    """The functions of torch.overrides."""
    o = torch.overrides

    class Like:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    names = []

    class Seeing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            names.append(func.__name__)
            return o.redispatch_function(func, types, args, kwargs)

    def composed(a, b):
        if o.has_torch_function((a, b)):
            return o.handle_torch_function(composed, (a, b), a, b)
        return a * b + 1

    def seen():
        result = composed(torch.ones(1).as_subclass(Seeing), torch.ones(1))
        return names, type(result).__name__

    sub, parameter = torch.ones(1).as_subclass(Seeing), torch.nn.Parameter(torch.ones(1))
    functions = (
        torch.add, torch.stack, torch.Tensor.chunk, torch.nn.functional.cross_entropy, torch.Tensor.shape.__get__,
        torch.linalg.svd, torch.zeros, torch.Tensor.__getitem__, torch.Tensor.size, torch.fft.fft, print,
    )  # fmt: skip
    overridable = {f for found in o.get_overridable_functions().values() for f in found}
    return [
        lambda: [f in overridable for f in functions],
        lambda: [o.resolve_name(f) for f in functions if f is not torch.zeros],
        lambda: [o.is_tensor_method_or_property(f) for f in functions],
        lambda: [f in o.get_ignored_functions() for f in (torch.zeros, torch.add, torch.tensor, torch.rand)],
        lambda: [o.has_torch_function((x,)) for x in (Like(), sub, parameter, torch.ones(1), 1)],
        lambda: [o.is_tensor_like(x) for x in (Like(), sub, parameter, torch.ones(1), 1)],
        lambda: o.get_testing_overrides()[torch.stack]([]),
        lambda: o.get_default_nowrap_functions() >= {torch.Tensor.grad.__get__, torch.Tensor._base.__get__},
        lambda: o.handle_torch_function(torch.add, (Like(),), Like(), 1),
        seen,
    ]


PROGRAMS = (scalar_multiples, metadata, logging, units, subclasses, modes, helpers)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")  # of PyTorch's, about what is deprecated there
@pytest.mark.skipif(oracle is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_a_program_tells_the_same_on_both(program):
    ours, theirs = (list(told(program)(torch)) for torch in (rushlight, oracle))
    assert ours == theirs


def test_a_subclass_is_copied_and_pickled_with_its_attributes():
    x = rushlight.ones(2).as_subclass(Plain)
    x.tag = [1]
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(made) is Plain and made.tag == [1] and made.tag is not x.tag and made.tolist() == [1, 1]
    assert type(copy.deepcopy(rushlight.nn.Parameter(x))) is Plain


# Public functions in Python that take no tensors, or only ask about one.
NOT_OFFERED = {
    "rushlight": {"get_default_device", "is_storage", "is_tensor", "set_default_device", "set_default_dtype"},
    "rushlight.nn.functional": {"assert_int_or_pair", "has_torch_function_unary", "has_torch_function_variadic"},
    "rushlight.linalg": set(), "rushlight.fft": set(), "rushlight.special": set(),
}  # fmt: skip
LAZY = ("batch_norm", "embedding", "lstm", "gru_cell", "_foreach_add", "pixel_shuffle", "kl_div")


@pytest.mark.parametrize("path", NOT_OFFERED)
def test_every_function_of_tensors_is_offered(path):
    space = importlib.import_module(path)
    names = {*rushlight.ops.FUNCTIONS, *LAZY} if path == "rushlight" else dir(space)
    functions = {name for name in names if name[0] != "_" and inspect.isfunction(getattr(space, name, None))}
    assert functions <= NOT_OFFERED[path]
    members = {name for name, f in vars(rushlight.Tensor).items() if inspect.isfunction(f) and name[0] != "_"}
    assert not members and all(not inspect.isfunction(getattr(rushlight, name)) for name in LAZY)


def test_functions_in_python_stay_themselves():
    for f in (rushlight.chunk, rushlight.Tensor.chunk, rushlight.nn.functional.softsign, rushlight.linalg.svd):
        assert pickle.loads(pickle.dumps(f)) is f and copy.deepcopy(f) is f
        assert type(f).__module__ == "rushlight._core" and f.__module__.startswith("rushlight.")
        assert f.__doc__ and f.__name__ in repr(f)
        f.note = 1
        assert f.note == 1
        del f.__wrapped__.note


def test_what_lies_below_the_operators_is_refused():
    class Dispatching(rushlight.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            raise AssertionError

    with pytest.raises(NotImplementedError, match="Use __torch_function__"):
        rushlight.Tensor._make_subclass(Dispatching, rushlight.ones(1))
    with pytest.raises(NotImplementedError, match="_make_subclass"):
        rushlight.Tensor._make_wrapper_subclass(Plain, (2,))


def test_detach_must_keep_the_class_of_a_parameter():
    class Losing(rushlight.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            with overrides.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))

    with pytest.raises(RuntimeError, match=r"detach\(\) of the data must keep its class, Losing"):
        rushlight.nn.Parameter(rushlight.ones(1).as_subclass(Losing))


def test_a_list_of_data_is_not_searched_for_tensors():
    class Like:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            raise AssertionError

    with pytest.raises((TypeError, ValueError, RuntimeError)):
        rushlight.tensor([Like()])
