"""assert_close: the verdict and the message are PyTorch's."""

import collections
import importlib

import numpy as np
import pytest

nan, inf = float("nan"), float("inf")


@pytest.fixture(params=["rushlight", pytest.param("torch", marks=pytest.mark.oracle)])
def torch(request):
    return pytest.importorskip("torch") if request.param == "torch" else importlib.import_module("rushlight")


@pytest.fixture
def close(torch):
    return importlib.import_module(f"{torch.__name__}.testing").assert_close


def message(close, *args, **kwargs):
    with pytest.raises(AssertionError) as error:
        close(*args, **kwargs)
    return str(error.value)


def test_tensors_within_tolerance(torch, close):
    x = torch.tensor([1.0, 2.0])
    close(x, x.clone())
    close(x, x + 1e-6)
    close(torch.tensor([1e-6]), torch.tensor([0.0]))
    close(x.double(), x.double() + 1e-8)
    close(x.half(), (x + 5e-4).half())
    close(torch.zeros(0, 3), torch.zeros(0, 3))
    close(torch.tensor([inf, -inf]), torch.tensor([inf, -inf]))
    close(torch.tensor([1 + 2j]), torch.tensor([1 + 2j]))


@pytest.mark.parametrize(
    "dtype, inside, outside",
    [
        ("float64", 1.9e-7, 2.1e-7),
        ("float32", 1.12e-5, 1.15e-5),
        ("float16", 0.0, 2e-3),
        ("bfloat16", 1.5e-2, 2.4e-2),
        ("complex128", 1.9e-7, 2.1e-7),
    ],
)
def test_default_tolerances_at_one(torch, close, dtype, inside, outside):
    one = torch.ones(1, dtype=torch.float64)
    dtype = getattr(torch, dtype)
    close((one + inside).to(dtype), one.to(dtype))
    assert "not close" in message(close, (one + outside).to(dtype), one.to(dtype))


def test_the_message_of_tensors(torch, close):
    assert message(close, torch.tensor([[1.0, 2.0], [3.0, 5.0]]), torch.tensor([[1.0, 2.5], [3.0, 4.0]])) == (
        "Tensor-likes are not close!\n\nMismatched elements: 2 / 4 (50.0%)\n"
        "Greatest absolute difference: 1.0 at index (1, 1) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.25 at index (1, 1) (up to 1.3e-06 allowed)"
    )


def test_the_message_of_integers_and_booleans(torch, close):
    assert message(close, torch.tensor([1, 2]), torch.tensor([1, 3])).startswith(
        "Tensor-likes are not equal!\n\nMismatched elements: 1 / 2 (50.0%)\n"
        "Greatest absolute difference: 1 at index (1,)\nGreatest relative difference: 0.333"
    )
    text = message(close, torch.tensor([1, 2], dtype=torch.uint8), torch.tensor([2, 1], dtype=torch.uint8))
    assert "absolute difference: 1 at index (0,)" in text
    assert "relative difference: inf" in message(close, torch.tensor([True]), torch.tensor([False]))


def test_the_message_of_numbers(torch, close):
    assert message(close, 1.0, 2.0) == (
        "Scalars are not close!\n\nExpected 2.0 but got 1.0.\n"
        "Absolute difference: 1.0 (up to 1e-07 allowed)\nRelative difference: 0.5 (up to 1e-07 allowed)"
    )
    assert message(close, 1, 2).endswith("Absolute difference: 1\nRelative difference: 0.5")
    assert "Expected 2.5 but got 1.0." in message(close, torch.tensor(1.0), torch.tensor(2.5))
    assert message(close, True, False) == "Booleans mismatch: True is not False"
    assert message(close, None, 1) == "None mismatch: None is not 1"
    close(inf, inf)
    close(None, None)


