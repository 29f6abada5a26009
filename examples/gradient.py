"""The derivative of a formula: y = (2 x)^2 has y' = 8 x."""

import rushlight as torch

x = torch.tensor(3.0, requires_grad=True)
y = (x * 2) ** 2
y.backward()

print("y      =", y)
print("dy/dx  =", x.grad)  # 8 * 3 = 24
