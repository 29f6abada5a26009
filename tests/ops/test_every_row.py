"""What every row of the registry must satisfy, read from the rows themselves.

A row's samples are run as they stand, against PyTorch where it has the same function, with other layouts, dtypes and
forms; gradients are compared with finite differences along one random direction, and so are gradients of gradients.
"""

import functools

import numpy
import pytest

import rushlight
from rushlight import _core
from tests.ops.samples import errors, evaluate, samples

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]  # PyTorch warns about what it will remove

INFO = {name: _core.op_info(name) for name in _core.op_names()}
CASES = [(name, line) for name in INFO for line in samples(name)]
ORDINARY = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, OverflowError)

# Rows whose values are not determined by their arguments.
UNINITIALISED = {"empty", "empty_like"}
# Rows that draw random numbers: in the order of memory, and their gradients are no derivatives of one draw.
RANDOM = {name for name, info in INFO.items() if any(p["type"] == "Generator" for p in info["parameters"])}
# Rows that read the storage, not the elements: another layout is another result.
READS_STORAGE = {"as_strided", "as_strided_scatter", "strided_view", "strided_scatter", "strided_add", "part_view",
                 "part_scatter", "view", "view_as_complex", "view_dtype"}  # fmt: skip


# Rows whose first result alone has a gradient: the others are kept for it.
FIRST_RESULT_ONLY = {"cross_entropy_forward", "native_batch_norm", "native_group_norm", "native_rms_norm",
                     "nll_loss_forward"}  # fmt: skip
# Arguments without a known derivative.
NO_DERIVATIVE = {
    "batch_norm": {"running_mean", "running_var"},
    "cross_entropy": {"weight"},
    "cross_entropy_forward": {"weight"},
    "native_batch_norm": {"running_mean", "running_var"},
    "igamma": {"input"},
    "igammac": {"input"},
    "nll_loss": {"weight"},
    "nll_loss_forward": {"weight"},
    "zeta": {"input"},
}
# Samples whose gradient is not the derivative, by definition: the padding row of an embedding gets none.
NOT_THE_DERIVATIVE = {("embedding", "randn(5, 3), randint(0, 5, (6,)), 2")}

# ---- calls -----------------------------------------------------------------------------------------------------------


def ours(name):
    """The row as a function; a row with nothing but an in-place form works on a copy."""
    forms = INFO[name]["forms"]
    if forms == ["inplace"]:
        in_place = getattr(_core, name if name.endswith("_") else name + "_")
        return lambda input, *args, **kwargs: in_place(input.clone(), *args, **kwargs)
    return getattr(_core, name)


# Rows that the package completes in Python, under the name that PyTorch gives to the same arguments.
COUNTERPARTS = {
    "convolution": lambda input, weight, *args: (
        torch.convolution(input, weight, *args)
        if input.dim() == weight.dim()
        else torch.convolution(input[None], weight, *args)[0]
    ),
    "copy": lambda input, src: input.clone().copy_(src),
    "embedding": lambda weight, indices, padding_idx=-1: torch.embedding(weight, indices, padding_idx),
    "embedding_dense_backward": lambda g, i, rows, pad: torch.ops.aten.embedding_dense_backward(g, i, rows, pad, False),
    "fill": torch.fill,
    "im2col": torch.ops.aten.im2col,
    "max_dim": torch.max,
    "min_dim": torch.min,
    "median_all": torch.median,
    "median_dim": lambda input, dim=-1, keepdim=False: torch.median(input, dim, keepdim),
    "nanmedian_all": torch.nanmedian,
    "nanmedian_dim": lambda input, dim=-1, keepdim=False: torch.nanmedian(input, dim, keepdim),
    "elu": torch.ops.aten.elu,
    "adaptive_max_pool2d": torch.ops.aten.adaptive_max_pool2d,
    "adaptive_max_pool3d": torch.ops.aten.adaptive_max_pool3d,
    "alias": torch.ops.aten.alias,
    "index": lambda input, indices: input[tuple(slice(None) if i is None else i for i in indices)],
    "nll_loss": torch.ops.aten.nll_loss,
    "batch_norm": torch.nn.functional.batch_norm,
    "col2im": torch.ops.aten.col2im,
    "zero": lambda input: torch.zeros_like(input),
}


