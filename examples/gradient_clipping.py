"""Gradient clipping: large gradients are scaled down to a given norm, small ones are left as they are."""

import rushlight as torch
from rushlight import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
x, target = torch.randn(16, 4), 1000 * torch.randn(16, 1)


def gradient_norm():
    return torch.stack([parameter.grad.norm() for parameter in net.parameters()]).norm().item()


nn.functional.mse_loss(net(x), target).backward()
before = nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0).item()
print("the norm was large:", before > 1.0)
print(f"clipped to {gradient_norm():.3f}")

nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
print(f"clipped again: {gradient_norm():.3f}")

nn.utils.clip_grad_value_(net.parameters(), clip_value=0.1)
print("no element beyond 0.1:", all(p.grad.abs().max().item() <= 0.1 + 1e-6 for p in net.parameters()))
