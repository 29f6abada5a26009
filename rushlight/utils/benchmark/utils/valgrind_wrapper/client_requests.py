"""Requests of a program to the Valgrind that runs it, without a C compiler: the few instructions are written here.

Valgrind knows a request by a sequence of rotations that change nothing; rax then points to six words, the request's
number and its arguments, and rdx receives the answer (valgrind.h, section "Client requests", x86-64).
"""

import ctypes
import mmap
import platform

_CODE = bytes.fromhex(
    "4889f8"  # mov rax, rdi
    "31d2"  # xor edx, edx: the answer where no Valgrind listens
    "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi by 3, 13, 61 and 51
    "4887db"  # xchg rbx, rbx
    "4889d0"  # mov rax, rdx
    "c3"  # ret
)
_RUNNING_ON_VALGRIND = 0x1001
_CALLGRIND = ord("C") << 24 | ord("T") << 16
_DUMP, _TOGGLE_COLLECT, _START_INSTRUMENTATION = _CALLGRIND, _CALLGRIND + 2, _CALLGRIND + 4
_kept = []  # what the machine code needs


def is_supported():
    """Whether this processor has the instructions."""
    return platform.machine() in ("x86_64", "AMD64")


def _request(number):
    """A function that makes one request, with as few instructions of its own as can be."""
    if not _kept:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(_CODE)
        _kept.append(page)
    words = (ctypes.c_uint64 * 6)(number)
    _kept.append(words)
    call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(_kept[0])))
    at = ctypes.c_void_p(ctypes.addressof(words))
    return lambda: call(at)


def is_running():
    """Whether Valgrind runs this process."""
    return bool(_request(_RUNNING_ON_VALGRIND)())


def callgrind():
    """Three functions: start instrumentation, switch counting on or off, write the counts out and begin anew."""
    return _request(_START_INSTRUMENTATION), _request(_TOGGLE_COLLECT), _request(_DUMP)