def theirs(name):
    """PyTorch's function for a row, or None."""
    if name in COUNTERPARTS:
        return COUNTERPARTS[name]
    if name.startswith("native_"):  # the halves of layer_norm and its like: what they save is a matter of the row
        return None
    home = INFO[name]["home"]
    if home and home != "_core":
        module = functools.reduce(getattr, home.split("."), torch)
        return getattr(module, name)
    if INFO[name]["forms"] == ["inplace"]:
        in_place = getattr(torch.Tensor, name if name.endswith("_") else name + "_", None)
        return in_place and (lambda input, *args, **kwargs: in_place(input.clone(), *args, **kwargs))
    return getattr(torch, name, None) or getattr(torch.Tensor, name, None)


def seeded(function, *args, **kwargs):
    """The call, with both libraries' random numbers at their start."""
    _core.default_generator.manual_seed(7)
    torch.manual_seed(7)
    return function(*args, **kwargs)


def attempt(function, args, kwargs):
    """(result, None) or (None, exception)."""
    try:
        return seeded(function, *args, **kwargs), None
    except ORDINARY as e:
        return None, e


def tensors(result):
    """The tensors in a result or in arguments."""
    if isinstance(result, (rushlight.Tensor, torch.Tensor)):
        return [result]
    if isinstance(result, dict):
        return tensors(list(result.values()))
    return [t for r in result for t in tensors(r)] if isinstance(result, (tuple, list)) else []


def mapped(change, value):
    """`value` with every tensor in it changed."""
    if change is to_ours and isinstance(value, torch.dtype):
        return getattr(rushlight, str(value).removeprefix("torch."))
    if isinstance(value, (rushlight.Tensor, torch.Tensor)):
        return change(value)
    if isinstance(value, dict):
        return {k: mapped(change, v) for k, v in value.items()}
    return type(value)(mapped(change, v) for v in value) if type(value) in (list, tuple) else value


# ---- comparison ------------------------------------------------------------------------------------------------------


def array(t):
    t = t.detach()
    if str(t.dtype) == "torch.bfloat16":
        t = t.float()
    return numpy.array(t.contiguous().resolve_conj().numpy() if isinstance(t, torch.Tensor) else t.contiguous().numpy())


def dtype_name(t):
    return str(t.dtype).removeprefix("torch.")


TOLERANCES = {
    "float16": 4e-3,
    "bfloat16": 1.6e-2,
    "float32": 2e-5,
    "complex64": 2e-5,
    "float64": 1e-9,
    "complex128": 1e-9,
}


def assert_same(result, expected, what, values=True, tolerance=None):
    found, wanted = tensors(result), tensors(expected)
    assert len(found) == len(wanted), f"{what}: {len(found)} results instead of {len(wanted)}"
    for got, want in zip(found, wanted, strict=True):
        assert dtype_name(got) == dtype_name(want), f"{what}: dtype {got.dtype} instead of {want.dtype}"
        assert tuple(got.shape) == tuple(want.shape), f"{what}: shape {tuple(got.shape)} instead of {tuple(want.shape)}"
        if values:
            limit = tolerance or TOLERANCES.get(dtype_name(want), 0)
            numpy.testing.assert_allclose(array(got), array(want), limit, limit, err_msg=what)


def to_ours(t):
    """PyTorch's tensor as Rushlight's."""
    if t.dtype == torch.bfloat16:
        return rushlight.from_numpy(t.float().numpy().copy()).to(rushlight.bfloat16)
    return (
        rushlight.from_numpy(numpy.array(t.numpy()))
        if t.dim()
        else rushlight.tensor(t.item(), dtype=getattr(rushlight, dtype_name(t)))
    )


# ---- the tests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INFO)
def test_row_is_documented(name):
    info = INFO[name]
    assert len(info["doc"]) > 10, "a row needs documentation"
    assert samples(name), "a row needs samples"


@pytest.mark.parametrize(("name", "line"), CASES)
def test_sample_runs_and_leaves_its_arguments_alone(name, line):
    args, kwargs = evaluate(line, rushlight)
    before = [array(t) for t in tensors([args, kwargs])]
    result = ours(name)(*args, **kwargs)
    assert tensors(result), "a row gives a tensor"
    for t in tensors(result):
        array(t)
    for t, old in zip(tensors([args, kwargs]), before, strict=True):
        numpy.testing.assert_array_equal(array(t), old)


