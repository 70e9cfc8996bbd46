"""Which of llama.cpp's backends is built here, with which CMake settings, and what that needs."""

import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

CHOICES = ("cpu", "metal", "cuda", "vulkan")

# Fireside reads no pictures (LLAVA) and fetches nothing through llama.cpp (OPENSSL).
COMMON_FLAGS = ("-DLLAVA_BUILD=OFF", "-DLLAMA_OPENSSL=OFF")
# ggml's kernels for Intel's AMX end the process with a segmentation fault on the processors that have it
# (llama.cpp issue 20824); they are compiled only where the compiler says that it is there.
WITHOUT_AMX = ("-DCMAKE_C_FLAGS=-U__AMX_INT8__", "-DCMAKE_CXX_FLAGS=-U__AMX_INT8__")
# llama-cpp-python's own CMake file switches Metal on for every Mac, whatever is asked for.
BACKEND_FLAGS = {
    "cpu": (),
    "metal": ("-DGGML_METAL=ON",),
    "cuda": ("-DGGML_CUDA=ON",),
    "vulkan": ("-DGGML_VULKAN=ON",),
}
NAMES = {
    "cpu": "CPU",
    "metal": "Apple GPU, Metal",
    "cuda": "NVIDIA GPU, CUDA",
    "vulkan": "GPU, Vulkan",
}
USUAL_TIME = {
    "cpu": "about 4 minutes",
    "metal": "about 4 minutes",
    "cuda": "10 to 40 minutes",
    "vulkan": "about 10 minutes",
}


class UnusableBackendError(Exception):
    """The backend asked for does not exist, or cannot be built on this computer."""


@dataclass(frozen=True)
class Backend:
    """How llama.cpp is built here.

    Attributes:
        name: One of CHOICES.
        cmake_args: The CMake settings, in the form of the environment variable CMAKE_ARGS.
    """

    name: str
    cmake_args: str


def choose(
    environment: Mapping[str, str],
    system: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
) -> Backend:
    """Return the backend for this computer.

    FIRESIDE_BACKEND decides; without it a Mac gets Metal, a computer with NVIDIA's compiler and
    driver CUDA, any other the CPU. What stands in CMAKE_ARGS is added behind the settings made here.

    Args:
        environment: The environment variables.
        system: As in `sys.platform`.
        which: Finds a program on the PATH.

    Raises:
        UnusableBackendError: With a sentence for the user.
    """
    name = environment.get("FIRESIDE_BACKEND", "").strip().lower()
    if not name:
        # nvcc alone is also on machines without a GPU; nvidia-smi comes with the driver.
        cuda = which("nvcc") and which("nvidia-smi")
        name = "metal" if system == "darwin" else "cuda" if cuda else "cpu"
    if name not in CHOICES:
        raise UnusableBackendError(
            f"FIRESIDE_BACKEND is “{name}”. It can be {', '.join(CHOICES[:-1])} or {CHOICES[-1]}."
        )
    if name == "metal" and system != "darwin":
        raise UnusableBackendError(
            "FIRESIDE_BACKEND is “metal”, and only a Mac has Metal. Leave it unset to use what is here."
        )
    if name == "cuda" and not which("nvcc"):
        raise UnusableBackendError(
            "FIRESIDE_BACKEND is “cuda”, and nvcc, the compiler of NVIDIA's CUDA toolkit, is not on the PATH."
        )
    if name == "vulkan" and not which("glslc"):
        raise UnusableBackendError(
            "FIRESIDE_BACKEND is “vulkan”, and glslc, the Vulkan SDK's shader compiler, is not on the PATH."
        )
    added = environment.get("CMAKE_ARGS", "").split()
    amx = () if system == "win32" else WITHOUT_AMX  # Microsoft's compiler never says so
    return Backend(name, " ".join([*COMMON_FLAGS, *amx, *BACKEND_FLAGS[name], *added]))


def instead(environment: Mapping[str, str], chosen: Backend) -> Backend | None:
    """Return what to build when `chosen` turns out not to work here; None when a person asked for it by name.

    nvcc is also found where the rest of CUDA's toolkit is missing, or does not fit the driver.
    """
    if environment.get("FIRESIDE_BACKEND", "").strip() or chosen.name != "cuda":
        return None
    return choose({**environment, "FIRESIDE_BACKEND": "cpu"})


def processor() -> str:
    """Name this processor: what is built for it stops with an illegal instruction on a lesser one."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        flags = ""
    return f"{sys.platform} {platform.machine()} {flags.strip()}"
