"""What importlib.metadata is shown of `torch`."""

import importlib.metadata
import pathlib


class TorchDistribution(importlib.metadata.Distribution):
    """A distribution called torch of a chosen version, whose top-level package is torch."""

    def __init__(self, version):
        self._texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\nSummary: Rushlight as torch\n",
            "top_level.txt": "torch\n",
        }

    def read_text(self, filename):
        """The text of one of the distribution's files, or None."""
        return self._texts.get(filename)

    def locate_file(self, path):
        """Where a file of the package is."""
        return pathlib.Path(__file__).parent.parent.parent / path