@pytest.mark.parametrize(("name", "line"), [c for c in CASES if theirs(c[0])])
def test_result_is_that_of_pytorch(name, line):
    args, kwargs = evaluate(line, torch)
    expected = seeded(theirs(name), *args, **kwargs)
    args, kwargs = evaluate(line, rushlight)
    result = seeded(ours(name), *args, **kwargs)
    assert_same(result, expected, line, values=name not in UNINITIALISED)


def transposed(t):
    order = tuple(reversed(range(t.dim())))
    return t.permute(order).contiguous().permute(order)


def gapped(t):
    """Every other element of a larger tensor, beginning with the second."""
    return _core.stack([t, t], -1).select(-1, 1) if not isinstance(t, torch.Tensor) else torch.stack([t, t], -1)[..., 1]


def expanded(t):
    return t.narrow(0, 0, 1).expand(t.shape) if t.dim() and t.shape[0] else t


LAYOUTS = {"transposed": transposed, "gapped": gapped, "expanded": expanded}


@pytest.mark.parametrize(("name", "line"), [c for c in CASES if c[0] not in READS_STORAGE | UNINITIALISED | RANDOM])
def test_result_does_not_depend_on_the_layout(name, line):
    args, kwargs = evaluate(line, rushlight)
    for kind, change in LAYOUTS.items():
        moved = mapped(change, [args, kwargs])
        plain = mapped(lambda t: t.clone().contiguous(), moved)
        expected, refused = attempt(ours(name), *plain)
        result, error = attempt(ours(name), *moved)
        if refused:
            assert type(error) is type(refused), f"{kind}: {error!r} instead of {refused!r}"
            continue
        assert error is None, f"{kind}: {error!r}"
        assert_same(result, expected, kind)


def zero_dimensional(t):
    return t.reshape(-1)[0] if t.numel() else t.sum()


def emptied(t):
    return t.narrow(0, 0, 0) if t.dim() else t


def first_only(change):
    def apply(args):
        return [mapped(change, a) if k == 0 else a for k, a in enumerate(args)]

    return apply


SIZES = {
    "0-d": lambda args: mapped(zero_dimensional, args),
    "first 0-d": first_only(zero_dimensional),
    "empty": lambda args: mapped(emptied, args),
    "first empty": first_only(emptied),
}


@pytest.mark.parametrize(("name", "line"), [c for c in CASES if c[0] not in READS_STORAGE])
def test_empty_and_zero_dimensional_arguments(name, line):
    for kind, change in SIZES.items():
        if kind == "empty" and INFO[name]["kind"] != "pointwise":
            continue
        args, kwargs = evaluate(line, rushlight)
        result, error = attempt(ours(name), change(args), kwargs)
        for t in tensors([] if result is None else result):
            array(t)
        if not theirs(name):
            continue
        args, kwargs = evaluate(line, torch)
        expected, refused = attempt(theirs(name), change(args), kwargs)
        if refused:
            assert error is not None, f"{kind}: no error; PyTorch says {refused!r}"
        else:
            assert error is None, f"{kind}: {error!r}"
            assert_same(result, expected, f"{kind}: {line}", values=name not in UNINITIALISED)


def in_dtype(t, dtype):
    """A floating point sample (PyTorch's) in another dtype, with values that it can tell apart."""
    if not t.dtype.is_floating_point:
        return t
    if dtype == torch.bool:
        return t > 0
    if dtype.is_complex:
        return torch.complex(t, t.flip(0) if t.dim() else t).to(dtype)
    return (t * 8).round().to(dtype) if not dtype.is_floating_point else t.to(dtype)


def has_floats(line):
    return any(t.dtype.is_floating_point for t in tensors(list(evaluate(line, torch))))


CHECKED_DTYPES = ("float32", "float16", "bfloat16", "int64", "bool", "complex64")


@pytest.mark.parametrize("dtype", CHECKED_DTYPES)
@pytest.mark.parametrize(("name", "line"), [c for c in CASES if theirs(c[0]) and has_floats(c[1])])
def test_dtype_is_treated_as_by_pytorch(name, line, dtype):
    args, kwargs = mapped(lambda t: in_dtype(t, getattr(torch, dtype)), list(evaluate(line, torch)))
    expected, refused = attempt(theirs(name), args, kwargs)
    args, kwargs = mapped(to_ours, [args, kwargs])
    result, error = attempt(ours(name), args, kwargs)
    if refused:
        missing = "not implemented for" in str(refused) or "not supported" in str(refused)
        assert error is not None or missing, f"no error; PyTorch says {refused!r}"
    else:
        if any(dtype_name(t) == "complex32" for t in tensors(expected)):
            return  # a dtype that Rushlight does not have
        assert error is None, repr(error)
        assert_same(result, expected, line, values=name not in UNINITIALISED)


