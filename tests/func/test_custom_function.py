"""autograd.Function under vmap."""

import numpy
import pytest

import rushlight
from rushlight import func

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]  # PyTorch warns about itself


def generated(t):
    class ExpOfProduct(t.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, w):
            return (x * w).exp()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs, output)

        @staticmethod
        def backward(ctx, g):
            x, w, y = ctx.saved_tensors
            return g * y * w, g * y * x

    return ExpOfProduct.apply


def by_hand(t):
    class Total(t.autograd.Function):
        @staticmethod
        def forward(x, w):
            return (x * w).sum()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, g * x

        @staticmethod
        def vmap(info, in_dims, x, w):
            assert info.batch_size == 3 and info.randomness == "error"
            x, w = (a if d is None else a.movedim(d, 0) for a, d in zip((x, w), in_dims, strict=False))
            return (x * w).sum(-1), 0

    return Total.apply


FORMS = {
    "vmap": lambda F, f, x, w: F.vmap(f, (0, None))(x, w),
    "of grad": lambda F, f, x, w: F.vmap(F.grad(lambda x, w: f(x, w).sum(), 1), (0, None))(x, w),
    "in grad": lambda F, f, x, w: F.grad(lambda w: F.vmap(f, (0, None))(x, w).sum())(w),
    "at the end": lambda F, f, x, w: F.vmap(f, (1, None), out_dims=-1)(x.mT, w),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("make", [generated, by_hand])
def test_as_pytorch_does(make, form):
    x, w = numpy.random.RandomState(0).standard_normal((3, 4)), numpy.arange(1.0, 5.0)
    ours = FORMS[form](func, make(rushlight), rushlight.tensor(x), rushlight.tensor(w))
    theirs = FORMS[form](torch.func, make(torch), torch.tensor(x), torch.tensor(w))
    numpy.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy())


def test_a_generated_rule_nests_and_has_second_derivatives():
    f = generated(rushlight)
    x = rushlight.tensor([[0.1, 0.2], [0.3, -0.4]], dtype=rushlight.float64, requires_grad=True)
    w = rushlight.tensor([1.5, 0.5], dtype=rushlight.float64, requires_grad=True)
    nested = func.vmap(func.vmap(f), (0, None))
    rushlight.testing.assert_close(nested(x, w), (x * w).exp())
    assert rushlight.autograd.gradcheck(nested, (x, w))
    assert rushlight.autograd.gradgradcheck(nested, (x, w))


def test_a_function_without_a_rule_is_refused():
    class Plain(rushlight.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with pytest.raises(RuntimeError, match="generate_vmap_rule=True, or define the vmap staticmethod"):
        func.vmap(Plain.apply)(rushlight.ones(3))

    class Both(Plain):
        generate_vmap_rule = True

        @staticmethod
        def vmap(info, in_dims, x):
            return x, 0

    with pytest.raises(RuntimeError, match="It has both"):
        func.vmap(Both.apply)(rushlight.ones(3))

    class NoDims(Plain):
        @staticmethod
        def vmap(info, in_dims, x):
            return x

    with pytest.raises(RuntimeError, match=r"must return \(output, out_dims\)"):
        func.vmap(NoDims.apply)(rushlight.ones(3))


def test_several_outputs_and_what_has_no_gradient():
    class Sorted(rushlight.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(ctx, x):
            values, places = x.sort()
            ctx.mark_non_differentiable(places)
            ctx.save_for_backward(places)
            return values, places

        @staticmethod
        def backward(ctx, g, _):
            return rushlight.zeros_like(g).scatter(0, ctx.saved_tensors[0], g)

    x = rushlight.tensor([[3.0, 1.0, 2.0], [1.0, 2.0, 0.0]], requires_grad=True)
    values, places = func.vmap(Sorted.apply)(x)
    assert rushlight.equal(values, x.sort(1).values) and not places.requires_grad
    (values * rushlight.arange(3.0)).sum().backward()
    assert x.grad.tolist() == [[2.0, 0.0, 1.0], [1.0, 2.0, 0.0]]
