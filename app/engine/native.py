"""The process-wide side of llama.cpp: its log, its last words, its devices.

Importing this module loads the library, which takes about 0.2 s: only the engine's thread does it.
"""

import contextlib
import ctypes
import faulthandler
import logging
import os
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

# How often a thread looks for the others at the end of each step of the graph before it goes to sleep.
# libgomp's own choice, 300,000, assumes cores that nothing else wants: with one other busy program, two
# cores made 0.4 tokens a second where they make 65 alone. With this it is 30, and 64 alone.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# Otherwise a failing assertion starts a debugger, when one is installed, to print a backtrace.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

import llama_cpp
import llama_cpp.llama_cpp as api

_log = logging.getLogger("fireside.llama")
_CONTINUED = 5
_CPU = 0  # GGML_BACKEND_DEVICE_TYPE_CPU
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

# The newest lines of llama.cpp's log: the only place where it says why a file was refused.
lines: deque[str] = deque(maxlen=400)


@api.llama_log_callback
def _on_log(level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    line = text.decode("utf-8", "replace").rstrip("\n")
    if level == _CONTINUED and lines:
        lines[-1] += line
        return
    lines.append(line)
    # Each stop makes it speak of errors; those that matter are raised with its words.
    _log.debug("%s", line)


_ABORT_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_char_p)
_crash_note: Path | None = None
_stack_note: int | None = None  # descriptor of the same file; it must be open already when the process dies


@_ABORT_CALLBACK
def _on_abort(message: bytes) -> None:
    """Keep the text of a failed assertion; the process ends when this returns."""
    text = message.decode("utf-8", "replace")
    if _crash_note is None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201
        return
    with _crash_note.open("a", encoding="utf-8") as note:
        note.write(text + "\n")


def start(crash_note: Path | None = None) -> None:
    """Take over the log and the last words, and get the backends ready. May be called again.

    Args:
        crash_note: The file that receives the text of a failed assertion and Python's stacks before the
            process dies. When None the text goes to the standard error.
    """
    global _crash_note
    _crash_note = crash_note
    if crash_note is not None:
        _note_stacks(crash_note)
    _return_large_memory()
    api.llama_log_set(_on_log, ctypes.c_void_p(0))
    _library("ggml-base").ggml_set_abort_callback(_on_abort)
    _load_processor()
    api.llama_backend_init()


def _load_processor() -> None:
    """Load what computes on this processor, in a build with a library for each kind (GGML_BACKEND_DL).

    Such a build knows nothing to compute on by itself. llama.cpp asks each library whether it suits this
    processor, and keeps the one that makes the most of it; what computes on a GPU is loaded likewise.
    """
    registry = _library("ggml")
    registry.ggml_backend_dev_by_type.restype = ctypes.c_void_p
    registry.ggml_backend_load_all_from_path.restype = None
    if registry.ggml_backend_dev_by_type(_CPU) is None:
        registry.ggml_backend_load_all_from_path(os.fsencode(_folder()))


def _return_large_memory() -> None:
    """Have glibc give large blocks back to the system as soon as they are free.

    By itself it keeps up to 32 MiB for each size that was used once, and the work space of the CPU grows
    with every step of a long prompt: 8 MB at 8,000 tokens, 40 MB at 32,000. What one token needs stays below
    the limits, since to fetch that anew each time would take longer than to compute it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, 4 << 20)
            mallopt(_M_TRIM_THRESHOLD, 16 << 20)


def _note_stacks(crash_note: Path) -> None:
    """Have Python write where each thread was when the process crashes; a folder may forbid it."""
    global _stack_note
    with contextlib.suppress(OSError):
        before, _stack_note = _stack_note, os.open(crash_note, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        faulthandler.enable(_stack_note)
        if before is not None:
            os.close(before)


def _library(name: str) -> ctypes.CDLL:
    """Return a library in which the functions of "ggml" or "ggml-base" are found.

    By its path only on Windows. Elsewhere the package holds each library under several names, as copies: to
    open another name would load it a second time, with settings of its own that nothing looks at. There,
    a look-up in libllama also reaches the copies that it uses itself.
    """
    if sys.platform == "win32":
        return ctypes.CDLL(str(_folder() / f"{name}.dll"))
    return api._lib


def _folder() -> Path:
    """Return where llama.cpp's libraries lie."""
    return Path(os.environ.get("LLAMA_CPP_LIB_PATH") or Path(llama_cpp.__file__).parent / "lib")


@dataclass(frozen=True, slots=True)
class Device:
    """Something llama.cpp can compute on; memory in bytes, 0 when it does not say."""

    name: str
    description: str
    memory_free: int
    memory_total: int


def devices() -> list[Device]:
    """Return what this build of llama.cpp found on this computer, the CPU last."""
    registry, base = _library("ggml"), _library("ggml-base")
    registry.ggml_backend_dev_count.restype = ctypes.c_size_t
    registry.ggml_backend_dev_get.restype = ctypes.c_void_p
    registry.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    for text in (base.ggml_backend_dev_name, base.ggml_backend_dev_description):
        text.restype, text.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    size_p = ctypes.POINTER(ctypes.c_size_t)
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, size_p, size_p]
    base.ggml_backend_dev_memory.restype = None
    found = []
    for index in range(registry.ggml_backend_dev_count()):
        device = registry.ggml_backend_dev_get(index)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        name = base.ggml_backend_dev_name(device).decode()
        description = base.ggml_backend_dev_description(device).decode()
        found.append(Device(name, description, free.value, total.value))
    return found


def has_gpu() -> bool:
    """Return whether there is something to compute on beside the CPU."""
    return len(devices()) > 1


def system_info() -> str:
    """Return llama.cpp's own line about the instruction sets it was built for and uses."""
    return api.llama_print_system_info().decode()


def identity() -> str:
    """Return what tells this engine from another: version, instruction sets, devices."""
    names = (f"{device.name}: {device.description}" for device in devices())
    return "; ".join((str(llama_cpp.__version__), system_info().strip(), *names))
