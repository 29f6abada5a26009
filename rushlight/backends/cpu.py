"""The processor."""

from rushlight.cpu import get_capabilities


def get_cpu_capability():
    """The widest vector instructions that the processor has: "AVX512", "AVX2" or "DEFAULT".

    >>> torch.backends.cpu.get_cpu_capability() in ("AVX512", "AVX2", "DEFAULT")
    True
    """
    flags = get_capabilities()
    return "AVX512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "DEFAULT"
