"""Where the native code stands."""

import ctypes

__all__ = ["get_cpp_backtrace"]


def get_cpp_backtrace(frames_to_skip=0, maximum_number_of_frames=64):
    """The native stack of this thread, a line per frame: library, function and address.

    Raises:
        NotImplementedError: the C library cannot tell.
    """
    process = ctypes.CDLL(None)
    if not hasattr(process, "backtrace"):
        raise NotImplementedError("[get_cpp_backtrace] the C library must have backtrace(), as glibc has.")
    frames = (ctypes.c_void_p * (frames_to_skip + maximum_number_of_frames))()
    count = process.backtrace(frames, len(frames))
    process.backtrace_symbols.restype = ctypes.POINTER(ctypes.c_char_p)
    names = process.backtrace_symbols(frames, count)
    try:
        lines = [names[k].decode(errors="replace") for k in range(frames_to_skip, count)]
    finally:
        process.free.argtypes = [ctypes.c_void_p]
        process.free(names)
    return "\n".join(f"frame #{k}: {line}" for k, line in enumerate(lines))
