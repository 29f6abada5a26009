"""An operator with a derivative of one's own: the clamp whose gradient passes straight through."""

import rushlight as torch


class StraightThroughClamp(torch.autograd.Function):
    """Clamps to 0..1; the gradient passes unless it would push a clamped value further out."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        outwards = ((x < 0) & (grad > 0)) | ((x > 1) & (grad < 0))
        return torch.where(outwards, torch.zeros_like(grad), grad)


x = torch.tensor([-0.5, 0.5, 1.5], requires_grad=True)
y = StraightThroughClamp.apply(x)
y.sum().backward()

print("y      =", y)
print("dy/dx  =", x.grad)


class Cube(torch.autograd.Function):
    """x^3; its backward is made of operators, so it can be derived again."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


x = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
print("gradient right:", torch.autograd.gradcheck(Cube.apply, (x,)))
print("second derivative right:", torch.autograd.gradgradcheck(Cube.apply, (x,)))
