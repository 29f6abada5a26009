"""Logs for TensorBoard: `SummaryWriter` writes them, `tensorboard --logdir runs` shows them.

Needs the package tensorboard; pictures also Pillow, figures matplotlib: `pip install rushlight[tensorboard]` brings
all three.

>>> import tempfile
>>> from rushlight.utils.tensorboard import SummaryWriter
>>> with SummaryWriter(tempfile.mkdtemp()) as writer:
...     for step in range(100):
...         writer.add_scalar("loss", 1 / (step + 1), step)
"""

try:
    import tensorboard as _tensorboard  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "[tensorboard] the package tensorboard must be installed. Run pip install rushlight[tensorboard].",
        name=missing.name,
    ) from None

from rushlight.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
