"""The text of tensors against PyTorch's, on random tensors of every dtype and on chosen edge cases."""

import math
import random

import pytest

import rushlight
from rushlight import printing

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]


def rushlight_tensor(t):
    dtype = getattr(rushlight, str(t.dtype).removeprefix("torch."))
    flat = t.detach().reshape(-1).tolist()
    return rushlight.tensor(flat, dtype=dtype).reshape(tuple(t.shape))


@pytest.fixture(autouse=True)
def default_options():
    yield
    for module in (torch, printing):
        module.set_printoptions(profile="default")


def set_both(**options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


def assert_same_text(t):
    assert printing.tensor_repr(rushlight_tensor(t)) == repr(t)


def random_shape(rng):
    shape = [rng.choice([0, 1, 1, 2, 3, 5, 7, 12, 30]) for _ in range(rng.randint(0, 5))]
    while math.prod(shape) > 3000:
        shape[rng.randrange(len(shape))] = 1
    return shape


def random_values(rng, shape, dtype):
    name = str(dtype).removeprefix("torch.")
    if name == "bool":
        return torch.rand(shape) > 0.5
    if name in INTEGERS:
        info = torch.iinfo(dtype)
        bound = min(info.max, 10 ** rng.randint(1, 18))
        return torch.randint(max(info.min, -bound), bound, shape, dtype=dtype)
    parts = torch.randn([*shape, 2], dtype=torch.float64)
    style = rng.random()
    if style < 0.3:
        parts *= 10.0 ** rng.randint(-8, 12)
    elif style < 0.5:
        parts = (parts * 10).round()
    elif style < 0.6:
        parts *= 10 ** (torch.randn_like(parts) * 3)
    if rng.random() < 0.3 and parts.numel():
        flat = parts.view(-1)
        for _ in range(3):
            flat[rng.randrange(flat.numel())] = rng.choice([math.inf, -math.inf, math.nan, 0.0, -0.0])
    return (torch.view_as_complex(parts) if name in COMPLEX else parts[..., 0]).to(dtype)


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, *COMPLEX])
def test_random_tensors_read_as_in_torch(dtype):
    rng = random.Random(dtype)
    torch.manual_seed(0)
    for _ in range(250):
        set_both(profile="default")
        if rng.random() < 0.3:
            set_both(
                precision=rng.randint(0, 8),
                threshold=rng.choice([0, 5, 100, 2000]),
                edgeitems=rng.randint(0, 5),
                linewidth=rng.randint(20, 150),
                sci_mode=rng.choice([None, True, False]),
            )
        assert_same_text(random_values(rng, random_shape(rng), getattr(torch, dtype)))


@pytest.mark.parametrize(
    "values",
    [
        0.0,
        -0.0,
        [1.0, math.inf],
        [math.nan, -math.inf],
        [1e-5, 1.0],
        [1e9, 1.0],
        [1e8, 2e5],
        [1e8 + 8.0, 1e6],
        [1000.5, 1.0],
        [1.5, 1501.5],
        [True, False],
        [],
        [[], []],
        complex(1, -0.0),
        [complex(math.nan, math.inf), 2j],
        -7,
    ],
)
def test_edge_cases_read_as_in_torch(values):
    assert_same_text(torch.tensor(values))


@pytest.mark.parametrize("profile", ["default", "short", "full"])
def test_profiles(profile):
    set_both(profile=profile)
    assert_same_text(torch.arange(3.0 * 700).reshape(3, 700) / 7)


def test_default_dtype_decides_whether_the_dtype_is_shown():
    for name in ("float64", "float32"):
        torch.set_default_dtype(getattr(torch, name))
        rushlight.set_default_dtype(getattr(rushlight, name))
        try:
            for t in (torch.ones(2, dtype=torch.float32), torch.ones(2, dtype=torch.float64), torch.ones(0)):
                assert_same_text(t)
            assert_same_text(torch.ones(2, dtype=torch.complex128))
        finally:
            torch.set_default_dtype(torch.float32)
            rushlight.set_default_dtype(rushlight.float32)


def test_autograd_suffixes():
    x = rushlight.ones(2, requires_grad=True)
    assert printing.tensor_repr(x) == "tensor([1., 1.], requires_grad=True)"
    assert printing.tensor_repr(x + 1) == "tensor([2., 2.], grad_fn=<AddBackward0>)"
    assert printing.tensor_repr((x * 2).sum()) == "tensor(4., grad_fn=<SumBackward0>)"
    assert printing.tensor_repr(x.detach()) == "tensor([1., 1.])"


def test_long_suffixes_wrap_as_in_torch():
    t = torch.rand(5, 9).requires_grad_()
    ours = rushlight_tensor(t).requires_grad_()
    for linewidth in range(20, 120):
        set_both(linewidth=linewidth)
        assert printing.tensor_repr(ours) == repr(t)


def test_repr_and_str_are_this_text():
    x = rushlight.tensor([1.0, 2.5])
    assert repr(x) == str(x) == "tensor([1.0000, 2.5000])"


def test_only_the_summary_is_converted(monkeypatch):
    rows = rushlight.zeros(100_000, 20)

    class Counting:
        """Counts the elements that leave the tensor."""

        converted = 0

        def __init__(self, tensor):
            self.tensor = tensor

        def __getattr__(self, name):
            return getattr(self.tensor, name)

        def __getitem__(self, index):
            return Counting(self.tensor[index])

        def detach(self):
            return self

        def tolist(self):
            Counting.converted += self.tensor.numel()
            return self.tensor.tolist()

    text = printing.tensor_repr(Counting(rows))
    assert text.replace("Counting(", "tensor(").count("0.") == 36
    assert Counting.converted == 36


def test_context_manager_restores():
    with printing.printoptions(precision=2, sci_mode=False):
        assert printing.tensor_repr(rushlight.tensor([1e-9, 1.0])) == "tensor([0.00, 1.00])"
    assert printing.get_printoptions() == {
        "precision": 4,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 80,
        "sci_mode": None,
    }


def test_unknown_profile_is_refused():
    with pytest.raises(ValueError, match=r"\[set_printoptions\] profile must be one of"):
        printing.set_printoptions(profile="fulll")