def test_nan(torch, close):
    x = torch.tensor([nan, 1.0])
    assert "nan at index (0,)" in message(close, x, x)
    close(x, x, equal_nan=True)
    close(nan, nan, equal_nan=True)
    text = message(close, x, torch.tensor([nan, 2.0]), equal_nan=True)
    assert "Mismatched elements: 1 / 2" in text and "absolute difference: 1.0 at index (1,)" in text


def test_attributes(torch, close):
    x = torch.ones(2, 3)
    assert message(close, x, torch.ones(3)).startswith("The values for attribute 'shape' do not match")
    assert "'dtype'" in message(close, x, x.double())
    close(x, x.double(), check_dtype=False)
    close(torch.ones(2, dtype=torch.int32), torch.ones(2), check_dtype=False)
    assert "'stride()'" in message(close, torch.ones(3, 2).t(), x, check_stride=True)
    close(torch.ones(3, 2).t(), x)


def test_tolerances_come_in_pairs(torch, close):
    with pytest.raises(ValueError, match="Both 'rtol' and 'atol' must be either specified or omitted"):
        close(torch.ones(1), torch.ones(1), rtol=0.1)
    close(torch.ones(1), torch.ones(1) + 0.5, rtol=0.0, atol=0.6)
    assert "(up to 0.1 allowed)" in message(close, torch.ones(1), torch.zeros(1), rtol=0.0, atol=0.1)


def test_containers_name_the_place(torch, close):
    a, b = torch.ones(2), torch.zeros(2)
    assert message(close, [a, [a]], [a, [b]]).endswith("The failure occurred for item [1][0]")
    assert message(close, {"w": (a, b)}, {"w": (a, a)}).endswith("The failure occurred for item ['w'][1]")
    assert message(close, [1], [1, 2]) == "The length of the sequences mismatch: 1 != 2"
    assert message(close, {"a": 1}, {"b": 1}).startswith("The keys of the mappings do not match")
    close(collections.OrderedDict(a=a), {"a": a})
    close([1.0, (2, None)], (1.0, [2, None]))


def test_own_messages(torch, close):
    assert message(close, 1.0, 2.0, msg="mine") == "mine"
    assert message(close, 1.0, 2.0, msg=lambda m: "mine: " + m[:7]) == "mine: Scalars"


def test_types_that_do_not_compare(torch, close):
    for a, b in (("a", "a"), (torch.ones(1), [1.0]), (1.0, torch.tensor(1.0)), (object(), object())):
        with pytest.raises(TypeError, match="No comparison pair"):
            close(a, b)
    assert "do not match" in message(close, 1, 1.0)
    parameter = importlib.import_module(f"{torch.__name__}.nn").Parameter(torch.ones(2))
    close(parameter, torch.ones(2))
    with pytest.raises(TypeError, match="No comparison pair"):
        close(parameter, torch.ones(2), allow_subclasses=False)


def test_numpy_arrays(torch, close):
    close(np.ones(2), np.ones(2))
    assert "not close" in message(close, np.ones(2), np.zeros(2))


def test_gradients_do_not_matter(torch, close):
    close(torch.ones(2, requires_grad=True) * 2, torch.full((2,), 2.0))


# --- the whole text, against PyTorch's

