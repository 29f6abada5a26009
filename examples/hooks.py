"""Hooks: looking at, and changing, what flows through a network."""

import rushlight as torch
from rushlight import nn

net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
seen = []
handles = [
    layer.register_forward_hook(lambda layer, inputs, output: seen.append((type(layer).__name__, tuple(output.shape))))
    for layer in net
]
net(torch.ones(5, 3))
print("forward:", seen)

for handle in handles:
    handle.remove()
net(torch.ones(5, 3))
print("after removal:", len(seen))

# A hook on a tensor sees its gradient, and may replace it.
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
x.register_hook(lambda gradient: gradient.clamp(max=4.0))
(x**2).sum().backward()
print("clamped gradient:", x.grad)

# The gradient of something that is no leaf is kept on request.
y = torch.tensor(2.0, requires_grad=True) * 3
y.retain_grad()
(y**2).backward()
print("kept gradient:", y.grad)
