"""What stands behind the operators, and settings of it. The cpu's are real; other devices' are kept and change nothing.

>>> torch.backends.cudnn.is_available()
False
>>> with torch.backends.cudnn.flags(benchmark=True):
...     torch.backends.cudnn.benchmark
True
"""

from rushlight.backends import cpu, cuda, cudnn, mha, mkl, mkldnn, mps, nnpack, openmp, opt_einsum, quantized

__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "nnpack", "openmp", "opt_einsum", "quantized"]