DTYPES = (
    "float16", "bfloat16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool", "complex64", "complex128",
)  # fmt: skip
PAIRS = {
    **{d: lambda t, d=d: [t.tensor(x).to(getattr(t, d)) for x in ([[1, 2], [3, 4]], [[1, 2], [0, 5]])] for d in DTYPES},
    **{f"{d} of no dimensions": lambda t, d=d: [t.tensor(x).to(getattr(t, d)) for x in (3, 0)] for d in DTYPES},
    **{f"{d} and float32": lambda t, d=d: [t.tensor([1]).to(getattr(t, d)), t.tensor([0.5])] for d in DTYPES},
    "overflow": lambda t: [t.tensor([2**63 - 1]), t.tensor([-(2**63)])],
    "infinities": lambda t: [t.tensor([inf, 1.0, -inf]), t.tensor([inf, 1.0, inf])],
    "one infinity": lambda t: [t.tensor([inf, 1.0, 3]), t.tensor([2.0, 1.0, inf])],
    "nan": lambda t: [t.tensor([nan, 1.0, 2.0]), t.tensor([nan, 1.0, 5.0])],
    "many": lambda t: [t.arange(60.0).reshape(3, 4, 5), t.arange(60.0).reshape(3, 4, 5).flip(0)],
    "shapes": lambda t: [t.ones(2, 3), t.ones(())],
    "numbers of numpy": lambda t: [np.int32(1), np.int64(2)],
    "number and numpy's": lambda t: [1.0, np.float32(2)],
    "bools of numpy": lambda t: [True, np.bool_(False)],
    "bytes": lambda t: [b"ab", b"ac"],
    "strings": lambda t: [["a"], ["b"]],
    "arrays": lambda t: [np.ones(3), np.zeros(3)],
    "arrays of dtypes": lambda t: [np.ones(3), np.ones(3, np.float32)],
    "arrays of strings": lambda t: [np.array(["a"]), np.array(["b"])],
    "array and tensor": lambda t: [np.ones(3), t.ones(3)],
    "nested": lambda t: [{"a": [t.ones(2), {"x": t.ones(1)}]}, {"a": [t.ones(2), {"x": t.zeros(1)}]}],
    "keys": lambda t: [{"a": 1, "b": 2}, {"a": 1, "c": 3}],
    "sparse": lambda t: [t.eye(3).to_sparse(), (2 * t.eye(3)).to_sparse()],
    "sparse equal": lambda t: [t.eye(3).to_sparse(), t.eye(3).to_sparse()],
    "sparse counts": lambda t: [t.eye(3).to_sparse(), t.ones(3, 3).to_sparse()],
    "sparse places": lambda t: [t.tensor([0.0, 1.0]).to_sparse(), t.tensor([1.0, 0.0]).to_sparse()],
    "sparse and dense": lambda t: [t.eye(3).to_sparse(), 2 * t.eye(3)],
    "rows": lambda t: [t.eye(3).to_sparse_csr(), (2 * t.eye(3)).to_sparse_csr()],
    "rows at places": lambda t: [t.eye(3).to_sparse_csr(), t.eye(3).flip(0).to_sparse_csr()],
    "columns": lambda t: [t.eye(3).to_sparse_csc(), (2 * t.eye(3)).to_sparse_csc()],
    "rows and places": lambda t: [t.eye(3).to_sparse_csr(), t.eye(3).to_sparse()],
    "coalesced": lambda t: [t.sparse_coo_tensor([[0, 0]], [1.0, 1.0], (2,)), t.sparse_coo_tensor([[0]], [2.0], (2,))],
}  # fmt: skip
RULES = {
    "default": {},
    "attributes ignored": {"check_dtype": False, "check_layout": False},
    "tolerant": {"rtol": 0.25, "atol": 0.5, "equal_nan": True, "check_dtype": False},
}


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Sparse")  # of PyTorch's
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_same_verdict_and_text(pair, rules):
    def verdict(torch):
        try:
            torch.testing.assert_close(*pair(torch), **rules)
        except Exception as error:
            return type(error), str(error).replace("rushlight", "torch")
        return "close"

    import rushlight

    assert verdict(rushlight) == verdict(pytest.importorskip("torch"))


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_allclose_has_tolerances_of_its_own(dtype):
    def text(torch):
        a, b = torch.ones(2, dtype=getattr(torch, dtype)), torch.zeros(2, dtype=getattr(torch, dtype))
        with pytest.raises(AssertionError) as error:
            torch.testing.assert_allclose(a, b)
        torch.testing.assert_allclose(a, a.tolist())
        return str(error.value)

    import rushlight

    assert text(rushlight) == text(pytest.importorskip("torch"))
