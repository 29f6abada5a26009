"""The handwritten digits that come with the demo (their source and licence: DIGITS.md beside this file)."""

from __future__ import annotations

import gzip
from importlib import resources
from typing import Any

import rushlight


def load_digits() -> tuple[Any, Any]:
    """Returns the images, float32 [1797, 8, 8] from 0 (paper) to 1 (ink), and the digits, int64 [1797].

    Example::

      >>> images, labels = load_digits()
      >>> images.shape, labels[:5]
      (torch.Size([1797, 8, 8]), tensor([0, 1, 2, 3, 4]))
    """
    content = resources.files("rushlight.demo").joinpath("digits.csv.gz").read_bytes()
    rows = [[int(value) for value in line.split(b",")] for line in gzip.decompress(content).splitlines()]
    table = rushlight.tensor(rows)
    images = table[:, :64].to(rushlight.float32) / 16
    return images.reshape(-1, 8, 8), table[:, 64].contiguous()