# ---- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, i in INFO.items() if "inplace" in i["forms"] and "function" in i["forms"]])
def test_in_place_form_agrees(name):
    for line in samples(name):
        args, kwargs = evaluate(line, rushlight)
        if not isinstance(args[0], rushlight.Tensor):
            continue
        expected = seeded(ours(name), *args, **kwargs)
        input = transposed(args[0].clone())
        fits = input.shape == expected.shape and _core.can_cast(expected.dtype, input.dtype)
        result, error = attempt(getattr(_core, name + "_"), [input, *args[1:]], kwargs)
        if not fits and INFO[name]["kind"] != "view":
            assert isinstance(error, RuntimeError), f"{line}: no error for a result that does not fit"
            continue
        assert error is None, f"{line}: {error!r}"
        assert result is input
        assert_same(result, expected.to(input.dtype), line)


@pytest.mark.parametrize("name", [n for n, i in INFO.items() if "out" in i["forms"]])
def test_out_form_agrees(name):
    for line in samples(name):
        args, kwargs = evaluate(line, rushlight)
        expected = seeded(ours(name), *args, **kwargs)
        outs = [_core.empty(0, dtype=t.dtype) for t in tensors(expected)]
        several = isinstance(expected, tuple)
        result = seeded(ours(name), *args, **kwargs, out=tuple(outs) if several else outs[0])
        assert all(r is o for r, o in zip(tensors(result), outs, strict=True))
        assert_same(outs, tensors(expected), line, values=name not in UNINITIALISED)
        outs = [transposed(_core.zeros_like(t)) for t in tensors(expected)]
        strides = [o.stride() for o in outs]
        seeded(ours(name), *args, **kwargs, out=tuple(outs) if several else outs[0])
        assert [o.stride() for o in outs] == strides, "out= of the right shape keeps its strides"
        assert_same(outs, tensors(expected), line, values=name not in UNINITIALISED)


@pytest.mark.parametrize("name", [n for n, i in INFO.items() if "method" in i["forms"] and not i["home"]])
def test_method_agrees(name):
    for line in samples(name):
        args, kwargs = evaluate(line, rushlight)
        if isinstance(args[0], rushlight.Tensor) and isinstance(getattr(_core.Tensor, name), _core.Op):
            expected = seeded(ours(name), *args, **kwargs)
            assert_same(seeded(getattr(args[0], name), *args[1:], **kwargs), expected, line)


# ---- gradients -------------------------------------------------------------------------------------------------------


def is_differentiable(t):
    return t.dtype.is_floating_point or t.dtype.is_complex


def noise(t, source):
    values = source.standard_normal(tuple(t.shape))
    if t.dtype.is_complex:
        values = values + 1j * source.standard_normal(tuple(t.shape))
    return (
        rushlight.from_numpy(numpy.asarray(values, order="C"))
        if t.dim()
        else rushlight.tensor(values.item(), dtype=t.dtype)
    )


def inner(a, b):
    return float(sum(numpy.sum((numpy.conj(array(x)) * array(y)).real) for x, y in zip(a, b, strict=True)))


def difference(a, b):
    """a - b, and 0 where both are the same infinity."""
    with numpy.errstate(invalid="ignore"):
        return numpy.where(a == b, 0, a - b)


def gradients(outputs, cotangents, inputs, create_graph=False):
    """Zeros for what the outputs do not depend on."""
    used = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
    if not used:
        return [_core.zeros_like(t) for t in inputs]
    found = rushlight.autograd.grad([o for o, _ in used], inputs, [c for _, c in used], retain_graph=True,
                                    create_graph=create_graph, allow_unused=True)  # fmt: skip
    return [_core.zeros_like(t) if g is None else g for g, t in zip(found, inputs, strict=True)]


