"""The network of the demo."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight import nn


class DynamicNet(nn.Module):
    """A classifier whose depth is decided in every call, by plain Python conditions and loops.

    In training, a depth is drawn for every batch, so that each depth learns to answer (stochastic depth, Huang et
    al. 2016). In evaluation, blocks are added until the answers are sure enough. The graph that autograd records is
    therefore another one from batch to batch; nothing has to be told of that.

    Shapes: images [N, 8, 8], result [N, classes]. ``depth`` holds the number of blocks that the last call used.
    """

    def __init__(self, pixels: int = 64, width: int = 256, classes: int = 10, blocks: int = 4, sure: float = 0.99):
        super().__init__()
        self.entry = nn.Linear(pixels, width)
        self.blocks = nn.ModuleList([nn.Linear(width, width) for _ in range(blocks)])
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(width, classes)
        self.sure = sure
        self.depth = 0

    def forward(self, images: Any) -> Any:
        # In training, a drawn number of blocks; in evaluation, as many as it takes to be sure.
        most = rushlight.randint(1, len(self.blocks) + 1, ()).item() if self.training else len(self.blocks)
        hidden = self.entry(images.flatten(1)).relu()
        self.depth = 0
        while self.depth < most:
            block = self.blocks[self.depth]
            hidden = hidden + block(self.dropout(hidden)).relu()
            answer = self.head(hidden)
            self.depth += 1
            if not self.training and self.confidence(answer) > self.sure:
                break
        return answer

    @staticmethod
    def confidence(answer: Any) -> float:
        """Mean probability of the likeliest class, from 0 to 1."""
        return answer.softmax(1).amax(1).mean().item()
