"""A layer of one's own: parameters, a forward method, and it trains."""

import rushlight as torch
from rushlight import nn


class Quadratic(nn.Module):
    """y = a x^2 + b x + c, elementwise, with three parameters to learn."""

    def __init__(self):
        super().__init__()
        self.coefficients = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        a, b, c = self.coefficients
        return a * x**2 + b * x + c

    def extra_repr(self):
        return "a x^2 + b x + c"


x = torch.linspace(-1, 1, 101)
target = 2 * x**2 - 3 * x + 0.5

layer = Quadratic()
print(layer)
optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
for _ in range(300):
    loss = nn.functional.mse_loss(layer(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

print("learned:", ", ".join(f"{value:.2f}" for value in layer.coefficients.tolist()))