class Differentiated:
    """A sample as a function of those of its tensors that have derivatives."""

    def __init__(self, name, line):
        self.function = ours(name)
        self.results = 1 if name in FIRST_RESULT_ONLY else None
        args, self.kwargs = evaluate(line, rushlight)
        names = [p["name"] for p in INFO[name]["parameters"]]
        fixed = NO_DERIVATIVE.get(name, ())
        self.args = [mapped(self.mark, a) if k not in fixed else a for k, a in zip(names, args)]  # noqa: B905
        self.inputs = [m.tensor for m in self.marked(self.args)]
        self.source = numpy.random.RandomState(3)

    def mark(self, t):
        return Variable(t) if is_differentiable(t) else t

    def marked(self, value):
        if isinstance(value, Variable):
            return [value]
        return [m for v in value for m in self.marked(v)] if isinstance(value, (list, tuple)) else []

    def __call__(self, inputs):
        left = iter(inputs)

        def filled(value):
            if isinstance(value, Variable):
                return next(left)
            return type(value)(filled(v) for v in value) if type(value) in (list, tuple) else value

        args = [filled(a) for a in self.args]
        results = tensors(seeded(self.function, *args, **self.kwargs))[: self.results]
        return [t for t in results if is_differentiable(t)]

    def leaves(self):
        return [t.detach().clone().requires_grad_() for t in self.inputs]

    def noise(self, like):
        return [noise(t, self.source) for t in like]


class Variable:
    """The place of a differentiable tensor among a sample's arguments."""

    def __init__(self, tensor):
        self.tensor = tensor


STEP = 1e-6


def along(function, inputs, direction, weights):
    """The derivative of sum(weights * function(inputs)) along `direction`, by central differences."""
    ahead = function([t.detach() + v * STEP for t, v in zip(inputs, direction, strict=True)])
    behind = function([t.detach() - v * STEP for t, v in zip(inputs, direction, strict=True)])
    changes = [difference(array(a), array(b)) for a, b in zip(ahead, behind, strict=True)]
    return sum(float((numpy.conj(array(w)) * c).real.sum()) for w, c in zip(weights, changes, strict=True)) / (2 * STEP)


def can_be_differentiated(name, line):
    sample = Differentiated(name, line)
    try:
        return any(o.requires_grad for o in sample(sample.leaves()))
    except ORDINARY:  # another test will say so
        return False


DIFFERENTIABLE = [c for c in CASES if c[0] not in RANDOM and c not in NOT_THE_DERIVATIVE and can_be_differentiated(*c)]


@pytest.mark.parametrize(("name", "line"), DIFFERENTIABLE)
def test_gradient(name, line):
    sample = Differentiated(name, line)
    inputs = sample.leaves()
    outputs = sample(inputs)
    kept = [k for k, o in enumerate(outputs) if o.requires_grad]
    outputs = [outputs[k] for k in kept]
    cotangents, direction = sample.noise(outputs), sample.noise(inputs)
    found = gradients(outputs, cotangents, inputs)
    for g, t in zip(found, inputs, strict=True):
        assert g.dtype == t.dtype and g.shape == t.shape
    expected = along(lambda x: [o for k, o in enumerate(sample(x)) if k in kept], inputs, direction, cotangents)
    assert inner(found, direction) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    again = gradients(outputs, cotangents, inputs, create_graph=True)
    assert_same(again, found, "create_graph=True", tolerance=1e-9)


@pytest.mark.parametrize(("name", "line"), DIFFERENTIABLE)
def test_gradient_of_gradient(name, line):
    sample = Differentiated(name, line)
    inputs = sample.leaves()
    outputs = sample(inputs)
    kept = [k for k, o in enumerate(outputs) if o.requires_grad]
    cotangents = [c.requires_grad_() for c in sample.noise([outputs[k] for k in kept])]
    count = len(inputs)

    def first_gradients(values, create_graph=False):
        x, c = values[:count], values[count:]
        if not create_graph:
            x = [t.detach().requires_grad_() for t in x]
        result = sample(x)
        return gradients([result[k] for k in kept], c, x, create_graph)

    variables = inputs + cotangents
    found = first_gradients(variables, create_graph=True)
    weights, direction = sample.noise(found), sample.noise(variables)
    expected = along(first_gradients, variables, direction, weights)
    second = gradients(found, weights, variables)
    assert inner(second, direction) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", [n for n, i in INFO.items() if i["differentiable"] and n not in RANDOM])
def test_differentiable_row_has_a_differentiable_sample(name):
    assert any(n == name for n, _ in DIFFERENTIABLE)


# ---- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "line", "kind", "message"), [(n, *e) for n in INFO for e in errors(n)])
def test_error(name, line, kind, message):
    args, kwargs = evaluate(line, rushlight)
    with pytest.raises(kind) as caught:
        ours(name)(*args, **kwargs)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(message)
