"""What a report about a fault should say of the machine: ``python -m rushlight.utils.collect_env``."""

import importlib.metadata
import locale
import os
import platform
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import rushlight

__all__ = ["SystemEnv", "get_env_info", "get_pretty_env_info", "main"]


class SystemEnv(NamedTuple):
    """The findings. None: not there."""

    torch_version: str
    followed_version: str
    is_debug_build: bool
    is_cuda_available: bool
    nvidia_gpu_models: str | None
    nvidia_driver_version: str | None
    os: str
    libc_version: str
    gcc_version: str | None
    clang_version: str | None
    cmake_version: str | None
    python_version: str
    python_platform: str
    cpu_model: str | None
    cpu_count: int
    cpu_capability: str
    num_threads: int
    environment: dict[str, str]
    pip_packages: dict[str, str]


# Packages that work together with this one, and settings that change what it does.
_PACKAGES = re.compile(
    r"^(rushlight|torch.*|numpy|scipy|onnx.*|nvidia-.*|safetensors|tensorboard|pillow|matplotlib)$", re.I
)
_SETTINGS = re.compile(r"^(OMP_|GOMP_|RUSHLIGHT_|CUDA_|MKL_)")


def get_env_info():
    """Looks at this machine and returns a SystemEnv.

    >>> from rushlight.utils.collect_env import get_env_info
    >>> get_env_info().torch_version == torch.__version__
    True
    """
    return SystemEnv(
        torch_version=rushlight.__version__,
        followed_version=rushlight.version.follows,
        is_debug_build=rushlight.version.debug,
        is_cuda_available=rushlight.cuda.is_available(),
        nvidia_gpu_models=_output("nvidia-smi", "-L"),
        nvidia_driver_version=_first("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
        os=_os(),
        libc_version="-".join(filter(None, platform.libc_ver())) or "N/A",
        gcc_version=_version("gcc"),
        clang_version=_version("clang"),
        cmake_version=_version("cmake"),
        python_version=f"{sys.version.splitlines()[0]} ({sys.maxsize.bit_length() + 1}-bit runtime)",
        python_platform=platform.platform(),
        cpu_model=_cpu_model(),
        cpu_count=os.cpu_count() or 1,
        cpu_capability=rushlight.backends.cpu.get_cpu_capability(),
        num_threads=rushlight.get_num_threads(),
        environment={name: value for name, value in sorted(os.environ.items()) if _SETTINGS.match(name)},
        pip_packages=_packages(),
    )


def get_pretty_env_info():
    """The same as a text."""
    info = get_env_info()
    lines = [
        f"Rushlight version: {info.torch_version}",
        f"Follows PyTorch version: {info.followed_version}",
        f"Is debug build: {info.is_debug_build}",
        "",
        f"OS: {info.os}",
        f"GCC version: {info.gcc_version or 'Could not collect'}",
        f"Clang version: {info.clang_version or 'Could not collect'}",
        f"CMake version: {info.cmake_version or 'Could not collect'}",
        f"Libc version: {info.libc_version}",
        "",
        f"Python version: {info.python_version}",
        f"Python platform: {info.python_platform}",
        "",
        f"CPU: {info.cpu_model or 'Could not collect'}, {info.cpu_count} logical cores",
        f"CPU capability used: {info.cpu_capability}",
        f"Threads used: {info.num_threads}",
        "",
        f"Is CUDA available: {info.is_cuda_available}",
        f"GPU models and configuration: {info.nvidia_gpu_models or 'No GPU found'}",
        f"Nvidia driver version: {info.nvidia_driver_version or 'Could not collect'}",
        "",
        "Settings in the environment:",
        *([f"{name}={value}" for name, value in info.environment.items()] or ["none"]),
        "",
        "Versions of relevant libraries:",
        *(f"[pip3] {name}=={version}" for name, version in info.pip_packages.items()),
    ]
    return "\n".join(lines)


def main():
    """Prints the text."""
    print("Collecting environment information...")
    print(get_pretty_env_info())


def _output(program, *arguments):
    """What a program prints, or None where it is missing, fails or hangs."""
    if shutil.which(program) is None:
        return None
    try:
        done = subprocess.run([program, *arguments], capture_output=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(locale.getpreferredencoding(False), errors="replace").strip()


def _first(program, *arguments):
    return (_output(program, *arguments) or "").partition("\n")[0] or None


def _version(program):
    line = _first(program, "--version")
    return line.partition("version ")[2] or line.partition(" ")[2] if line else None


def _os():
    if sys.platform == "linux":
        try:
            name = platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            name = "Linux"
        return f"{name} ({platform.machine()})"
    return f"{platform.system()} {platform.release()} ({platform.machine()})"


def _cpu_model():
    try:
        with open("/proc/cpuinfo") as file:
            found = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
            return found[1] if found else platform.processor() or None
    except OSError:
        return platform.processor() or None


def _packages():
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(found, key=lambda n: str(n).lower()) if name and _PACKAGES.match(name)}


if __name__ == "__main__":
    main()
