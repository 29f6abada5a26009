"""FloatTensor and its like, and the methods that make tensors of another's dtype: a table against PyTorch."""

import numpy as np
import pytest

import rushlight

oracle = pytest.importorskip("torch")

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
NAMES = ["Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool"]
OF_A_CLASS = (
    "torch.{0}Tensor(2, 3)", "torch.{0}Tensor([1, 0])", "torch.{0}Tensor()", "torch.{0}Tensor(3)",
    "torch.{0}Tensor((2, 3))", "torch.{0}Tensor(torch.Size([2, 3]))", "torch.{0}Tensor(torch.ones(2))",
    "torch.{0}Tensor(np.ones(2))", "torch.{0}Tensor([[1, 0], [1, 1]])", "torch.{0}Tensor(2, device='cpu')",
    "torch.{0}Tensor(1.5)", "torch.{0}Tensor('a')", "torch.{0}Tensor([])", "torch.{0}Tensor(-1)",
    "torch.{0}Tensor(None)", "torch.{0}Tensor.dtype", "isinstance(torch.{0}Tensor([1]), torch.{0}Tensor)",
    "isinstance(torch.ones(1), torch.{0}Tensor)", "isinstance(torch.nn.Parameter(torch.ones(1)), torch.{0}Tensor)",
    "torch.ones(1).type('torch.{0}Tensor')", "torch.ones(1).type(torch.{0}Tensor)", "torch.{0}Tensor([1]).type()",
    "torch.{0}Tensor.__name__", "torch.{0}Tensor.is_cuda", "torch.{0}Tensor.is_sparse", "torch.{0}Tensor.layout",
    "type(torch.{0}Tensor).__name__", "torch.cuda.{0}Tensor.dtype", "torch.cuda.{0}Tensor.is_cuda",
    "torch.cuda.{0}Tensor(2)", "torch.ones(1).type('torch.cuda.{0}Tensor')",
    "torch.ones(1).type(torch.cuda.{0}Tensor)", "isinstance(torch.ones(1), torch.cuda.{0}Tensor)",
    "torch.{0}Tensor.add is torch.Tensor.add",
)  # fmt: skip
OF_A_TENSOR = (
    "x.type()", "x.type(torch.float64)", "x.type('float')", "x.type(None)", "x.type(dtype=torch.float16)",
    "x.type(torch.FloatTensor, non_blocking=True)", "x.type('torch.float32')", "x.type(float)",
    "x.type(torch.int32) is x", "x.type_as(torch.ones(1, dtype=torch.double))", "x.type_as(x) is x",
    "x.new_tensor([1.5, 2])", "x.new_tensor(3)", "x.new_tensor(torch.ones(2))", "x.new_tensor([1], dtype=torch.half)",
    "x.new_tensor([1.0], dtype=torch.float, requires_grad=True).requires_grad", "x.new_tensor(data=[1])",
    "x.new_tensor(np.ones(2))", "x.new_tensor([1], device='cpu')", "x.new_tensor()", "x.new_zeros(2, 3)",
    "x.new_zeros((2, 3))", "x.new_zeros(size=(2,))", "x.new_zeros(2, dtype=torch.half)", "x.new_zeros([])",
    "x.new_zeros(())", "x.new_zeros('a')", "x.new_zeros(-1)", "x.new_zeros(2, layout=torch.strided, pin_memory=False)",
    "x.new_ones(2, 3)", "x.new_ones((2, 3), requires_grad=False)", "x.new_full((2,), 3)", "x.new_full((2,), 3.5)",
    "x.new_full((2,), 3.5, dtype=torch.float)", "x.new_full(2, 3)", "x.new_full(size=(1,), fill_value=True)",
    "x.new_empty(2, 3)", "x.new_empty((2, 3), dtype=torch.bool)", "x.new_empty_strided((2, 3), (1, 2)).stride()",
    "x.new(2, 3)", "x.new([1, 2])", "x.new()", "x.new(torch.Size([2]))", "x.new(torch.ones(2))", "x.new(x)",
    "torch.Tensor(2, 3)", "torch.Tensor([1, 2])", "torch.Tensor()", "torch.Tensor(torch.ones(2))",
    "torch.Tensor(torch.ones(2, dtype=torch.int32))", "torch.Tensor(1.5)", "torch.Tensor('a')",
    "torch.Tensor(2, device='cpu')", "torch.Tensor(np.ones(2))", "torch.Tensor((1, 2))", "torch.Tensor(None)",
    "torch.Tensor(np.ones(2, dtype=np.int64))", "torch.LongTensor([[1.7, 2.2]])", "torch.BoolTensor([2, 0]).tolist()",
    "torch.LongTensor(range(3))", "torch.LongTensor(np.array([1, 2]))", "torch.FloatTensor(np.float32(2))",
    "torch.FloatTensor(3, torch.ones(1))", "torch.ComplexFloatTensor", "torch.is_tensor(torch.FloatTensor)",
)  # fmt: skip


def outcome(torch, expression):
    """What the expression gives: of a tensor its kind; of an error its class."""
    try:
        found = eval(expression, {"torch": torch, "np": np, "x": torch.ones(2, dtype=torch.int32)})
    except Exception as error:
        return type(error)
    return (str(found.dtype), tuple(found.shape)) if isinstance(found, torch.Tensor) else str(found)


@pytest.mark.parametrize("name", NAMES)
def test_classes_of_one_dtype(name):
    for expression in OF_A_CLASS:
        text = expression.format(name)
        assert outcome(rushlight, text) == outcome(oracle, text), text


@pytest.mark.parametrize("expression", OF_A_TENSOR)
def test_tensors_like_another(expression):
    assert outcome(rushlight, expression) == outcome(oracle, expression)


@pytest.mark.parametrize(
    "given", ["'torch.DoubleTensor'", "torch.HalfTensor", "torch.LongTensor", "torch.cuda.FloatTensor", "3"]
)
def test_default_tensor_type(given):
    found = []
    for torch in (rushlight, oracle):
        try:
            found.append((outcome(torch, f"torch.set_default_tensor_type({given})"), str(torch.get_default_dtype())))
        finally:
            torch.set_default_dtype(torch.float32)
    assert found[0] == found[1]
