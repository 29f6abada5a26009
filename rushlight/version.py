"""The version, and that of the PyTorch whose behaviour it follows."""

__version__ = "0.1.0"
follows = "2.13.0"
cuda = None
hip = None
debug = False
git_version = "unknown"
