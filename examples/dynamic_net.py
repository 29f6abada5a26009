"""A network whose layers are decided when it is made, and whose depth is decided when it runs."""

import rushlight as torch
from rushlight import nn


class DynamicNet(nn.Module):
    def __init__(self, input_size, output_size):
        super().__init__()
        self.layers = nn.ModuleList()
        while input_size // 2 > output_size:
            self.layers.append(nn.Linear(input_size, input_size // 2))
            input_size //= 2
        self.refine = nn.Linear(input_size, input_size)
        self.output = nn.Linear(input_size, output_size)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        rounds = 0
        while x.norm() > 0.5 and rounds < 5:  # an ordinary loop; autograd records what really ran
            x = 0.5 * torch.tanh(self.refine(x))
            rounds += 1
        return self.output(x)


torch.manual_seed(0)
net = DynamicNet(64, 10)
print(net)

output = net(torch.randn(1, 64))
print("output:", output.shape)

output.sum().backward()
print("every layer that ran has a gradient:", all(layer.weight.grad is not None for layer in net.layers))
