"""A mistake that is easily made, and what the framework says about it.

The layers are meant to halve the width, but each is created with as many outputs as inputs.
"""

import rushlight as torch
from rushlight import nn


class DynamicNet(nn.Module):
    def __init__(self, input_size, output_size):
        super().__init__()
        self.layers = nn.ModuleList()
        while input_size > output_size:
            self.layers.append(nn.Linear(input_size, input_size))  # the mistake
            input_size //= 2
        self.output = nn.Linear(input_size, output_size)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.output(x)


net = DynamicNet(64, 10)
try:
    net(torch.randn(1, 64))
except RuntimeError as error:
    print(error)
