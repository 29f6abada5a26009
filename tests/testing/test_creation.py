"""make_tensor: bounds, layouts, and PyTorch's numbers for the same seed."""

import importlib

import pytest


@pytest.fixture(params=["rushlight", pytest.param("torch", marks=pytest.mark.oracle)])
def torch(request):
    return pytest.importorskip("torch") if request.param == "torch" else importlib.import_module("rushlight")


@pytest.fixture
def make(torch):
    make_tensor = importlib.import_module(f"{torch.__name__}.testing").make_tensor
    return lambda *shape, dtype, **kwargs: make_tensor(*shape, dtype=getattr(torch, dtype), device="cpu", **kwargs)


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
          "complex64", "complex128"]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_default_bounds(torch, make, dtype):
    x = make(100, 3, dtype=dtype)
    assert x.shape == (100, 3) and x.dtype == getattr(torch, dtype) and x.is_contiguous()
    values = [abs(v) for row in x.tolist() for v in row]
    assert max(values) <= (1 if dtype == "bool" else 13) and len(set(values)) >= 2
    assert x.tolist() == x.tolist()


@pytest.mark.oracle
@pytest.mark.parametrize("options", [{}, {"noncontiguous": True}, {"low": 1, "high": 2}])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_numbers_are_pytorchs(dtype, options):
    oracle = pytest.importorskip("torch")
    import rushlight

    made = []
    for torch in (rushlight, oracle):
        torch.manual_seed(3)
        made.append(torch.testing.make_tensor((3, 4), dtype=getattr(torch, dtype), device="cpu", **options))
    assert made[0].tolist() == made[1].tolist() and made[0].stride() == made[1].stride()


def test_bounds(torch, make):
    x = make((1000,), dtype="float32", low=-0.5, high=0.25)
    assert x.min() >= -0.5 and x.max() < 0.25
    assert set(make(100, dtype="int64", low=4, high=5).tolist()) == {4}
    assert make(100, dtype="uint8", low=250, high=1000).min() >= 250
    x = make(100, dtype="float16", low=-1e9, high=1e9)
    assert x.isfinite().all() and x.abs().max() > 10000


def test_layouts(torch, make):
    x = make(3, 4, dtype="float32", noncontiguous=True)
    assert x.shape == (3, 4) and not x.is_contiguous()
    assert make(1, dtype="float32", noncontiguous=True).is_contiguous()
    x = make(2, 3, 4, 5, dtype="float32", memory_format=torch.channels_last)
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_exclude_zero(torch, make):
    assert make(200, dtype="int64", low=0, high=2, exclude_zero=True).tolist() == [1] * 200


def test_requires_grad(torch, make):
    assert make(2, dtype="float32", requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="requires_grad"):
        make(2, dtype="int64", requires_grad=True)


def test_wrong_bounds(torch, make):
    for options in ({"low": 2, "high": 1}, {"low": float("nan")}, {"low": 300, "high": 400}):
        with pytest.raises(ValueError):
            make(2, dtype="uint8", **options)
    with pytest.raises(ValueError, match="exclu"):
        make(2, dtype="float32", noncontiguous=True, memory_format=torch.contiguous_format)
    with pytest.raises(TypeError):
        importlib.import_module(f"{torch.__name__}.testing").make_tensor(2, dtype="float", device="cpu")


OPTIONS = {
    "low": {"low": -3},
    "high": {"high": 4},
    "fractions": {"low": -1.5, "high": 2.5},
    "equal": {"low": 2, "high": 2},
    "reversed": {"low": 5, "high": 2},
    "huge": {"low": -1e30, "high": 1e30},
    "infinite": {"low": -float("inf"), "high": float("inf")},
    "outside": {"low": 1e10, "high": 1e11},
    "negative": {"low": -20, "high": -10},
    "no zeros": {"low": -1, "high": 2, "exclude_zero": True},
    "gradient": {"requires_grad": True},
    "one value": {"low": 0, "high": 1},
}


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::FutureWarning")  # low == high
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_bounds_are_treated_as_pytorch_does(dtype, options):
    def made(torch):
        torch.manual_seed(0)
        try:
            x = torch.testing.make_tensor((2, 3), dtype=getattr(torch, dtype), device="cpu", **options)
        except Exception as error:
            return type(error)
        return x.tolist(), x.requires_grad, x.stride()

    import rushlight

    assert repr(made(rushlight)) == repr(made(pytest.importorskip("torch")))
